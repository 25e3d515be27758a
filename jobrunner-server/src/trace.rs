//! What every answer carries, and the line that every request leaves in the log.

use std::{sync::Arc, time::Instant};

use poem::{
    Endpoint, IntoResponse, Request, Response, Result,
    http::{HeaderName, HeaderValue, header},
};
use uuid::Uuid;

use crate::origin;

/// Scripts and styles from here and nowhere else; what the pages need and nothing more.
const PAGES: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
    connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// Swagger UI writes styles into its page.
const DOCS: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; \
    img-src 'self' data:; connect-src 'self'; form-action 'self'; base-uri 'none'; \
    frame-ancestors 'none'";

/// An API answer is data, whatever a browser takes it for.
const DATA: &str = "default-src 'none'; frame-ancestors 'none'";

/// Whoever came by TLS comes by TLS for a year.
const ENCRYPTED: &str = "max-age=31536000";

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

pub(crate) async fn trace<E: Endpoint>(next: Arc<E>, request: Request) -> Result<Response> {
    let started = Instant::now();
    let method = request.method().clone();
    // Without the query, which may hold what was meant for a header.
    let path = request.original_uri().path().to_owned();
    let is_encrypted = origin::is_encrypted(&request);
    let mut response = match next.call(request).await {
        Ok(answer) => answer.into_response(),
        Err(error) => error.into_response(),
    };
    let id = Uuid::now_v7();
    tracing::info!(
        request.id = %id,
        %method,
        path,
        status = response.status().as_u16(),
        duration_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX),
        "answered"
    );
    protect(&path, &id, &mut response);
    if is_encrypted {
        let value = HeaderValue::from_static(ENCRYPTED);
        response.headers_mut().insert(header::STRICT_TRANSPORT_SECURITY, value);
    }
    Ok(response)
}

fn protect(path: &str, id: &Uuid, response: &mut Response) {
    let is_data = path.starts_with("/api/");
    let headers = response.headers_mut();
    let mut set = |name: HeaderName, value: &'static str| {
        headers.insert(name, HeaderValue::from_static(value));
    };
    set(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    set(header::X_FRAME_OPTIONS, "DENY");
    // With "no-referrer" browsers would hide the origin of a page's own forms from this server,
    // too.
    set(header::REFERRER_POLICY, if is_data { "no-referrer" } else { "same-origin" });
    let policy = match path {
        _ if is_data => DATA,
        "/docs" => DOCS,
        _ => PAGES,
    };
    set(header::CONTENT_SECURITY_POLICY, policy);
    if is_data {
        set(header::CACHE_CONTROL, "no-store");
    }
    if let Ok(id) = HeaderValue::try_from(id.to_string()) {
        headers.insert(REQUEST_ID, id);
    }
}
