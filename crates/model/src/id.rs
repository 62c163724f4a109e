//! Names that carry no meaning: 128 random bits each, shown as 32 lower-case hex digits.
//!
//! They are newtypes so that a pack can never be passed where a segment is meant. Random, never sequential: a firm that
//! sees them learns nothing.

use crate::world::Entropy;

/// Why a text is not an id: it is not 32 lower-case hex digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an id is 32 lower-case hex digits")]
pub struct BadId;

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
        pub struct $name(pub [u8; 16]);

        impl $name {
            /// Draws a new id.
            pub fn random(entropy: &dyn Entropy) -> Self {
                let mut bytes = [0; 16];
                entropy.fill(&mut bytes);
                Self(bytes)
            }

            /// Reads 32 lower-case hex digits.
            ///
            /// # Errors
            /// [`BadId`] for anything else.
            pub fn parse(text: &str) -> Result<Self, BadId> {
                parse_hex(text).map(Self)
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                for byte in self.0 {
                    write!(f, "{byte:02x}")?;
                }
                Ok(())
            }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(f, "{}({self})", stringify!($name))
            }
        }
    )+};
}

ids! {
    /// One Holdfast service, all its epochs.
    ClusterId,
    /// One account; also the *account tag* in kits and records. Says nothing about the owner.
    AccountId,
    /// A folder or a file, whatever it is called and wherever it lies.
    EntryId,
    /// One version of a file; its HTTP `ETag`.
    VersionId,
    /// A run of frames sealed under one salt.
    SegmentId,
    /// k data and m parity lanes coded together.
    PackId,
    /// One writing of a lane: a re-made lane is a new make.
    MakeId,
    /// One place that keeps shards.
    TargetId,
    /// One legal entity that can fail on its own.
    ProviderId,
    /// A journal object, snapshot, envelope or address book: kept as whole copies at several providers.
    ObjectId,
    /// An upload that is not finished yet.
    UploadId,
    /// A recovery kit.
    KitId,
    /// The public half of a secret that is kept as a hash.
    TokenId,
    /// A link to other people.
    ShareId,
    /// What one account lets another see of its files.
    GrantId,
    /// What a guest told the operator of a link.
    ReportId,
    /// What is rented from a provider under one contract.
    LeaseId,
    /// A statement that was served.
    NoticeId,
    /// A program's address that events are sent to.
    WebhookId,
    /// A mail, or an event for a webhook, on its way.
    MessageId,
    /// A passkey.
    PasskeyId,
    /// A person's order to leave a provider or target.
    OrderId,
}

fn parse_hex(text: &str) -> Result<[u8; 16], BadId> {
    let digits = text.as_bytes();
    if digits.len() != 32 {
        return Err(BadId);
    }
    let mut bytes = [0; 16];
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        *byte = (nibble(pair[0])? << 4) | nibble(pair[1])?;
    }
    Ok(bytes)
}

fn nibble(digit: u8) -> Result<u8, BadId> {
    match digit {
        b'0'..=b'9' => Ok(digit - b'0'),
        b'a'..=b'f' => Ok(digit - b'a' + 10),
        _ => Err(BadId),
    }
}

#[cfg(test)]
mod tests {
    use super::{BadId, PackId};

    #[test]
    fn shows_and_reads_back() {
        let id = PackId([0x0f, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 0xff]);
        assert_eq!(PackId::parse(&id.to_string()), Ok(id));
    }

    #[test]
    fn refuses_other_text() {
        for text in ["", "0f", "0F0102030405060708090a0b0c0d0eff", "zz0102030405060708090a0b0c0d0eff"] {
            assert_eq!(PackId::parse(text), Err(BadId), "{text}");
        }
    }
}
