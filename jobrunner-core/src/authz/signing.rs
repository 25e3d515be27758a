use hmac::{Hmac, KeyInit, Mac};
use jsonwebtoken::{
    Algorithm, DecodingKey, EncodingKey, Header, Validation, decode, encode, errors,
};
use serde::{Serialize, de::DeserializeOwned};
use sha2::{Digest, Sha256};

use crate::UserId;

/// What one secret signs and verifies.
#[derive(Clone)]
pub(super) struct Signing {
    id: String,
    encoding: EncodingKey,
    decoding: DecodingKey,
    mac: Hmac<Sha256>,
}

impl Signing {
    /// `None` if it cannot be a secret.
    pub(super) fn new(secret: &[u8]) -> Option<Self> {
        // What names a secret tells nothing about it that a signature would not tell.
        let name = Sha256::new().chain_update(b"jobrunner key id\0").chain_update(secret);
        Some(Self {
            id: name.finalize().iter().take(6).map(|byte| format!("{byte:02x}")).collect(),
            encoding: EncodingKey::from_secret(secret),
            decoding: DecodingKey::from_secret(secret),
            mac: Hmac::new_from_slice(secret).ok()?,
        })
    }

    /// What tokens call it (`kid`).
    pub(super) fn id(&self) -> &str {
        &self.id
    }

    pub(super) fn sign(&self, claims: &impl Serialize) -> Result<String, errors::Error> {
        let header = Header { kid: Some(self.id.clone()), ..Header::new(Algorithm::HS256) };
        encode(&header, claims, &self.encoding)
    }

    pub(super) fn verify<T: DeserializeOwned>(
        &self,
        token: &str,
        validation: &Validation,
    ) -> Option<T> {
        decode(token, &self.decoding, validation).ok().map(|read| read.claims)
    }

    pub(super) fn form_value(&self, user: UserId, browser: &str) -> String {
        let value = self.of_form(user, browser).finalize().into_bytes();
        value.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    pub(super) fn is_form_value(&self, user: UserId, browser: &str, value: &str) -> bool {
        let digit = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
        let bytes: Option<Vec<u8>> = value.as_bytes().chunks(2).map(digit).collect();
        bytes.is_some_and(|bytes| self.of_form(user, browser).verify_slice(&bytes).is_ok())
    }

    fn of_form(&self, user: UserId, browser: &str) -> Hmac<Sha256> {
        let mac = self.mac.clone().chain_update(b"jobrunner form\0").chain_update(user.as_uuid());
        mac.chain_update(browser)
    }
}
