//! An upload breaks off, a provider is wiped, the upload goes on: its offset never goes back, and every byte is there.
#![allow(clippy::unwrap_used, reason = "a test")]

use crate::common::{House, bytes, read};
use bytes::Bytes;
use futures_util::stream;
use model::{
    Change, Scope,
    entry::{EntryRow, Kind, ROOT},
};
use store::{Error, UploadSpec};

#[tokio::test]
async fn it_goes_on_from_what_is_safe() {
    let house = House::new(6).await;
    let account = house.account.id;
    let content = bytes(2_500_000, 11);
    let spec = UploadSpec {
        path: vec!["big".into()],
        length: Some(content.len() as u64),
        metadata: String::new(),
        way: String::new(),
    };
    let upload = house.store.begin_upload(account, spec).await.unwrap();
    let mut offset = 0u64;
    for (round, stop) in [1_200_000usize, 1_200_100, 2_000_000, 2_500_000].into_iter().enumerate() {
        let mut chunks: Vec<std::io::Result<Bytes>> =
            content[offset as usize..stop].chunks(50_000).map(|chunk| Ok(Bytes::copy_from_slice(chunk))).collect();
        if stop < content.len() {
            chunks.push(Err(std::io::Error::other("the line is cut")));
        }
        let reached = house.store.append(account, upload.id, offset, stream::iter(chunks)).await.unwrap();
        assert_eq!(reached, stop as u64, "what came is kept");
        offset = house.store.upload(account, upload.id).await.unwrap().unwrap().offset;
        assert_eq!(offset, reached);
        if round == 1 {
            house.disks[3].wipe();
            house.store.tick(true).await.unwrap();
            assert_eq!(house.store.upload(account, upload.id).await.unwrap().unwrap().offset, offset);
        }
    }
    let wrong = house.store.append(account, upload.id, 5, stream::iter(Vec::<std::io::Result<Bytes>>::new())).await;
    assert!(matches!(wrong, Err(Error::UploadOffset { expected: 2_500_000, got: 5 })));
    let received = house.store.finish_upload(account, upload.id).await.unwrap();
    assert_eq!(received.blake3, *blake3::hash(&content).as_bytes());
    let version = house.version_of(&received);
    let made = version.clone();
    let (id, scope) = (upload.id, Scope::Account(account));
    house
        .store
        .commit(move |tx, draft| {
            let current = Some(made.id);
            let (entry, name) = (made.entry, "big".to_owned());
            let row =
                EntryRow { id: entry, parent: ROOT, name, kind: Kind::File, modified_us: 1, trashed: None, current };
            draft.change(scope, Change::Entry(row));
            draft.change(scope, Change::Version(made));
            draft.received(account, &received);
            draft.end_upload(tx, account, id)
        })
        .await
        .unwrap();
    house.store.tick(true).await.unwrap();
    house.disks[0].wipe();
    assert!(read(&house.store, account, &version).await.unwrap() == content);
    assert!(matches!(house.store.finish_upload(account, upload.id).await, Err(Error::NoUpload { .. })));
}
