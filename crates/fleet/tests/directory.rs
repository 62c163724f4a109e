//! What is special about a folder as a target: links, leftovers, wiped and foreign roots.
#![allow(clippy::unwrap_used)]
#![allow(clippy::disallowed_methods, reason = "these tests play the others who touch a target's folder")]

use std::{
    fs,
    os::unix::fs::{MetadataExt, symlink},
    path::PathBuf,
    task::Poll,
};

use bytes::Bytes;
use fleet::{DeleteTicket, Directory, Error, ObjectName, Target};
use testkit::scratch::Scratch;

const MARKER: Bytes = Bytes::from_static(b"marker");

fn name(text: &str) -> ObjectName {
    ObjectName::parse(text).unwrap()
}

fn ticket(text: &str) -> DeleteTicket {
    DeleteTicket { name: name(text), reason: "released" }
}

/// A marked target, its root, and a file outside that nothing may touch.
async fn marked() -> (Scratch, PathBuf, Directory) {
    let scratch = Scratch::new("directory").unwrap();
    let root = scratch.path().join("target");
    fs::create_dir(&root).unwrap();
    fs::create_dir(scratch.path().join("outside")).unwrap();
    fs::write(scratch.path().join("outside/secret"), b"secret").unwrap();
    let target = Directory::open(root.clone());
    target.write_marker(None, MARKER).await.unwrap();
    (scratch, root, target)
}

fn in_tmp(root: &std::path::Path) -> Vec<String> {
    let entries = fs::read_dir(root.join("tmp")).unwrap();
    entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

#[tokio::test]
async fn a_missing_root_is_never_made() {
    let scratch = Scratch::new("directory").unwrap();
    let root = scratch.path().join("not/mounted");
    let target = Directory::open(root.clone());
    target.expect_marker(Some(MARKER));
    for _ in 0..2 {
        assert!(matches!(target.put(&name("a/b"), &[MARKER]).await, Err(Error::Down { .. })));
        assert!(matches!(target.write_marker(None, MARKER).await, Err(Error::Down { .. })));
        assert!(matches!(target.sweep_tmp().await, Err(Error::Down { .. })));
    }
    assert!(!scratch.path().join("not").exists());
}

#[tokio::test]
async fn a_file_as_root_is_down() {
    let scratch = Scratch::new("directory").unwrap();
    let root = scratch.path().join("file");
    fs::write(&root, b"").unwrap();
    assert!(matches!(Directory::open(root).probe().await, Err(Error::Down { .. })));
}

#[tokio::test]
async fn an_emptied_root_is_not_an_empty_target() {
    let (_scratch, root, target) = marked().await;
    target.put(&name("shards/one"), &[MARKER]).await.unwrap();
    let mut writer = target.create(&name("shards/two"), 6).await.unwrap();
    writer.write(MARKER).await.unwrap();

    fs::remove_dir_all(&root).unwrap();
    fs::create_dir(&root).unwrap();
    assert!(matches!(target.list("", None, 9).await, Err(Error::Down { .. })));
    assert!(matches!(target.stat(&name("shards/one")).await, Err(Error::Down { .. })));
    assert!(matches!(target.read(&name("shards/one"), 0..6).await, Err(Error::Down { .. })));
    assert!(matches!(writer.finish().await, Err(Error::Down { .. })));
    assert_eq!(fs::read_dir(&root).unwrap().count(), 0, "something was made in the emptied root");

    // A person's decision, by whoever calls: a new beginning.
    assert_eq!(target.probe().await.unwrap().marker, None);
    target.write_marker(None, MARKER).await.unwrap();
    assert_eq!(target.stat(&name("shards/one")).await.unwrap(), None);
    target.put(&name("shards/one"), &[MARKER]).await.unwrap();
}

#[tokio::test]
async fn a_writer_does_not_outlive_a_root_replaced_by_a_copy() {
    let (_scratch, root, target) = marked().await;
    let mut writer = target.create(&name("shards/two"), 6).await.unwrap();
    writer.write(MARKER).await.unwrap();
    fs::rename(&root, root.with_extension("old")).unwrap();
    fs::create_dir_all(root.join("tmp")).unwrap();
    fs::write(root.join("holdfast-target"), MARKER).unwrap();
    // Whether the rename goes through or not, an object that is acknowledged must be in the root that is there now.
    let finished = writer.finish().await;
    assert_eq!(finished.is_ok(), root.join("shards/two").exists());
}

#[tokio::test]
async fn a_root_with_objects_and_no_marker_is_not_taken_over() {
    let scratch = Scratch::new("directory").unwrap();
    let target = Directory::open(scratch.path().to_owned());
    fs::create_dir(scratch.path().join("photos")).unwrap();
    fs::write(scratch.path().join("photos/1.jpg"), b"x").unwrap();
    assert!(matches!(target.write_marker(None, MARKER).await, Err(Error::Down { .. })));
    assert!(!scratch.path().join("holdfast-target").exists());
    fs::remove_file(scratch.path().join("photos/1.jpg")).unwrap();
    target.write_marker(None, MARKER).await.unwrap();
}

#[tokio::test]
async fn links_and_devices_are_not_objects() {
    let (scratch, root, target) = marked().await;
    target.put(&name("shards/real"), &[MARKER]).await.unwrap();
    symlink("../../outside/secret", root.join("shards/link")).unwrap();
    symlink("../outside", root.join("folder")).unwrap();
    symlink("real", root.join("shards/near")).unwrap();
    rustix::fs::mknodat(rustix::fs::CWD, root.join("shards/pipe"), rustix::fs::FileType::Fifo, 0o600.into(), 0)
        .unwrap();

    for text in ["shards/link", "shards/near", "folder/secret", "shards/pipe", "shards"] {
        let read = target.read(&name(text), 0..1).await;
        assert!(matches!(read, Err(Error::NotAnObject { .. })), "read {text}: {read:?}");
        let stat = target.stat(&name(text)).await;
        assert!(matches!(stat, Err(Error::NotAnObject { .. })), "stat {text}: {stat:?}");
        let deleted = target.delete(&ticket(text)).await;
        assert!(matches!(deleted, Err(Error::NotAnObject { .. })), "delete {text}: {deleted:?}");
    }
    let put = target.put(&name("folder/new"), &[MARKER]).await;
    assert!(matches!(put, Err(Error::NotAnObject { .. })), "{put:?}");
    assert!(matches!(target.put(&name("shards/link"), &[MARKER]).await, Err(Error::Exists { .. })));
    assert!(matches!(target.create(&name("shards/link"), 0).await, Err(Error::NotAnObject { .. })));
    assert!(matches!(target.set_aside(&name("folder/secret")).await, Err(Error::NotAnObject { .. })));
    assert!(matches!(target.set_aside(&name("shards")).await, Err(Error::NotAnObject { .. })));

    let listed = target.list("", None, 99).await.unwrap().objects;
    assert_eq!(listed.iter().map(|l| l.name.as_str()).collect::<Vec<_>>(), ["shards/real"]);
    assert!(target.list("folder/", None, 99).await.unwrap().objects.is_empty());

    // What lies in an object's place can be moved away, as itself.
    target.set_aside(&name("shards/link")).await.unwrap();
    assert!(root.join("aside/shards/link-0").is_symlink());
    assert_eq!(fs::read(scratch.path().join("outside/secret")).unwrap(), b"secret");
    assert_eq!(fs::read_dir(scratch.path().join("outside")).unwrap().count(), 1);
}

#[tokio::test]
async fn a_planted_link_does_not_lead_our_own_folders_astray() {
    for ours in ["tmp", "aside", "holdfast-target"] {
        let (scratch, root, target) = marked().await;
        target.put(&name("shards/one"), &[MARKER]).await.unwrap();
        let _ = fs::remove_dir_all(root.join(ours));
        let _ = fs::remove_file(root.join(ours));
        symlink(scratch.path().join("outside"), root.join(ours)).unwrap();
        let put = target.put(&name("shards/two"), &[MARKER]).await;
        let moved = target.set_aside(&name("shards/one")).await;
        assert_eq!(put.is_err(), ours != "aside", "{put:?}");
        assert_eq!(moved.is_err(), ours != "tmp", "{moved:?}");
        assert_eq!(fs::read_dir(scratch.path().join("outside")).unwrap().count(), 1, "{ours} was followed");
    }
}

#[tokio::test]
async fn leftovers_are_swept_before_the_first_write_and_not_by_readers() {
    let (_scratch, root, first) = marked().await;
    first.put(&name("kept"), &[MARKER]).await.unwrap();
    fs::write(root.join("tmp/0-1"), b"left by a crash").unwrap();
    fs::write(root.join("tmp/9-9"), b"left by a crash").unwrap();

    let reader = Directory::open(root.clone());
    reader.read(&name("kept"), 0..6).await.unwrap();
    reader.list("", None, 9).await.unwrap();
    assert!(matches!(reader.sweep_tmp().await, Err(Error::Down { .. })));
    assert_eq!(in_tmp(&root).len(), 2);

    let next = Directory::open(root.clone());
    next.expect_marker(Some(MARKER));
    assert_eq!(next.sweep_tmp().await.unwrap(), 2);
    assert_eq!(in_tmp(&root), Vec::<String>::new());

    let mut writer = next.create(&name("slow"), 0).await.unwrap();
    assert_eq!(next.sweep_tmp().await.unwrap(), 0, "a file on its way in is no leftover");
    writer.write(MARKER).await.unwrap();
    writer.finish().await.unwrap();
}

#[tokio::test]
async fn abandoned_files_go_and_free_their_space() {
    let (_scratch, root, target) = marked().await;
    let mut writer = target.create(&name("object"), 1 << 20).await.unwrap();
    writer.write(MARKER).await.unwrap();
    let half = root.join("tmp").join(&in_tmp(&root)[0]);
    assert!(fs::metadata(&half).unwrap().blocks() * 512 >= 1 << 20, "nothing was reserved");
    drop(writer);
    // The removal runs on a blocking thread; it is over when the runtime has nothing more to do.
    for _ in 0..10_000 {
        if in_tmp(&root).is_empty() {
            break;
        }
        tokio::task::spawn_blocking(std::thread::yield_now).await.unwrap();
    }
    assert_eq!(in_tmp(&root), Vec::<String>::new());

    let mut writer = target.create(&name("object"), 1 << 20).await.unwrap();
    writer.write(MARKER).await.unwrap();
    writer.finish().await.unwrap();
    let object = fs::metadata(root.join("object")).unwrap();
    assert_eq!(object.len(), 6);
    assert!(object.blocks() * 512 < 1 << 20, "what was reserved beyond the end is kept");
    assert_eq!(object.mode() & 0o077, 0, "others may read it");
}

#[test]
fn a_writer_whose_write_was_dropped_takes_nothing_more() {
    // A single blocking thread, kept busy: the write is certain to have begun and not ended.
    let runtime = tokio::runtime::Builder::new_current_thread().max_blocking_threads(1).build().unwrap();
    runtime.block_on(async {
        let (_scratch, root, target) = marked().await;
        let mut writer = target.create(&name("object"), 0).await.unwrap();
        let (release, released) = std::sync::mpsc::channel::<()>();
        let busy = tokio::task::spawn_blocking(move || released.recv());
        let mut write = writer.write(MARKER);
        let ended = std::future::poll_fn(|context| Poll::Ready(write.as_mut().poll(context).is_ready())).await;
        assert!(!ended);
        drop(write);
        drop(release);
        assert!(busy.await.unwrap().is_err());
        assert!(writer.write(MARKER).await.is_err());
        assert!(writer.finish().await.is_err());
        assert!(!root.join("object").exists());
    });
}

#[tokio::test]
async fn what_is_no_object_is_passed_over() {
    let (_scratch, root, target) = marked().await;
    target.put(&name("shards/one"), &[MARKER]).await.unwrap();
    for odd in ["README", ".hidden", "shards/Upper", "shards/.part", "lost+found", "shards/with space"] {
        fs::write(root.join(odd), b"x").unwrap();
    }
    fs::create_dir_all(root.join("shards/empty/deeper")).unwrap();
    let page = target.list("", None, 1).await.unwrap();
    assert_eq!(page.objects.len(), 1);
    assert!(!page.more);
}

#[tokio::test]
async fn what_is_set_aside_is_kept_byte_for_byte() {
    let (_scratch, root, target) = marked().await;
    for n in 0..2_u8 {
        target.put(&name("shards/aa/bad"), &[Bytes::from(vec![n; 9])]).await.unwrap();
        target.set_aside(&name("shards/aa/bad")).await.unwrap();
        assert_eq!(fs::read(root.join(format!("aside/shards/aa/bad-{n}"))).unwrap(), [n; 9]);
    }
}

#[tokio::test]
async fn a_folder_and_an_object_cannot_share_a_name() {
    let (_scratch, _root, target) = marked().await;
    target.put(&name("a/b"), &[MARKER]).await.unwrap();
    assert!(matches!(target.put(&name("a"), &[MARKER]).await, Err(Error::Exists { .. })));
    assert!(matches!(target.put(&name("a/b/c"), &[MARKER]).await, Err(Error::NotAnObject { .. })));
    assert_eq!(target.read(&name("a/b"), 0..6).await.unwrap(), MARKER);
}

#[tokio::test]
async fn a_marker_that_is_no_marker_is_down() {
    let (_scratch, root, target) = marked().await;
    target.put(&name("kept"), &[MARKER]).await.unwrap();
    fs::write(root.join("holdfast-target"), vec![0; 1 << 20]).unwrap();
    assert!(matches!(target.probe().await, Err(Error::Down { .. })));
    assert!(matches!(target.put(&name("new"), &[MARKER]).await, Err(Error::Down { .. })));
    assert_eq!(target.read(&name("kept"), 0..6).await.unwrap(), MARKER);
}
