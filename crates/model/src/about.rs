//! What the operator says of the service to everybody who comes to its door, and who may come in.

use crate::id::AccountId;

/// Who can make an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub enum SignUp {
    /// Whoever an operator has invited.
    #[default]
    Invitation,
    /// Anybody.
    Open,
    /// Nobody; an invitation that is out already still opens.
    Closed,
}

/// A picture as it was given.
#[derive(Clone, PartialEq, Eq)]
pub struct Logo {
    /// `image/png`, `image/jpeg` or `image/webp`.
    pub media_type: String,
    /// The file.
    pub bytes: Vec<u8>,
}

/// The face of the service; there is one.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct AboutRow {
    /// What the service is called; `None`: Holdfast.
    pub name: Option<String>,
    /// Who can make an account.
    pub sign_up: SignUp,
    /// Plaintext bytes that an account made by open sign-up may keep; `None`: as many as there is room for.
    pub new_space_bytes: Option<u64>,
    /// Red, green, blue.
    pub colour: Option<[u8; 3]>,
    /// Shown beside the name.
    pub logo: Option<Logo>,
    /// How to reach the operator: one line or a few.
    pub contact: Option<String>,
    /// Who is responsible: Markdown.
    pub imprint: Option<String>,
    /// What users agree to: Markdown.
    pub terms: Option<String>,
    /// The plan of an account made by open sign-up, by name.
    pub new_plan: Option<String>,
    /// What anybody may leave here for a while without an account; `None`: nothing.
    pub quick: Option<Quick>,
    /// The account that such files lie in, once there is one.
    pub quick_account: Option<AccountId>,
}

/// How much may be left here without an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quick {
    /// Plaintext bytes of one file.
    pub file_bytes: u64,
    /// Days that a file is kept at most.
    pub days_max: u32,
    /// Plaintext bytes of all such files together.
    pub space_bytes: u64,
    /// Plaintext bytes that are taken in a day of UTC.
    pub bytes_per_day: u64,
}

impl Logo {
    /// The most bytes of one.
    pub const BYTES_MAX: usize = 64 << 10;
}

impl AboutRow {
    /// The most bytes of each of its texts.
    pub const TEXT_BYTES_MAX: usize = 64 << 10;
}

impl std::fmt::Debug for Logo {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Logo").field("media_type", &self.media_type).field("bytes", &self.bytes.len()).finish()
    }
}
