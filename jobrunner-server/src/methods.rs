//! Which methods a URL has: `OPTIONS` and refusals of the others name them (RFC 9110, 9.3.7 and
//! 15.5.6).

use std::collections::{BTreeMap, BTreeSet};

use crate::api::problem::Failure;
use poem::{
    Endpoint, IntoEndpoint, IntoResponse, Request, Response, Result, RouteMethod,
    error::MethodNotAllowedError,
    http::{HeaderValue, Method, StatusCode, header},
};

/// The methods of one URL.
#[derive(Default)]
pub(crate) struct Methods {
    route: RouteMethod,
    allowed: Allowed,
}

/// A URL that can be got.
pub(crate) fn get<E: IntoEndpoint<Endpoint: 'static>>(endpoint: E) -> Methods {
    let mut allowed = Allowed::default();
    allowed.add("GET");
    Methods { route: RouteMethod::new().get(endpoint), allowed }
}

/// A URL that forms are sent to.
pub(crate) fn post<E: IntoEndpoint<Endpoint: 'static>>(endpoint: E) -> Methods {
    Methods::default().post(endpoint)
}

impl Methods {
    /// Forms are sent to it, too.
    pub(crate) fn post<E: IntoEndpoint<Endpoint: 'static>>(mut self, endpoint: E) -> Self {
        self.allowed.add("POST");
        self.route = self.route.post(endpoint);
        self
    }
}

impl Endpoint for Methods {
    type Output = Response;

    async fn call(&self, request: Request) -> Result<Response> {
        self.allowed.call(&self.route, request).await
    }
}

/// The URLs of the API, whose methods are those of its operations.
pub(crate) struct Described<E> {
    api: E,
    paths: Vec<Template>,
}

/// A path with parameters, as `/jobs/{id}`.
struct Template {
    segments: Vec<String>,
    allowed: Allowed,
}

impl<E> Described<E> {
    /// An API with these operations, each a path and a method.
    pub(crate) fn new(api: E, operations: impl IntoIterator<Item = (String, Method)>) -> Self {
        let mut paths: BTreeMap<String, Allowed> = BTreeMap::new();
        for (path, method) in operations {
            paths.entry(path).or_default().add(method.as_str());
        }
        let paths = paths.into_iter().map(|(path, allowed)| Template {
            segments: segments(&path).map(str::to_owned).collect(),
            allowed,
        });
        Self { api, paths: paths.collect() }
    }

    /// The methods of a path, if it is one of the API's. A name goes before a parameter.
    fn allowed(&self, path: &str) -> Option<&Allowed> {
        let fitting =
            self.paths.iter().filter_map(|template| Some((template.fits(path)?, template)));
        fitting.max_by_key(|(names, _)| *names).map(|(_, template)| &template.allowed)
    }
}

impl Template {
    /// How many of its segments are names, if a path is of this form.
    fn fits(&self, path: &str) -> Option<usize> {
        let (mut names, mut rest) = (0, segments(path));
        for segment in &self.segments {
            let given = rest.next()?;
            match segment.starts_with('{') {
                true if given.is_empty() => return None,
                true => {}
                false if segment == given => names += 1,
                false => return None,
            }
        }
        rest.next().is_none().then_some(names)
    }
}

fn segments(path: &str) -> impl Iterator<Item = &str> {
    path.trim_start_matches('/').split('/')
}

impl<E: Endpoint> Endpoint for Described<E> {
    type Output = Response;

    async fn call(&self, request: Request) -> Result<Response> {
        match self.allowed(request.uri().path()) {
            Some(allowed) => allowed.call(&self.api, request).await,
            None => self.api.call(request).await.map(IntoResponse::into_response),
        }
    }
}

/// Names of methods.
#[derive(Default)]
struct Allowed(BTreeSet<String>);

impl Allowed {
    fn add(&mut self, method: &str) {
        if method == "GET" {
            self.0.insert("HEAD".to_owned());
        }
        self.0.extend(["OPTIONS".to_owned(), method.to_owned()]);
    }

    async fn call<E: Endpoint>(&self, endpoint: &E, request: Request) -> Result<Response> {
        if request.method() == Method::OPTIONS {
            return Ok(self.named_in(StatusCode::NO_CONTENT.into_response()));
        }
        let answer = endpoint.call(request).await.map(IntoResponse::into_response);
        answer.map_err(|error| {
            if !error.is::<MethodNotAllowedError>() {
                return error;
            }
            let detail = format!("this URL has the methods {}; see /docs", self.words());
            let failure = Failure::new(StatusCode::METHOD_NOT_ALLOWED, detail);
            poem::Error::from_response(self.named_in(failure.into_response()))
        })
    }

    fn named_in(&self, mut response: Response) -> Response {
        // Names of methods are always good for a header.
        if let Ok(words) = HeaderValue::try_from(self.words()) {
            response.headers_mut().insert(header::ALLOW, words);
        }
        response
    }

    fn words(&self) -> String {
        self.0.iter().map(String::as_str).collect::<Vec<_>>().join(", ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_has_the_methods_of_its_operations() {
        let operations = [
            ("/jobs", Method::GET),
            ("/jobs/{id}", Method::GET),
            ("/jobs/stats", Method::GET),
            ("/jobs/{id}/cancel", Method::POST),
            ("/jobs", Method::POST),
            ("/jobs/{id}", Method::DELETE),
        ];
        let operations = operations.map(|(path, method)| (path.to_owned(), method));
        let api = Described::new((), operations);
        for (path, methods) in [
            ("/jobs", Some("GET, HEAD, OPTIONS, POST")),
            ("/jobs/1", Some("DELETE, GET, HEAD, OPTIONS")),
            ("/jobs/stats", Some("GET, HEAD, OPTIONS")),
            ("/jobs/1/cancel", Some("OPTIONS, POST")),
            ("/jobs/", None),
            ("/jobs/1/cancel/2", None),
            ("/", None),
        ] {
            assert_eq!(api.allowed(path).map(Allowed::words).as_deref(), methods, "{path}");
        }
    }
}
