//! Mails in each language: what is in them, and what is not.

use model::{id::NoticeId, outgoing::Language};

use super::{Told, Waiting, compose, day, language_of, short};

#[test]
fn the_first_language_that_we_write_is_taken() {
    for (accepted, wanted) in [
        ("de-AT,de;q=0.9,en;q=0.8", Language::German),
        ("fr, de;q=0.5", Language::German),
        ("en-GB,de;q=0.1", Language::English),
        ("", Language::English),
        ("ä", Language::English),
        ("*", Language::English),
    ] {
        assert_eq!(language_of(accepted), wanted, "{accepted}");
    }
}

#[test]
fn what_others_chose_is_short_and_no_address() {
    assert_eq!(short("Ann\r\nBcc: x@y"), "Ann  Bcc  x@y");
    assert_eq!(short("buy at https://evil.example/now"), "buy at https   evil.example now");
    assert_eq!(short(&"ä".repeat(300)).chars().count(), 40);
}

#[test]
fn each_mail_has_one_line_of_subject_and_says_where_it_comes_from() {
    let all = [
        Told::Confirm { name: "a\nb", code: "CODE" },
        Told::Moved,
        Told::Reset { code: "CODE", is_asked: true },
        Told::Reset { code: "CODE", is_asked: false },
        Told::Invitation { from: "a", code: "CODE" },
        Told::PasswordChanged,
        Told::Leaves { at_us: 1_775_044_800_000_000 },
        Told::Quota { used: 8_500_000_000, limit: 10_000_000_000, is_full: false },
        Told::Granted { from: "a" },
        Told::Test,
    ];
    for language in [Language::English, Language::German] {
        for told in &all {
            let (subject, words) = compose(language, "At\r\ntic", "https://files.example", told);
            assert!(!subject.contains(char::is_control) && subject.starts_with("At  tic: "), "{subject}");
            assert!(words.contains("https://files.example"), "{words}");
            let has_code = matches!(told, Told::Confirm { .. } | Told::Reset { .. } | Told::Invitation { .. });
            assert_eq!(words.contains("#CODE\n"), has_code, "{words}");
            assert!(!subject.contains("CODE") && !told.about().contains("CODE"));
        }
    }
    assert!(compose(Language::German, "A", "p", &all[7]).1.contains("8,5 GB"));
}

#[test]
fn notices_are_told_with_whose_they_are_until_when_and_where_to_take_note() {
    let one = |n: u8, firm: Option<&str>, by_us| Waiting {
        id: NoticeId([n; 16]),
        firm: firm.map(str::to_owned),
        by_us,
        words: format!("words {n}"),
    };
    let first = [one(1, Some("amber"), Some(1_775_044_800_000_000)), one(2, None, None)];
    let told = |language, count, first| compose(language, "A", "https://p", &Told::Notices { count, first });
    let (subject, words) = told(Language::English, 5, &first);
    assert_eq!(subject, "A: notices wait for you");
    let ids = [first[0].id.to_string(), first[1].id.to_string()];
    let line =
        format!("- amber, by 2026-04-01: words 1 [{}]\n- the service: words 2 [{}]\n- and 3 more\n", ids[0], ids[1]);
    assert!(words.contains(&line) && words.contains("https://p/fleet/notices\n"), "{words}");
    let (subject, words) = told(Language::German, 1, &first[..1]);
    assert_eq!(subject, "A: eine Mitteilung wartet auf Sie");
    assert!(words.contains(&format!("- amber, bis 2026-04-01: words 1 [{}]\n\n", ids[0])), "{words}");
}

#[test]
fn days() {
    for (wall_us, wanted) in
        [(0, "1970-01-01"), (1_775_044_800_000_000, "2026-04-01"), (951_782_400_000_000, "2000-02-29")]
    {
        assert_eq!(day(wall_us), wanted);
    }
}
