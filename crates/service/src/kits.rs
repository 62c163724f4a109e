//! Recovery kits, as far as the service knows them: public halves. Secrets are made where the kit is and stay there.

use catalogue::accounts;
use model::{
    account::KitRow,
    id::{AccountId, ClusterId, KitId},
};

use crate::{
    Service,
    error::{Error, Result},
    tokens::Caller,
};

/// What goes into a new kit beside its secret: nothing of it names a person, a file or a credential.
#[derive(Clone, Debug)]
pub struct NewKit {
    /// Its row.
    pub kit: KitRow,
    /// Which cluster it opens.
    pub cluster: ClusterId,
    /// The account tag.
    pub account: AccountId,
    /// Where shards lie today: provider, driver, address.
    pub addresses: Vec<(String, String, String)>,
}

impl Service {
    /// Adds a kit's public half to the account's envelope. When this returns, the new envelope is settled.
    ///
    /// # Errors
    /// Refused if `recipient` is no age public key; Retry if too few providers take the envelope.
    pub async fn add_kit(&self, caller: &Caller, recipient: String) -> Result<NewKit> {
        if !is_recipient(&recipient) {
            return Err(Error::Recipient);
        }
        let kit = self.store.add_kit(caller.account, recipient).await?;
        let addresses = self.store.addresses().await?;
        Ok(NewKit { kit, cluster: self.store.cluster(), account: caller.account, addresses })
    }

    /// The account's kits, oldest first, revoked ones too.
    ///
    /// # Errors
    /// As the store says.
    pub async fn kits(&self, caller: &Caller) -> Result<Vec<KitRow>> {
        let account = caller.account;
        Ok(self.store.read(move |tx| accounts::kits(tx, account)).await?)
    }

    /// Whether an account that a request names is the caller's. Whether another one exists is not said.
    ///
    /// # Errors
    /// Refused if it is not.
    pub async fn is_account(&self, caller: &Caller, name: String) -> Result<()> {
        let account = caller.account;
        let own = self.store.read(move |tx| accounts::by_id(tx, account)).await?;
        if own.is_some_and(|row| row.name == name) { Ok(()) } else { Err(Error::OtherAccount { name }) }
    }

    /// Notes that the owner tested a kit.
    ///
    /// # Errors
    /// Missing if the account has no such kit.
    pub async fn tested_kit(&self, caller: &Caller, kit: KitId) -> Result<()> {
        if !self.kits(caller).await?.iter().any(|row| row.id == kit) {
            return Err(Error::NoKit);
        }
        Ok(self.store.tested_kit(caller.account, kit).await?)
    }

    /// Takes a kit out of the account's envelope. What it opened before stays readable to whoever has it.
    ///
    /// # Errors
    /// Missing if the account has no such kit.
    pub async fn revoke_kit(&self, caller: &Caller, kit: KitId) -> Result<()> {
        if !self.kits(caller).await?.iter().any(|row| row.id == kit) {
            return Err(Error::NoKit);
        }
        Ok(self.store.revoke_kit(caller.account, kit).await?)
    }
}

/// Whether `text` has the shape of an age X25519 recipient. Its checksum is checked where it is used.
///
/// Source: age v1 specification, "X25519 recipient type": Bech32 of 32 bytes.
fn is_recipient(text: &str) -> bool {
    let data = text.strip_prefix("age1").unwrap_or_default();
    data.len() == 58 && data.bytes().all(|b| b"qpzry9x8gf2tvdw0s3jn54khce6mua7l".contains(&b))
}

#[cfg(test)]
mod tests {
    use super::is_recipient;

    #[test]
    fn recipients() {
        let good = "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p";
        assert!(is_recipient(good));
        for bad in ["", "age1", &good[1..], &good.to_uppercase(), &format!("{good}q"), &good.replace('q', "b")] {
            assert!(!is_recipient(bad), "{bad}");
        }
    }
}
