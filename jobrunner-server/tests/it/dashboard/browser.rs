use reqwest::{Client, StatusCode, header::HeaderMap, redirect::Policy};

use crate::app::{TestApp, http};

/// As much of a browser as these tests need: it keeps the session's cookie and follows nothing.
pub(crate) struct Browser {
    url: String,
    http: Client,
    pub(crate) cookie: Option<String>,
    /// Sent with every request.
    pub(crate) headers: Vec<(&'static str, &'static str)>,
}

/// An answer.
pub(crate) struct Page {
    pub(crate) status: StatusCode,
    headers: HeaderMap,
    pub(crate) text: String,
}

impl Page {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// The cookies that it sets.
    pub(crate) fn cookies(&self) -> Vec<&str> {
        let set = self.headers.get_all("set-cookie").iter();
        set.filter_map(|cookie| cookie.to_str().ok()).collect()
    }

    pub(crate) fn location(&self) -> &str {
        self.header("location")
    }
}

impl Browser {
    pub(crate) fn new(app: &TestApp) -> Self {
        let http = http().redirect(Policy::none()).build().expect("a client");
        Self { url: app.url.clone(), http, cookie: None, headers: Vec::new() }
    }

    pub(crate) async fn signed_in(app: &TestApp) -> Self {
        let mut browser = Self::new(app);
        let answer = browser.sign_in("admin@example.com", "correct horse battery", "/").await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER);
        browser
    }

    pub(crate) async fn sign_in(&mut self, email: &str, password: &str, next: &str) -> Page {
        let form = [("email", email), ("password", password), ("next", next)];
        let page = self.post_with("/sign-in", &form, &[]).await;
        let set = page.headers.get_all("set-cookie").iter();
        let set = set.filter_map(|cookie| cookie.to_str().ok()?.split(';').next());
        let cookies: Vec<&str> = set.collect();
        if !cookies.is_empty() {
            self.cookie = Some(cookies.join("; "));
        }
        page
    }

    pub(crate) async fn get(&self, path: &str) -> Page {
        self.get_with(path, &[]).await
    }

    pub(crate) async fn get_with(&self, path: &str, headers: &[(&str, &str)]) -> Page {
        self.send(self.http.get(format!("{}{path}", self.url)), headers).await
    }

    /// Sends a form of a page of this session.
    pub(crate) async fn post(&self, path: &str, fields: &[(&str, &str)]) -> Page {
        let csrf = self.csrf().await;
        let fields = [fields, &[("csrf", csrf.as_str())]].concat();
        self.post_with(path, &fields, &[("origin", &self.url)]).await
    }

    pub(crate) async fn post_with(
        &self,
        path: &str,
        fields: &[(&str, &str)],
        headers: &[(&str, &str)],
    ) -> Page {
        self.send(self.http.post(format!("{}{path}", self.url)).form(fields), headers).await
    }

    /// The token that the session's forms carry.
    pub(crate) async fn csrf(&self) -> String {
        let page = self.get("/").await.text;
        let (_, token) = page.split_once("name=\"csrf\" value=\"").expect("a form");
        token.split('"').next().expect("a value").to_owned()
    }

    async fn send(&self, mut request: reqwest::RequestBuilder, headers: &[(&str, &str)]) -> Page {
        if let Some(cookie) = &self.cookie {
            request = request.header("cookie", cookie);
        }
        for (name, value) in self.headers.iter().copied().chain(headers.iter().copied()) {
            request = request.header(name, value);
        }
        let answer = request.send().await.expect("an answer");
        let (status, headers) = (answer.status(), answer.headers().clone());
        Page { status, headers, text: answer.text().await.expect("a body") }
    }
}
