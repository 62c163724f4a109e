//! Every decoder, fed with mutations of sound bytes and with chance, and with the kept corpus of `testdata/format/fuzz/`.

use format::{
    AccountKey, Identity, Kit, Marker,
    digest::Running,
    envelope::{seal_account_envelope, seal_address_book, seal_cluster_envelope, seal_login},
    fuzz::DECODERS,
    name, record, snapshot,
};
use model::{Scope, id::ObjectId};

use crate::{
    journal, kit,
    samples::{
        ACCOUNT, CLUSTER, IDENTITY, Seeded, account_changes, account_key, cluster_changes, cluster_key, layer_base,
        plain, shard_header,
    },
    segment, shard,
    testdata::{all, kept},
};

const ROUNDS: usize = 3_000;

/// Sound bytes for a decoder.
fn sound(decoder: &str) -> Vec<Vec<u8>> {
    let recipient = Identity::parse(IDENTITY).unwrap().recipient();
    let parts = |changes: &[model::Change]| record::encode(changes).unwrap();
    let layer =
        |scope, rows: Vec<_>, key| snapshot::encode_layer(&layer_base(scope), &rows, key, &Seeded::new(1)).unwrap();
    let stored = shard::whole(&plain(70_000));
    let (index_at, footer_at) = (stored.len() - 4096 - 102, stored.len() - 4096);
    let key = account_key();
    match decoder {
        "address_book" => vec![seal_address_book("", &kit::address_book(), &[recipient]).unwrap()],
        "digest" => {
            let mut running = Running::new();
            running.update(&plain(70_000));
            vec![Running::new().save(), running.save()]
        }
        "envelope" => vec![
            seal_account_envelope("", ACCOUNT, &key, true, std::slice::from_ref(&recipient)).unwrap(),
            seal_cluster_envelope("", CLUSTER, &cluster_key(), &recipient).unwrap(),
        ],
        "footer" => vec![stored[footer_at..].to_vec()],
        "hash_list" => vec![[&70_000_u64.to_le_bytes(), &stored[4096 + 70_000..index_at]].concat()],
        "header" => vec![format::shard::encode_header(&shard_header()).to_vec()],
        "index" => vec![stored[index_at..footer_at].to_vec()],
        "journal" => vec![journal::sample().0],
        "kit" => vec![kit::kit().to_text().into_bytes()],
        "layer" => {
            let rows = (6..).zip(account_changes()).collect();
            vec![layer(Scope::Account(ACCOUNT), rows, format::RecordKey::Account(&key)).remove(0).1]
        }
        "ledger" => {
            let (export, signer) = crate::ledger::export(3);
            let entry = crate::ledger::rows(3)[2].text.clone();
            let tree = crate::ledger::tree(3);
            let checkpoint = signer.checkpoint(&crate::ledger::checkpoint(&tree));
            vec![
                export.into_bytes(),
                entry.into_bytes(),
                checkpoint.into_bytes(),
                signer.key().to_string().into_bytes(),
                tree.to_bytes(),
            ]
        }
        "login" => {
            let login = &kit::operator_kit().targets[1].login;
            vec![seal_login(model::id::TargetId([0x32; 16]), login, &recipient).unwrap()]
        }
        "marker" => {
            let (target, provider) = (model::id::TargetId([0x30; 16]), model::id::ProviderId([0x20; 16]));
            vec![Marker::new(CLUSTER, target, provider, 3, 300).encode()]
        }
        "names" => {
            let id = ObjectId([0xd2; 16]);
            let names = [
                name::shard_name(shard_header().pack, 3, shard_header().make),
                name::journal_name(1, 2, 3, id),
                name::envelope_name(Scope::Cluster, 1, id),
                name::address_book_name(ACCOUNT, 1, id),
                snapshot::snapshot_name(Scope::Account(ACCOUNT), 0, 9, 1, id, 0, 2),
                name::checkpoint_name(17, id),
            ];
            names.map(String::into_bytes).to_vec()
        }
        "operator_kit" => vec![kit::operator_kit().to_text().into_bytes()],
        "record" => {
            let (cluster, account) = (parts(&cluster_changes()), parts(&account_changes()));
            vec![cluster.open, cluster.service, account.account]
        }
        "segment" => vec![segment::sealed(70_000).1, segment::sealed(5).1],
        other => panic!("no sound bytes for {other}"),
    }
}

/// Changes `bytes` a little, as disks, networks and forgers do.
fn mutate(chance: &Seeded, bytes: &mut Vec<u8>) {
    for _ in 0..=chance.below(4) {
        let at = chance.below(bytes.len());
        match chance.below(7) {
            _ if bytes.is_empty() => bytes.push(chance.below(256) as u8),
            0 => bytes[at] ^= 1 << chance.below(8),
            1 => bytes[at] = [0, 1, 0x7f, 0x80, 0xff][chance.below(5)],
            2 => bytes.truncate(at),
            3 => _ = bytes.splice(at..at, chance.vec(chance.below(40))).count(),
            4 => _ = bytes.drain(at..(at + chance.below(40)).min(bytes.len())).count(),
            5 => {
                let from = chance.below(bytes.len());
                let piece = bytes[from..(from + chance.below(64)).min(bytes.len())].to_vec();
                _ = bytes.splice(at..at, piece).count();
            }
            _ => {
                let number = [0, u64::MAX, 1 << 31, 1 << 32, chance.number()][chance.below(5)].to_le_bytes();
                let end = (at + 8).min(bytes.len());
                bytes[at..end].copy_from_slice(&number[..end - at]);
            }
        }
    }
    // Half of the time past the hash.
    if bytes.len() >= 32 && chance.coin() {
        journal::rehash(bytes);
    }
}

#[test]
fn no_mutation_makes_a_decoder_panic() {
    for (number, (decoder, decode)) in DECODERS.iter().enumerate() {
        let chance = Seeded::new(number as u64);
        let seeds = sound(decoder);
        // age does a Diffie-Hellman for each: fewer of them.
        let rounds = if ["envelope", "address_book", "login"].contains(decoder) { ROUNDS / 10 } else { ROUNDS };
        for _ in 0..rounds {
            let mut bytes = seeds[chance.below(seeds.len())].clone();
            if chance.below(10) == 0 {
                bytes = chance.vec(chance.below(300));
            }
            mutate(&chance, &mut bytes);
            decode(&bytes);
        }
    }
}

#[test]
fn the_kept_corpus_makes_no_decoder_panic() {
    for (decoder, decode) in DECODERS {
        for (index, bytes) in sound(decoder).into_iter().enumerate() {
            kept(&format!("fuzz/{decoder}/sound-{index}"), || bytes.clone());
            let mut cut = bytes;
            cut.truncate(cut.len() / 2);
            kept(&format!("fuzz/{decoder}/cut-{index}"), || cut);
        }
        let corpus = all(&format!("fuzz/{decoder}"));
        assert!(!corpus.is_empty(), "{decoder} has a corpus");
        for (_, bytes) in corpus {
            decode(&bytes);
            decode(&[]);
        }
    }
}

/// The hunt finds what it hunts: a decoder that trusts a length panics under the same mutations.
#[test]
fn canary() {
    fn trusting(bytes: &[u8]) {
        let count = bytes.first().copied().unwrap_or(0);
        assert!(bytes.len() > usize::from(count), "trusted");
    }
    let hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(|_| {}));
    let chance = Seeded::new(1);
    let caught = (0..ROUNDS).any(|_| {
        let mut bytes = sound_small();
        mutate(&chance, &mut bytes);
        std::panic::catch_unwind(|| trusting(&bytes)).is_err()
    });
    std::panic::set_hook(hook);
    assert!(caught);
}

fn sound_small() -> Vec<u8> {
    let mut bytes = plain(40);
    bytes[0] = 39;
    bytes
}

/// Sound kits and keys are not all that is fed: these come from chance, and must come back.
#[test]
fn kits_from_chance_come_back() {
    let chance = Seeded::new(7);
    for _ in 0..50 {
        let addresses = (0..chance.below(5))
            .map(|_| format::KitAddress {
                provider: String::from_utf8_lossy(&chance.vec(chance.below(20))).into_owned(),
                driver: "dir".to_owned(),
                address: String::from_utf8_lossy(&chance.vec(chance.below(60))).into_owned(),
            })
            .collect();
        let kit = Kit { addresses, made_us: chance.number() as i64, ..kit::kit() };
        assert_eq!(Kit::parse(&kit.to_text()).unwrap(), kit);
        assert_ne!(AccountKey::random(&chance), account_key());
    }
}
