//! Passkeys and identities elsewhere: journalled. What passkeys were last used for: here only.

use crate::world::World;
use catalogue::{
    apply, export,
    ways::{self, PasskeyUse},
};
use model::{
    Change, Scope,
    id::{AccountId, PasskeyId},
    ways::{IdentityRow, PasskeyRow},
};

fn passkey(id: u8, account: AccountId, ended_us: Option<i64>) -> PasskeyRow {
    PasskeyRow {
        id: PasskeyId([id; 16]),
        account,
        label: "a phone".to_owned(),
        host: "files.example".to_owned(),
        credential: vec![id; 20],
        key: vec![7; 77],
        counter: u32::MAX,
        made_us: i64::from(id),
        ended_us,
    }
}

pub fn ways_in_come_back_as_they_were_said(world: &mut World) {
    let account = world.account;
    let other = AccountId([0x77; 16]);
    let passkeys = [passkey(1, account, None), passkey(2, account, Some(5)), passkey(3, other, None)];
    let identity = IdentityRow {
        account,
        issuer: "https://id.example".to_owned(),
        subject: "248289761001".to_owned(),
        name: "bob".to_owned(),
        made_us: 6,
        ended_us: None,
    };
    let mut changes: Vec<_> = passkeys.iter().cloned().map(Change::Passkey).collect();
    changes.push(Change::Identity(identity.clone()));
    world.cluster(changes);
    assert_eq!(world.read(move |tx| ways::passkeys(tx, account)), passkeys[..1]);
    assert_eq!(world.read(|tx| ways::passkey(tx, PasskeyId([2; 16]))), Some(passkeys[1].clone()));
    assert_eq!(world.read(|tx| ways::passkey_called(tx, &[3; 20])), Some(passkeys[2].clone()));
    assert_eq!(world.read(|tx| ways::passkey_called(tx, &[2; 20])), None, "it has ended");
    assert_eq!(world.read(move |tx| ways::identity(tx, account)), Some(identity.clone()));
    let found = |issuer: &'static str| world.read(move |tx| ways::identified(tx, issuer, "248289761001"));
    assert_eq!(found("https://id.example"), Some(identity.clone()));
    assert_eq!(found("https://other.example"), None, "another's numbers");

    assert_eq!(world.read(|tx| ways::passkey_use(tx, PasskeyId([1; 16]))), None);
    let used = PasskeyUse { counter: u32::MAX, used_us: 9 };
    world.write(move |tx| ways::use_passkey(tx, PasskeyId([1; 16]), used)).unwrap();
    assert_eq!(world.read(|tx| ways::passkey_use(tx, PasskeyId([1; 16]))), Some(used));

    // What an older revision says is too late, and all of it is among what snapshots are made from.
    let older = [
        Change::Passkey(PasskeyRow { label: "older".to_owned(), ..passkeys[0].clone() }),
        Change::Identity(IdentityRow { ended_us: Some(7), ..identity.clone() }),
    ];
    for change in older {
        world.write(move |tx| apply(tx, Scope::Cluster, 1, &change)).unwrap();
    }
    let told: Vec<_> = world.read(|tx| export(tx)).into_iter().map(|(_, _, change)| change).collect();
    let mut wanted: Vec<_> = passkeys.into_iter().map(Change::Passkey).collect();
    wanted.push(Change::Identity(identity.clone()));
    assert!(wanted.iter().all(|change| told.contains(change)), "{told:?}");

    let ended = IdentityRow { ended_us: Some(8), ..identity };
    world.cluster(vec![Change::Identity(ended)]);
    assert_eq!(world.read(move |tx| ways::identity(tx, account)), None);
}
