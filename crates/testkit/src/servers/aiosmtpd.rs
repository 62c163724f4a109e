//! aiosmtpd, a server of mail in Python, with STARTTLS and a login, that keeps what it takes in files and misbehaves on demand.
#![allow(clippy::disallowed_methods, reason = "a test prepares a server's folder and looks into it")]

use std::{
    fs, io,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use crate::server::Server;

/// The program that tells that it is here, for `server::skip`.
pub const PROGRAM: &str = "aiosmtpd";
/// Its login.
pub const USER: &str = "holdfast";
/// Its login.
pub const PASSWORD: &str = "of the mail server";

/// `mode` says what happens next: `take`, `refuse` (550), `later` (451), `hang`, `die`.
const SCRIPT: &str = r#"
import asyncio, logging, os, ssl, sys
from aiosmtpd.smtp import SMTP, AuthResult

port, folder, user, password = int(sys.argv[1]), sys.argv[2], sys.argv[3], sys.argv[4]

def mode():
    with open(os.path.join(folder, "mode")) as file:
        return file.read().strip()

class Handler:
    count = 0

    async def handle_RCPT(self, server, session, envelope, address, options):
        if mode() == "refuse":
            return "550 5.1.1 nobody here is called so"
        if mode() == "later":
            return "451 4.3.0 come back later"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        if mode() == "hang":
            open(os.path.join(folder, "hangs"), "a").write("x")
            await asyncio.sleep(600)
        if mode() == "die":
            server.transport.abort()
            return "451 gone"
        Handler.count += 1
        name = os.path.join(folder, "mails", "%03d" % Handler.count)
        with open(name + ".part", "wb") as file:
            file.write(("TO: %s\n" % ",".join(envelope.rcpt_tos)).encode())
            file.write(envelope.content)
        os.rename(name + ".part", name)
        return "250 taken"

def known(server, session, envelope, mechanism, data):
    good = (data.login, data.password) == (user.encode(), password.encode())
    return AuthResult(success=good, handled=False)

async def main():
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(os.path.join(folder, "certificate.pem"), os.path.join(folder, "key.pem"))
    handler = Handler()
    make = lambda: SMTP(handler, hostname="localhost", tls_context=context, require_starttls=True,
                        authenticator=known, auth_required=True)
    server = await asyncio.get_running_loop().create_server(make, "127.0.0.1", port)
    await server.serve_forever()

asyncio.run(main())
"#;

/// A running one.
pub struct MailServer(Server);

impl MailServer {
    /// Starts it.
    ///
    /// # Errors
    /// Those of `Server::start`; no certificate could be made.
    pub fn start() -> io::Result<Self> {
        Server::start("python3", |command, port, folder| {
            make_certificate(folder)?;
            fs::create_dir_all(folder.join("mails"))?;
            fs::write(folder.join("mode"), "take")?;
            fs::write(folder.join("serve.py"), SCRIPT)?;
            command.arg(folder.join("serve.py")).arg(port.to_string()).arg(folder).args([USER, PASSWORD]);
            Ok(())
        })
        .map(Self)
    }

    /// Where it listens, as a configuration says it.
    pub fn address(&self) -> String {
        format!("smtp://localhost:{}", self.0.port())
    }

    /// The certificate that it shows, which no authority has signed.
    pub fn certificate(&self) -> PathBuf {
        self.0.folder().join("certificate.pem")
    }

    /// Says what happens to the next mails.
    ///
    /// # Errors
    /// As the operating system says.
    pub fn will(&self, mode: &str) -> io::Result<()> {
        fs::write(self.0.folder().join("mode"), mode)
    }

    /// How many mails it hung on.
    pub fn hung(&self) -> usize {
        fs::read(self.0.folder().join("hangs")).map_or(0, |marks| marks.len())
    }

    /// The mails that it took, in order: a line with whom it was for, then what was sent.
    ///
    /// # Errors
    /// As the operating system says.
    pub fn mails(&self) -> io::Result<Vec<String>> {
        let mut files: Vec<PathBuf> =
            fs::read_dir(self.0.folder().join("mails"))?.map(|entry| Ok(entry?.path())).collect::<io::Result<_>>()?;
        files.retain(|file| file.extension().is_none());
        files.sort();
        files.iter().map(fs::read_to_string).collect()
    }

    /// What it wrote to its output.
    pub fn log(&self) -> String {
        self.0.log()
    }
}

/// No authority's certificate: as a server's own, rustls would refuse one.
const CERTIFICATE: &str = "[req]\ndistinguished_name = name\nx509_extensions = more\nprompt = no\n[name]\nCN = localhost\n[more]\n\
    basicConstraints = critical,CA:FALSE\nsubjectAltName = DNS:localhost\n";

fn make_certificate(folder: &Path) -> io::Result<()> {
    fs::write(folder.join("request"), CERTIFICATE)?;
    let mut openssl = Command::new("openssl");
    openssl.args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]);
    openssl.args(["-days", "30", "-config"]).arg(folder.join("request"));
    openssl.arg("-keyout").arg(folder.join("key.pem")).arg("-out").arg(folder.join("certificate.pem"));
    let status = openssl.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status()?;
    if status.success() { Ok(()) } else { Err(io::Error::other("openssl made no certificate")) }
}
