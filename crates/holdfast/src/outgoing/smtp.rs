//! Mails to a server, over SMTP.
//!
//! What is written is one plain text with few headers, put together by `lettre`, which encodes what is not ASCII; an address
//! was checked by the service before, so no header has a line that is not ours. A mail's id is its `Message-ID` in each try, so
//! that a server that gets it twice can tell.

use std::time::{Duration, UNIX_EPOCH};

use lettre::{
    Address, AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor,
    message::{
        Mailbox,
        header::{ContentType, Header, HeaderName, HeaderValue},
    },
    transport::smtp::{
        authentication::Credentials,
        client::{Tls, TlsParameters},
        extension::ClientId,
        response::{Category, Severity},
    },
};
use model::world::BoxFuture;
use service::{Carrier, Letter, Uncarried};

use super::config::{Line, Mail, login};
use crate::error::{Error, Result};

/// Without a word from the server, in each step. Some look into a mail for long before they take it, and would get it twice.
const STEP: Duration = Duration::from_secs(60);
/// For one mail in all.
const WHOLE: Duration = Duration::from_secs(120);
/// The most that is repeated of what a server says.
const SAID_CHARS_MAX: usize = 300;

/// The way to one mail server. Each mail has a connection of its own: there are few, and servers end idle ones.
pub struct Smtp {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
    step: Duration,
}

/// Says to programs that answer mails that this one wants no answer. Source: RFC 3834 section 5.
#[derive(Clone)]
struct AutoSubmitted;

impl Header for AutoSubmitted {
    fn name() -> HeaderName {
        HeaderName::new_from_ascii_str("Auto-Submitted")
    }

    fn parse(_: &str) -> std::result::Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        Ok(Self)
    }

    fn display(&self) -> HeaderValue {
        HeaderValue::new(Self::name(), "auto-generated".to_owned())
    }
}

impl Smtp {
    /// Connects to nothing yet.
    ///
    /// # Errors
    /// Refused: the login cannot be read, or this machine knows no authority to check a certificate against.
    pub fn new(mail: &Mail) -> Result<Self> {
        let tls = || {
            let made = TlsParameters::builder(mail.host.clone()).build_rustls();
            made.map_err(|error| Error::refused(format!("no TLS to the mail server {}: {error}", mail.host)))
        };
        let tls = match mail.line {
            Line::Tls => Tls::Wrapper(tls()?),
            Line::StartTls => Tls::Required(tls()?),
            Line::Clear => Tls::None,
        };
        let domain = mail.from.email.domain().to_owned();
        let mut builder = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(mail.host.clone())
            .port(mail.port)
            .tls(tls)
            .timeout(Some(STEP))
            .hello_name(ClientId::Domain(domain));
        if let Some(file) = &mail.login {
            let (user, password) = login(file)?;
            builder = builder.credentials(Credentials::new(user, password));
        }
        Ok(Self { transport: builder.build(), from: mail.from.clone(), step: WHOLE })
    }

    /// Says hello and shows the login, and sends nothing.
    ///
    /// # Errors
    /// Retry: what the server said.
    pub async fn greet(&self) -> Result<()> {
        match self.transport.test_connection().await {
            Ok(true) => Ok(()),
            Ok(false) => Err(Error::new(model::Class::Retry, "the mail server ended the conversation")),
            Err(error) => {
                let said: String = error.to_string().chars().filter(|c| !c.is_control()).take(SAID_CHARS_MAX).collect();
                Err(Error::new(model::Class::Retry, format!("the mail server: {said}")))
            }
        }
    }

    fn message(&self, letter: &Letter) -> std::result::Result<Message, String> {
        let to: Address = letter.address.parse().map_err(|_| "its address cannot be written".to_owned())?;
        let made = UNIX_EPOCH + Duration::from_micros(u64::try_from(letter.made_us).unwrap_or(0));
        Message::builder()
            .from(self.from.clone())
            .to(Mailbox::new(None, to))
            .subject(letter.subject.clone())
            .date(made)
            .message_id(Some(format!("<{}@{}>", letter.id, self.from.email.domain())))
            .header(AutoSubmitted)
            .header(ContentType::TEXT_PLAIN)
            .body(letter.words.clone())
            .map_err(|error| error.to_string())
    }
}

impl Carrier for Smtp {
    fn carry<'a>(&'a self, letter: &'a Letter) -> BoxFuture<'a, std::result::Result<(), Uncarried>> {
        Box::pin(async move {
            let message = self.message(letter).map_err(|said| Uncarried { again: false, said })?;
            match tokio::time::timeout(self.step, self.transport.send(message)).await {
                Ok(Ok(_)) => Ok(()),
                Ok(Err(error)) => Err(Uncarried { again: !is_final(&error), said: said(&error) }),
                Err(_) => {
                    Err(Uncarried { again: true, said: "the mail server takes longer than two minutes".to_owned() })
                }
            }
        })
    }
}

/// Whether the server will not take this mail another time either. What it says of logins and of itself is for the operator
/// to put right; only 55x is about the mail and its address.
fn is_final(error: &lettre::transport::smtp::Error) -> bool {
    error.status().is_some_and(|code| {
        code.severity == Severity::PermanentNegativeCompletion && code.category == Category::MailSystem
    })
}

/// What went wrong, in one short line.
fn said(error: &lettre::transport::smtp::Error) -> String {
    let mut text = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        let more = cause.to_string();
        if !text.contains(&more) {
            text = format!("{text}: {more}");
        }
        source = cause.source();
    }
    text.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).take(SAID_CHARS_MAX).collect()
}
