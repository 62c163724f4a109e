//! Kits, envelopes and address books.

use model::{
    Class,
    id::{KitId, TargetId},
};

use format::{
    Address, AddressBook, Error, Identity, Kit, KitAddress, OperatorKit, OperatorTarget,
    envelope::{
        open_account_envelope, open_address_book, open_cluster_envelope, open_login, seal_account_envelope,
        seal_address_book, seal_cluster_envelope, seal_login,
    },
};

use crate::samples::{ACCOUNT, CLUSTER, IDENTITY, account_key, cluster_key};

/// What the envelopes here are stored as.
const NAME: &str = "envelopes/one";

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

pub fn operator_kit() -> OperatorKit {
    let pairs = |pairs: &[(&str, &str)]| pairs.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
    let target = |tag: u8, driver: &str, address: &str, login: &[(&str, &str)]| OperatorTarget {
        target: TargetId([tag; 16]),
        provider: format!("firm {tag}"),
        driver: driver.to_owned(),
        address: address.to_owned(),
        login: pairs(login),
    };
    OperatorKit {
        cluster: CLUSTER,
        identity: Identity::parse(IDENTITY).unwrap(),
        targets: vec![
            target(0x31, "dir", "/srv/one", &[]),
            target(0x32, "s3", "s3://shards/a?endpoint=https://s3.example.net", &[("key_id", "AK|#%"), ("secret", "")]),
            target(0x33, "sftp", "sftp://me@example.net/srv", &[("key", "-----BEGIN\n line  two\n-----END\n")]),
        ],
        made_us: 1_326_931_200_000_000,
    }
}

#[test]
fn an_operators_page_reads_back_and_a_slip_is_found_without_telling_secrets() {
    let text = operator_kit().to_text();
    assert_eq!(OperatorKit::parse(&text).unwrap(), operator_kit());
    assert_eq!(Kit::parse(&text), Err(Error::NotAKit), "a user's kit and an operator's are not taken for each other");
    let start = text.find("holdfast-operator-kit:").unwrap();
    for (at, _) in text.char_indices().filter(|(at, letter)| *at >= start && letter.is_ascii_alphanumeric()) {
        let slip = if text.as_bytes()[at] == b'x' { "y" } else { "x" };
        let typed = format!("{}{slip}{}", &text[..at], &text[at + 1..]);
        let error = OperatorKit::parse(&typed).unwrap_err();
        assert!(!format!("{error} {error:?}").contains("BEGIN"), "{error}");
    }
    assert!(!format!("{:?}", operator_kit()).contains("AK|"), "no secret is shown by accident");
}

#[test]
fn a_login_opens_for_the_service_alone() {
    let service = Identity::generate();
    let login = vec![("password".to_owned(), "a b\nc".to_owned())];
    let sealed = seal_login(TargetId([7; 16]), &login, &service.recipient()).unwrap();
    assert!(!sealed.windows(5).any(|run| run == b"a b\nc"));
    assert_eq!(open_login(&sealed, &service).unwrap(), (TargetId([7; 16]), login));
    assert!(matches!(open_login(&sealed, &Identity::generate()), Err(Error::NotRecipient { .. })));
    assert!(open_login(&sealed[..sealed.len() - 1], &service).is_err());
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
    let sealed = seal_account_envelope(NAME, ACCOUNT, &account_key(), true, &recipients).unwrap();
    for identity in [&ours, &service] {
        assert_eq!(open_account_envelope(Some(NAME), &sealed, identity).unwrap(), (ACCOUNT, account_key()));
    }
    let error = open_account_envelope(Some(NAME), &sealed, &other).unwrap_err();
    assert_eq!((error.class(), error), (Class::Refused, Error::NotRecipient { object: "account envelope" }));
    let sealed = seal_cluster_envelope(NAME, CLUSTER, &cluster_key(), &service.recipient()).unwrap();
    assert_eq!(open_cluster_envelope(Some(NAME), &sealed, &service).unwrap(), (CLUSTER, cluster_key()));
    assert!(open_cluster_envelope(Some(NAME), &sealed, &ours).is_err());
    assert_eq!(
        open_account_envelope(Some(NAME), &sealed, &service).unwrap_err().field(),
        Some("kind"),
        "one passed off as the other"
    );
    let book = seal_address_book(NAME, &address_book(), &recipients).unwrap();
    assert_eq!(open_address_book(NAME, &book, &ours).unwrap(), address_book());
}

#[test]
fn an_envelope_passed_off_as_another_is_found_out() {
    let identity = Identity::parse(IDENTITY).unwrap();
    let recipients = [identity.recipient()];
    let account = seal_account_envelope(NAME, ACCOUNT, &account_key(), true, &recipients).unwrap();
    let cluster = seal_cluster_envelope(NAME, CLUSTER, &cluster_key(), &recipients[0]).unwrap();
    let book = seal_address_book(NAME, &address_book(), &recipients).unwrap();
    let other = Some("envelopes/another");
    let errors = [
        open_account_envelope(other, &account, &identity).unwrap_err(),
        open_cluster_envelope(other, &cluster, &identity).unwrap_err(),
        open_address_book("addresses/another", &book, &identity).unwrap_err(),
    ];
    for error in errors {
        assert_eq!((error.class(), error.field()), (Class::Damaged, Some("name")), "{error}");
    }
    assert!(open_account_envelope(None, &account, &identity).is_ok(), "the catalogue knows which one it keeps");
}

#[test]
fn every_damaged_byte_of_an_envelope_is_found() {
    let identity = Identity::parse(IDENTITY).unwrap();
    let sealed = seal_account_envelope(NAME, ACCOUNT, &account_key(), false, &[identity.recipient()]).unwrap();
    for at in 0..sealed.len() {
        let mut damaged = sealed.clone();
        damaged[at] ^= 1;
        assert!(open_account_envelope(Some(NAME), &damaged, &identity).is_err(), "byte {at}");
        assert!(open_account_envelope(Some(NAME), &sealed[..at], &identity).is_err(), "cut at {at}");
    }
}

#[test]
fn nobody_is_no_recipient() {
    let seal =
        |recipients: &[String]| seal_account_envelope(NAME, ACCOUNT, &account_key(), false, recipients).unwrap_err();
    assert_eq!(seal(&[]).class(), Class::Bug);
    assert_eq!(seal(&["age1nobody".to_owned()]).class(), Class::Refused);
    assert_eq!(Identity::parse("AGE-SECRET-KEY-1NO").unwrap_err().class(), Class::Refused);
}

#[test]
fn secrets_are_not_printed() {
    let shown = format!("{:?} {:?} {:?}", kit(), account_key(), cluster_key());
    assert!(!shown.contains(IDENTITY) && !shown.contains("17, 17"), "{shown}");
}
