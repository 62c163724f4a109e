//! Addresses for mail: the plain kind that everybody has, and nothing that could end a line or begin a command.
//!
//! Source: RFC 5321 section 4.1.2 for atoms and lengths. Quoted names, comments and numbers of machines are valid there and
//! refused here; a name with other letters is written in its ASCII form.

use crate::error::{Error, Result};

/// The longest address, its name and a part of its host.
const ADDRESS_MAX: usize = 254;
const NAME_MAX: usize = 64;
const LABEL_MAX: usize = 63;

/// The address without spaces around it.
///
/// # Errors
/// [`Error::BadMail`].
pub(super) fn checked(text: &str) -> Result<String> {
    let text = text.trim_matches(' ');
    let sound =
        text.len() <= ADDRESS_MAX && text.rsplit_once('@').is_some_and(|(name, host)| is_name(name) && is_host(host));
    if sound { Ok(text.to_owned()) } else { Err(Error::BadMail) }
}

fn is_name(name: &str) -> bool {
    let atom = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~".contains(&byte);
    name.len() <= NAME_MAX && name.split('.').all(|part| !part.is_empty() && part.bytes().all(atom))
}

fn is_host(host: &str) -> bool {
    let label = |label: &str| {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        (1..=LABEL_MAX).contains(&label.len())
            && label.bytes().all(plain)
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    host.split('.').all(label)
}

#[cfg(test)]
mod tests {
    use super::checked;

    #[test]
    fn addresses_are_plain() {
        for good in ["a@b", "Ann.Other+tag@mail.example.org", "x'y@example.org", "1@xn--bcher-kva.example"] {
            assert!(checked(good).is_ok_and(|known| known == good), "{good}");
        }
        let long = format!("{}@example.org", "x".repeat(65));
        for bad in [
            "",
            "@",
            "a@",
            "@b",
            "a b@c",
            "a@b@c",
            ".a@b",
            "a.@b",
            "a..b@c",
            "a@-b",
            "a@b-",
            "a@b..c",
            "a@b.",
            "a@[127.0.0.1]",
            "\"a\"@b",
            "a@b\r\nRCPT TO:<c@d>",
            "a\n@b",
            "a@b,c@d",
            "a@b;c",
            "<a@b>",
            "ä@b",
            "a@bücher.example",
            &long,
        ] {
            assert!(checked(bad).is_err(), "{bad}");
        }
    }
}
