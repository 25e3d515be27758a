//! Files that are part of the binary, and the page of Swagger UI that uses some of them.

use poem::{
    IntoResponse, Request, Response, handler,
    http::{StatusCode, header},
    web::{Html, Path},
};
use rust_embed::RustEmbed;

use crate::api::problem::Failure;

#[derive(RustEmbed)]
#[folder = "assets/"]
struct Assets;

/// Assets change with the binary: each time it is asked whether what is kept is still right, lest
/// new pages run with old scripts.
const CACHED: &str = "public, no-cache";

#[handler]
pub(crate) fn asset(request: &Request, Path(path): Path<String>) -> Response {
    let Some(file) = Assets::get(&path) else {
        return Failure::new(StatusCode::NOT_FOUND, "there is no such file").into_response();
    };
    let tag = tag(&file.metadata.sha256_hash());
    let answer =
        Response::builder().header(header::CACHE_CONTROL, CACHED).header(header::ETAG, &tag);
    if request.header(header::IF_NONE_MATCH).is_some_and(|kept| is_among(&tag, kept)) {
        return answer.status(StatusCode::NOT_MODIFIED).finish();
    }
    answer.content_type(content_type(&path)).body(file.data.into_owned())
}

fn tag(hash: &[u8]) -> String {
    let digits: String = hash.iter().take(16).map(|byte| format!("{byte:02x}")).collect();
    format!("\"{digits}\"")
}

/// Whether a tag is one of those of a header, weak ones included: a proxy that compresses makes
/// them of ours.
fn is_among(tag: &str, kept: &str) -> bool {
    kept.split(',').map(str::trim).any(|one| one.strip_prefix("W/").unwrap_or(one) == tag)
}

#[handler]
pub(crate) fn docs() -> Html<&'static str> {
    Html(include_str!("../templates/docs.html"))
}

fn content_type(path: &str) -> &'static str {
    match path.rsplit_once('.').map(|(_, extension)| extension) {
        Some("css") => "text/css; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("png") => "image/png",
        Some("svg") => "image/svg+xml",
        _ => "text/plain; charset=utf-8",
    }
}
