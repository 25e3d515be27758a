//! The first page: what this is, whether it works, and how to begin.

use std::sync::LazyLock;

use jobrunner_core::Service;
use poem::{
    IntoResponse, Request, Response, handler,
    http::header,
    web::{Data, Html},
};
use tera::{Context, Tera};

use crate::api::problem::Failure;

static TEMPLATES: LazyLock<tera::TeraResult<Tera>> = LazyLock::new(|| {
    let mut templates = Tera::default();
    templates.add_raw_template("home.html", include_str!("../templates/home.html"))?;
    Ok(templates)
});

#[handler]
pub(crate) async fn home(Data(service): Data<&Service>, request: &Request) -> Response {
    let mut context = Context::new();
    context.insert("version", env!("CARGO_PKG_VERSION"));
    context.insert("status", if service.health().await.database { "ok" } else { "degraded" });
    context.insert("origin", &origin(request));
    match TEMPLATES.as_ref().map(|templates| templates.render("home.html", &context)) {
        Ok(Ok(page)) => Html(page).into_response(),
        Ok(Err(error)) => Failure::internal(&error).into_response(),
        Err(error) => Failure::internal(error).into_response(),
    }
}

/// Under what name the caller reached this server. Only for show: the template escapes it.
fn origin(request: &Request) -> String {
    let host = request.header(header::HOST).unwrap_or("localhost");
    format!("{}://{host}", request.scheme())
}
