//! Kits, envelopes and address books.

use model::{
    Class,
    id::{KitId, TargetId},
};

use format::{
    Address, AddressBook, Error, Identity, Kit, KitAddress,
    envelope::{
        open_account_envelope, open_address_book, open_cluster_envelope, seal_account_envelope, seal_address_book,
        seal_cluster_envelope,
    },
};

use crate::samples::{ACCOUNT, CLUSTER, IDENTITY, account_key, cluster_key};

pub fn kit() -> Kit {
    let address = |provider: &str, address: &str| KitAddress {
        provider: provider.to_owned(),
        driver: "dir".to_owned(),
        address: address.to_owned(),
    };
    Kit {
        format_version: 1,
        cluster: CLUSTER,
        account: ACCOUNT,
        kit: KitId([0x90; 16]),
        identity: Identity::parse(IDENTITY).unwrap(),
        addresses: vec![address("Carpathia", "/srv/one"), address("Łódź | 100 %", "/srv/  # two\n")],
        made_us: 1_326_931_200_000_000,
    }
}

pub fn address_book() -> AddressBook {
    let entry = |tag: u8| Address {
        provider: format!("firm {tag}"),
        target: TargetId([tag; 16]),
        driver: "dir".to_owned(),
        address: format!("/srv/{tag}"),
    };
    AddressBook { cluster: CLUSTER, epoch: 3, entries: vec![entry(0x31), entry(0x32)] }
}

#[test]
fn a_page_reads_back() {
    let text = kit().to_text();
    assert_eq!(Kit::parse(&text).unwrap(), kit());
    assert!(text.contains("made on 2012-01-19"), "{text}");
    assert!(text.lines().count() < 60 && text.lines().all(|line| line.chars().count() <= 130), "one page:\n{text}");
    let retyped = text.replace('\n', "\r\n\r\n   ").replace(": ", ":   ");
    assert_eq!(Kit::parse(&format!("page 1\n{retyped}\nend of page")).unwrap(), kit());
}

#[test]
fn a_slip_of_the_pen_is_found_and_its_line_named() {
    let text = kit().to_text();
    let start = text.find("holdfast-kit:").unwrap();
    for (at, letter) in text.char_indices().filter(|(at, letter)| *at >= start && letter.is_ascii_alphanumeric()) {
        let slip = if letter == 'x' { "y" } else { "x" };
        let typed = format!("{}{slip}{}", &text[..at], &text[at + 1..]);
        let line = text[..at].matches('\n').count() + 1;
        match Kit::parse(&typed) {
            Err(Error::KitLine { line: found, .. }) => assert_eq!(found, line, "{typed}"),
            Err(Error::NotAKit) => assert!(at < start + 12, "{typed}"),
            other => panic!("{other:?} at line {line}: {typed}"),
        }
    }
}

#[test]
fn lines_that_are_missing_or_doubled_are_found() {
    let text = kit().to_text();
    let lines: Vec<_> = text.lines().collect();
    for number in 0..lines.len() {
        let is_kit = lines[number].contains("  #");
        let without = [&lines[..number], &lines[number + 1..]].concat().join("\n");
        assert_eq!(Kit::parse(&without).is_err(), is_kit, "without {}", lines[number]);
        let twice = [&lines[..=number], &lines[number..]].concat().join("\n");
        let last = lines[number].starts_with("check:");
        assert_eq!(Kit::parse(&twice).is_err(), is_kit && !last, "twice {}", lines[number]);
    }
}

#[test]
fn other_texts_and_newer_kits_are_refused() {
    for text in ["", "hello", "a holdfast-kit: 1", "\u{0}holdfast"] {
        assert_eq!(Kit::parse(text), Err(Error::NotAKit), "{text}");
    }
    let line = "holdfast-kit: 2";
    let check: String =
        blake3::hash(line.as_bytes()).as_bytes()[..2].iter().map(|byte| format!("{byte:02x}")).collect();
    let error = Kit::parse(&format!("{line}  #{check}\nsome: thing else")).unwrap_err();
    assert_eq!((error.class(), error.field()), (Class::Refused, Some("version")));
}

#[test]
fn envelopes_open_for_their_recipients_only() {
    let (ours, service, other) = (Identity::generate(), Identity::generate(), Identity::generate());
    let recipients = [ours.recipient(), service.recipient()];
    let sealed = seal_account_envelope(ACCOUNT, &account_key(), true, &recipients).unwrap();
    for identity in [&ours, &service] {
        assert_eq!(open_account_envelope(&sealed, identity).unwrap(), (ACCOUNT, account_key()));
    }
    let error = open_account_envelope(&sealed, &other).unwrap_err();
    assert_eq!((error.class(), error), (Class::Refused, Error::NotRecipient { object: "account envelope" }));
    let sealed = seal_cluster_envelope(CLUSTER, &cluster_key(), &service.recipient()).unwrap();
    assert_eq!(open_cluster_envelope(&sealed, &service).unwrap(), (CLUSTER, cluster_key()));
    assert!(open_cluster_envelope(&sealed, &ours).is_err());
    assert_eq!(
        open_account_envelope(&sealed, &service).unwrap_err().field(),
        Some("kind"),
        "one passed off as the other"
    );
    let book = seal_address_book(&address_book(), &recipients).unwrap();
    assert_eq!(open_address_book(&book, &ours).unwrap(), address_book());
}

#[test]
fn every_damaged_byte_of_an_envelope_is_found() {
    let identity = Identity::parse(IDENTITY).unwrap();
    let sealed = seal_account_envelope(ACCOUNT, &account_key(), false, &[identity.recipient()]).unwrap();
    for at in 0..sealed.len() {
        let mut damaged = sealed.clone();
        damaged[at] ^= 1;
        assert!(open_account_envelope(&damaged, &identity).is_err(), "byte {at}");
        assert!(open_account_envelope(&sealed[..at], &identity).is_err(), "cut at {at}");
    }
}

#[test]
fn nobody_is_no_recipient() {
    let seal = |recipients: &[String]| seal_account_envelope(ACCOUNT, &account_key(), false, recipients).unwrap_err();
    assert_eq!(seal(&[]).class(), Class::Bug);
    assert_eq!(seal(&["age1nobody".to_owned()]).class(), Class::Refused);
    assert_eq!(Identity::parse("AGE-SECRET-KEY-1NO").unwrap_err().class(), Class::Refused);
}

#[test]
fn secrets_are_not_printed() {
    let shown = format!("{:?} {:?} {:?}", kit(), account_key(), cluster_key());
    assert!(!shown.contains(IDENTITY) && !shown.contains("17, 17"), "{shown}");
}
