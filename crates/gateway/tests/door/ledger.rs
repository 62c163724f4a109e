//! The ledger over HTTP: for operators, and whole enough that a stranger can verify it.

use format::ledger::{Checkpoint, Entry, VerifierKey, verify};
use serde_json::Value;
use store::ledger::note;

use crate::{
    access::{invited, owner},
    world::World,
};

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_reads_it_and_a_stranger_verifies_it() {
    let world = World::new().await;
    let mut owner = owner(&world).await;
    let mut bob = invited(&mut owner, "bob").await;
    // More than one answer holds, so that pages meet.
    world
        .store
        .commit(|tx, draft| {
            for n in 0..450 {
                note(tx, draft, "notice.filed", &[("text", format!("letter\n{n}"))], 0)?;
            }
            Ok::<_, store::Error>(())
        })
        .await
        .unwrap();
    for target in ["/api/v1/ledger", "/api/v1/ledger/export", "/api/v1/ledger/checkpoint"] {
        let answer = bob.ask("GET", target, Value::Null).await;
        assert_eq!((answer.status, answer.code().as_str()), (403, "not_operator"), "{target}");
        assert_eq!(owner.ask("POST", target, Value::Null).await.status, 405);
    }
    let first = owner.ask("GET", "/api/v1/ledger", Value::Null).await.json();
    // What making the owner an operator left.
    assert_eq!((&first["entries"][0]["what"], &first["entries"][0]["n"]), (&"role.given".into(), &1.into()), "{first}");
    let next = first["next"].as_u64().unwrap();
    let more = owner.ask("GET", &format!("/api/v1/ledger?after={next}"), Value::Null).await.json();
    assert_eq!(more["entries"][0]["n"], next + 1);
    assert_eq!(more["entries"][0]["fields"][0]["key"], "text");
    assert!(Entry::parse(more["entries"][0]["text"].as_str().unwrap()).is_ok());
    assert_eq!(owner.ask("GET", "/api/v1/ledger?after=-1", Value::Null).await.code(), "bad_query");

    let signed = owner.ask("GET", "/api/v1/ledger/checkpoint", Value::Null).await.json();
    let key = VerifierKey::parse(signed["key"].as_str().unwrap()).unwrap();
    let older = Checkpoint::open(signed["checkpoint"].as_str().unwrap(), &key).unwrap();
    assert_eq!((older.size, &signed["size"]), (451, &451.into()));
    let export = owner.ask("GET", "/api/v1/ledger/export", Value::Null).await;
    assert!(export.header("content-type").starts_with("text/plain"));
    let found = verify(&export.body, &key, Some(older)).unwrap();
    assert_eq!(found.checkpoint.size, 451);
    assert!(verify(&export.body[..export.body.len() / 2], &key, None).is_err());
}
