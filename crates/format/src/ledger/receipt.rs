//! What a firm takes away from the desk: a signed note that says what was filed, when, and where it stands in the ledger. With
//! the file that was sent it shows later that this was filed and nothing else.

use model::id::{ClusterId, NoticeId};

use super::{Checkpoint, VerifierKey, base64, shown, time};
use crate::{
    error::{Error, Result},
    wire::hex,
};

const HEAD: &str = "holdfast-receipt/v1";

/// That a notice was filed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// At which service.
    pub cluster: ClusterId,
    /// The notice.
    pub notice: NoticeId,
    /// When, microseconds since 1970; whole seconds are kept.
    pub at_us: i64,
    /// SHA-256 of what was sent, byte by byte.
    pub content: [u8; 32],
    /// Its entry in the ledger.
    pub n: u64,
    /// The ledger then, that entry included.
    pub checkpoint: Checkpoint,
}

impl Receipt {
    /// The text that is signed.
    pub fn to_text(&self) -> String {
        let Checkpoint { size, root } = self.checkpoint;
        format!(
            "{HEAD}\ncluster {}\nnotice {}\nat {}\nsha256 {}\nentry {}\nledger {size} {}\n",
            self.cluster,
            self.notice,
            time::second(self.at_us),
            hex(&self.content),
            self.n,
            base64::encode(&root)
        )
    }

    /// Reads a receipt that this key signed.
    ///
    /// # Errors
    /// Damaged: as [`VerifierKey::open`], or it is another note.
    pub fn open(note: &str, key: &VerifierKey) -> Result<Self> {
        let text = key.open(note)?;
        let wrong = |field, expected: &str, got: &str| Error::Value {
            object: "receipt",
            field,
            expected: expected.to_owned(),
            got: shown(got),
        };
        let mut lines = text.lines();
        let head = lines.next().unwrap_or_default();
        if head != HEAD {
            return Err(wrong("head", HEAD, head));
        }
        let mut take = |key: &'static str| {
            let line = lines.next().unwrap_or_default();
            line.split_once(' ').filter(|(found, _)| *found == key).map(|(_, value)| value).ok_or_else(|| {
                let expected = format!("a line `{key} …`");
                wrong(key, &expected, line)
            })
        };
        let (cluster, notice, at) = (take("cluster")?, take("notice")?, take("at")?);
        let (content, n, ledger) = (take("sha256")?, take("entry")?, take("ledger")?);
        let (size, root) = ledger.split_once(' ').unwrap_or_default();
        let receipt = Self {
            cluster: ClusterId::parse(cluster).map_err(|_| wrong("cluster", "an id", cluster))?,
            notice: NoticeId::parse(notice).map_err(|_| wrong("notice", "an id", notice))?,
            at_us: time::parse_second(at).ok_or_else(|| wrong("at", "a second in UTC", at))?,
            content: unhex(content).ok_or_else(|| wrong("sha256", "64 hex digits", content))?,
            n: n.parse().map_err(|_| wrong("entry", "a number", n))?,
            checkpoint: Checkpoint {
                size: size.parse().map_err(|_| wrong("ledger", "a number", size))?,
                root: base64::decode_hash(root).ok_or_else(|| wrong("ledger", "base64 of 32 bytes", root))?,
            },
        };
        if receipt.to_text() == text { Ok(receipt) } else { Err(wrong("text", "the one spelling of it", "another")) }
    }
}

fn unhex(text: &str) -> Option<[u8; 32]> {
    let (one, two) = text.is_ascii().then(|| text.split_at_checked(32))??;
    let (one, two) = (NoticeId::parse(one).ok()?, NoticeId::parse(two).ok()?);
    let mut bytes = [0; 32];
    bytes[..16].copy_from_slice(&one.0);
    bytes[16..].copy_from_slice(&two.0);
    Some(bytes)
}
