//! Disks that are full: small ones for one provider, for the other five and for the catalogue, in a mount namespace of the
//! test.
//!
//! The namespace lives as long as one process in it: a `cat` that waits for its input to end. Servers come and go in it;
//! the test reaches its disks through `/proc/<pid>/root`.

use std::{
    ffi::OsString,
    fs,
    io::{BufRead, BufReader, ErrorKind, Write},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use crate::{
    common::Scratch,
    support::{Dice, Server, Truth, skip, truth::Content, until},
};

const PROVIDERS: [&str; 6] = ["amber", "birch", "cedar", "delta", "ember", "fjord"];

/// A mount namespace with small disks. Dropping it lets them go.
struct SmallDisks {
    keeper: Child,
    data: PathBuf,
}

impl SmallDisks {
    fn mount(data: &Path) -> Self {
        // A target takes a pack's lane while one of full length fits, 64 MiB; with five providers one of them holds two.
        let script = "set -e; cd \"$1\"; mkdir providers catalogue; mount -t tmpfs -o size=180m none providers; \
                      for name in $2; do mkdir providers/$name; done; \
                      mount -t tmpfs -o size=80m none providers/amber; mount -t tmpfs -o size=6m none catalogue; \
                      echo mounted; exec cat";
        fs::create_dir_all(data).unwrap();
        let mut command = Command::new("unshare");
        command.args(["--mount", "sh", "-c", script, "sh"]).arg(data).arg(PROVIDERS.join(" "));
        let mut keeper = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(keeper.stdout.take().unwrap()).read_line(&mut line).unwrap();
        assert_eq!(line, "mounted\n");
        Self { keeper, data: data.to_owned() }
    }

    /// What runs a program in the namespace.
    fn enter(&self) -> Vec<OsString> {
        vec!["nsenter".into(), format!("--mount=/proc/{}/ns/mnt", self.keeper.id()).into()]
    }

    /// A folder of the service as seen inside.
    fn inside(&self, folder: &str) -> PathBuf {
        let data = self.data.join(folder);
        Path::new("/proc").join(self.keeper.id().to_string()).join("root").join(data.strip_prefix("/").unwrap())
    }

    /// Fills a disk to the last page.
    fn fill(&self, folder: &str) {
        let mut stone = fs::File::create(self.inside(folder).join("stone")).unwrap();
        let page = [0xAA; 4096];
        loop {
            match stone.write_all(&page) {
                Ok(()) => {}
                Err(error) if error.kind() == ErrorKind::StorageFull => return,
                Err(error) => panic!("{error}"),
            }
        }
    }

    fn free(&self, folder: &str) {
        fs::remove_file(self.inside(folder).join("stone")).unwrap();
    }
}

impl Drop for SmallDisks {
    fn drop(&mut self) {
        drop(self.keeper.stdin.take());
        drop(self.keeper.wait());
    }
}

#[test]
fn a_full_disk_refuses_clearly() {
    if skip("a_full_disk_refuses_clearly", "unshare", &["--mount", "mount", "-t", "tmpfs", "none", "/mnt"]) {
        return;
    }
    let scratch = Scratch::new();
    let data = scratch.join("data");
    let disks = SmallDisks::mount(&data);
    let server = Server::start_through(&disks.enter(), &data);
    let door = server.door();
    let (mut truth, mut dice, mut serial) = (Truth::default(), Dice::new(6), 0);
    for (name, bytes) in [("inline", 900), ("small", 70_000), ("large", 3 << 20), ("empty", 0)] {
        truth.put(&door, name, Content::new(bytes as u64, bytes));
    }
    // A new file or a new version, inline, journalled or in packs.
    let mut next = |bytes: usize| {
        serial += 1;
        (format!("new-{}", dice.roll(8)), Content::new(serial << 8, bytes + dice.roll(100) as usize))
    };

    // One disk is full: the others take what it cannot.
    disks.fill("providers/amber");
    for bytes in [500, 40_000, 2 << 20, 40_000, (1 << 20) + 1] {
        let (path, content) = next(bytes);
        truth.put(&door, &path, content);
    }
    truth.check_all(&door);
    disks.free("providers/amber");

    // All disks of all providers are full: clear refusals, and reading goes on.
    let all = ["providers/amber", "providers"];
    all.iter().for_each(|folder| disks.fill(folder));
    for bytes in [500, 40_000, 2 << 20] {
        let (path, content) = next(bytes);
        let code = truth.try_put(&door, &path, content);
        assert!(code.is_some(), "{bytes} bytes were taken by full disks");
        ["inline", "small", "large", "empty"].iter().for_each(|path| truth.check(&door, path));
    }
    assert!(door.ask("DELETE", "/api/v1/files/small", &[], b"").problem().len() > 3, "a deletion is a record, too");
    truth.may_be("small", None);
    all.iter().for_each(|folder| disks.free(folder));
    for bytes in [500, 40_000, 2 << 20] {
        until("writing goes on without a restart", || {
            let (path, content) = next(bytes);
            truth.try_put(&door, &path, content).is_none()
        });
    }

    // The catalogue's disk is full.
    disks.fill("catalogue");
    let mut codes = Vec::new();
    for round in 0..40 {
        let (path, content) = next(if round % 4 == 0 { 2 << 20 } else { 1_500 });
        codes.extend(truth.try_put(&door, &path, content));
        ["inline", "large", "empty"].iter().for_each(|path| truth.check(&door, path));
    }
    assert!(codes.len() >= 5, "the full catalogue refused: {codes:?}");
    disks.free("catalogue");
    for bytes in [500, 40_000, 2 << 20] {
        until("writing goes on without a restart", || {
            let (path, content) = next(bytes);
            truth.try_put(&door, &path, content).is_none()
        });
    }
    server.kill();
    let server = Server::start_through(&disks.enter(), &data);
    truth.check_all(&server.door_of(&door));
    server.stop();
}
