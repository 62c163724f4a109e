//! A device that keeps passkeys, with a browser around it that lies when it is told to.
//!
//! Keys and signatures are real (P-256), and what it says is CBOR written by hand, so that what is tested meets another
//! reading of the standard than its own.
//!
//! Source: Web Authentication, level 3, sections 6.1, 6.5 and 5.8.1.

use std::collections::BTreeMap;

use aws_lc_rs::{
    digest::{SHA256, digest},
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair},
};

const PRESENT: u8 = 0x01;
const VERIFIED: u8 = 0x04;
const HAS_KEY: u8 = 0x40;

/// One device.
pub struct Authenticator {
    /// The page that its browser shows: `https://files.example`.
    pub origin: String,
    /// The host name that it is told to use; a browser would not let it be another than the page's.
    pub host: String,
    /// Whether it checks a PIN or a finger.
    pub verifies: bool,
    /// What it says of how often it has signed; it counts by itself from 1, or stays at 0.
    pub counter: u32,
    keys: BTreeMap<Vec<u8>, (EcdsaKeyPair, Vec<u8>)>,
}

/// What a new passkey's `toJSON` holds, as bytes.
pub struct Made {
    /// The passkey's name.
    pub credential: Vec<u8>,
    /// `clientDataJSON`.
    pub client_data: Vec<u8>,
    /// `attestationObject`.
    pub attestation: Vec<u8>,
}

/// What a sign-in's `toJSON` holds, as bytes.
pub struct Signed {
    /// The passkey's name.
    pub credential: Vec<u8>,
    /// `clientDataJSON`.
    pub client_data: Vec<u8>,
    /// `authenticatorData`.
    pub authenticator_data: Vec<u8>,
    /// `signature`.
    pub signature: Vec<u8>,
    /// `userHandle`.
    pub user: Vec<u8>,
}

impl Authenticator {
    /// A device without keys, at a page of `host` over HTTPS.
    pub fn at(host: &str) -> Self {
        Self {
            origin: format!("https://{host}"),
            host: host.to_owned(),
            verifies: true,
            counter: 0,
            keys: BTreeMap::new(),
        }
    }

    /// Makes a passkey for the account `user`.
    #[allow(clippy::disallowed_methods, reason = "a key pair of a test")]
    pub fn make(&mut self, challenge: &str, user: &[u8]) -> Made {
        let random = SystemRandom::new();
        let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).expect("a key is made");
        let point = pair.public_key().as_ref();
        let mut key = vec![0xa5, 1, 2, 3, 0x26, 0x20, 1, 0x21, 0x58, 32];
        key.extend_from_slice(&point[1..33]);
        key.extend_from_slice(&[0x22, 0x58, 32]);
        key.extend_from_slice(&point[33..]);
        let mut credential = vec![0; 16];
        aws_lc_rs::rand::SecureRandom::fill(&random, &mut credential).expect("there is chance");
        let mut data = self.says(HAS_KEY);
        data.extend_from_slice(&[0; 16]);
        data.extend_from_slice(&[0, 16]);
        data.extend_from_slice(&credential);
        data.extend_from_slice(&key);
        let mut attestation = vec![0xa3];
        attestation.extend_from_slice(b"\x63fmt\x64none\x67attStmt\xa0\x68authData\x58");
        attestation.push(u8::try_from(data.len()).expect("it is short"));
        attestation.extend_from_slice(&data);
        self.keys.insert(credential.clone(), (pair, user.to_vec()));
        Made { credential, client_data: self.client_data("webauthn.create", challenge), attestation }
    }

    /// Signs in with a passkey.
    #[allow(clippy::disallowed_methods, reason = "a signature of a test")]
    pub fn sign(&mut self, credential: &[u8], challenge: &str) -> Signed {
        self.counter += u32::from(self.counter > 0);
        let (authenticator_data, client_data) = (self.says(0), self.client_data("webauthn.get", challenge));
        let message = [&authenticator_data[..], digest(&SHA256, &client_data).as_ref()].concat();
        let (pair, user) = &self.keys[credential];
        let signature = pair.sign(&SystemRandom::new(), &message).expect("it signs").as_ref().to_vec();
        Signed { credential: credential.to_vec(), client_data, authenticator_data, signature, user: user.clone() }
    }

    /// Gives one passkey the key of another.
    pub fn swap(&mut self, one: &[u8], other: &[u8]) {
        let ((a, user_a), (b, user_b)) =
            (self.keys.remove(one).expect("known"), self.keys.remove(other).expect("known"));
        self.keys.insert(one.to_vec(), (b, user_a));
        self.keys.insert(other.to_vec(), (a, user_b));
    }

    fn says(&self, more: u8) -> Vec<u8> {
        let flags = PRESENT | more | if self.verifies { VERIFIED } else { 0 };
        let mut data = digest(&SHA256, self.host.as_bytes()).as_ref().to_vec();
        data.push(flags);
        data.extend_from_slice(&self.counter.to_be_bytes());
        data
    }

    fn client_data(&self, ceremony: &str, challenge: &str) -> Vec<u8> {
        let origin = &self.origin;
        format!(r#"{{"type":"{ceremony}","challenge":"{challenge}","origin":"{origin}","crossOrigin":false}}"#)
            .into_bytes()
    }
}
