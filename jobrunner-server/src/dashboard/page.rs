use std::{io, sync::LazyLock};

use bytes::Bytes;
use futures_util::{StreamExt, stream};
use jobrunner_core::Role;
use poem::{
    Body, IntoResponse, Request, Response,
    http::{StatusCode, header},
    web,
};
use tera::{Context, Tera};

use super::{output::Html, session::Session};
use crate::api::problem::Failure;

macro_rules! templates {
    ($($name:literal),+ $(,)?) => {
        [$(($name, include_str!(concat!("../../templates/", $name)))),+]
    };
}

static TEMPLATES: LazyLock<tera::TeraResult<Tera>> = LazyLock::new(|| {
    let mut tera = Tera::default();
    tera.autoescape_on(vec![".html"]);
    tera.add_raw_templates(templates![
        "layout.html",
        "bar.html",
        "card.html",
        "status.html",
        "verdict.html",
        "revision.html",
        "test_name.html",
        "classes.html",
        "why.html",
        "tests.html",
        "jobs_table.html",
        "sign_in.html",
        "home.html",
        "batch.html",
        "members.html",
        "compare.html",
        "series_list.html",
        "series.html",
        "test.html",
        "job.html",
        "jobs.html",
        "workers.html",
        "queues.html",
        "known_issue_form.html",
        "known_issues.html",
        "known_issue.html",
        "projects.html",
        "project.html",
        "users.html",
        "own_account.html",
        "service_tokens.html",
        "tokens.html",
        "audit.html",
        "notifications.html",
        "notification.html",
        "notification_fields.html",
        "problem.html",
    ])?;
    Ok(tera)
});

/// A page of a session, with what every page shows.
pub(super) fn page(session: &Session, name: &str, title: &str, context: Context) -> Response {
    render(name, &complete(session, name, title, context))
}

/// A page of a session in which a part that is made while it is sent takes the place of the comment
/// `<!--part-->` of its template.
pub(super) fn page_around(
    session: &Session,
    name: &str,
    title: &str,
    context: Context,
    part: Html,
) -> Response {
    let page = match text(name, &complete(session, name, title, context)) {
        Ok(page) => page,
        Err(failure) => return failure.into_response(),
    };
    // What callers wrote is escaped, so no other comment is there.
    let Some((before, after)) = page.split_once("<!--part-->") else {
        let error = io::Error::other(format!("{name} has no place for a part"));
        return Failure::internal(&error).into_response();
    };
    let piece = |text: &str| stream::iter([Ok(Bytes::copy_from_slice(text.as_bytes()))]);
    let page = piece(before).chain(part).chain(piece(after));
    Response::builder()
        .content_type("text/html; charset=utf-8")
        .header(header::CACHE_CONTROL, "no-store")
        .body(Body::from_bytes_stream(page))
}

fn complete(session: &Session, name: &str, title: &str, mut context: Context) -> Context {
    let place = match name {
        "home.html" | "batch.html" | "compare.html" => "batches",
        "series_list.html" | "series.html" | "test.html" => "series",
        "jobs.html" | "job.html" => "jobs",
        "workers.html" => "workers",
        "queues.html" => "queues",
        "known_issues.html" | "known_issue.html" => "known-issues",
        "projects.html" | "project.html" => "projects",
        "users.html" | "service_tokens.html" => "users",
        "notifications.html" | "notification.html" => "notifications",
        "audit.html" => "audit",
        _ => "",
    };
    let projects = session.caller.projects.iter().map(|known| known.project.as_str());
    context.insert("projects", &projects.collect::<Vec<_>>());
    if !context.contains_key("project") {
        context.insert("project", "");
    }
    context.insert("page", place);
    context.insert("title", title);
    context.insert("version", env!("CARGO_PKG_VERSION"));
    context.insert("now", &chrono::Utc::now().timestamp_millis());
    context.insert("email", &session.caller.email);
    context.insert("role", session.caller.role.as_str());
    context.insert("csrf", &session.csrf);
    context.insert("may_control", &(session.caller.role != Role::Viewer));
    context.insert("is_admin", &(session.caller.role == Role::Admin));
    context
}

/// A template with nothing but its context.
pub(super) fn render(name: &str, context: &Context) -> Response {
    match text(name, context) {
        Ok(page) => web::Html(page).with_header(header::CACHE_CONTROL, "no-store").into_response(),
        Err(failure) => failure.into_response(),
    }
}

/// The text of a template.
pub(super) fn text(name: &str, context: &Context) -> Result<String, Failure> {
    let templates = TEMPLATES.as_ref().map_err(|error| Failure::internal(error))?;
    templates.render(name, context).map_err(|error| Failure::internal(&error))
}

/// Leads to the sign-in, which comes back to what was asked for. What a page fetches by itself is
/// told so.
pub(super) fn to_sign_in(request: &Request) -> Response {
    let navigates = request.header("sec-fetch-mode").is_none_or(|mode| mode == "navigate");
    if !navigates || request.method() != poem::http::Method::GET {
        let detail = "the session has ended: reload the page and sign in";
        return Failure::new(StatusCode::UNAUTHORIZED, detail).into_response();
    }
    let next = request.uri().path_and_query().map_or("/", |path| path.as_str());
    match super::links::query(&[("next", next)], &[]) {
        Ok(query) => super::session::see(&format!("/sign-in?{query}")),
        Err(failure) => failure.into_response(),
    }
}

/// The page to sign in on.
pub(super) fn sign_in(next: &str, error: &str, status: StatusCode) -> Response {
    let mut context = Context::new();
    context.insert("title", "Sign in");
    context.insert("version", env!("CARGO_PKG_VERSION"));
    context.insert("next", super::session::local(next));
    context.insert("error", error);
    let mut response = render("sign_in.html", &context);
    if response.status() == StatusCode::OK {
        response.set_status(status);
    }
    response
}

/// A failure as a page, for those who look at pages.
pub(super) fn problem(session: &Session, failure: Failure) -> Response {
    let answer = failure.into_response();
    let status = answer.status();
    let said = match status {
        StatusCode::NOT_FOUND => "There is nothing here that you may see.",
        StatusCode::FORBIDDEN => "Your role does not allow this.",
        StatusCode::SERVICE_UNAVAILABLE => "The database does not answer. Try again in a moment.",
        StatusCode::CONFLICT => "It has changed meanwhile. Reload the page.",
        _ => "This did not work.",
    };
    let mut context = Context::new();
    context.insert("status", &status.as_u16());
    context.insert("said", said);
    let mut page = page(session, "problem.html", "Problem", context);
    page.set_status(status);
    page
}
