//! The map of URLs.

use std::sync::LazyLock;

use jobrunner_core::Service;
use poem::{
    Endpoint, EndpointExt, IntoEndpoint, Response, Route, handler, middleware::CookieJarManager,
};
use poem_openapi::{LicenseObject, OpenApi, OpenApiService};
use tokio_util::sync::CancellationToken;

use crate::{
    api::{
        audit::AuditApi, auth::AuthApi, batches::BatchesApi, document, follow::FollowApi,
        health::HealthApi, history::HistoryApi, jobs::JobsApi, known_issues::KnownIssuesApi,
        logs::LogsApi, notifications::NotificationsApi, projects::ProjectsApi, queues::QueuesApi,
        results::ResultsApi, tokens::TokensApi, users::UsersApi, verdicts::VerdictsApi,
        workers::WorkersApi,
    },
    assets, dashboard, errors,
    methods::{Described, get},
    parameters, trace,
};

type Apis = (
    AuthApi,
    UsersApi,
    TokensApi,
    NotificationsApi,
    ProjectsApi,
    JobsApi,
    FollowApi,
    LogsApi,
    BatchesApi,
    // A tuple of them has sixteen at most.
    (ResultsApi, VerdictsApi, KnownIssuesApi, HistoryApi),
    WorkersApi,
    QueuesApi,
    AuditApi,
    HealthApi,
);

pub(crate) fn routes(service: Service, stop: CancellationToken) -> impl Endpoint {
    dashboard::routes(Route::new())
        .at("/docs", get(assets::docs))
        .at("/assets/*path", get(assets::asset))
        .at("/api/v1/openapi.json", get(openapi_json))
        .nest("/api/v1", api())
        .around(parameters::check)
        .data(service)
        .data(stop)
        .with(CookieJarManager::new())
        .catch_all_error(errors::problem)
        .around(errors::catch_panics)
        .around(trace::trace)
}

fn api() -> impl Endpoint {
    // Not from the description: that takes megabytes to make, which few processes ever need.
    let paths = <Apis as OpenApi>::meta().into_iter().flat_map(|api| api.paths);
    let operations = paths.flat_map(|path| {
        let methods = path.operations.into_iter().map(|operation| operation.method);
        methods.map(move |method| (path.path.clone(), method)).collect::<Vec<_>>()
    });
    Described::new(described().into_endpoint(), operations)
}

/// The description as it is served: indented, so that changes to the committed copy can be read.
pub(crate) fn description() -> &'static str {
    static DESCRIPTION: LazyLock<String> =
        LazyLock::new(|| format!("{:#}\n", document::complete(&described().spec())));
    &DESCRIPTION
}

#[handler]
fn openapi_json() -> Response {
    Response::builder().content_type("application/json").body(description())
}

fn described() -> OpenApiService<Apis, ()> {
    let apis = (
        AuthApi,
        UsersApi,
        TokensApi,
        NotificationsApi,
        ProjectsApi,
        JobsApi,
        FollowApi,
        LogsApi,
        BatchesApi,
        (ResultsApi, VerdictsApi, KnownIssuesApi, HistoryApi),
        WorkersApi,
        QueuesApi,
        AuditApi,
        HealthApi,
    );
    OpenApiService::new(apis, "JobRunner", env!("CARGO_PKG_VERSION"))
        .description(include_str!("api/description.md"))
        .license(LicenseObject::new(env!("CARGO_PKG_LICENSE")).url(env!("CARGO_PKG_REPOSITORY")))
        .server("/api/v1")
}
