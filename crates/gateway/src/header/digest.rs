//! `Content-Digest` and `Repr-Digest`: SHA-256 of what is sent.
//!
//! Source: RFC 9530; the values are dictionaries of byte sequences (RFC 8941 sections 3.2 and 3.3.5). Other algorithms
//! than sha-256 are ignored, as the RFC allows: the sender may name several.

use service::base64;

use crate::error::Problem;

/// `sha-256=:…:`.
pub fn write(sha256: &[u8; 32]) -> String {
    format!("sha-256=:{}:", base64::encode(sha256))
}

/// The SHA-256 in the value of `Content-Digest` or `Repr-Digest`, if it holds one.
///
/// # Errors
/// 400 if it is not such a dictionary, or what is called sha-256 is none.
pub fn read(value: &str) -> Result<Option<[u8; 32]>, Problem> {
    let bad = || Problem::bad_request("bad_digest", "a digest is written `sha-256=:` base64 of 32 bytes `:`");
    let mut found = None;
    for member in value.split(',').map(str::trim) {
        let (name, digest) = member.split_once('=').ok_or_else(bad)?;
        let digest = digest.strip_prefix(':').and_then(|rest| rest.strip_suffix(':')).ok_or_else(bad)?;
        let digest = base64::decode(digest).ok_or_else(bad)?;
        if name == "sha-256" {
            found = Some(<[u8; 32]>::try_from(digest).map_err(|_| bad())?);
        }
    }
    Ok(found)
}

/// Whether `Want-Content-Digest` or `Want-Repr-Digest` asks for SHA-256: a preference of 1 to 10.
pub fn wants(value: &str) -> bool {
    let wanted = |member: &str| {
        let (name, preference) = member.trim().split_once('=')?;
        Some(name == "sha-256" && preference.parse::<u8>().is_ok_and(|preference| (1..=10).contains(&preference)))
    };
    value.split(',').any(|member| wanted(member).unwrap_or(false))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::{read, wants, write};

    /// The example of RFC 9530, section 2: `{"hello": "world"}` and a line feed.
    const EXAMPLE: &str = "sha-256=:RK/0qy18MlBSVnWgjwz6lZEWjP/lF5HF9bvEF8FabDg=:";

    #[test]
    fn written_as_it_was_read() {
        let sha256 = read(EXAMPLE).unwrap().unwrap();
        assert_eq!((sha256[0], sha256[31]), (0x44, 0x38));
        assert_eq!(write(&sha256), EXAMPLE);
        assert_eq!(read(&format!("sha-512=:AAAA:, {EXAMPLE}")).unwrap(), Some(sha256));
        assert_eq!(read("md5=:AAAA:").unwrap(), None);
    }

    #[test]
    fn refused() {
        for bad in ["", "sha-256", "sha-256=abc", "sha-256=:abc:", "sha-256=:AAAA:", "sha-256=:RK/0=", "44aff4"] {
            assert_eq!(read(bad).unwrap_err().code, "bad_digest", "{bad}");
        }
    }

    #[test]
    fn wishes() {
        for (value, expected) in [
            ("sha-256=1", true),
            ("sha-512=3, sha-256=10", true),
            ("sha-256=0", false),
            ("sha-512=1", false),
            ("sha-256", false),
            ("", false),
        ] {
            assert_eq!(wants(value), expected, "{value}");
        }
    }
}
