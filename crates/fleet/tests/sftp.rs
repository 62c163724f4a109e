//! SFTP against servers of others: every rule of `fleet::target`, and what is special about a login, a host key and links.
#![allow(clippy::unwrap_used)]
#![allow(clippy::disallowed_methods, reason = "these tests play the others who touch a target's folder")]

mod far;

use std::{
    fs,
    os::unix::{
        ffi::OsStrExt,
        fs::{MetadataExt, symlink},
    },
    sync::Arc,
};

use far::{Far, MARKER, TIMES, at, by_key, by_password, down, far, in_tmp, name, pattern, ticket, until};
use fleet::{Abilities, Error, HostKey, Sftp, SftpLogin, SftpTimes, Target};
use testkit::{
    scratch::Scratch,
    server::{skip, skipped},
    servers::{
        rclone_sftp::{self, RcloneSftp},
        sshd::{self, Sshd},
    },
    target_suite::{self, Place},
    world::TokioTimer,
};

#[tokio::test]
async fn openssh_keeps_the_rules() {
    if skip("openssh_keeps_the_rules", sshd::PROGRAM) {
        return;
    }
    let server = Sshd::start("").unwrap();
    let made = std::sync::atomic::AtomicUsize::new(0);
    target_suite::run(async || {
        let n = made.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let root = server.new_root(&format!("target-{n}")).unwrap();
        let target = by_key(&server, server.address(), &root, TIMES);
        target.write_marker(None, MARKER).await.unwrap();
        Place { target: Arc::new(target), marker: MARKER, vanish: Box::new(move || fs::remove_dir_all(root).unwrap()) }
    })
    .await;
}

#[tokio::test]
async fn rclone_keeps_the_rules() {
    if skip("rclone_keeps_the_rules", rclone_sftp::PROGRAM) || skip("rclone_keeps_the_rules", "ssh-keygen") {
        return;
    }
    let server = RcloneSftp::start().unwrap();
    let made = std::sync::atomic::AtomicUsize::new(0);
    target_suite::run(async || {
        let n = made.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let root = server.new_root(&format!("target-{n}")).unwrap();
        let target = by_password(&server, &format!("target-{n}"), rclone_sftp::PASSWORD);
        target.write_marker(None, MARKER).await.unwrap();
        let vanish = Box::new(move || {
            fs::remove_dir_all(root).unwrap();
            rclone_sftp::wait_until_seen();
        });
        Place { target: Arc::new(target), marker: MARKER, vanish }
    })
    .await;
}

#[tokio::test]
async fn abilities_are_what_a_trial_found() {
    let story = "abilities_are_what_a_trial_found";
    if skip(story, sshd::PROGRAM) || skip(story, rclone_sftp::PROGRAM) {
        return;
    }
    let openssh = Sshd::start("").unwrap();
    let target = by_key(&openssh, openssh.address(), &openssh.new_root("target").unwrap(), TIMES);
    let unknown = Abilities {
        durable_rename: false,
        no_clobber: false,
        free_space: false,
        part_bytes: 2 << 20,
        billed_by_request: false,
        probe_every_s: 15,
        ..Abilities::DISK
    };
    assert_eq!(target.abilities(), unknown, "nothing is promised before it is known");
    target.write_marker(None, MARKER).await.unwrap();
    assert_eq!(target.abilities(), Abilities { free_space: true, ..unknown });
    target.put(&name("one"), &[MARKER]).await.unwrap();
    assert_eq!(target.abilities(), Abilities { free_space: true, durable_rename: true, no_clobber: true, ..unknown });

    let rclone = RcloneSftp::start().unwrap();
    rclone.new_root("target").unwrap();
    let target = by_password(&rclone, "target", rclone_sftp::PASSWORD);
    target.write_marker(None, MARKER).await.unwrap();
    target.put(&name("one"), &[MARKER]).await.unwrap();
    assert_eq!(target.abilities(), Abilities { free_space: true, ..unknown });
}

#[tokio::test]
async fn another_host_key_is_refused_before_the_login() {
    if skip("another_host_key_is_refused_before_the_login", sshd::PROGRAM) {
        return;
    }
    let (server, other) = (Sshd::start("").unwrap(), Sshd::start("").unwrap());
    let root = server.new_root("target").unwrap();
    let login = SftpLogin::key(&server.private_key, None).unwrap();
    let changed = Sftp::new(
        at(server.address(), &server.user, &root),
        login.clone(),
        HostKey::parse(&other.host_key).unwrap(),
        SftpTimes { rest_ms_max: 3_600_000, ..TIMES },
        Arc::new(TokioTimer),
    );
    let reason = down(changed.probe().await);
    assert!(reason.contains("host key") && reason.contains("SHA256:"), "{reason}");
    assert!(reason.contains(&server.address().to_string()), "{reason}");
    assert!(!server.log().contains("Accepted") && !server.log().contains("Failed"), "{}", server.log());
    let knocks = server.log().matches("Connection from").count();
    assert_eq!(down(changed.read(&name("a"), 0..1).await), reason, "it is not asked again at once");
    assert_eq!(server.log().matches("Connection from").count(), knocks);

    // By its fingerprint it is known as well.
    let fingerprint = HostKey::parse(&server.host_key).unwrap().to_string();
    let fingerprint = HostKey::parse(fingerprint.split_once(' ').unwrap().1).unwrap();
    let address = at(server.address(), &server.user, &root);
    let target = Sftp::new(address, login, fingerprint, TIMES, Arc::new(TokioTimer));
    assert_eq!(target.probe().await.unwrap().marker, None);
}

#[tokio::test]
async fn a_refused_login_says_what_to_do_and_no_secret() {
    let story = "a_refused_login_says_what_to_do_and_no_secret";
    if skip(story, sshd::PROGRAM) || skip(story, rclone_sftp::PROGRAM) {
        return;
    }
    let rclone = RcloneSftp::start().unwrap();
    rclone.new_root("target").unwrap();
    let target = by_password(&rclone, "target", "wrong-secret");
    let reason = down(target.probe().await);
    assert!(reason.contains("login of user 'tester' by password is refused"), "{reason}");
    assert!(reason.contains("check user and password"), "{reason}");
    assert!(!format!("{:?}", target.probe().await).contains("wrong-secret"));

    let server = Sshd::start("").unwrap();
    let stranger = Scratch::new("stranger").unwrap();
    sshd::key(&stranger.path().join("key"), "").unwrap();
    let key = fs::read_to_string(stranger.path().join("key")).unwrap();
    for login in [SftpLogin::key(&key, None).unwrap(), SftpLogin::password("wrong-secret")] {
        let address = at(server.address(), &server.user, "/");
        let target = Sftp::new(address, login, HostKey::parse(&server.host_key).unwrap(), TIMES, Arc::new(TokioTimer));
        let reason = down(target.probe().await);
        assert!(reason.contains("is refused") && !reason.contains("wrong-secret"), "{reason}");
    }
}

#[tokio::test]
async fn a_locked_key_needs_its_passphrase() {
    let story = "a_locked_key_needs_its_passphrase";
    if skip(story, "ssh-keygen") {
        return;
    }
    let scratch = Scratch::new("locked").unwrap();
    sshd::key(&scratch.path().join("key"), "open sesame").unwrap();
    let text = fs::read_to_string(scratch.path().join("key")).unwrap();
    assert!(SftpLogin::key(&text, Some("open sesame")).is_ok());
    for wrong in [None, Some("wrong")] {
        let bad = SftpLogin::key(&text, wrong).unwrap_err().to_string();
        assert!(bad.contains("passphrase") && !bad.contains("wrong"), "{bad}");
    }
}

#[tokio::test]
async fn a_server_that_changes_nothing_is_down_for_changes_and_readable() {
    if skip("a_server_that_changes_nothing_is_down_for_changes_and_readable", sshd::PROGRAM) {
        return;
    }
    let (writable, read_only) = (Sshd::start("").unwrap(), Sshd::start("-R").unwrap());
    let root = writable.new_root("target").unwrap();
    let target = by_key(&writable, writable.address(), &root, TIMES);
    target.write_marker(None, MARKER).await.unwrap();
    target.put(&name("kept"), &[MARKER]).await.unwrap();

    let target = by_key(&read_only, read_only.address(), &root, TIMES);
    target.expect_marker(Some(MARKER));
    assert_eq!(target.read(&name("kept"), 0..6).await.unwrap(), MARKER);
    for reason in [
        down(target.put(&name("new"), &[MARKER]).await),
        down(target.create(&name("new"), 0).await.map(drop)),
        down(target.delete(&ticket("kept")).await),
        down(target.set_aside(&name("kept")).await),
        down(target.write_marker(Some(&MARKER), MARKER).await),
    ] {
        assert!(reason.contains("permission"), "{reason}");
    }
    assert_eq!(target.read(&name("kept"), 0..6).await.unwrap(), MARKER);
}

#[tokio::test]
async fn a_foreign_or_emptied_root_is_not_touched() {
    if skip("a_foreign_or_emptied_root_is_not_touched", sshd::PROGRAM) {
        return;
    }
    let far = far(TIMES).await;
    let Far { root, target, .. } = &far;
    target.put(&name("shards/one"), &[MARKER]).await.unwrap();
    let mut writer = target.create(&name("shards/two"), 0).await.unwrap();
    writer.write(MARKER).await.unwrap();
    fs::remove_dir_all(root).unwrap();
    fs::create_dir(root).unwrap();
    down(target.list("", None, 9).await);
    down(target.stat(&name("shards/one")).await);
    down(target.read(&name("shards/one"), 0..6).await);
    down(target.put(&name("shards/one"), &[MARKER]).await);
    down(writer.finish().await);
    assert_eq!(fs::read_dir(root).unwrap().count(), 0, "something was made in the emptied root");

    // A person's decision, by whoever calls: a new beginning.
    target.write_marker(None, MARKER).await.unwrap();
    assert_eq!(target.stat(&name("shards/one")).await.unwrap(), None);
    target.put(&name("shards/one"), &[MARKER]).await.unwrap();
}

#[tokio::test]
async fn symlinks_are_not_followed() {
    if skip("symlinks_are_not_followed", sshd::PROGRAM) {
        return;
    }
    let far = far(TIMES).await;
    let Far { server, root, target, .. } = &far;
    let outside = server.new_root("outside").unwrap();
    fs::write(outside.join("secret"), b"secret").unwrap();
    target.put(&name("shards/real"), &[MARKER]).await.unwrap();
    symlink("../../outside/secret", root.join("shards/link")).unwrap();
    symlink("../outside", root.join("folder")).unwrap();
    for text in ["shards/link", "folder/secret", "shards"] {
        let not = |result: fleet::Result<()>| matches!(result, Err(Error::NotAnObject { .. }));
        assert!(not(target.read(&name(text), 0..1).await.map(drop)), "read {text}");
        assert!(not(target.stat(&name(text)).await.map(drop)), "stat {text}");
        assert!(not(target.delete(&ticket(text)).await), "delete {text}");
    }
    assert!(matches!(target.put(&name("folder/new"), &[MARKER]).await, Err(Error::NotAnObject { .. })));
    assert!(matches!(target.put(&name("shards/link"), &[MARKER]).await, Err(Error::Exists { .. })));
    assert!(matches!(target.create(&name("shards/link"), 0).await, Err(Error::NotAnObject { .. })));
    assert!(matches!(target.put(&name("shards/real/x"), &[MARKER]).await, Err(Error::NotAnObject { .. })));
    assert!(matches!(target.set_aside(&name("folder/secret")).await, Err(Error::NotAnObject { .. })));
    let listed = target.list("", None, 99).await.unwrap().objects;
    assert_eq!(listed.iter().map(|l| l.name.as_str()).collect::<Vec<_>>(), ["shards/real"]);
    assert!(target.list("folder/", None, 99).await.unwrap().objects.is_empty());

    // What lies in an object's place can be moved away, as itself.
    target.set_aside(&name("shards/link")).await.unwrap();
    assert!(root.join("aside/shards/link-0").is_symlink());
    assert_eq!(fs::read_dir(&outside).unwrap().count(), 1);

    fs::remove_file(root.join("holdfast-target")).unwrap();
    symlink("../outside/secret", root.join("holdfast-target")).unwrap();
    assert!(down(target.probe().await).contains("symbolic link"));
    down(target.put(&name("new"), &[MARKER]).await);
}

#[tokio::test]
async fn what_is_no_object_is_passed_over() {
    if skip("what_is_no_object_is_passed_over", sshd::PROGRAM) {
        return;
    }
    let far = far(TIMES).await;
    let Far { root, target, .. } = &far;
    target.put(&name("shards/one"), &[MARKER]).await.unwrap();
    for odd in ["README", ".hidden", "shards/Upper", "shards/.part", "shards/with space"] {
        fs::write(root.join(odd), b"x").unwrap();
    }
    fs::write(root.join(std::ffi::OsStr::from_bytes(b"shards/\xff\xfe")), b"x").unwrap();
    fs::create_dir_all(root.join("shards/empty/deeper")).unwrap();
    let page = target.list("", None, 1).await.unwrap();
    assert_eq!((page.objects.len(), page.more), (1, false));
}

#[tokio::test]
async fn a_folder_of_many_names_is_paged_through() {
    if skip("a_folder_of_many_names_is_paged_through", sshd::PROGRAM) {
        return;
    }
    let far = far(TIMES).await;
    let Far { root, target, .. } = &far;
    fs::create_dir(root.join("many")).unwrap();
    for n in 0..600 {
        fs::write(root.join(format!("many/{n:04}")), b"").unwrap();
        // Folders without objects do not fill a page, so the folder is read again behind them.
        fs::create_dir(root.join(format!("many/{n:04}-"))).unwrap();
    }
    let mut found = Vec::new();
    loop {
        let page = target.list("many/", found.last(), 250).await.unwrap();
        found.extend(page.objects.into_iter().map(|listed| listed.name));
        if !page.more {
            break;
        }
    }
    assert!(found.len() == 600 && found.is_sorted(), "{}", found.len());
}

#[tokio::test]
async fn leftovers_are_swept_before_the_first_write_and_not_by_readers() {
    if skip("leftovers_are_swept_before_the_first_write_and_not_by_readers", sshd::PROGRAM) {
        return;
    }
    let far = far(TIMES).await;
    let Far { server, root, target, .. } = &far;
    target.put(&name("kept"), &[MARKER]).await.unwrap();
    fs::write(root.join("tmp/0-1"), b"left by a crash").unwrap();
    fs::write(root.join("tmp/9-9"), b"left by a crash").unwrap();

    let reader = by_key(server, server.address(), root, TIMES);
    reader.read(&name("kept"), 0..6).await.unwrap();
    reader.list("", None, 9).await.unwrap();
    down(reader.sweep_tmp().await);
    assert_eq!(in_tmp(root).len(), 2);

    let next = by_key(server, server.address(), root, TIMES);
    next.expect_marker(Some(MARKER));
    assert_eq!(next.sweep_tmp().await.unwrap(), 2);
    assert_eq!(in_tmp(root), Vec::<String>::new());
    let mut writer = next.create(&name("slow"), 0).await.unwrap();
    assert_eq!(next.sweep_tmp().await.unwrap(), 0, "a file on its way in is no leftover");
    writer.write(MARKER).await.unwrap();
    writer.finish().await.unwrap();
    assert_eq!(fs::metadata(root.join("slow")).unwrap().mode() & 0o077, 0, "others may read it");

    let mut writer = next.create(&name("abandoned"), 0).await.unwrap();
    writer.write(MARKER).await.unwrap();
    drop(writer);
    until(|| in_tmp(root).is_empty()).await;
    assert!(!root.join("abandoned").exists());
}

/// A small file system, unmounted at the end even if the server still has a file open.
struct Mounted(std::path::PathBuf);

impl Drop for Mounted {
    fn drop(&mut self) {
        let _ = std::process::Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

#[tokio::test]
async fn a_full_disk_is_told_and_goes_on_reading() {
    let story = "a_full_disk_is_told_and_goes_on_reading";
    if skip(story, sshd::PROGRAM) || skip(story, "mount") {
        return;
    }
    let server = Sshd::start("").unwrap();
    let root = server.new_root("target").unwrap();
    let mount = std::process::Command::new("mount").args(["-t", "tmpfs", "-o", "size=8m", "none"]).arg(&root).output();
    if !mount.is_ok_and(|output| output.status.success()) {
        skipped(story, "it needs to be allowed to mount");
        return;
    }
    let _mounted = Mounted(root.clone());
    let target = by_key(&server, server.address(), &root, TIMES);
    target.write_marker(None, MARKER).await.unwrap();
    target.put(&name("kept"), &[MARKER]).await.unwrap();
    let mut writer = target.create(&name("large"), 0).await.unwrap();
    let mut written = Ok(());
    for _ in 0..16 {
        written = writer.write(pattern(1 << 20)).await;
        if written.is_err() {
            break;
        }
    }
    let ended = if written.is_ok() { writer.finish().await } else { written };
    assert!(matches!(ended, Err(Error::Full { .. })), "{ended:?}");
    assert_eq!(target.read(&name("kept"), 0..6).await.unwrap(), MARKER);
    // What was written of it goes, and there is room again.
    until(|| in_tmp(&root).is_empty()).await;
    target.put(&name("small"), &[pattern(1 << 20)]).await.unwrap();
}
