//! What the stories about SFTP share: a target at a real server, near or behind a proxy.
#![allow(dead_code, reason = "no story needs everything")]

use std::{
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
};

use bytes::Bytes;
use fleet::{DeleteTicket, Error, HostKey, ObjectName, Sftp, SftpAddress, SftpLogin, SftpTimes, Target};
use testkit::{
    proxy::Proxy,
    servers::{
        rclone_sftp::{self, RcloneSftp},
        sshd::Sshd,
    },
    world::TokioTimer,
};

pub const MARKER: Bytes = Bytes::from_static(b"marker");
/// Long enough for a busy machine; no test waits for it but those of black holes, which bring their own.
pub const TIMES: SftpTimes =
    SftpTimes { connect_ms: 60_000, answer_ms: 60_000, silent_ms: 60_000, rest_ms: 1, rest_ms_max: 5 };

pub fn name(text: &str) -> ObjectName {
    ObjectName::parse(text).unwrap()
}

pub fn ticket(text: &str) -> DeleteTicket {
    DeleteTicket { name: name(text), reason: "released" }
}

pub fn pattern(bytes: usize) -> Bytes {
    (0..bytes).map(|at| (at.wrapping_mul(2_654_435_761) >> 13) as u8).collect()
}

pub fn at(address: SocketAddr, user: &str, root: impl AsRef<Path>) -> SftpAddress {
    SftpAddress {
        host: address.ip().to_string(),
        port: address.port(),
        user: user.to_owned(),
        root: root.as_ref().display().to_string(),
    }
}

/// A target at an OpenSSH server, reached at `address`.
pub fn by_key(server: &Sshd, address: SocketAddr, root: &Path, times: SftpTimes) -> Sftp {
    let login = SftpLogin::key(&server.private_key, None).unwrap();
    let host_key = HostKey::parse(&server.host_key).unwrap();
    Sftp::new(at(address, &server.user, root), login, host_key, times, Arc::new(TokioTimer))
}

pub fn by_password(server: &RcloneSftp, root: &str, password: &str) -> Sftp {
    let host_key = HostKey::parse(&server.host_key).unwrap();
    let address = at(server.address(), rclone_sftp::USER, format!("/{root}"));
    Sftp::new(address, SftpLogin::password(password), host_key, TIMES, Arc::new(TokioTimer))
}

/// A server, a proxy before it, and a marked target behind the proxy.
pub struct Far {
    pub server: Sshd,
    pub proxy: Proxy,
    pub root: PathBuf,
    pub target: Arc<Sftp>,
}

pub async fn far(times: SftpTimes) -> Far {
    let server = Sshd::start("").unwrap();
    let proxy = Proxy::start(server.address()).unwrap();
    let root = server.new_root("target").unwrap();
    let target = Arc::new(by_key(&server, proxy.address(), &root, times));
    target.write_marker(None, MARKER).await.unwrap();
    Far { server, proxy, root, target }
}

pub fn in_tmp(root: &Path) -> Vec<String> {
    let entries = fs::read_dir(root.join("tmp")).unwrap();
    entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

/// Looks until it is so.
pub async fn until(mut so: impl FnMut() -> bool) {
    while !so() {
        tokio::task::spawn_blocking(std::thread::yield_now).await.unwrap();
    }
}

/// Tries until the line has rested.
pub async fn once_rested<T>(mut call: impl AsyncFnMut() -> fleet::Result<T>) -> T {
    loop {
        match call().await {
            Ok(done) => return done,
            Err(Error::Down { .. } | Error::Io { .. }) => tokio::task::yield_now().await,
            Err(other) => panic!("{other}"),
        }
    }
}

pub fn down(result: fleet::Result<impl Sized>) -> String {
    match result {
        Err(Error::Down { reason, .. }) => reason,
        Err(other) => panic!("not down, but {other}"),
        Ok(_) => panic!("not down"),
    }
}
