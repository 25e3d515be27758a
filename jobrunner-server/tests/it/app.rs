use std::{
    collections::{BTreeSet, HashMap},
    path::Path,
    sync::{Arc, Mutex, Once},
};

use jobrunner_core::{
    Queue, Service, Store,
    batch::BatchFilter,
    config::{Notify, Settings},
    connect::{self, Backends},
    page::PageRequest,
    queue::Wakeup,
    testkit::{Fixture, Hand, servers::PrivatePostgres},
    user::Scope,
};
use reqwest::{Client, ClientBuilder, Method, RequestBuilder, Response};
use secrecy::SecretString;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::{net::TcpListener, task::JoinHandle};
use tokio_util::sync::CancellationToken;

use crate::description;

const ADMIN: &str = "admin@example.com";
const PASSWORD: &str = "correct horse battery";

/// Begins a client of HTTP. It wants the process to have chosen the cryptography of TLS.
pub(crate) fn http() -> ClientBuilder {
    static CHOSEN: Once = Once::new();
    CHOSEN.call_once(|| {
        // A server in this process may have chosen already.
        let chosen = rustls::crypto::ring::default_provider().install_default();
        assert!(chosen.is_ok() || rustls::crypto::CryptoProvider::get_default().is_some());
    });
    Client::builder()
}

/// A task that is killed when this is dropped, whatever it is doing.
pub(crate) struct AbortOnDrop(JoinHandle<()>);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// A server on a free port with a fresh store, and nobody to run jobs.
pub(crate) struct TestApp {
    pub(crate) url: String,
    pub(crate) http: Client,
    pub(crate) admin: String,
    /// Which operations have answered, and with what statuses.
    pub(crate) answered: Mutex<BTreeSet<(&'static str, u16)>>,
    store: Arc<dyn Store>,
    queue: Arc<dyn Queue>,
    service: Service,
    stop: CancellationToken,
    server: JoinHandle<std::io::Result<()>>,
    directory: TempDir,
}

impl TestApp {
    pub(crate) async fn start() -> Self {
        Self::with(&[]).await
    }

    /// With settings of its own.
    pub(crate) async fn with(settings: &[(&str, &str)]) -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        let settings: HashMap<&str, &str> = settings.iter().copied().collect();
        let lookup = |name: &str| settings.get(name).map(|value| (*value).into());
        let settings = Settings::from_vars(lookup).expect("settings");
        let embedded = connect::embedded(directory.path(), &settings).await.expect("a service");
        let backends = Backends { store: embedded.store, queue: embedded.queue };
        Self::serve(embedded.service, backends, directory).await
    }

    /// With a database of its own in Postgres.
    pub(crate) async fn on_postgres() -> Self {
        Self::over(PrivatePostgres::shared().create_database()).await
    }

    /// With this database in Postgres.
    pub(crate) async fn over(database: String) -> Self {
        let lookup = |name: &str| match name {
            "DATABASE_URL" => Some(database.as_str().into()),
            "JWT_SECRET_KEY" => Some("0123456789abcdef0123456789abcdef-tests".into()),
            "JOBRUNNER_ADMIN_PASSWORD" => Some(PASSWORD.into()),
            _ => None,
        };
        let settings = Settings::from_vars(lookup).expect("settings");
        connect::init_database(&settings).await.expect("a schema");
        let backends = connect::backends(&settings).await.expect("a database");
        let service = connect::service(&backends, &settings).await.expect("a service");
        Self::serve(service, backends, tempfile::tempdir().expect("a directory")).await
    }

    async fn serve(service: Service, backends: Backends, directory: TempDir) -> Self {
        let password = SecretString::from(PASSWORD);
        service.create_first_admin(ADMIN, password).await.expect("an answer");
        let Backends { store, queue } = backends;
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let stop = CancellationToken::new();
        let listeners = listener.try_into().expect("listeners");
        let server =
            tokio::spawn(jobrunner_server::serve(listeners, service.clone(), stop.clone()));
        let mut app = Self {
            url,
            http: http().build().expect("a client"),
            admin: String::new(),
            answered: Mutex::default(),
            store,
            queue,
            service,
            stop,
            server,
            directory,
        };
        app.admin = app.sign_in(ADMIN, PASSWORD).await;
        app
    }

    pub(crate) fn directory(&self) -> &Path {
        self.directory.path()
    }

    pub(crate) async fn sign_in(&self, email: &str, password: &str) -> String {
        let answer = self.try_sign_in(email, password).await;
        assert_eq!(answer.status(), 200);
        let body: Value = answer.json().await.expect("JSON");
        body["access_token"].as_str().expect("a token").to_owned()
    }

    pub(crate) async fn try_sign_in(&self, email: &str, password: &str) -> Response {
        let form = [("username", email), ("password", password)];
        let request = self.http.post(format!("{}/api/v1/auth/token", self.url)).form(&form);
        request.send().await.expect("an answer")
    }

    /// Makes an account and signs in.
    pub(crate) async fn account(&self, email: &str, role: &str) -> String {
        let new = json!({"email": email, "password": PASSWORD, "role": role});
        let made = self.request(Method::POST, "/users", &self.admin).json(&new).send().await;
        assert_eq!(made.expect("an answer").status(), 201);
        self.sign_in(email, PASSWORD).await
    }

    pub(crate) fn request(&self, method: Method, path: &str, token: &str) -> RequestBuilder {
        self.http.request(method, format!("{}/api/v1{path}", self.url)).bearer_auth(token)
    }

    /// Sends a request, holds the answer to the description, and reads it.
    pub(crate) async fn json(&self, request: RequestBuilder) -> (u16, Value) {
        let request = request.build().expect("a request");
        let method = request.method().to_string();
        let path = request.url().path().to_owned();
        let answer = self.http.execute(request).await.expect("an answer");
        let status = answer.status().as_u16();
        let content_type = answer.headers().get("content-type");
        let content_type = content_type.map(|it| it.to_str().expect("ASCII").to_owned());
        let body = answer.bytes().await.expect("a body");
        if let Some(path) = path.strip_prefix("/api/v1") {
            let head = (status, content_type.as_deref().unwrap_or_default());
            if let Some(operation) = description::check(&method, path, head, &body) {
                self.answered.lock().expect("no panic").insert((operation, status));
            }
        }
        (status, serde_json::from_slice(&body).unwrap_or(Value::Null))
    }

    /// The store itself, for what nobody can ask for.
    pub(crate) fn fixture(&self) -> Fixture {
        Fixture::new(Arc::clone(&self.store), ())
    }

    /// A worker that does what it is told.
    pub(crate) async fn hand(&self) -> Hand {
        self.fixture().hand().await
    }

    /// Says that anything may have changed, as workers do.
    pub(crate) async fn announce(&self) {
        let filter = BatchFilter::default();
        let page = self.store.batches(Scope::All, &filter, PageRequest::first(1));
        for batch in page.await.expect("a list").items {
            self.queue.announce(Wakeup::Changed { job: None, batch: Some(batch.id) }).await;
        }
    }

    /// Delivers notifications until the answer is dropped or the server stops.
    pub(crate) fn deliver(&self, settings: Notify) -> AbortOnDrop {
        let service = self.service.clone();
        let running = jobrunner_server::notify::run(service, settings, self.stop.clone());
        AbortOnDrop(tokio::spawn(running))
    }

    /// How many jobs are stored.
    pub(crate) async fn stored(&self) -> u64 {
        let request = self.request(Method::GET, "/jobs/stats", &self.admin);
        self.json(request).await.1["total"].as_u64().expect("a count")
    }

    /// Stops the server and waits for its end.
    pub(crate) async fn stop(self) {
        self.stop.cancel();
        self.server.await.expect("it ended").expect("it ended well");
    }
}
