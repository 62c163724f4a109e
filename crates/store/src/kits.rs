//! Accounts, their keys, and their recovery kits.
//!
//! An account's key lives in its *envelope*: an age file to the recovery identity of each kit that is not revoked and,
//! for a managed account, to the service identity. Adding or revoking a kit writes a new envelope and an address book
//! beside it; the account's key and its files stay as they are. The service sees only the public half of a kit.

use std::sync::Arc;

use bytes::Bytes;
use catalogue::{
    Tx,
    objects::{ObjectKind, ObjectRow},
};
use format::{
    AccountKey, Address, AddressBook,
    envelope::{seal_account_envelope, seal_address_book},
    name::{address_book_name, envelope_name},
};
use model::{
    Change, Scope,
    account::{AccountRow, KitRow},
    id::{AccountId, KitId, ObjectId, TargetId},
    world::BoxFuture,
};

use crate::{
    Draft, Inner, Store,
    error::{Error, Result},
    found::register,
};
struct NewEnvelope {
    bytes: Vec<u8>,
    generation: u64,
    objects: Vec<(ObjectRow, Vec<TargetId>)>,
}

impl Store {
    /// Makes an account with a new key; it can store files when this returns.
    ///
    /// # Errors
    /// Conflict if the name is taken; [`Error::Unsafe`] when its envelope cannot be put.
    pub async fn make_account(&self, name: &str, managed: bool) -> Result<AccountRow> {
        self.make_account_and(name, managed, |_, _, _| Ok::<_, Error>(())).await
    }

    /// The same, with more in the same commit: what the caller decides about the new account.
    ///
    /// # Errors
    /// As [`Store::make_account`], and what `also` returns; no account is made then.
    pub async fn make_account_and<E>(
        &self,
        name: &str,
        managed: bool,
        also: impl FnOnce(&mut Tx<'_>, &mut Draft, &AccountRow) -> std::result::Result<(), E> + Send + 'static,
    ) -> std::result::Result<AccountRow, E>
    where
        E: From<Error> + Send + 'static,
    {
        let inner = &self.0;
        let id = AccountId::random(inner.world.entropy.as_ref());
        let row = AccountRow { id, name: name.to_owned(), managed, made_us: inner.world.clock.now().wall_us };
        let key = AccountKey::random(inner.world.entropy.as_ref());
        let envelope = inner.new_envelope(&row, &key, &[], 1).await?;
        inner.keys.insert(id, key);
        let made = row.clone();
        self.commit(move |tx, draft| {
            if catalogue::accounts::by_name(tx, &row.name).map_err(Error::from)?.is_some() {
                return Err(E::from(Error::NameTaken { name: row.name }));
            }
            envelope.register(tx, row.id).map_err(Error::from)?;
            also(tx, draft, &row)?;
            draft.audit(Some(row.id), "account made", row.id.to_string());
            draft.change(Scope::Cluster, Change::Account(row));
            Ok(())
        })
        .await?;
        Ok(made)
    }

    /// Adds a kit by its public half; returns when an envelope that it opens is settled.
    ///
    /// # Errors
    /// [`Error::NoAccount`]; Refused for a recipient that is none; [`Error::Unsafe`].
    pub fn add_kit(&self, account: AccountId, recipient: String) -> BoxFuture<'_, Result<KitRow>> {
        Box::pin(async move {
            let kit = KitRow {
                id: KitId::random(self.0.world.entropy.as_ref()),
                recipient,
                made_us: self.0.world.clock.now().wall_us,
                revoked_us: None,
                tested_us: None,
            };
            let row = kit.clone();
            self.0
                .change_kits(account, "kit made", move |kits| {
                    kits.push(row.clone());
                    Ok(row)
                })
                .await?;
            Ok(kit)
        })
    }

    /// Revokes a kit: envelopes from now on do not open with it.
    ///
    /// # Errors
    /// [`Error::NoAccount`], [`Error::NoKit`], [`Error::Unsafe`].
    pub fn revoke_kit(&self, account: AccountId, kit: KitId) -> BoxFuture<'_, Result<()>> {
        Box::pin(async move {
            let now_us = self.0.world.clock.now().wall_us;
            let revoke = move |kits: &mut Vec<KitRow>| {
                let row = kits.iter_mut().find(|row| row.id == kit).ok_or(Error::NoKit { kit })?;
                row.revoked_us.get_or_insert(now_us);
                Ok(row.clone())
            };
            self.0.change_kits(account, "kit revoked", revoke).await
        })
    }

    /// Notes that a kit was tested by its owner.
    ///
    /// # Errors
    /// [`Error::NoKit`].
    pub async fn tested_kit(&self, account: AccountId, kit: KitId) -> Result<()> {
        let now_us = self.0.world.clock.now().wall_us;
        self.commit(move |tx, draft| {
            let kits = catalogue::accounts::kits(tx, account)?;
            let mut row = kits.into_iter().find(|row| row.id == kit).ok_or(Error::NoKit { kit })?;
            row.tested_us = Some(now_us);
            draft.change(Scope::Account(account), Change::Kit(row));
            Ok(())
        })
        .await
    }

    /// An account's kits, revoked ones too.
    ///
    /// # Errors
    /// The catalogue's own trouble.
    pub async fn kits(&self, account: AccountId) -> Result<Vec<KitRow>> {
        self.read(move |tx| catalogue::accounts::kits(tx, account)).await
    }

    /// Where the targets are: provider, driver, address.
    ///
    /// # Errors
    /// None so far.
    pub async fn addresses(&self) -> Result<Vec<(String, String, String)>> {
        let book = self.0.address_book();
        Ok(book.entries.into_iter().map(|entry| (entry.provider, entry.driver, entry.address)).collect())
    }
}

impl NewEnvelope {
    fn register(&self, tx: &mut catalogue::Tx<'_>, account: AccountId) -> catalogue::Result<()> {
        let secret = catalogue::accounts::Envelope { bytes: self.bytes.clone(), generation: self.generation };
        catalogue::accounts::set_envelope(tx, account, &secret)?;
        self.objects.iter().try_for_each(|(object, copies)| register(tx, object, copies))
    }
}

impl Inner {
    fn address_book(&self) -> AddressBook {
        let providers = self.fleet.providers();
        let name = |id| providers.iter().find(|row| row.id == id).map(|row| row.name.clone()).unwrap_or_default();
        let entries = self.fleet.all().into_iter().map(|live| Address {
            provider: name(live.row.provider),
            target: live.row.id,
            driver: live.row.driver,
            address: live.row.address,
        });
        AddressBook { cluster: self.cluster, epoch: self.epoch(), entries: entries.collect() }
    }

    /// Puts an envelope for these kits, and the address book that they open.
    async fn new_envelope(
        self: &Arc<Self>,
        account: &AccountRow,
        key: &AccountKey,
        kits: &[KitRow],
        generation: u64,
    ) -> Result<NewEnvelope> {
        let mut recipients: Vec<String> =
            kits.iter().filter(|kit| kit.revoked_us.is_none()).map(|kit| kit.recipient.clone()).collect();
        if account.managed {
            recipients.push(self.service.recipient());
        }
        let id = ObjectId::random(self.world.entropy.as_ref());
        let name = envelope_name(Scope::Account(account.id), generation, id);
        let bytes = seal_account_envelope(&name, account.id, key, account.managed, &recipients)?;
        let sealed = Bytes::from(bytes.clone());
        let mut objects = vec![self.put_object(id, ObjectKind::Envelope, name, sealed).await?];
        objects.push(self.put_address_book(account.id, generation, &recipients).await?);
        Ok(NewEnvelope { bytes, generation, objects })
    }

    async fn put_address_book(
        self: &Arc<Self>,
        account: AccountId,
        generation: u64,
        recipients: &[String],
    ) -> Result<(ObjectRow, Vec<TargetId>)> {
        let id = ObjectId::random(self.world.entropy.as_ref());
        let name = address_book_name(account, generation, id);
        let sealed = seal_address_book(&name, &self.address_book(), recipients)?;
        self.put_object(id, ObjectKind::AddressBook, name, Bytes::from(sealed)).await
    }

    async fn change_kits(
        self: &Arc<Self>,
        account: AccountId,
        verb: &'static str,
        change: impl FnOnce(&mut Vec<KitRow>) -> Result<KitRow>,
    ) -> Result<()> {
        let key = self.keys.account(account)?;
        let (row, mut kits, generation) = self
            .catalogue
            .read(move |tx| {
                let generation = catalogue::accounts::envelope(tx, account)?.map_or(0, |secret| secret.generation);
                Ok((catalogue::accounts::by_id(tx, account)?, catalogue::accounts::kits(tx, account)?, generation))
            })
            .await?;
        let row = row.ok_or(Error::NoAccount)?;
        let kit = change(&mut kits)?;
        let envelope = self.new_envelope(&row, &key, &kits, generation + 1).await?;
        Store(self.clone())
            .commit(move |tx, draft| {
                // Another change of kits meanwhile would be lost by this one.
                if catalogue::accounts::envelope(tx, account)?.map_or(0, |secret| secret.generation) != generation {
                    return Err(Error::KitsChanged);
                }
                envelope.register(tx, account)?;
                draft.audit(Some(account), verb, kit.id.to_string());
                draft.change(Scope::Account(account), Change::Kit(kit));
                Ok(())
            })
            .await
    }

    /// After a change of the fleet: every account's address book is written anew.
    pub(crate) async fn renew_address_books(self: &Arc<Self>) -> Result<()> {
        let accounts = self
            .catalogue
            .read(|tx| {
                let mut found = Vec::new();
                for row in catalogue::accounts::all(tx)? {
                    let generation = catalogue::accounts::envelope(tx, row.id)?.map_or(0, |secret| secret.generation);
                    found.push((catalogue::accounts::kits(tx, row.id)?, row, generation));
                }
                Ok(found)
            })
            .await?;
        for (kits, row, generation) in accounts {
            let mut recipients: Vec<String> =
                kits.into_iter().filter(|kit| kit.revoked_us.is_none()).map(|kit| kit.recipient).collect();
            if row.managed {
                recipients.push(self.service.recipient());
            }
            let (object, copies) = self.put_address_book(row.id, generation, &recipients).await?;
            Store(self.clone()).commit(move |tx, _| Ok::<_, Error>(register(tx, &object, &copies)?)).await?;
        }
        Ok(())
    }
}
