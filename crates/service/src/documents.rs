//! Documents that belong to notices: announced with the notice by length and SHA-256, sent afterwards, and kept in somebody's
//! files if they are what was announced.

use bytes::Bytes;
use catalogue::{entries, fleet, leases, versions};
use futures_util::Stream;
use model::{
    Change, Scope,
    id::{AccountId, NoticeId},
    leases::{Document, NoticeRow},
};
use store::{Expect, ledger::note};

use crate::{
    Service,
    error::{Error, Result},
    files::{File, Put},
    leases::name_of,
    notices::{bad, hex},
    paths::Path,
    places::Place,
    tokens::Caller,
};

impl Service {
    /// Keeps the document that was announced with a notice an operator entered.
    ///
    /// # Errors
    /// Refused if the caller is no operator; as [`Service::keep_document`].
    pub async fn attach_document<S>(&self, caller: &Caller, id: NoticeId, body: S) -> Result<()>
    where
        S: Stream<Item = std::io::Result<Bytes>> + Send + Unpin,
    {
        caller.must_operate()?;
        if caller.account == AccountId::default() {
            return Err(bad(
                "a document is kept in somebody's files: sign in, or use a token of an operator's account",
            ));
        }
        self.keep_document(caller.account, id, body).await
    }

    /// The document of a notice as it was announced, wherever its keeper put it since, and the tree that it lies in. What was
    /// served on the service is for each of its operators.
    ///
    /// # Errors
    /// Refused if the caller is no operator; [`Error::NoSuchId`]; [`Error::BadNotice`] if it did not come; [`Error::NoVersion`]
    /// if its keeper erased it.
    pub async fn notice_document(&self, caller: &Caller, id: NoticeId) -> Result<(Place, File)> {
        caller.must_operate()?;
        self.look(move |tx| {
            let row = leases::notice(tx, id)?.ok_or(Error::NoSuchId)?;
            let kept = row.document.and_then(|document| Some((document.kept?, document.sha256)));
            let ((keeper, entry), sha256) =
                kept.ok_or_else(|| bad("no document of this notice is here; its entry in the ledger has the words"))?;
            let place = Place::from(&Caller::on_behalf(keeper));
            let account = place.sees(tx)?.account;
            let entry = entries::get(tx, account, entry)?.ok_or(Error::NoVersion)?;
            let mut all = versions::of_entry(tx, account, entry.id)?.into_iter();
            let version = all.find(|version| version.sha256 == Some(sha256)).ok_or(Error::NoVersion)?;
            Ok((place, File { entry, version }))
        })
        .await
    }

    /// Keeps a document in the tree of `keeper`, if it is the one that was announced.
    ///
    /// # Errors
    /// [`Error::NoSuchId`]; [`Error::BadNotice`] if none was announced or it is there; Refused for another length or SHA-256:
    /// nothing is kept then, and the right one may be sent.
    pub(crate) async fn keep_document<S>(&self, keeper: AccountId, id: NoticeId, body: S) -> Result<()>
    where
        S: Stream<Item = std::io::Result<Bytes>> + Send + Unpin,
    {
        let (row, firm) = self
            .look(move |tx| {
                let row = leases::notice(tx, id)?.ok_or(Error::NoSuchId)?;
                let firm = row.provider.map(|id| fleet::providers(tx).map(|all| name_of(&all, id))).transpose()?;
                Ok((row, firm.unwrap_or_default()))
            })
            .await?;
        let document = awaited(&row)?.clone();
        let (day, tag) = (store::ledger::second(row.made_us), row.id.to_string());
        let name = format!("{} {} {}", &day[..10], &tag[..8], plain(&document.name));
        let path = [b"Notices".to_vec(), plain(&firm).into_bytes(), name.into_bytes()];
        let path = Path::from_components(path.to_vec())?;
        let expect = Expect { bytes: Some(document.bytes), sha256: Some(document.sha256), want_sha256: true };
        let put = Put { expect, ..Put::default() };
        let made = self.put(&Caller::on_behalf(keeper), path, body, put).await?;
        let now_us = self.store.now().wall_us;
        self.store
            .commit(move |tx, draft| {
                let row = leases::notice(tx, id)?.ok_or(Error::NoSuchId)?;
                let document = Document { kept: Some((keeper, made.entry)), ..awaited(&row)?.clone() };
                let fields = [("notice", id.to_string()), ("sha256", hex(&document.sha256))];
                note(tx, draft, "notice.document", &fields, now_us)?;
                draft.change(Scope::Cluster, Change::Notice(NoticeRow { document: Some(document), ..row }));
                Ok(())
            })
            .await
    }
}

/// The document of a notice that was announced and has not come.
fn awaited(row: &NoticeRow) -> Result<&Document> {
    match &row.document {
        None => Err(bad("no document was announced with this notice; file another notice with it")),
        Some(Document { kept: Some(_), .. }) => Err(bad("the document of this notice is here already")),
        Some(document) => Ok(document),
    }
}

/// A name of somebody else's as a name of a file: no path, nothing hidden.
fn plain(name: &str) -> String {
    let letter = |letter: char| if letter == '/' || letter.is_control() { '_' } else { letter };
    let name: String = name.trim().trim_start_matches('.').chars().map(letter).take(80).collect();
    if name.is_empty() { "unnamed".to_owned() } else { name }
}

#[cfg(test)]
mod tests {
    use super::plain;

    #[test]
    fn what_a_firm_calls_a_document_is_no_path() {
        for (name, kept) in
            [("../../etc", "_.._etc"), ("a/b", "a_b"), ("..", "unnamed"), (" é.pdf ", "é.pdf"), ("a\nb", "a_b")]
        {
            assert_eq!(plain(name), kept);
        }
    }
}
