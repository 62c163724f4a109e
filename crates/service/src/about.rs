//! The face of the service: its name and colour, what its operator says, and who may make an account.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, PoisonError},
};

use catalogue::shown;
use model::{
    Change, Scope,
    about::{AboutRow, Logo, Quick, SignUp},
};

use crate::{
    Service,
    error::{Error, Result},
    tokens::Caller,
};

/// Characters of the name, of the contact, and of imprint and terms each.
const NAME_CHARS_MAX: usize = 60;
const CONTACT_CHARS_MAX: usize = 500;
const TEXT_CHARS_MAX: usize = 20_000;
/// Accounts that open sign-up makes in an hour. A school's first day fits; a program that fills the disks does not.
const OPEN_EACH_HOUR: usize = 30;
const HOUR_US: u64 = 3_600_000_000;

/// What an operator wants to say. What is `None` stays as it is.
#[derive(Clone, Debug, Default)]
pub struct Said {
    /// What the service is called.
    pub name: Option<String>,
    /// Who can make an account.
    pub sign_up: Option<SignUp>,
    /// What an account made by open sign-up may keep, or as much as there is room for.
    pub new_space_bytes: Option<Option<u64>>,
    /// The plan of an account made by open sign-up, or none.
    pub new_plan: Option<Option<String>>,
    /// What may be left here without an account, or nothing.
    pub quick: Option<Option<Quick>>,
    /// Red, green, blue, or the house's own.
    pub colour: Option<Option<[u8; 3]>>,
    /// How to reach the operator.
    pub contact: Option<Option<String>>,
    /// Who is responsible.
    pub imprint: Option<Option<String>>,
    /// What users agree to.
    pub terms: Option<Option<String>>,
}

/// When accounts were made by open sign-up in the last hour.
pub(crate) type Newcomers = Arc<Mutex<VecDeque<u64>>>;

impl Service {
    /// What anybody may know of the service.
    ///
    /// # Errors
    /// As the store says.
    pub async fn about(&self) -> Result<AboutRow> {
        Ok(self.store.read(|tx| shown::about(tx)).await?)
    }

    /// Changes what the operator says.
    ///
    /// # Errors
    /// Refused if the caller is no operator, or something of it is too long.
    pub async fn say(&self, caller: &Caller, said: Said) -> Result<AboutRow> {
        caller.must_operate()?;
        let said = said.checked()?;
        if let Some(Some(plan)) = said.new_plan.clone() {
            self.look(move |tx| crate::plans::known(tx, &plan).map(drop)).await?;
        }
        if let Some(quick) = said.quick {
            self.set_quick(caller, quick).await?;
        }
        self.change_about(caller, move |row| said.apply(row)).await
    }

    /// Sets the picture beside the name, or takes it away.
    ///
    /// # Errors
    /// Refused if the caller is no operator, or it is no PNG, JPEG or WebP of at most 64 KiB.
    pub async fn set_logo(&self, caller: &Caller, bytes: Option<Vec<u8>>) -> Result<()> {
        caller.must_operate()?;
        let logo = match bytes {
            None => None,
            Some(bytes) => {
                let bad = Error::BadAbout { what: "a logo is a PNG, JPEG or WebP picture of at most 64 KiB" };
                match kind_of(&bytes).filter(|_| bytes.len() <= Logo::BYTES_MAX) {
                    Some(kind) => Some(Logo { media_type: kind.to_owned(), bytes }),
                    None => return Err(bad),
                }
            }
        };
        self.change_about(caller, move |row| row.logo = logo).await.map(drop)
    }

    async fn change_about(
        &self,
        caller: &Caller,
        change: impl FnOnce(&mut AboutRow) + Send + 'static,
    ) -> Result<AboutRow> {
        let own = caller.account;
        self.store
            .commit(move |tx, draft| {
                let mut row = shown::about(tx)?;
                change(&mut row);
                draft.audit(Some(own), "service described", String::new());
                draft.change(Scope::Cluster, Change::About(row.clone()));
                Ok(row)
            })
            .await
    }

    /// Takes one place among the accounts that open sign-up makes in an hour.
    pub(crate) fn admit_newcomer(&self) -> Result<()> {
        let now_us = self.store.now().monotonic_us;
        let mut made = self.newcomers.lock().unwrap_or_else(PoisonError::into_inner);
        while made.front().is_some_and(|at| now_us.saturating_sub(*at) >= HOUR_US) {
            made.pop_front();
        }
        if made.len() >= OPEN_EACH_HOUR {
            return Err(Error::TooManyAccounts);
        }
        made.push_back(now_us);
        Ok(())
    }
}

impl Said {
    fn checked(mut self) -> Result<Self> {
        let name = self.name.take().map(|name| name.trim().to_owned());
        if name.as_ref().is_some_and(|name| name.chars().count() > NAME_CHARS_MAX || name.contains(char::is_control)) {
            return Err(Error::BadAbout { what: "the name of the service has at most 60 characters" });
        }
        self.name = name;
        if self.new_space_bytes.flatten().is_some_and(|bytes| bytes > 1 << 53) {
            return Err(Error::BadQuota);
        }
        for (text, most) in [
            (&mut self.contact, CONTACT_CHARS_MAX),
            (&mut self.imprint, TEXT_CHARS_MAX),
            (&mut self.terms, TEXT_CHARS_MAX),
        ] {
            // Nothing said and an empty text are the same.
            if text.as_ref().is_some_and(|text| text.as_ref().is_some_and(|text| text.trim().is_empty())) {
                *text = Some(None);
            }
            let long = |text: &String| text.chars().count() > most || text.len() > AboutRow::TEXT_BYTES_MAX;
            if text.as_ref().is_some_and(|text| text.as_ref().is_some_and(long)) {
                return Err(Error::BadAbout {
                    what: "the contact has at most 500 characters, imprint and terms 20,000 each",
                });
            }
        }
        Ok(self)
    }

    fn apply(self, row: &mut AboutRow) {
        if let Some(name) = self.name {
            row.name = Some(name).filter(|name| !name.is_empty());
        }
        row.sign_up = self.sign_up.unwrap_or(row.sign_up);
        row.new_space_bytes = self.new_space_bytes.unwrap_or(row.new_space_bytes);
        if let Some(plan) = self.new_plan {
            row.new_plan = plan;
        }
        row.colour = self.colour.unwrap_or(row.colour);
        for (said, kept) in
            [(self.contact, &mut row.contact), (self.imprint, &mut row.imprint), (self.terms, &mut row.terms)]
        {
            if let Some(said) = said {
                *kept = said;
            }
        }
    }
}

/// Names this very picture: another one has another tag.
pub fn logo_tag(logo: &Logo) -> String {
    blake3::hash(&logo.bytes).to_hex()[..16].to_owned()
}

/// What picture these bytes begin as. SVG is a program, and none of ours.
fn kind_of(bytes: &[u8]) -> Option<&'static str> {
    match bytes {
        [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1a, b'\n', ..] => Some("image/png"),
        [0xff, 0xd8, 0xff, ..] => Some("image/jpeg"),
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Some("image/webp"),
        _ => None,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::{AboutRow, Said, kind_of};

    #[test]
    fn what_is_not_said_stays() {
        let mut row = AboutRow { contact: Some("a".into()), terms: Some("t".into()), ..AboutRow::default() };
        let said = Said { name: Some(" Attic ".into()), terms: Some(Some(" ".into())), ..Said::default() };
        said.checked().unwrap().apply(&mut row);
        let wanted = AboutRow { name: Some("Attic".into()), contact: Some("a".into()), ..AboutRow::default() };
        assert_eq!(row, wanted);
        Said { name: Some(String::new()), contact: Some(None), ..Said::default() }.checked().unwrap().apply(&mut row);
        assert_eq!(row, AboutRow::default());
    }

    #[test]
    fn what_is_too_long_is_refused() {
        for said in [
            Said { name: Some("x".repeat(61)), ..Said::default() },
            Said { name: Some("a\nb".into()), ..Said::default() },
            Said { contact: Some(Some("x".repeat(501))), ..Said::default() },
            Said { imprint: Some(Some("x".repeat(20_001))), ..Said::default() },
            Said { new_space_bytes: Some(Some(u64::MAX)), ..Said::default() },
        ] {
            assert!(said.clone().checked().is_err(), "{said:?}");
        }
    }

    #[test]
    fn pictures_are_known_by_their_bytes() {
        assert_eq!(kind_of(b"\x89PNG\r\n\x1a\nrest"), Some("image/png"));
        assert_eq!(kind_of(b"RIFF1234WEBPVP8 "), Some("image/webp"));
        assert_eq!(kind_of(b"<svg xmlns='http://www.w3.org/2000/svg'/>"), None);
        assert_eq!(kind_of(b""), None);
    }
}
