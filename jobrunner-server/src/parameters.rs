//! Parameters and forms, as they are read. What no store could take ends here, with the same answer
//! whatever the store.

use std::sync::Arc;

use jobrunner_core::Violation;
use poem::{Endpoint, Request, Result};
use serde::de::DeserializeOwned;

use crate::api::{problem::Failure, wrong};

/// Checks the query of every request, of pages as of the API, before it is routed.
pub(crate) async fn check<E: Endpoint>(next: Arc<E>, request: Request) -> Result<E::Output> {
    pairs(request.uri().query().unwrap_or_default().as_bytes())?;
    next.call(request).await
}

/// Reads a form.
pub(crate) fn form<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Failure> {
    pairs(bytes)?;
    let read = serde_urlencoded::from_bytes(bytes);
    read.map_err(|error| wrong::of_form(&error.to_string()).into())
}

/// Parses pairs of names and values, none of which may hold a NUL.
fn pairs(text: &[u8]) -> Result<Vec<(String, String)>, Failure> {
    let pairs: Vec<(String, String)> = serde_urlencoded::from_bytes(text).unwrap_or_default();
    match pairs.iter().find(|(name, value)| name.contains('\0') || value.contains('\0')) {
        Some((name, _)) => {
            let name: String = name.chars().filter(|it| !it.is_control()).take(100).collect();
            Err(Violation::new(name, "must not contain a NUL character").into())
        }
        None => Ok(pairs),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_nul_is_refused_by_the_name_of_its_parameter() {
        for (query, name) in
            [("a=1&name=%00", "name"), ("name=x%00y&b", "name"), ("na%00me=1", "name")]
        {
            let failure = pairs(query.as_bytes()).expect_err(query);
            assert!(format!("{failure:?}").contains(&format!("field: {name:?}")), "{failure:?}");
        }
        assert!(pairs(b"name=%2500&x=%01&y=\xff&&=").is_ok());
    }
}
