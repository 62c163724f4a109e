//! An object on its way to a server: streamed to `tmp/`, renamed when it is whole.
//!
//! The bytes go from the writer through a channel into the request's body; no more than a piece waits. The request is driven by
//! whoever writes, so there is no task beside it that could outlive the writer.

use std::{io::ErrorKind, sync::Arc};

use async_trait::async_trait;
use bytes::Bytes;
use model::world::BoxFuture;
use tokio::sync::mpsc;

use super::Store;
use crate::{
    target::{ObjectName, ObjectWriter, Result},
    wire::body::{Outgoing, Streamed},
};

/// A name in `tmp/`. Dropping it removes what is there.
pub(super) struct Temporary {
    store: Arc<Store>,
    pub(super) path: String,
    is_gone: bool,
}

impl Temporary {
    pub(super) fn new(store: &Arc<Store>, path: String) -> Self {
        Self { store: Arc::clone(store), path, is_gone: false }
    }

    /// It has another name now.
    pub(super) fn moved(mut self) {
        self.is_gone = true;
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        // What cannot be removed now is swept before the first write of the next process.
        if self.is_gone || tokio::runtime::Handle::try_current().is_err() {
            return;
        }
        let (store, path) = (Arc::clone(&self.store), std::mem::take(&mut self.path));
        self.store.timer.spawn(Box::pin(async move {
            let _ = store.site.delete("abort", &path).await;
        }));
    }
}

/// Writes one object.
pub(super) struct StreamWriter {
    name: ObjectName,
    written_bytes: u64,
    /// The request, and where its body goes in; `None` after an error. Dropping it breaks the connection.
    running: Option<(BoxFuture<'static, Result<()>>, mpsc::Sender<Streamed>)>,
    temporary: Temporary,
}

impl StreamWriter {
    pub(super) fn new(temporary: Temporary, name: ObjectName) -> Self {
        let (into, body) = Outgoing::stream();
        let (store, path) = (Arc::clone(&temporary.store), temporary.path.clone());
        let request: BoxFuture<'static, Result<()>> =
            Box::pin(async move { store.site.put("write", &path, body).await });
        Self { name, written_bytes: 0, running: Some((request, into)), temporary }
    }

    /// Hands a message to the request. An answer before the end is none that we want.
    async fn hand(&mut self, message: Streamed) -> Result<()> {
        let wire = &self.temporary.store.site.wire;
        let Some((mut request, into)) = self.running.take() else {
            return Err(wire.io("write to an abandoned object", std::io::Error::from(ErrorKind::Interrupted)));
        };
        tokio::select! {
            biased;
            early = &mut request => Err(match early {
                Ok(()) => wire.odd("write", "it says that the object is there, and it is not sent yet"),
                Err(error) => error,
            }),
            handed = into.send(message) => match handed {
                Ok(()) => {
                    self.running = Some((request, into));
                    Ok(())
                }
                // The connection is gone; the request knows why.
                Err(_) => Err(match request.await {
                    Ok(()) => wire.odd("write", "it did not take the whole object"),
                    Err(error) => error,
                }),
            },
        }
    }
}

#[async_trait]
impl ObjectWriter for StreamWriter {
    async fn write(&mut self, bytes: Bytes) -> Result<()> {
        if bytes.is_empty() && self.running.is_some() {
            return Ok(());
        }
        self.written_bytes += bytes.len() as u64;
        self.hand(Streamed::Piece(bytes)).await
    }

    async fn finish(mut self: Box<Self>) -> Result<()> {
        self.hand(Streamed::End).await?;
        if let Some((request, _into)) = self.running.take() {
            request.await?;
        }
        let Self { name, temporary, written_bytes, .. } = *self;
        let store = Arc::clone(&temporary.store);
        store.publish(temporary, &name, written_bytes).await
    }
}
