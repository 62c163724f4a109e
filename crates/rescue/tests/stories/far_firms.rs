//! What firms still serve comes home over their own protocols, with the logins that somebody handed over.

use std::{fs, net::TcpListener, path::Path, sync::Arc};

use fleet::Logins;
use format::{
    AddressBook, KitAddress,
    envelope::{Address, seal_address_book},
    name::address_book_name,
};
use model::{
    id::ObjectId,
    world::{BoxFuture, Timer},
};
use rescue::{Access, Finding, Rescue, home};
use testkit::{
    server::{Server, skip},
    servers::{
        apache, rclone,
        sshd::{self, Sshd},
    },
    world::{TokioTimer, real_world},
};

use crate::{
    homecoming::{Scratch, assert_tree},
    program::{self, dump, text},
    world::{FIRMS, World},
};

/// Firms 0 to 3, each behind a server: SSH, WebDAV, S3, SSH again. They are as many as are needed.
struct Firms {
    ssh: Sshd,
    _others: Vec<Server>,
    addresses: Vec<String>,
    /// The block of a file of logins for each.
    logins: Vec<String>,
}

impl Firms {
    fn start(world: &World, story: &str) -> Option<Self> {
        if [sshd::PROGRAM, apache::PROGRAM, rclone::PROGRAM].iter().any(|program| skip(story, program)) {
            return None;
        }
        let ssh = Sshd::start("-R").unwrap();
        let folders = ssh.new_root("firms").unwrap();
        let (dav, s3) = (apache::start().unwrap(), rclone::s3().unwrap());
        let by_ssh = |firm: usize| Self::by_ssh(&ssh, &dump(world, firm, &folders));
        let (first, last) = (by_ssh(0), by_ssh(3));
        dump(world, 1, &dav.folder().join(apache::SERVED));
        dump(world, 2, &s3.folder().join("root").join(rclone::SERVED));
        let addresses = vec![
            first,
            format!("webdav+http://{}/dav/firm-1", dav.address()),
            format!("s3://{}/firm-2?endpoint=http://{}", rclone::SERVED, s3.address()),
            last,
        ];
        let key = ssh.private_key.replace('\n', "\\n");
        let logins = vec![
            format!("key={key}"),
            format!("user={}\npassword={}", apache::LOGIN, apache::SECRET),
            format!("access_key_id={}\nsecret_access_key={}", rclone::LOGIN, rclone::SECRET),
            format!("key={key}"),
        ];
        let logins = addresses.iter().zip(logins).map(|(address, login)| format!("[{address}]\n{login}\n")).collect();
        Some(Self { ssh, _others: vec![dav, s3], addresses, logins })
    }

    fn by_ssh(ssh: &Sshd, folder: &Path) -> String {
        let host_key = ssh.host_key.split(' ').take(2).collect::<Vec<_>>().join("%20");
        format!("sftp://{}@{}{}?host_key={host_key}", ssh.user, ssh.address(), folder.display())
    }
}

fn named(firm: usize, address: &str) -> KitAddress {
    let driver = fleet::Address::parse(address).unwrap().driver().to_owned();
    KitAddress { provider: format!("firm-{firm}"), driver, address: address.to_owned() }
}

/// An address book that is newer than what the world was built with.
fn new_book(world: &World, addresses: &[String]) {
    let entry = |(firm, address): (usize, &String)| Address {
        provider: format!("firm-{firm}"),
        target: world.targets[firm],
        driver: named(firm, address).driver,
        address: address.clone(),
    };
    let entries = addresses.iter().enumerate().map(entry).collect();
    let book = AddressBook { cluster: world.cluster, epoch: 1, entries };
    let name = address_book_name(world.account, 2, ObjectId::random(&world.entropy));
    let bytes = seal_address_book(&name, &book, &[world.kit.identity.recipient()]).unwrap();
    world.copies(0, &name, &bytes);
}

#[test]
fn a_tree_comes_home_over_three_protocols_and_a_wrong_login_is_named() {
    let story = "a tree comes home over SFTP, WebDAV and S3";
    let (mut world, scratch) = (World::build(), Scratch::new("far"));
    let Some(firms) = Firms::start(&world, story) else { return };
    // A fifth firm, whose password is another one now; and what it kept nobody needs.
    let wrong = firms.addresses[1].replace("firm-1", "firm-5");
    let mut logins = firms.logins.concat();
    logins.push_str(&format!("[{wrong}]\nuser={}\npassword=of-last-year\n", apache::LOGIN));
    world.kit.addresses = firms.addresses.iter().enumerate().map(|(at, address)| named(at, address)).collect();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let mut access = Access::new(Logins::parse(&logins).unwrap(), real_world());
        access.add(&wrong).unwrap();
        assert_eq!(access.follow(&world.kit, &mut |_| false).await.unwrap(), firms.addresses);
        assert_eq!(access.shut(), []);
        let rescue = Rescue::open(&world.kit, access.targets().unwrap()).await.unwrap();
        let report = home::bring(&rescue, &scratch.0, &mut |_| {}).await.unwrap();
        let findings = rescue.findings();
        assert!(report.is_whole(), "{findings:?}");
        assert_eq!(findings.len(), 1, "{findings:#?}");
        let Finding::TargetDown { target, reason } = &findings[0] else { panic!("{findings:?}") };
        assert_eq!(target, &wrong);
        assert!(reason.contains("401") && !reason.contains("of-last-year"), "{reason}");

        let mut access = Access::new(Logins::parse(&logins).unwrap(), real_world());
        access.add(&wrong).unwrap();
        let nothing = Rescue::open(&world.kit, access.targets().unwrap()).await.unwrap_err();
        assert!(nothing.to_string().contains(&format!("{wrong}: {reason}")), "{nothing}");
    });
    assert_tree(&world, &scratch.0);
}

#[test]
fn an_address_book_leads_to_the_rest_whose_logins_are_there() {
    let story = "an address book leads the program to firms that are far";
    let (world, scratch) = (World::build(), Scratch::new("book"));
    let unknown = "sftp://u1@box.example/srv?host_key=SHA256:nThbg6kXUpJWGl7E1IGOCspRomTxdCARLviKw6E5SY8".to_owned();
    let Some(firms) = Firms::start(&world, story) else { return };
    new_book(&world, &[&firms.addresses[..], std::slice::from_ref(&unknown)].concat());
    let near = dump(&world, 0, &scratch.0);
    let (kit, file, out) = (scratch.0.join("kit.txt"), scratch.0.join("logins"), scratch.0.join("home"));
    fs::write(&kit, world.kit.to_text()).unwrap();
    fs::write(&file, firms.logins[..3].concat()).unwrap();
    let (kit, file, out) = (kit.display().to_string(), file.display().to_string(), out.display().to_string());
    let last = &firms.addresses[3];

    // Three firms and a copy of one of them: not enough, and it is said who else has something.
    let args = ["--kit", &kit, "--target", near.to_str().unwrap(), "--logins", &file, "--out", &out];
    let few = program::run(&args, "");
    let said = text(&few.stderr);
    assert_eq!(few.status.code(), Some(1), "{said}");
    for address in &firms.addresses[..3] {
        assert!(said.contains(&format!("also reading {address}, ")), "{said}");
    }
    for (firm, address) in [(3, last), (4, &unknown)] {
        let told = format!("also kept at {address} (firm-{firm}): whoever has a login there can name it");
        assert!(said.contains(&told), "{said}");
    }

    fs::write(&file, firms.logins.concat()).unwrap();
    let done = program::run(&args, "");
    assert!(done.status.success(), "{}\n{}", text(&done.stdout), text(&done.stderr));
    assert_tree(&world, Path::new(&out));
    for output in [&few, &done] {
        let shown = text(&output.stdout) + &text(&output.stderr);
        assert!(![apache::SECRET, "PRIVATE KEY"].iter().any(|secret| shown.contains(secret)), "{shown}");
    }
}

/// Waits a thousandth of what it should.
struct Hasty;

impl Timer for Hasty {
    fn sleep(&self, us: u64) -> BoxFuture<'static, ()> {
        TokioTimer.sleep(us / 1_000)
    }

    fn spawn(&self, task: BoxFuture<'static, ()>) {
        TokioTimer.spawn(task);
    }
}

#[test]
fn a_server_that_says_nothing_is_tried_a_few_times_and_named() {
    let (mut world, scratch) = (World::build(), Scratch::new("silent"));
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("webdav+http://{}/firm-5", silent.local_addr().unwrap());
    // Named by the kit and at each round of address books: looked at several times.
    world.kit.addresses.push(named(5, &address));
    let near: Vec<_> = (0..4).map(|firm| dump(&world, firm, &scratch.0)).collect();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let logins = Logins::parse(&format!("[{address}]\nuser=me\npassword=of-the-test\n")).unwrap();
        let mut access = Access::new(logins, model::world::World { timer: Arc::new(Hasty), ..real_world() });
        near.into_iter().for_each(|folder| access.add_folder(folder));
        assert_eq!(access.follow(&world.kit, &mut |_| false).await.unwrap(), std::slice::from_ref(&address));
        let rescue = Rescue::open(&world.kit, access.targets().unwrap()).await.unwrap();
        let report = home::bring(&rescue, &scratch.0.join("home"), &mut |_| {}).await.unwrap();
        assert!(report.is_whole());
        let findings = rescue.findings();
        assert!(
            matches!(&findings[..], [Finding::TargetDown { target, reason }]
                if *target == address && reason.contains("did not answer")),
            "{findings:?}"
        );
    });
    assert_tree(&world, &scratch.0.join("home"));
    silent.set_nonblocking(true).unwrap();
    let knocks = std::iter::from_fn(|| silent.accept().ok()).count();
    assert!((1..=3).contains(&knocks), "it was knocked at {knocks} times");
}

#[test]
fn who_has_a_login_is_asked_for_it() {
    let story = "the program asks for the logins of what the kit names";
    let (mut world, scratch) = (World::build(), Scratch::new("far-asks"));
    let Some(firms) = Firms::start(&world, story) else { return };
    world.kit.addresses = firms.addresses.iter().enumerate().map(|(at, address)| named(at, address)).collect();
    let (kit, key, out) = (scratch.0.join("kit.txt"), scratch.0.join("key"), scratch.0.join("home"));
    fs::write(&kit, world.kit.to_text()).unwrap();
    fs::write(&key, &firms.ssh.private_key).unwrap();
    let near = dump(&world, FIRMS - 1, &scratch.0);
    // An SSH key without passphrase; a password; no login for the bucket; the key again; then a copied disk.
    let answers = format!(
        "{}\nyes\n\n{key}\n\nyes\n{}\n{}\n\nyes\n\n{key}\n\n{}\n\n{}\n",
        kit.display(),
        apache::LOGIN,
        apache::SECRET,
        near.display(),
        out.display(),
        key = key.display()
    );
    let done = program::run(&[], &answers);
    let (said, noted) = (text(&done.stdout), text(&done.stderr));
    assert!(done.status.success(), "{said}\n{noted}");
    assert_eq!(said.matches("Do you have a login for").count(), 4, "{said}");
    assert!(noted.contains(&format!("also kept at {} (firm-2)", firms.addresses[2])), "{noted}");
    assert!(!said.contains(apache::SECRET) && !noted.contains(apache::SECRET));
    assert_tree(&world, &out);

    let none = program::run(&["--kit", kit.to_str().unwrap(), "--target", &firms.addresses[0], "--list"], "");
    assert_eq!(none.status.code(), Some(2));
    assert!(text(&none.stderr).contains("cannot be read without a login"), "{}", text(&none.stderr));
}
