//! What mails say, in each language. Plain text, short lines, no name of a file: a mail is read by whoever carries it.

use model::{id::NoticeId, outgoing::Language};

/// Characters of a name that somebody else chose. A mail of ours is no place for their advertising.
const NAME_CHARS_MAX: usize = 40;

/// What a mail tells of.
#[derive(Clone, Copy)]
pub(crate) enum Told<'a> {
    /// The code that shows that an address is the account's.
    Confirm { name: &'a str, code: &'a str },
    /// Mail goes elsewhere from now on, or nowhere.
    Moved,
    /// A code for a new password, which the account's owner asked for or an operator made.
    Reset { code: &'a str, is_asked: bool },
    /// An invitation.
    Invitation { from: &'a str, code: &'a str },
    /// The password was changed.
    PasswordChanged,
    /// The account will be deleted then.
    Leaves { at_us: i64 },
    /// How much of the quota is used.
    Quota { used: u64, limit: u64, is_full: bool },
    /// Somebody lets the account see something.
    Granted { from: &'a str },
    /// So many notices wait for somebody to take note of them, of which these are spelled out.
    Notices { count: usize, first: &'a [Waiting] },
    /// A statement of the operator's, served on a firm.
    Statement { text: &'a str },
    /// An operator tries whether mail works.
    Test,
}

/// A notice that waits.
pub(crate) struct Waiting {
    /// What it is taken note of by.
    pub id: NoticeId,
    /// The firm that it concerns, by name; of none, it is the service's own.
    pub firm: Option<String>,
    /// By when something is to happen.
    pub by_us: Option<i64>,
    /// How its words begin, in one line.
    pub words: String,
}

impl Told<'_> {
    /// Whether it may tell of a theft: such a mail goes out whatever else went there, and only its owner or an operator
    /// causes it.
    pub fn is_warning(&self) -> bool {
        match self {
            Self::Moved | Self::PasswordChanged | Self::Leaves { .. } | Self::Notices { .. } => true,
            Self::Reset { is_asked, .. } => !is_asked,
            _ => false,
        }
    }

    /// What it is about, for logs.
    pub fn about(&self) -> &'static str {
        match self {
            Self::Confirm { .. } => "address to confirm",
            Self::Moved => "address changed",
            Self::Reset { .. } => "new password",
            Self::Invitation { .. } => "invitation",
            Self::PasswordChanged => "password changed",
            Self::Leaves { .. } => "account leaves",
            Self::Quota { .. } => "quota",
            Self::Granted { .. } => "grant",
            Self::Notices { .. } => "notices",
            Self::Statement { .. } => "statement",
            Self::Test => "test",
        }
    }
}

/// The first language of an `Accept-Language` that we write; English if there is none.
pub fn language_of(accepted: &str) -> Language {
    // In the order that they are named in: browsers name the one they like best first.
    let first = accepted.split(',').find_map(|one| match one.trim().get(..2) {
        Some("de") => Some(Language::German),
        Some("en") => Some(Language::English),
        _ => None,
    });
    first.unwrap_or_default()
}

/// Subject and text.
pub(super) fn compose(language: Language, service: &str, page: &str, told: &Told<'_>) -> (String, String) {
    let service = short(service);
    let (subject, words) = match language {
        Language::English => english(&service, page, told),
        Language::German => german(&service, page, told),
    };
    let foot = match language {
        Language::English => "This mail was written by a program; nobody reads an answer to it.",
        Language::German => "Diese Mail hat ein Programm geschrieben; eine Antwort liest niemand.",
    };
    (format!("{service}: {subject}"), format!("{words}\n\n-- \n{service}\n{page}\n{foot}\n"))
}

fn english(service: &str, page: &str, told: &Told<'_>) -> (&'static str, String) {
    match told {
        Told::Confirm { name, code } => (
            "confirm your address",
            format!(
                "the account \"{}\" at {service} says that this is its address. If that is you, open\n\n{page}/mail#{code}\n\n\
                 within a day. If not, do nothing: without this the address is not used.",
                short(name)
            ),
        ),
        Told::Moved => (
            "your address was changed",
            format!(
                "mail of your account at {service} does not come to this address any more.\n\n\
                 If that was not you, sign in and change your password, or ask the operator:\n\n{page}/"
            ),
        ),
        Told::Reset { code, is_asked } => {
            let (who, long) = match is_asked {
                true => ("somebody, probably you, forgot the password", "two hours"),
                false => ("the operator lets you choose a new password", "a day"),
            };
            let words = format!(
                "{who} of your account at {service}. To choose a new one, open\n\n{page}/reset#{code}\n\nwithin {long}. It opens \
                 once. If you do not want that, do nothing: the old password stays."
            );
            ("a new password", words)
        }
        Told::Invitation { from, code } => (
            "an invitation",
            format!(
                "\"{}\" invites you to {service}. To make an account, open\n\n{page}/join#{code}\n\nIt opens once. If you do not \
                 want that, do nothing.",
                short(from)
            ),
        ),
        Told::PasswordChanged => (
            "your password was changed",
            format!(
                "the password of your account at {service} was changed, and other browsers were signed out.\n\n\
                 If that was not you, ask for a new password at once, and tell the operator:\n\n{page}/"
            ),
        ),
        Told::Leaves { at_us } => (
            "your account will be deleted",
            format!(
                "your account at {service} will be deleted with all of its files, on {} or a little later.\n\n\
                 Until then you can sign in and take that back:\n\n{page}/",
                day(*at_us)
            ),
        ),
        Told::Quota { used, limit, is_full } => {
            let subject = if *is_full { "your account is full" } else { "your account is almost full" };
            let what = if *is_full { "Nothing more can be stored." } else { "Soon nothing more can be stored." };
            let words = format!(
                "{} of the {} that your account at {service} may keep are used, with older versions and the trash. {what} What \
                 is stored stays.\n\nEmpty the trash, or ask the operator for more room:\n\n{page}/",
                amount(*used, '.'),
                amount(*limit, '.')
            );
            (subject, words)
        }
        Told::Granted { from } => (
            "something was shared with you",
            format!("\"{}\" shares something with you at {service}. Sign in to see it:\n\n{page}/", short(from)),
        ),
        Told::Notices { count, first } => {
            let (subject, who) = match count {
                1 => ("a notice waits for you", "a notice waits".to_owned()),
                _ => ("notices wait for you", format!("{count} notices wait")),
            };
            let lines = lines(*count, first, ["the service", "by", "and", "more"]);
            let words = format!(
                "{who} at {service} until somebody takes note:\n\n{lines}\n\nTo read it all and to take note, open\n\n\
                 {page}/fleet/notices\n\nor say `holdfast notice ls` and `holdfast notice ack ID`; the ID stands in brackets. Until \
                 then this mail comes again, less and less often. Nothing happens by itself because of a notice."
            );
            (subject, words)
        }
        Told::Statement { text } => (
            "a statement",
            format!(
                "the operator of {service} states:\n\n{text}\n\nThis statement is in force until it is withdrawn. \
                 It is in a signed ledger, and is served again when what it covers changes its state."
            ),
        ),
        Told::Test => ("mail works", format!("this mail shows that {service} can send mail.")),
    }
}

fn german(service: &str, page: &str, told: &Told<'_>) -> (&'static str, String) {
    match told {
        Told::Confirm { name, code } => (
            "Adresse bestätigen",
            format!(
                "das Konto „{}“ bei {service} gibt diese Adresse als seine an. Wenn Sie das sind, öffnen Sie\n\n{page}/mail#{code}\n\n\
                 innerhalb eines Tages. Wenn nicht, tun Sie nichts: Ohne das wird die Adresse nicht verwendet.",
                short(name)
            ),
        ),
        Told::Moved => (
            "Ihre Adresse wurde geändert",
            format!(
                "Mail Ihres Kontos bei {service} geht nicht mehr an diese Adresse.\n\n\
                 Wenn Sie das nicht waren, melden Sie sich an und ändern Sie Ihr Passwort, oder fragen Sie den Betreiber:\n\n{page}/"
            ),
        ),
        Told::Reset { code, is_asked } => {
            let (who, long) = match is_asked {
                true => ("jemand, vermutlich Sie, hat das Passwort Ihres Kontos", "von zwei Stunden"),
                false => ("der Betreiber lässt Sie ein neues Passwort wählen für Ihr Konto", "eines Tages"),
            };
            let end = if *is_asked { " vergessen" } else { "" };
            let words = format!(
                "{who} bei {service}{end}. Um ein neues zu wählen, öffnen Sie\n\n{page}/reset#{code}\n\ninnerhalb {long}. Die \
                 Adresse öffnet einmal. Wenn Sie das nicht möchten, tun Sie nichts: Das alte Passwort bleibt."
            );
            ("ein neues Passwort", words)
        }
        Told::Invitation { from, code } => (
            "eine Einladung",
            format!(
                "„{}“ lädt Sie zu {service} ein. Um ein Konto anzulegen, öffnen Sie\n\n{page}/join#{code}\n\nDie Adresse öffnet \
                 einmal. Wenn Sie das nicht möchten, tun Sie nichts.",
                short(from)
            ),
        ),
        Told::PasswordChanged => (
            "Ihr Passwort wurde geändert",
            format!(
                "das Passwort Ihres Kontos bei {service} wurde geändert, andere Browser wurden abgemeldet.\n\n\
                 Wenn Sie das nicht waren, fordern Sie gleich ein neues Passwort an und sagen Sie es dem Betreiber:\n\n{page}/"
            ),
        ),
        Told::Leaves { at_us } => (
            "Ihr Konto wird gelöscht",
            format!(
                "Ihr Konto bei {service} wird mit allen Dateien gelöscht, am {} oder wenig später.\n\n\
                 Bis dahin können Sie sich anmelden und das zurücknehmen:\n\n{page}/",
                day(*at_us)
            ),
        ),
        Told::Quota { used, limit, is_full } => {
            let subject = if *is_full { "Ihr Konto ist voll" } else { "Ihr Konto ist fast voll" };
            let what = if *is_full {
                "Mehr kann nicht gespeichert werden."
            } else {
                "Bald kann nichts mehr gespeichert werden."
            };
            let words = format!(
                "{} von {}, die Ihr Konto bei {service} behalten darf, sind belegt, mit älteren Fassungen und dem Papierkorb. \
                 {what} Was gespeichert ist, bleibt.\n\nLeeren Sie den Papierkorb, oder bitten Sie den Betreiber um mehr Platz:\n\n{page}/",
                amount(*used, ','),
                amount(*limit, ',')
            );
            (subject, words)
        }
        Told::Granted { from } => (
            "etwas wurde mit Ihnen geteilt",
            format!(
                "„{}“ teilt bei {service} etwas mit Ihnen. Melden Sie sich an, um es zu sehen:\n\n{page}/",
                short(from)
            ),
        ),
        Told::Notices { count, first } => {
            let (subject, who) = match count {
                1 => ("eine Mitteilung wartet auf Sie", "Eine Mitteilung wartet".to_owned()),
                _ => ("Mitteilungen warten auf Sie", format!("{count} Mitteilungen warten")),
            };
            let lines = lines(*count, first, ["der Dienst", "bis", "und", "weitere"]);
            let words = format!(
                "{who} bei {service}, bis jemand davon Kenntnis nimmt:\n\n{lines}\n\nUm alles zu lesen und Kenntnis zu nehmen, \
                 öffnen Sie\n\n{page}/fleet/notices\n\noder sagen Sie `holdfast notice ls` und `holdfast notice ack ID`; die ID \
                 steht in Klammern. Bis dahin kommt diese Mail wieder, immer seltener. Von selbst geschieht wegen einer Mitteilung nichts."
            );
            (subject, words)
        }
        Told::Statement { text } => (
            "eine Erklärung",
            format!(
                "der Betreiber von {service} erklärt:\n\n{text}\n\nDiese Erklärung gilt, bis sie zurückgenommen wird. \
                 Sie steht in einem signierten Verzeichnis und wird wieder zugestellt, wenn sich der Stand dessen ändert, was sie betrifft."
            ),
        ),
        Told::Test => ("Mail geht", format!("diese Mail zeigt, dass {service} Mail verschicken kann.")),
    }
}

/// A line for each of the first of so many notices: whose it is, until when, what it says, and its ID. `words` are those of a
/// language: the service, until, and, more.
fn lines(count: usize, first: &[Waiting], words: [&str; 4]) -> String {
    let [service, until, and, more] = words;
    let line = |one: &Waiting| {
        let firm = one.firm.as_deref().map_or_else(|| service.to_owned(), short);
        let by = one.by_us.map_or(String::new(), |at| format!(", {until} {}", day(at)));
        format!("- {firm}{by}: {} [{}]", one.words, one.id)
    };
    let rest = count.saturating_sub(first.len());
    let rest = (rest > 0).then(|| format!("- {and} {rest} {more}"));
    first.iter().map(line).chain(rest).collect::<Vec<_>>().join("\n")
}

/// A name as a mail of ours repeats it: no lines of its own, no address that could be clicked.
fn short(name: &str) -> String {
    let plain = |letter: char| if letter.is_control() || "/:\"".contains(letter) { ' ' } else { letter };
    let cut: String = name.chars().map(plain).take(NAME_CHARS_MAX).collect();
    cut.trim().to_owned()
}

fn amount(bytes: u64, point: char) -> String {
    crate::error::units(bytes).replace('.', &point.to_string())
}

/// The day of a time, in UTC. Source: Howard Hinnant, "chrono-compatible low-level date algorithms", `civil_from_days`.
fn day(wall_us: i64) -> String {
    let days = wall_us.div_euclid(86_400_000_000) + 719_468;
    let (era, of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_of_year = (5 * of_year + 2) / 153;
    let date = of_year - (153 * month_of_year + 2) / 5 + 1;
    let month = if month_of_year < 10 { month_of_year + 3 } else { month_of_year - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    format!("{year:04}-{month:02}-{date:02}")
}

#[cfg(test)]
#[path = "texts_tests.rs"]
mod tests;
