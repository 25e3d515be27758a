use jobrunner_core::store::Idempotency;
use poem::Request;
use poem_openapi::param::Header;
use sha2::{Digest, Sha256};

use super::{
    answer::Result,
    parameter::{Given, header, parameters},
};

/// The caller's wish that a request is carried out once.
pub(crate) type Key = Header<Option<Given<AnyKey>>>;

const HEADER: &str = "Idempotency-Key";

const LONGEST: usize = 255;

parameters! {
    /// Characters of ASCII that can be seen, and spaces between them.
    AnyKey(String) {
        "type": "string", "minLength": 1, "maxLength": LONGEST, "pattern": "^[!-~]([ -~]*[!-~])?$",
    } |text| {
        let is_good = (1..=LONGEST).contains(&text.len()) && !text.contains(|c: char| c.is_control());
        is_good.then(|| text.to_owned()).ok_or_else(|| "must have 1 to 255 visible characters".to_owned())
    };
}

/// The wish that this request is carried out once, if there is one. The request is told from others
/// by its route and its body.
pub(crate) fn idempotency(key: Key, request: &Request, body: &[u8]) -> Result<Option<Idempotency>> {
    let Some(AnyKey(key)) = header(key, request, HEADER)? else { return Ok(None) };
    let mut digest = Sha256::new();
    digest.update(request.original_uri().path());
    digest.update([0]);
    digest.update(body);
    Ok(Some(Idempotency { key, digest: digest.finalize().into() }))
}
