//! The test vectors of the specification, and what is refused. What whole ceremonies come to is tested at the doors.
//!
//! Source: Web Authentication, level 3, section 16.

use super::{Asked, NewKey, Site, asserted, cbor, cose::Key, registered, signed_over};
use crate::base64;

fn hex(text: &str) -> Vec<u8> {
    (0..text.len() / 2).map(|at| u8::from_str_radix(&text[2 * at..2 * at + 2], 16).unwrap()).collect()
}

fn challenge(text: &str) -> [u8; 32] {
    hex(text).try_into().unwrap()
}

/// What a browser says in the vectors; some add a sentence that asks not to compare texts.
fn client_data(ceremony: &str, challenge: &str, extra: &str) -> Vec<u8> {
    let challenge = base64::url::encode(&hex(challenge));
    let mut text = format!(
        "{{\"type\":\"webauthn.{ceremony}\",\"challenge\":\"{challenge}\",\"origin\":\"https://example.org\",\"crossOrigin\":false"
    );
    if !extra.is_empty() {
        text += ",\"extraData\":\"clientDataJSON may be extended with additional fields in the future, such as this: ";
        text += extra;
        text += "\"";
    }
    (text + "}").into_bytes()
}

/// 16.3: ES256, attested by the key itself; the person was verified.
const SELF_CHALLENGE: &str = "7869c2b772d4b58eba9378cf8f29e26cf935aa77df0da89fa99c0bdc0a76f7e5";
const SELF_EXTRA: &str = "U9hTXvKE2URkMnb_0xYHVg";
const SELF_KEY: &str = "a5010203262001215820eb151c8176b225cc651559fecf07af450fd85802046656b34c18f6cf193843c5225820927b8aa427a2be1b8834d233a2d34f61f13bfd44119c325d5896e183fee484f2";
const SELF_NAME: &str = "455ef34e2043a87db3d4afeb39bbcb6cc32df9347c789a865ecdca129cbef58c";
/// The hash of `example.org`.
const HOST: &str = "bfabc37432958b063360d3ad6461c9c4735ae7f8edd46592a5e0f01452b2e4b5";

fn self_attested() -> Vec<u8> {
    let statement = "a263616c672663736967584630440220067a20754ab925005dbf378097c92120031581c73228d1fb4f5b881bcd7da98302207fc7b147558c7c0eba3af18bd9d121fa3d3a26d17fe3f220272178f473b6006d";
    let data = format!("{HOST}5d00000000df850e09db6afbdfab51697791506cfc0020{SELF_NAME}{SELF_KEY}");
    hex(&format!("a363666d74667061636b65646761747453746d74{statement}68617574684461746158a4{data}"))
}

#[test]
fn a_key_that_attests_itself_is_registered() {
    let (site, asked) = (Site::of("example.org").unwrap(), challenge(SELF_CHALLENGE));
    let asked = Asked { challenge: &asked, site: &site };
    let (client, object) = (client_data("create", SELF_CHALLENGE, SELF_EXTRA), self_attested());
    let new = registered(asked, &client, &object);
    assert_eq!(new, Ok(NewKey { credential: hex(SELF_NAME), key: hex(SELF_KEY), counter: 0 }));

    // Each byte counts: the signature is over all of them.
    for at in 0..object.len() {
        let mut other = object.clone();
        other[at] ^= 1;
        assert!(registered(asked, &client, &other).is_err(), "byte {at}");
        assert!(registered(asked, &client, &object[..at]).is_err(), "cut at {at}");
    }
    for at in 0..client.len() {
        let mut other = client.clone();
        other[at] ^= 1;
        assert!(registered(asked, &other, &object).is_err(), "byte {at}");
    }
}

#[test]
fn who_was_not_verified_signs_nothing() {
    let site = Site::of("example.org").unwrap();
    // 16.2 registers without verification, 16.3 signs without it.
    let text = "00c30fb78531c464d2b6771dab8d7b603c01162f2fa486bea70f283ae556e130";
    let client = client_data("create", text, "BkQeDjdcTBrXBiAwJTLE5Q");
    let object = format!(
        "a363666d74646e6f6e656761747453746d74a068617574684461746158a4{HOST}59000000008446ccb9ab1db374750b2367ff6f3a1f0020f91f391db4c9b2fde0ea70189cba3fb63f579ba6122b33ad94ff3ec330084be4a5010203262001215820afefa16f97ca9b2d23eb86ccb64098d20db90856062eb249c33a9b672f26df61225820930a56b87a2fca66334b03458abf879717c12cc68ed73290af2e2664796b9220"
    );
    let asked = challenge(text);
    let asked = Asked { challenge: &asked, site: &site };
    assert!(registered(asked, &client, &hex(&object)).unwrap_err().contains("verify"));
    // The same with the flag, which no signature covers where nothing is attested.
    let verified = hex(&object.replace("b559000000", "b55d000000"));
    assert!(registered(asked, &client, &verified).is_ok());

    let text = "4478a10b1352348dd160c1353b0d469b5db19eb91c27f7dfa6fed39fe26af20b";
    let client = client_data("get", text, "gTb53rz6EhSWomXGzimC1Q");
    let said = hex(&format!("{HOST}0900000000"));
    let signature = hex(
        "304402203310b9431903c401f1be2bdc8d23a4007682dbbddcf846994947b7f465daf84002204e94dd00047b316061b3b99772b7efd95994a83ef584b3b6b825ea3550251b66",
    );
    let asked = challenge(text);
    let asked = Asked { challenge: &asked, site: &site };
    assert!(asserted(asked, &hex(SELF_KEY), &client, &said, &signature).unwrap_err().contains("verify"));
    check_signature(&hex(SELF_KEY), &said, &client, &signature);
}

/// A signature is of its message and key, and of no other.
fn check_signature(key: &[u8], said: &[u8], client: &[u8], signature: &[u8]) {
    let map = cbor::whole(key).unwrap();
    let key = Key::read(&map).unwrap();
    let message = signed_over(said, client);
    assert!(key.signed(&message, signature));
    let mut other = message.clone();
    other[36] ^= 1;
    assert!(!key.signed(&other, signature));
    assert!(!key.signed(&message, &signature[1..]) && !key.signed(&message, b""));
}

#[test]
fn signatures_of_ed25519_and_rsa() {
    // 16.11.
    let key = hex("a401010327200621582044e06ddd331c36a8dc667bab52bcae63486c916aa5e339e6acebaa84934bf832");
    let client = client_data("get", "895957e01c633a698348a2d8a31a54b7db27e8c1c43b2080d79ae2190267bfd2", "");
    let signature = hex(
        "f5c59c7e46c34f6f8cc197101ddf9934fa2595f68eb1913a637e8419eb9ba4cfdfc48f85393bc0d40b011f0d6fecb097d6607525713223a0dc0d453993dae00b",
    );
    check_signature(&key, &hex(&format!("{HOST}0100000000")), &client, &signature);

    // 16.10: its modulus is the product of 2^1279 - 1 and 2^2203 - 1.
    let mut modulus = vec![0; 436];
    let mut take = |power: usize| {
        // 2^3482 - 2^2203 - 2^1279 + 1, bit by bit.
        let (byte, bit) = (435 - power / 8, power % 8);
        modulus[byte] |= 1_u8 << bit;
    };
    (2_203..3_482).for_each(&mut take);
    let mut low = vec![0_u8; 436];
    (0..1_279).for_each(|power| low[435 - power / 8] |= 1 << (power % 8));
    // Subtract 2^1279 - 1 from what is above.
    let mut borrow = 0_i32;
    for at in (0..436).rev() {
        let difference = i32::from(modulus[at]) - i32::from(low[at]) - borrow;
        borrow = i32::from(difference < 0);
        modulus[at] = u8::try_from(difference.rem_euclid(256)).unwrap();
    }
    let key = [hex("a4010303390100205901b4"), modulus, hex("2143010001")].concat();
    let client = client_data("get", "295f59f5fa8fe62c5aca9e27626c78c8da376ae6d8cd2dd29aebad601e1bc4c5", "");
    let signature = hex(
        "01063d52d7c39b4d432fc7063c5d93e582bdcb16889cd71f888d67d880ea730a428498d3bc8e1ee11f2b1ecbe6c292b118c55ffaaddefa8cad0a54dd137c51f1eec673f1bb6c4d1789d6826a222b22d0f585fc901fdc933212e579d199b89d672aa44891333e6a1355536025e82b25590256c3538229b55737083b2f6b9377e49e2472f11952f79fdd0da180b5ffd901b4049a8f081bb40711bef76c62aed943571f2d0575304cb549d68d8892f95086a30f93716aee818f8dc06e96c0d5e0ed4cfa9fd8773d90464b68cf140f7986666ff9c9e3302acd0535d60d769f465e2ab57ef8aabc89fccfef7ba32a64154a8b3d26be2298f470b8cc5377dbe3dfd4b0b45f8f01e63bde6cfc76b62771f9b70aa27cf40152cad93aa5acd784fd4b90f676e2ea828d0bf2400aebbaae4153e5838f537f88b6228346782a93a899be66ec77de45b3efcf311da6321c92e6b0cd11bfe653bf3e98cee8e341f02d67dbb6f9c98d9e8178090cfb5b70fbc6d541599ac794ae2f1d4de1286ec8de8c2daf7b1d15c8438e90d924df5c19045220a4c8438c1b979bbe016cf3d0eeec23c3999d4882cc645b776de930756612cdc6dd398160ff02a6",
    );
    check_signature(&key, &hex(&format!("{HOST}1900000000")), &client, &signature);
}

#[test]
fn keys_of_other_kinds_are_none() {
    for key in [
        // P-256 with ES384, an x that is too short, P-384's curve, X25519, RSA of 1,024 bits' length.
        SELF_KEY.replacen("0326", "033822", 1),
        SELF_KEY.replacen("215820eb", "21581f", 1),
        SELF_KEY.replacen("2001", "2002", 1),
        "a401010327200421582044e06ddd331c36a8dc667bab52bcae63486c916aa5e339e6acebaa84934bf832".to_owned(),
        format!("a40103033901002058 80{}2143010001", "ff".repeat(128)).replace(' ', ""),
        "a0".to_owned(),
    ] {
        let bytes = hex(&key);
        assert!(cbor::whole(&bytes).is_none_or(|map| Key::read(&map).is_none()), "{key}");
    }
    // A point that is not on the curve is read, and signs nothing.
    let bytes = hex(&SELF_KEY.replacen("eb151c", "eb151d", 1));
    let map = cbor::whole(&bytes).unwrap();
    assert!(!Key::read(&map).unwrap().signed(b"message", &[0x30, 6, 2, 1, 1, 2, 1, 1]));
}

#[test]
fn sites_are_host_names_and_origins_are_theirs() {
    for (authority, host) in [
        ("files.example", Some("files.example")),
        ("Files.Example:8443", Some("files.example")),
        ("localhost:8080", Some("localhost")),
        ("127.0.0.1:8080", None),
        ("127.1", None),
        ("2130706433", None),
        ("[::1]:8080", None),
        ("files.example:", None),
        ("files.example:99999", None),
        ("files.example.", None),
        ("files.example/", None),
        ("a@files.example", None),
        ("", None),
    ] {
        assert_eq!(Site::of(authority).map(|site| site.host).as_deref(), host, "{authority}");
    }
    let is_origin = |authority: &str, origin: &str| Site::of(authority).unwrap().is_origin(origin);
    assert!(is_origin("files.example", "https://files.example"));
    assert!(is_origin("files.example:8443", "https://files.example:8443"));
    assert!(is_origin("localhost:80", "http://localhost:80") && is_origin("a.localhost:1", "http://a.localhost:1"));
    for origin in [
        "http://files.example",
        "https://files.example:8443",
        "https://evil.files.example",
        "https://files.example.evil",
        "https://files.example/",
        "android:apk-key-hash:x",
        "null",
    ] {
        assert!(!is_origin("files.example", origin), "{origin}");
    }
}
