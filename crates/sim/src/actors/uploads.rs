//! Clients whose line breaks: resumable uploads, continued where the service says that bytes are safe.

use std::collections::BTreeSet;

use store::{Error, UploadSpec};

use crate::{
    actors::files::Work,
    client::{Pace, body},
    model::{File, Upload},
    world::{Broken, Step, World},
};

/// Uploads under way at once.
const UPLOADS_MAX: usize = 4;

impl World {
    /// Begins an upload, or goes on with one, or finishes it.
    pub(crate) fn resumable(&mut self) -> Step<Option<Work>> {
        let count = self.model.borrow().uploads.len();
        if count == 0 || (count < UPLOADS_MAX && self.chance.one_in(3)) {
            return self.begin_upload();
        }
        // One at a time: a second request would take the upload over.
        let at = self.chance.below(count as u64) as usize;
        let upload = self.model.borrow_mut().uploads.swap_remove(at);
        if upload.safe == upload.content.size { self.finish_upload(upload) } else { self.append(upload) }
    }

    fn begin_upload(&mut self) -> Step<Option<Work>> {
        let content = self.draw_content();
        self.count("actor: begin an upload");
        self.note(format!("begin an upload of {} bytes", content.size));
        let (client, model, power) = (self.client()?, self.model.clone(), self.power.clone());
        let began = self.step;
        Ok(Some(Box::pin(async move {
            let spec = UploadSpec {
                path: vec!["somewhere".into()],
                length: Some(content.size),
                metadata: String::new(),
                way: String::new(),
            };
            if let Ok(row) = client.store.begin_upload(client.account, spec).await
                && !power.is_off()
            {
                power.acknowledged();
                model.borrow_mut().uploads.push(Upload { id: row.id, content, safe: 0, began });
            }
            Ok(())
        })))
    }

    fn append(&mut self, mut upload: Upload) -> Step<Option<Work>> {
        let left = upload.content.size - upload.safe;
        let mut pace = Pace::draw(&self.chance, left);
        self.count("actor: append");
        if self.chance.one_in(2) {
            pace.breaks_at = Some(self.chance.below(left));
            self.count("actor: append, broken off");
        }
        self.note(format!("append to upload {} at {} of {}, {pace:?}", upload.id, upload.safe, upload.content.size));
        // Whatever becomes of this request, the upload is looked at again.
        self.model.borrow_mut().uploads.push(upload.clone());
        let (client, model, power) = (self.client()?, self.model.clone(), self.power.clone());
        Ok(Some(Box::pin(async move {
            let stream = body(upload.content, upload.safe, pace, client.time.clone());
            let result = client.store.append(client.account, upload.id, upload.safe, stream).await;
            if power.is_off() {
                return Ok(());
            }
            let mut model = model.borrow_mut();
            match result {
                Ok(safe) if safe < upload.safe || safe > upload.content.size => {
                    Err(Broken(format!("upload {} went from {} to {safe}", upload.id, upload.safe)))
                }
                Ok(safe) => {
                    power.acknowledged();
                    upload.safe = safe;
                    model.uploads.retain(|known| known.id != upload.id);
                    model.uploads.push(upload);
                    Ok(())
                }
                Err(Error::NoUpload { .. }) => {
                    model.uploads.retain(|known| known.id != upload.id);
                    Ok(())
                }
                Err(_) => Ok(()),
            }
        })))
    }

    fn finish_upload(&mut self, upload: Upload) -> Step<Option<Work>> {
        let Some((parent, name)) = self.free_name() else {
            self.model.borrow_mut().uploads.push(upload);
            return Ok(None);
        };
        let (entry, version) = self.ids();
        self.count("actor: finish an upload");
        self.note(format!("finish upload {} as {name:?}: {entry}", upload.id));
        let versions = BTreeSet::from([version]);
        let file = File { parent, name: name.clone(), trashed: false, current: version, versions };
        self.model.borrow_mut().will_hold(version, upload.content);
        // Its first bytes were called safe long ago, by what was up then.
        self.model.borrow_mut().safe_since(version, upload.began);
        self.model.borrow_mut().begin(self.step, entry, Some(file));
        let (client, ledger) = (self.client()?, self.ledger());
        Ok(Some(Box::pin(async move {
            let result = match client.store.finish_upload(client.account, upload.id).await {
                Ok(received) => client.make_file(received, (entry, version), (parent, name), Some(upload.id)).await,
                Err(error) => Err(error),
            };
            ledger.end(entry, &result);
            Ok(())
        })))
    }

    /// Looks where uploads stand: safe bytes never go back.
    ///
    /// # Errors
    /// [`Broken`] if one did.
    pub fn check_uploads(&mut self) -> Step {
        let uploads = std::mem::take(&mut self.model.borrow_mut().uploads);
        for mut upload in uploads {
            let found = crate::mirror::at_once(self.store()?.upload(self.account, upload.id));
            match found.map_err(|error| Broken(error.to_string()))? {
                Some(row) if row.offset < upload.safe || row.offset > upload.content.size => {
                    return Err(Broken(format!(
                        "upload {} stood at {}, now at {}",
                        upload.id, upload.safe, row.offset
                    )));
                }
                Some(row) => {
                    upload.safe = row.offset;
                    self.model.borrow_mut().uploads.push(upload);
                }
                None if self.uploads_may_be_lost => {}
                None => return Err(Broken(format!("upload {} is not known any more", upload.id))),
            }
        }
        self.uploads_may_be_lost = false;
        Ok(())
    }
}
