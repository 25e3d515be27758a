//! Files that are part of the binary, and the page of Swagger UI that uses some of them.

use poem::{
    IntoResponse, Response, handler,
    http::{StatusCode, header},
    web::{Html, Path},
};
use rust_embed::RustEmbed;

use crate::api::problem::Failure;

#[derive(RustEmbed)]
#[folder = "assets/"]
struct Assets;

/// Assets change with the binary, so they are asked for again after an hour.
const CACHED: &str = "public, max-age=3600";

#[handler]
pub(crate) fn asset(Path(path): Path<String>) -> Response {
    let Some(file) = Assets::get(&path) else {
        return Failure::new(StatusCode::NOT_FOUND, "there is no such file").into_response();
    };
    Response::builder()
        .content_type(content_type(&path))
        .header(header::CACHE_CONTROL, CACHED)
        .body(file.data.into_owned())
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
