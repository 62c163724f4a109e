//! One SSH connection, from the first packet to channels that speak SFTP.
//!
//! The host key is compared before anything of the login is sent. Then up to [`CHANNELS`] channels are opened: a server works
//! through the requests of one channel in turn, so a file that is being synced on one would hold up reads on it. The first
//! channel is for reads and names, the others for writers; a server that allows only one gets everything on it.

use std::{
    borrow::Cow,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use model::world::Timer;
use russh::{
    MethodKind, MethodSet, Preferred, cipher,
    client::{self, AuthResult, Handle, KeyboardInteractiveAuthResponse},
    compression,
    keys::{PrivateKeyWithHashAlg, PublicKey, PublicKeyOrCertificate},
};
use tokio::{net::TcpStream, sync::OnceCell};

use super::{
    session::{Ending, Session},
    settings::{HostKey, Login, SftpAddress, SftpTimes, shown},
    trial::Ways,
};

/// Channels of one connection. OpenSSH allows ten (`MaxSessions`).
const CHANNELS: usize = 4;
/// How much a server may send before it must wait for us: what 80 MB/s fill in 50 ms.
const WINDOW_BYTES: u32 = 4 << 20;
const PACKET_BYTES: u32 = 32 << 10;
/// Questions that a login by dialogue may ask before it is given up.
const DIALOGUE_ROUNDS: usize = 4;

/// Who is called, and how.
pub(super) struct Called {
    pub(super) address: SftpAddress,
    pub(super) login: Login,
    pub(super) host_key: HostKey,
    pub(super) times: SftpTimes,
    pub(super) timer: Arc<dyn Timer>,
}

/// Why there is no connection.
#[derive(Clone, Debug)]
pub(super) struct Failure {
    pub(super) reason: String,
    /// Whether it is no use to try again soon: somebody has to change something first.
    pub(super) settled: bool,
}

impl From<String> for Failure {
    fn from(reason: String) -> Self {
        Self { reason, settled: false }
    }
}

/// A connection that can be used until it ends.
pub(super) struct Connection {
    sessions: Vec<Arc<Session>>,
    ssh: Handle<Client>,
    ending: Arc<Ending>,
    next_writer: AtomicUsize,
    /// How things are done at this server; found before the first change.
    pub(super) ways: OnceCell<Ways>,
}

impl Connection {
    /// Connects. There is no limit of time in here.
    pub(super) async fn open(called: &Called) -> Result<Self, Failure> {
        let SftpAddress { host, port, .. } = &called.address;
        let stream = TcpStream::connect((host.as_str(), *port))
            .await
            .map_err(|error| Failure::from(format!("{host}:{port} cannot be reached: {error}")))?;
        // A request is small, and its answer is waited for.
        let _ = stream.set_nodelay(true);
        let client = Client { host_key: called.host_key.clone() };
        let mut ssh =
            client::connect_stream(Arc::new(config(called)), stream, client).await.map_err(|no| no.told(called))?;
        log_in(called, &mut ssh).await?;
        let ending = Ending::new();
        let start = async || {
            let channel = ssh.channel_open_session().await.map_err(|error| error.to_string())?;
            let times = called.times;
            Session::start(channel, Arc::clone(&ending), Arc::clone(&called.timer), times.answer_ms).await
        };
        let mut sessions = vec![Arc::new(start().await?)];
        let (second, third, fourth) = tokio::join!(start(), start(), start());
        sessions.extend([second, third, fourth].into_iter().flatten().map(Arc::new));
        debug_assert!(sessions.len() <= CHANNELS);
        Ok(Self { sessions, ssh, ending, next_writer: AtomicUsize::new(0), ways: OnceCell::new() })
    }

    pub(super) fn is_alive(&self) -> bool {
        self.ending.reason().is_none() && !self.ssh.is_closed()
    }

    /// The channel for reads and names.
    pub(super) fn names(&self) -> &Arc<Session> {
        &self.sessions[0]
    }

    /// A channel for one writer.
    pub(super) fn writer(&self) -> &Arc<Session> {
        let turn = self.next_writer.fetch_add(1, Ordering::Relaxed);
        match self.sessions.len() - 1 {
            0 => &self.sessions[0],
            writers => &self.sessions[1 + turn % writers],
        }
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.ending.end("the connection was given up");
    }
}

fn config(called: &Called) -> client::Config {
    let third = Duration::from_millis((called.times.silent_ms / 3).max(1));
    client::Config {
        window_size: WINDOW_BYTES,
        maximum_packet_size: PACKET_BYTES,
        // Asked after each third of the silence that is allowed; it ends with the third that brings nothing.
        keepalive_interval: Some(third),
        keepalive_max: 2,
        // For a peer that takes no bytes any more: nothing is sent then, so nothing is missed either.
        inactivity_timeout: Some(Duration::from_millis(called.times.silent_ms.saturating_mul(2).max(1))),
        nodelay: true,
        preferred: Preferred {
            key: Cow::Owned(called.host_key.wanted(&Preferred::DEFAULT.key)),
            // The processor has instructions for it. What is sent is sealed and does not shrink, so nothing is compressed.
            cipher: Cow::Borrowed(&[cipher::AES_256_GCM, cipher::CHACHA20_POLY1305, cipher::AES_256_CTR]),
            compression: Cow::Borrowed(&[compression::NONE]),
            ..Preferred::DEFAULT
        },
        ..client::Config::default()
    }
}

async fn log_in(called: &Called, ssh: &mut Handle<Client>) -> Result<(), Failure> {
    let user = called.address.user.as_str();
    let broke = |error: russh::Error| Failure::from(format!("it broke off during the login: {error}"));
    let outcome = match &called.login {
        Login::Key(key) => {
            let key = PrivateKeyWithHashAlg::new(Arc::new(key.as_ref().clone()), None);
            ssh.authenticate_publickey(user, key).await.map_err(broke)?
        }
        Login::Password(password) => {
            let first = ssh.authenticate_password(user, password.as_str()).await.map_err(broke)?;
            match first {
                AuthResult::Failure { remaining_methods, .. }
                    if remaining_methods.contains(&MethodKind::KeyboardInteractive) && !ssh.is_closed() =>
                {
                    in_dialogue(user, password, ssh).await.map_err(broke)?
                }
                other => other,
            }
        }
    };
    match outcome {
        AuthResult::Success => Ok(()),
        AuthResult::Failure { .. } if ssh.is_closed() => Err("it broke off during the login".to_owned().into()),
        AuthResult::Failure { remaining_methods, partial_success } => {
            Err(refused(called, &remaining_methods, partial_success))
        }
    }
}

/// Answers the questions of a server that asks for the password in a dialogue.
async fn in_dialogue(user: &str, password: &str, ssh: &mut Handle<Client>) -> Result<AuthResult, russh::Error> {
    let mut reply = ssh.authenticate_keyboard_interactive_start(user, None).await?;
    for _ in 0..DIALOGUE_ROUNDS {
        let answers = match reply {
            KeyboardInteractiveAuthResponse::Success => return Ok(AuthResult::Success),
            KeyboardInteractiveAuthResponse::Failure { remaining_methods, partial_success } => {
                return Ok(AuthResult::Failure { remaining_methods, partial_success });
            }
            // A question whose answer would be shown is not for a password.
            KeyboardInteractiveAuthResponse::InfoRequest { prompts, .. } => {
                prompts.iter().map(|prompt| if prompt.echo { String::new() } else { password.to_owned() }).collect()
            }
        };
        reply = ssh.authenticate_keyboard_interactive_respond(answers).await?;
    }
    Ok(AuthResult::Failure { remaining_methods: MethodSet::empty(), partial_success: false })
}

fn refused(called: &Called, takes: &MethodSet, partial: bool) -> Failure {
    let (user, what) = (&called.address.user, called.login.what());
    let takes: Vec<&str> = takes.iter().map(<&'static str>::from).collect();
    let takes = if takes.is_empty() { "nothing further".to_owned() } else { takes.join(", ") };
    let why = if partial { "is not enough by itself" } else { "is refused" };
    let remedy = match called.login {
        Login::Password(_) => "check user and password with the firm",
        Login::Key(_) => "give the firm the public half of the key, or check that it belongs to this user",
    };
    let reason = format!("the login of user '{user}' by {what} {why} (the server takes: {takes}); {remedy}");
    Failure { reason, settled: true }
}

/// Our side of the handshake.
pub(super) struct Client {
    host_key: HostKey,
}

/// Why a handshake ended.
#[derive(Debug)]
pub(super) enum No {
    OtherHostKey(Box<PublicKey>),
    Ssh(russh::Error),
}

impl From<russh::Error> for No {
    fn from(error: russh::Error) -> Self {
        Self::Ssh(error)
    }
}

impl No {
    fn told(self, called: &Called) -> Failure {
        match self {
            Self::OtherHostKey(key) => {
                let reason = format!(
                    "{}:{} shows the host key {}, not {}; nothing of the login was sent. Ask the firm whether it changed \
                     its key, and only then enter the new one",
                    called.address.host,
                    called.address.port,
                    shown(&key),
                    called.host_key
                );
                Failure { reason, settled: true }
            }
            Self::Ssh(error @ russh::Error::NoCommonAlgo { .. }) => {
                Failure { reason: format!("no common way to speak SSH: {error}"), settled: true }
            }
            Self::Ssh(error) => format!("the SSH handshake failed: {error}").into(),
        }
    }
}

impl client::Handler for Client {
    type Error = No;

    async fn check_server_key(&mut self, shown: &PublicKeyOrCertificate) -> Result<bool, No> {
        let key = shown.public_key();
        if self.host_key.is(&key) { Ok(true) } else { Err(No::OtherHostKey(Box::new(key))) }
    }
}
