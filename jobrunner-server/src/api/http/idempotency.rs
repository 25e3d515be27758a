use jobrunner_core::{Violation, store::Idempotency};
use poem::Request;
use sha2::{Digest, Sha256};

use super::answer::Result;

const HEADER: &str = "Idempotency-Key";

/// The caller's wish that this request is carried out once, if there is one. The request is told
/// from others by its route and its body.
pub(crate) fn idempotency(request: &Request, body: &[u8]) -> Result<Option<Idempotency>> {
    let Some(key) = request.headers().get(HEADER) else { return Ok(None) };
    let key = key.to_str().ok().filter(|key| (1..=255).contains(&key.len()));
    let key = key.ok_or_else(|| Violation::new(HEADER, "must have 1 to 255 visible characters"))?;
    let mut digest = Sha256::new();
    digest.update(request.original_uri().path());
    digest.update([0]);
    digest.update(body);
    Ok(Some(Idempotency { key: key.to_owned(), digest: digest.finalize().into() }))
}
