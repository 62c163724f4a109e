//! The recovery kit: one page that brings a user's files home without us.
//!
//! Plain words on top, machine-readable lines below, each ending in a check of its own, so that a typing error is found and
//! its line is named; one more check covers them all. A kit holds no names, no tree and no credentials, and stays valid
//! whatever is stored and wherever targets move: address books at any old target lead on.
//!
//! [`OperatorKit`] is the operator's: the same kind of lines, with the service identity and every target's login.

mod operator;

pub use operator::{OperatorKit, OperatorTarget};

use model::id::{AccountId, ClusterId, KitId};

use crate::{
    FORMAT_VERSION,
    envelope::Identity,
    error::{Error, Result},
    wire::hex,
};

/// The first word of the first machine-readable line.
const FIRST: &str = "holdfast-kit";

/// What a kit holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kit {
    /// The format of what lies at the targets when it was made.
    pub format_version: u32,
    /// The cluster.
    pub cluster: ClusterId,
    /// The account tag.
    pub account: AccountId,
    /// Its own id.
    pub kit: KitId,
    /// The recovery identity: the secret.
    pub identity: Identity,
    /// Where targets were when it was made.
    pub addresses: Vec<KitAddress>,
    /// When it was made, microseconds since 1970.
    pub made_us: i64,
}

/// Where a target was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KitAddress {
    /// The provider's name.
    pub provider: String,
    /// Which driver speaks to it.
    pub driver: String,
    /// Where it was, as the driver reads it.
    pub address: String,
}

impl Kit {
    /// The page.
    pub fn to_text(&self) -> String {
        let mut lines = vec![
            format!("{FIRST}: {}", self.format_version),
            format!("cluster: {}", self.cluster),
            format!("account: {}", self.account),
            format!("kit: {}", self.kit),
            format!("made: {}", self.made_us),
            format!("identity: {}", self.identity.secret()),
        ];
        for KitAddress { provider, driver, address } in &self.addresses {
            lines.push(format!("address: {} | {} | {}", escape(provider), escape(driver), escape(address)));
        }
        page(PAGE, self.made_us, lines)
    }

    /// Reads a page. Words above and below the machine-readable lines, indentation and line ends do not matter.
    ///
    /// # Errors
    /// Refused: it is no kit, or one of a newer format. Damaged: a line was mistyped, is missing or doubled; it is named.
    pub fn parse(text: &str) -> Result<Self> {
        let lines = checked_lines(text, FIRST)?;
        Ok(Self {
            format_version: FORMAT_VERSION,
            cluster: value(&lines, "cluster", |text| ClusterId::parse(text).ok())?,
            account: value(&lines, "account", |text| AccountId::parse(text).ok())?,
            kit: value(&lines, "kit", |text| KitId::parse(text).ok())?,
            identity: Identity::parse(&one(&lines, "identity")?.value)?,
            addresses: lines.iter().filter(|line| line.key == ADDRESS).map(Line::address).collect::<Result<_>>()?,
            made_us: value(&lines, "made", |text| text.parse().ok())?,
        })
    }
}

/// A page: words with their date, then the lines, each with its check, and one check of all.
fn page(words: &str, made_us: i64, mut lines: Vec<String>) -> String {
    lines.iter_mut().for_each(|line| *line = single_spaced(line));
    let all = check(&lines.join("\n"), 4);
    lines.push(format!("{CHECK}: {all}"));
    let mut text = words.replace("{date}", &date(made_us));
    for line in lines {
        text.push_str(&format!("{line}  #{}\n", check(&line, 2)));
    }
    text
}

/// The machine-readable lines of a page that begins with `first`, if they are all there and as they were written.
fn checked_lines(text: &str, first: &str) -> Result<Vec<Line>> {
    let lines = machine_lines(text, first)?;
    let written = one(&lines, CHECK)?;
    let all: Vec<_> = lines.iter().filter(|line| line.key != CHECK).map(|line| line.text.as_str()).collect();
    let expected = check(&all.join("\n"), 4);
    if written.value != expected {
        return Err(written.damaged(expected));
    }
    Ok(lines)
}

/// The first word of the last machine-readable line.
const CHECK: &str = "check";
const ADDRESS: &str = "address";

/// What people read. It fits above a dozen lines on one page.
const PAGE: &str = "\
HOLDFAST RECOVERY KIT, made on {date}

This page brings your files home, even if the service that kept them is gone. Whoever holds it can read all of them: keep it
as you keep a passport. Print it, put one copy where you live and one somewhere else.

What to do: on any computer, get the program holdfast-rescue, save this page as a file named kit.txt, and run

    holdfast-rescue --kit kit.txt --out my-files

It asks for places where your files are kept; those that were in use when this page was made are listed below. A few of
them are enough, a copied disk will do, and any one of them names the places in use today. No account, password or
internet name of the service is needed.

Whom to ask: whoever runs the service, while it is there; without it, anybody who is at home with computers: this page, that
program and one of the places are all they need. Show the page only to whom you trust with your files.

If you type the lines below from paper: each ends in # and a check, so that a slip is found and named. Keep upper and
lower case as they are.

";

/// One machine-readable line: `key: value  #check`.
struct Line {
    number: usize,
    /// Without its check, single spaces between words.
    text: String,
    key: String,
    value: String,
}

impl Line {
    fn read(number: usize, line: &str) -> Result<Self> {
        let (text, written) = line.rsplit_once('#').unwrap_or((line, ""));
        let text = single_spaced(text);
        let (key, value) = text.split_once(": ").unwrap_or((&text, ""));
        let line = Self { number, key: key.to_owned(), value: value.to_owned(), text };
        let (expected, got) = (check(&line.text, 2), written.trim().to_ascii_lowercase());
        if got == expected { Ok(line) } else { Err(Error::KitLine { line: number, field: line.key, expected, got }) }
    }

    fn address(&self) -> Result<KitAddress> {
        let mut words = self.value.split('|').map(|word| unescape(word.trim()));
        match (words.next().flatten(), words.next().flatten(), words.next().flatten(), words.next()) {
            (Some(provider), Some(driver), Some(address), None) => Ok(KitAddress { provider, driver, address }),
            _ => Err(self.damaged("provider | driver | address".to_owned())),
        }
    }

    fn damaged(&self, expected: String) -> Error {
        Error::KitLine { line: self.number, field: self.key.clone(), expected, got: self.value.clone() }
    }
}

/// The lines from the one that begins with `first` to `check:`; each one's own check is right.
fn machine_lines(text: &str, first: &str) -> Result<Vec<Line>> {
    let numbered = (1..).zip(text.lines().map(str::trim));
    let mut lines = Vec::new();
    for (number, line) in numbered.skip_while(|(_, line)| !begins(line, first)).filter(|(_, line)| !line.is_empty()) {
        let line = Line::read(number, line)?;
        if lines.is_empty() {
            check_version(&line)?;
        }
        let last = line.key == CHECK;
        lines.push(line);
        if last {
            break;
        }
    }
    if lines.is_empty() { Err(Error::NotAKit) } else { Ok(lines) }
}

fn begins(line: &str, first: &str) -> bool {
    line.strip_prefix(first).is_some_and(|rest| rest.starts_with(':'))
}

fn check_version(line: &Line) -> Result<()> {
    match line.value.parse::<u32>() {
        Ok(FORMAT_VERSION) => Ok(()),
        Ok(got) if got > FORMAT_VERSION => Err(Error::Newer { object: "kit", expected: FORMAT_VERSION, got }),
        _ => Err(line.damaged(FORMAT_VERSION.to_string())),
    }
}

/// The only line with this key.
fn one<'a>(lines: &'a [Line], field: &'static str) -> Result<&'a Line> {
    let mut found = lines.iter().filter(|line| line.key == field);
    match (found.next(), found.count()) {
        (Some(line), 0) => Ok(line),
        (first, more) => {
            Err(Error::KitLines { field, expected: "one".to_owned(), got: usize::from(first.is_some()) + more })
        }
    }
}

fn value<T>(lines: &[Line], field: &'static str, read: impl FnOnce(&str) -> Option<T>) -> Result<T> {
    let line = one(lines, field)?;
    read(&line.value).ok_or_else(|| line.damaged(format!("a value for `{field}`")))
}

/// Words with one space between them: how many were typed does not matter.
fn single_spaced(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The first bytes of the BLAKE3 of a text, in hex.
fn check(text: &str, count: usize) -> String {
    hex(&blake3::hash(text.as_bytes()).as_bytes()[..count])
}

/// Writes `%`, `|`, `#`, white space and control characters as `%` and two hex digits per byte.
fn escape(text: &str) -> String {
    let mut escaped = String::new();
    for letter in text.chars() {
        if matches!(letter, '%' | '|' | '#') || letter.is_whitespace() || letter.is_control() {
            let mut bytes = [0; 4];
            for byte in letter.encode_utf8(&mut bytes).bytes() {
                escaped.push_str(&format!("%{byte:02x}"));
            }
        } else {
            escaped.push(letter);
        }
    }
    escaped
}

fn unescape(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let (high, low) = (char::from(rest.next()?).to_digit(16)?, char::from(rest.next()?).to_digit(16)?);
        bytes.push((high * 16 + low) as u8);
    }
    String::from_utf8(bytes).ok()
}

/// A day as `2026-01-31`, in UTC.
///
/// Source: Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms", civil_from_days.
fn date(time_us: i64) -> String {
    let days = time_us.div_euclid(86_400_000_000) + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02}")
}
