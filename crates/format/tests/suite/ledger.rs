//! The ledger: what its verifier finds, each manipulation by its name, with the file and the public key alone.

use format::{
    ClusterKey, RecordKey, State,
    ledger::{
        Checkpoint, EXPORT_HEAD, Entry, Fault, Frontier, Receipt, START, Signer, Verified, VerifierKey, hash,
        time::{parse_second, second},
        verify,
    },
    record::{decode, encode},
    snapshot::{LayerBase, decode_layer_part, encode_layer},
};
use model::{
    Change, Record, Scope,
    id::{NoticeId, ObjectId},
    ledger::LedgerEntry,
};

use crate::{
    samples::{CLUSTER, Seeded, cluster_key, keyring},
    testdata::kept,
};

/// The first `count` entries of a ledger in which `said` was said.
fn rows_that_say(count: u64, said: &str) -> Vec<LedgerEntry> {
    let mut prev = START;
    let entry = |n: u64, prev| Entry {
        n,
        at_us: 1_326_931_200_000_000 + n as i64 * 60_000_000,
        prev,
        what: "notice.filed".to_owned(),
        fields: vec![("by".to_owned(), "firm 49".to_owned()), ("text".to_owned(), format!("{said}\\\r\n\nends {n}"))],
    };
    let row = |n| {
        let row = entry(n, prev).to_row().unwrap();
        prev = hash(&row.text);
        row
    };
    (1..=count).map(row).collect()
}

pub fn rows(count: u64) -> Vec<LedgerEntry> {
    rows_that_say(count, "we take servers 1 to 9 back")
}

pub fn tree_of(rows: &[LedgerEntry]) -> Frontier {
    let mut tree = Frontier::default();
    rows.iter().for_each(|row| tree.push(&row.text));
    tree
}

pub fn tree(count: u64) -> Frontier {
    tree_of(&rows(count))
}

pub fn checkpoint(tree: &Frontier) -> Checkpoint {
    Checkpoint { size: tree.size(), root: tree.root() }
}

fn signer() -> Signer {
    Signer::new(CLUSTER, &cluster_key())
}

fn export_of(rows: &[LedgerEntry]) -> String {
    let entries: String = rows.iter().map(|row| format!("{}\n", row.text)).collect();
    format!("{EXPORT_HEAD}\n\n{entries}{}", signer().checkpoint(&checkpoint(&tree_of(rows))))
}

pub fn export(count: u64) -> (String, Signer) {
    (export_of(&rows(count)), signer())
}

fn check(export: &str) -> Result<Verified, Fault> {
    verify(export.as_bytes(), signer().key(), None)
}

#[test]
fn a_ledger_is_what_was_signed() {
    let (export, signer) = export(9);
    let export = String::from_utf8(kept("v1/ledger.txt", || export.clone().into_bytes())).unwrap();
    assert_eq!(export, export_of(&rows(9)), "what is written has not changed");
    let key = VerifierKey::parse(&signer.key().to_string()).unwrap();
    let found = verify(export.as_bytes(), &key, None).unwrap();
    assert_eq!((found.checkpoint, found.origin.clone()), (checkpoint(&tree(9)), format!("holdfast/{CLUSTER}")));
    assert_eq!(found.last_us, Some(1_326_931_740_000_000));
    // Against every checkpoint that was ever given away.
    for size in 0..=9 {
        let older = Checkpoint::open(&signer.checkpoint(&checkpoint(&tree(size))), &key).unwrap();
        assert_eq!(verify(export.as_bytes(), &key, Some(older)).unwrap(), found);
    }
    assert_eq!(check(&export_of(&[])).unwrap().checkpoint.size, 0, "an empty one is sound");
    let said = Entry::parse(&rows(9)[3].text).unwrap();
    assert_eq!(said.field("text"), Some("we take servers 1 to 9 back\\\r\n\nends 4"), "a value is what was given");
}

#[test]
fn a_changed_entry_is_named() {
    let (whole, _) = export(9);
    for n in 1..=8 {
        let old = format!("ends {n}\n");
        assert_eq!(whole.matches(&old).count(), 1);
        let file = whole.replace(&old, &format!("ends {n}!\n"));
        assert_eq!(check(&file).unwrap_err(), Fault::Changed { n });
    }
    let last = whole.replace("ends 9\n", "ends 8\n");
    assert_eq!(check(&last).unwrap_err(), Fault::Root { sound_to: 0 });
    let older = Some(checkpoint(&tree(7)));
    assert_eq!(verify(last.as_bytes(), signer().key(), older).unwrap_err(), Fault::Root { sound_to: 7 });
    let unreadable = whole.replace("ends 3\n", "ends\\3\n");
    assert!(matches!(check(&unreadable).unwrap_err(), Fault::Unreadable { n: 3, .. }));
    let spelled = whole.replace("\nn 3\n", "\nn 03\n");
    assert!(matches!(check(&spelled).unwrap_err(), Fault::Unreadable { n: 3, .. }), "one spelling only");
}

#[test]
fn left_out_moved_and_added_entries_are_named() {
    let with = |edit: fn(&mut Vec<LedgerEntry>)| {
        let mut edited = rows(9);
        edit(&mut edited);
        let entries: String = edited.iter().map(|row| format!("{}\n", row.text)).collect();
        check(&format!("{EXPORT_HEAD}\n\n{entries}{}", signer().checkpoint(&checkpoint(&tree(9))))).unwrap_err()
    };
    assert_eq!(with(|rows| drop(rows.remove(3))), Fault::Missing { n: 4 });
    assert_eq!(with(|rows| drop(rows.remove(0))), Fault::Missing { n: 1 });
    assert_eq!(with(|rows| drop(rows.pop())), Fault::Missing { n: 9 });
    assert_eq!(with(Vec::clear), Fault::Missing { n: 1 });
    assert_eq!(with(|rows| rows.swap(3, 6)), Fault::OutOfOrder { n: 4, got: 7 });
    assert_eq!(with(|rows| rows.insert(5, rows[1].clone())), Fault::OutOfOrder { n: 6, got: 2 });
    let longer = format!(
        "{EXPORT_HEAD}\n\n{}{}",
        rows(9).iter().map(|row| format!("{}\n", row.text)).collect::<String>(),
        signer().checkpoint(&checkpoint(&tree(7)))
    );
    assert_eq!(check(&longer).unwrap_err(), Fault::Added { n: 8 });
    let mut late = rows(9);
    late[0] = Entry { prev: [7; 32], ..Entry::parse(&late[0].text).unwrap() }.to_row().unwrap();
    assert_eq!(check(&export_of(&late)).unwrap_err(), Fault::NotTheStart);
}

#[test]
fn a_file_that_is_cut_anywhere_is_no_sound_one() {
    let (export, _) = export(5);
    for end in (0..export.len()).filter(|end| export.is_char_boundary(*end)) {
        let fault = check(&export[..end]).unwrap_err();
        let cut = matches!(fault, Fault::CutOff { .. } | Fault::Foreign { .. } | Fault::Signature { .. });
        assert!(cut, "cut at {end}: {fault}");
    }
    let middle = export.find("n 4\n").unwrap();
    assert_eq!(check(&export[..middle]).unwrap_err(), Fault::CutOff { after: 3 });
    assert!(matches!(check("a letter\n").unwrap_err(), Fault::Foreign { .. }));
}

#[test]
fn a_fork_and_a_ledger_that_was_cut_are_seen_from_an_older_checkpoint() {
    let key = signer();
    let other = rows_that_say(9, "we take nothing back");
    assert!(check(&export_of(&other)).is_ok(), "by itself it is sound");
    let older = Some(checkpoint(&tree(4)));
    let fault = verify(export_of(&other).as_bytes(), key.key(), older).unwrap_err();
    assert_eq!(fault, Fault::Fork { size: 4 });
    let older = Some(checkpoint(&tree(9)));
    let fault = verify(export(6).0.as_bytes(), key.key(), older).unwrap_err();
    assert_eq!(fault, Fault::Shorter { older: 9, size: 6 });
}

#[test]
fn only_this_services_signature_counts() {
    let stranger = Signer::new(CLUSTER, &ClusterKey::new(format::Key::from_bytes([0x23; 32])));
    let (export, signer) = export(3);
    let fault = verify(export.as_bytes(), stranger.key(), None).unwrap_err();
    assert!(matches!(&fault, Fault::Signature { why } if why.contains(&stranger.key().to_string())), "{fault}");
    let forged = export.replace(&signer.checkpoint(&checkpoint(&tree(3))), &stranger.checkpoint(&checkpoint(&tree(3))));
    assert!(matches!(check(&forged).unwrap_err(), Fault::Signature { .. }));
    let receipt = signer.sign("holdfast-receipt/v1\n3\nAAAA\n");
    assert!(Checkpoint::open(&receipt, signer.key()).unwrap_err().to_string().contains("origin"), "another note");
}

#[test]
fn entries_are_service_rows_and_two_texts_for_one_number_are_a_fork() {
    let changes: Vec<_> = rows(3).into_iter().map(Change::Ledger).collect();
    let parts = encode(&changes).unwrap();
    assert!(parts.open.is_empty() && parts.account.is_empty(), "a firm learns nothing of them");
    assert_eq!(decode(&parts).unwrap(), changes);
    let other = LedgerEntry { n: 4, ..rows(3)[2].clone() };
    assert!(encode(&[Change::Ledger(other)]).unwrap_err().to_string().contains("`n`"));
    let record = |revision, entry: &LedgerEntry| Record {
        epoch: 1,
        scope: Scope::Cluster,
        revision,
        changes: vec![Change::Ledger(entry.clone())],
    };
    let (one, other) = (rows(9), rows_that_say(9, "we take nothing back"));
    let mut state = State::new();
    for (revision, entry) in [(1, &one[0]), (2, &one[1]), (3, &one[4]), (4, &one[1]), (5, &other[4])] {
        state.apply_record(&record(revision, entry));
    }
    assert_eq!(state.cluster.ledger_gaps(), [(3, 4)]);
    assert_eq!(state.cluster.ledger_forks.iter().copied().collect::<Vec<_>>(), [5]);
}

#[test]
fn a_layer_of_the_ledger() {
    let rows: Vec<_> = (1..).zip(rows(3).into_iter().map(Change::Ledger)).collect();
    let (layer, key) = (ObjectId([0xe0; 16]), cluster_key());
    let base = LayerBase { cluster: CLUSTER, epoch: 3, scope: Scope::Cluster, from: 0, to: 60, layer, made_at_seq: 12 };
    let make = || encode_layer(&base, &rows, RecordKey::Cluster(&key), &Seeded::new(1)).unwrap().remove(0).1;
    let bytes = kept("v1/layer-cluster-ledger.bin", make);
    assert_eq!(bytes, make(), "what is written has not changed");
    assert_eq!(decode_layer_part(&bytes).unwrap().unseal(&keyring()).unwrap(), rows);
}

/// As RFC 6962 defines it: split at the largest power of two below the size.
fn root_of(leaves: &[String]) -> [u8; 32] {
    let sha256 = |pieces: &[&[u8]]| {
        let hash = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &pieces.concat());
        <[u8; 32]>::try_from(hash.as_ref()).unwrap()
    };
    match leaves {
        [] => sha256(&[]),
        [one] => sha256(&[&[0], one.as_bytes()]),
        more => {
            let left = 1 << (usize::BITS - 1 - (more.len() - 1).leading_zeros());
            sha256(&[&[1], &root_of(&more[..left]), &root_of(&more[left..])])
        }
    }
}

#[test]
fn a_growing_tree_has_the_root_that_the_rfc_gives() {
    let leaves: Vec<_> = (0..70).map(|n| format!("entry {n}")).collect();
    let mut tree = Frontier::default();
    for (size, leaf) in leaves.iter().enumerate() {
        assert_eq!(tree.root(), root_of(&leaves[..size]), "{size}");
        tree = Frontier::from_bytes(&tree.to_bytes()).unwrap();
        tree.push(leaf);
    }
    assert_eq!(Frontier::from_bytes(&[1; 8]), None);
}

#[test]
fn seconds_have_one_spelling() {
    for (us, text) in [
        (0, "1970-01-01T00:00:00Z"),
        (951_782_400_000_000, "2000-02-29T00:00:00Z"),
        (1_795_813_200_000_000, "2026-11-27T21:00:00Z"),
        (-62_167_219_200_000_000, "0000-01-01T00:00:00Z"),
    ] {
        assert_eq!((second(us).as_str(), parse_second(text)), (text, Some(us)));
    }
    assert_eq!(second(i64::MAX), "9999-12-31T23:59:59Z");
    for text in ["", "2026-11-27T21:00:00", "2026-02-30T00:00:00Z", "2026-11-27T24:00:00Z", "2026-11-27 21:00:00Z"] {
        assert_eq!(parse_second(text), None, "{text}");
    }
}

/// The example of c2sp.org/signed-note: what others signed opens here.
#[test]
fn the_example_of_the_specification_opens() {
    let text = "This is an example message.\n";
    let signature = "Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=";
    let line = format!("— example.com/foo {signature}\n");
    let key = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k";
    let key = VerifierKey::parse(key).unwrap();
    assert_eq!(key.open(&format!("{text}\n{line}")).unwrap(), text);
    assert_eq!(key.open(&format!("{text}\n— others.example AAAAAGFiYw==\n{line}")).unwrap(), text);
    assert!(key.open(&format!("This is an example massage.\n\n{line}")).is_err());
    assert!(key.open(text).is_err());
    assert!(key.open(&format!("{text}\n— others.example AAAAAGFiYw==\n")).is_err());
    assert!(VerifierKey::parse(&key.to_string().replace("530d903a", "530d903b")).is_err());
}

#[test]
fn a_receipt_names_what_was_filed() {
    let receipt = Receipt {
        cluster: CLUSTER,
        notice: NoticeId([0x2a; 16]),
        at_us: 1_326_931_200_000_000,
        content: [0xa5; 32],
        n: 7,
        checkpoint: checkpoint(&tree(9)),
    };
    let make = || signer().sign(&receipt.to_text()).into_bytes();
    let note = String::from_utf8(kept("v1/receipt.txt", make)).unwrap();
    assert_eq!(note.as_bytes(), make(), "what is written has not changed");
    assert_eq!(Receipt::open(&note, signer().key()).unwrap(), receipt);
    for (said, instead) in [("entry 7", "entry 8"), ("a5a5", "a6a5"), ("at 2012", "at 2013")] {
        assert!(Receipt::open(&note.replacen(said, instead, 1), signer().key()).is_err(), "{said}");
    }
    let other = signer().checkpoint(&checkpoint(&tree(9)));
    assert!(Receipt::open(&other, signer().key()).is_err(), "a checkpoint is no receipt");
}
