//! Senders that stall or dribble give their buffers back, so that those who come after them are not kept waiting.
#![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "a test, on a runtime of its own")]

use crate::common::{House, bytes, settings};
use bytes::Bytes;
use futures_util::{StreamExt, stream};
use store::{Expect, Settings};
use tokio::sync::{oneshot, watch};

/// Room for some twenty transfers at once, not for 64.
const POOL_BYTES: u64 = 64 << 20;

#[tokio::test]
async fn the_65th_is_served_while_64_stall() {
    let house = House::with_settings(
        6,
        1,
        Settings { buffer_bytes: POOL_BYTES, small_file_bytes_max: 1 << 20, pause_s: 1, ..settings() },
    )
    .await;
    let account = house.account.id;
    let (resume, resumed) = watch::channel(false);
    let mut stalled = Vec::new();
    for client in 0..64_u64 {
        // Some stall with a large file under way, some with a small one, some before their first byte.
        let sent = [1_500_000, 900_000, 30_000, 0][client as usize % 4];
        let content = Bytes::from(bytes(2_000_000, client));
        let (store, mut resumed) = (house.store.clone(), resumed.clone());
        let (there, is_there) = oneshot::channel();
        let task = tokio::spawn(async move {
            let (before, after) = (content.slice(..sent), content.slice(sent..));
            let body = stream::iter([Ok(before)]).chain(stream::once(async move {
                let _ = there.send(());
                resumed.wait_for(|go| *go).await.unwrap();
                Ok(after)
            }));
            let expect = Expect { bytes: Some(content.len() as u64), ..Expect::default() };
            let received = store.receive(account, Box::pin(body), expect).await.unwrap();
            assert_eq!(received.blake3, *blake3::hash(&content).as_bytes());
        });
        stalled.push((task, is_there));
    }
    for (_, is_there) in &mut stalled {
        is_there.await.unwrap();
    }
    let mine = bytes(3_000_000, 65);
    let body = stream::iter(mine.chunks(50_000).map(|chunk| Ok(Bytes::copy_from_slice(chunk))).collect::<Vec<_>>());
    let received = house.store.receive(account, body, Expect::default()).await.unwrap();
    assert_eq!(received.blake3, *blake3::hash(&mine).as_bytes());
    assert!(stalled.iter().all(|(task, _)| !task.is_finished()), "the others are still there");

    resume.send(true).unwrap();
    for (task, _) in stalled {
        task.await.unwrap();
    }
}
