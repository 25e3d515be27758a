//! Known issues: a list with a form for another, which links from failures fill in, and one of them
//! to be changed.

use chrono::{NaiveDate, NaiveTime, TimeDelta, Utc};
use jobrunner_core::{
    Error, KnownIssueId, Result, Service, Violation,
    known_issue::{Effect, KnownIssue, KnownIssueUpdate, NewKnownIssue, USUAL_TERM, pattern_of},
    page::PageRequest,
    series::Variant,
};
use poem::{
    Response, handler,
    http::StatusCode,
    web::{Data, Path, Query},
};
use serde::{Deserialize, Serialize};
use tera::Context;
use uuid::Uuid;

use super::{
    links::{self, Paging},
    page,
    session::{Form, Session, see},
    show::Moment,
};
use crate::api::problem::Failure;

/// How many are on a page.
const SHOWN: u32 = 100;

#[derive(Serialize)]
struct ShownIssue {
    id: String,
    title: String,
    project: Option<String>,
    series: Option<String>,
    test: String,
    variant: String,
    pattern: Option<String>,
    effect: &'static str,
    ticket: Option<String>,
    /// Whether the ticket is where somebody can go.
    is_link: bool,
    expires: Moment,
    is_over: bool,
}

impl From<KnownIssue> for ShownIssue {
    fn from(issue: KnownIssue) -> Self {
        let is_link = |ticket: &String| {
            url::Url::parse(ticket).is_ok_and(|url| matches!(url.scheme(), "http" | "https"))
        };
        Self {
            id: issue.id.to_string(),
            title: issue.title,
            project: issue.project.map(Into::into),
            series: issue.series,
            test: issue.test,
            variant: joined(&issue.variant),
            pattern: issue.pattern,
            effect: issue.effect.as_str(),
            is_link: issue.ticket.as_ref().is_some_and(is_link),
            ticket: issue.ticket,
            is_over: issue.expires_at <= Utc::now(),
            expires: issue.expires_at.into(),
        }
    }
}

/// A variant as people write it: `os=linux, compiler=gcc`.
fn joined(variant: &Variant) -> String {
    let pairs: Vec<String> = variant.iter().map(|(key, value)| format!("{key}={value}")).collect();
    pairs.join(", ")
}

fn parted(text: &str) -> Result<Variant, Violation> {
    let pairs = text.split(',').map(str::trim).filter(|pair| !pair.is_empty());
    let pair = |pair: &str| {
        let pair = pair.split_once('=').map(|(key, value)| (key.to_owned(), value.to_owned()));
        pair.ok_or_else(|| Violation::new("variant", "must be as in os=linux, compiler=gcc"))
    };
    pairs.map(pair).collect()
}

/// The fields of the form; what is empty is not said.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Fields {
    title: String,
    project: String,
    series: String,
    test: String,
    variant: String,
    pattern: String,
    effect: String,
    ticket: String,
    /// The last day that it holds.
    until: String,
}

fn said(text: &str) -> Option<String> {
    Some(text.trim().to_owned()).filter(|text| !text.is_empty())
}

fn effect(text: &str) -> Result<Effect, Violation> {
    let wrong =
        |unknown: jobrunner_core::UnknownWord| Violation::new("effect", unknown.to_string());
    said(text).map_or(Ok(Effect::Mute), |text| text.parse().map_err(wrong))
}

/// The end of a day, or nothing.
fn end_of(day: &str) -> Result<Option<chrono::DateTime<Utc>>, Violation> {
    let Some(day) = said(day) else { return Ok(None) };
    let wrong = |_| Violation::new("expires_at", "must be a day, as 2026-12-24");
    let day: NaiveDate = day.parse().map_err(wrong)?;
    Ok(Some(day.and_time(NaiveTime::MIN).and_utc() + TimeDelta::days(1)))
}

impl TryFrom<&Fields> for NewKnownIssue {
    type Error = Violation;

    fn try_from(form: &Fields) -> Result<Self, Violation> {
        Ok(Self {
            title: form.title.clone(),
            project: said(&form.project).map(|name| name.parse()).transpose()?,
            series: said(&form.series),
            test: form.test.clone(),
            variant: parted(&form.variant)?,
            pattern: said(&form.pattern),
            effect: effect(&form.effect)?,
            ticket: said(&form.ticket),
            owner_id: None,
            expires_at: end_of(&form.until)?,
        })
    }
}

impl From<&KnownIssue> for Fields {
    fn from(issue: &KnownIssue) -> Self {
        let last = issue.expires_at - TimeDelta::milliseconds(1);
        Self {
            title: issue.title.clone(),
            project: issue.project.as_ref().map(ToString::to_string).unwrap_or_default(),
            series: issue.series.clone().unwrap_or_default(),
            test: issue.test.clone(),
            variant: joined(&issue.variant),
            pattern: issue.pattern.clone().unwrap_or_default(),
            effect: issue.effect.as_str().to_owned(),
            ticket: issue.ticket.clone().unwrap_or_default(),
            until: last.date_naive().to_string(),
        }
    }
}

/// What a failure is muted by: the query of the page with the form filled in.
#[derive(Default)]
pub(super) struct Mute<'a> {
    pub(super) title: &'a str,
    pub(super) project: Option<&'a str>,
    pub(super) series: Option<&'a str>,
    /// Nothing is any test.
    pub(super) test: Option<&'a str>,
    pub(super) variant: Option<&'a Variant>,
    pub(super) line: Option<&'a str>,
}

impl Mute<'_> {
    pub(super) fn query(&self) -> Result<String, Failure> {
        let pattern = self.line.map(pattern_of).unwrap_or_default();
        let variant = self.variant.map(joined).unwrap_or_default();
        // A glob has no way to say that an asterisk is one: such a test is found by it, too.
        let test = self.test.unwrap_or("*");
        let title: String = self.title.chars().take(60).collect();
        let fields = [
            ("title", title.as_str()),
            ("project", self.project.unwrap_or_default()),
            ("series", self.series.unwrap_or_default()),
            ("test", test),
            ("variant", &variant),
            ("pattern", &pattern),
        ];
        links::query(&fields, &[])
    }
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct Wanted {
    cursor: Option<String>,
    #[serde(flatten)]
    fields: Fields,
}

/// The known issues, and the form for another.
#[handler]
pub(super) async fn list(
    Data(service): Data<&Service>,
    session: Session,
    Query(wanted): Query<Wanted>,
) -> Response {
    show_all(service, &session, wanted, None).await
}

async fn show_all(
    service: &Service,
    session: &Session,
    wanted: Wanted,
    error: Option<&Error>,
) -> Response {
    match all(service, session, wanted).await {
        Ok(context) => answered(session, "known_issues.html", "Known issues", context, error),
        Err(failure) => page::problem(session, failure),
    }
}

async fn all(service: &Service, session: &Session, wanted: Wanted) -> Result<Context, Failure> {
    let Wanted { cursor, fields } = wanted;
    let project = super::projects::wanted(&fields.project)?;
    let page = PageRequest::parse(Some(SHOWN), cursor.as_deref())?;
    let of = (None, project.as_ref());
    let found = service.known_issues(&session.caller, of, page).await?;
    let filters = [("project", fields.project.as_str())];
    let paging = Paging::new(&filters, cursor.as_ref(), found.next_cursor.as_ref())?;
    let mut context = Context::new();
    let shown: Vec<ShownIssue> = found.items.into_iter().map(Into::into).collect();
    context.insert("shown", &shown);
    context.insert("paging", &paging);
    context.insert("project", &fields.project);
    let until = match fields.until.as_str() {
        "" => (Utc::now() + USUAL_TERM).date_naive().to_string(),
        until => until.to_owned(),
    };
    context.insert("form", &Fields { until, ..fields });
    context.insert("effects", &Effect::ALL.map(Effect::as_str));
    Ok(context)
}

fn answered(
    session: &Session,
    template: &str,
    title: &str,
    mut context: Context,
    error: Option<&Error>,
) -> Response {
    context.insert("error", &error.map(ToString::to_string));
    let mut page = page::page(session, template, title, context);
    if error.is_some() {
        page.set_status(StatusCode::UNPROCESSABLE_ENTITY);
    }
    page
}

/// Makes one.
#[handler]
pub(super) async fn create(Data(service): Data<&Service>, form: Form<Fields>) -> Response {
    let Form { session, fields } = form;
    let made = async {
        let new = NewKnownIssue::try_from(&fields)?;
        service.create_known_issue(&session.caller, new).await
    };
    match made.await {
        Ok(issue) => see(&format!("/known-issues/{}?done=made", issue.id)),
        Err(error @ (Error::Invalid(_) | Error::Conflict(_))) => {
            let wanted = Wanted { cursor: None, fields };
            show_all(service, &session, wanted, Some(&error)).await
        }
        Err(error) => page::problem(&session, error.into()),
    }
}

/// One of them, to be changed.
#[handler]
pub(super) async fn show(
    Data(service): Data<&Service>,
    session: Session,
    Path(id): Path<Uuid>,
) -> Response {
    show_one(service, &session, id.into(), None, None).await
}

async fn show_one(
    service: &Service,
    session: &Session,
    id: KnownIssueId,
    fields: Option<Fields>,
    error: Option<&Error>,
) -> Response {
    let issue = match service.known_issue(&session.caller, id).await {
        Ok(issue) => issue,
        Err(error) => return page::problem(session, error.into()),
    };
    let mut context = Context::new();
    context.insert("form", &fields.unwrap_or_else(|| Fields::from(&issue)));
    context.insert("effects", &Effect::ALL.map(Effect::as_str));
    let title = issue.title.clone();
    context.insert("of", &ShownIssue::from(issue));
    answered(session, "known_issue.html", &title, context, error)
}

/// Changes one.
#[handler]
pub(super) async fn update(
    Data(service): Data<&Service>,
    Path(id): Path<Uuid>,
    form: Form<Fields>,
) -> Response {
    let Form { session, fields } = form;
    let id = KnownIssueId::from(id);
    let changed = async {
        let new = NewKnownIssue::try_from(&fields)?;
        let before = Fields::from(&service.known_issue(&session.caller, id).await?);
        // The day is shown, not the moment: only another day moves it.
        let expires_at = new.expires_at.filter(|_| fields.until != before.until);
        let update = KnownIssueUpdate {
            title: Some(new.title),
            series: Some(new.series),
            test: Some(new.test),
            variant: Some(new.variant),
            pattern: Some(new.pattern),
            effect: Some(new.effect),
            ticket: Some(new.ticket),
            owner_id: None,
            expires_at,
        };
        service.update_known_issue(&session.caller, id, update).await
    };
    match changed.await {
        Ok(_) => see("/known-issues"),
        Err(error @ (Error::Invalid(_) | Error::Conflict(_))) => {
            show_one(service, &session, id, Some(fields), Some(&error)).await
        }
        Err(error) => page::problem(&session, error.into()),
    }
}

#[derive(Deserialize)]
pub(super) struct Delete {}

/// Ends one.
#[handler]
pub(super) async fn delete(
    Data(service): Data<&Service>,
    Path(id): Path<Uuid>,
    form: Form<Delete>,
) -> Response {
    let Delete {} = form.fields;
    match service.delete_known_issue(&form.session.caller, KnownIssueId::from(id)).await {
        Ok(()) => see("/known-issues"),
        Err(error) => page::problem(&form.session, error.into()),
    }
}
