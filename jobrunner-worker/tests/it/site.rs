use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use jobrunner_core::{
    Executor, JobId, JobSpec, NewJob, Principal, Queue, Role, SignInId, Status, Store,
    authz::Proof,
    batch::{Batch, NewBatch},
    config::Settings,
    connect::{Embedded, embedded, random_password},
    executor::{ProcessExecutor, ProcessSettings},
    job::{Attempt, Job, JobFilter},
    page::PageRequest,
    service::JobLogs,
    testkit::{self, wait_until},
};
use jobrunner_worker::{Worker, WorkerConfig};
use tempfile::TempDir;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// The time to live of leases here: longer than a busy machine may keep a worker from renewing.
const TTL: Duration = Duration::from_secs(20);

/// The time to live of leases that a test waits out.
pub(crate) const SHORT_TTL: Duration = Duration::from_secs(2);

/// How long a command may take to end when it is asked to, before it is killed.
pub(crate) const GRACE: Duration = Duration::from_secs(1);

/// An embedded installation without a worker, and a directory for the commands to run in.
pub(crate) struct Site {
    embedded: Embedded,
    caller: Principal,
    directory: TempDir,
}

impl Site {
    pub(crate) async fn new() -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        fs::create_dir(directory.path().join("work")).expect("a directory");
        let settings = Settings::from_vars(|_| None).expect("the default settings");
        let embedded = embedded(&directory.path().join("data"), &settings).await.expect("a store");
        let password = random_password().expect("a password");
        let admin = embedded.service.create_first_admin("admin@example.com", password).await;
        let admin = admin.expect("an answer").expect("an account");
        let caller = Principal {
            id: admin.id,
            email: admin.email,
            role: Role::Admin,
            token_version: 0,
            projects: jobrunner_core::project::Memberships::default(),
            within: None,
            by: Proof::SignIn(SignInId::new()),
        };
        Self { embedded, caller, directory }
    }

    pub(crate) fn store(&self) -> Arc<dyn Store> {
        Arc::clone(&self.embedded.store)
    }

    pub(crate) fn database(&self) -> PathBuf {
        self.directory.path().join("data/jobrunner.sqlite3")
    }

    /// Where commands run.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join("work").join(name)
    }

    /// The lines of a file that commands append to.
    pub(crate) fn lines(&self, name: &str) -> Vec<String> {
        let text = fs::read_to_string(self.path(name)).unwrap_or_default();
        text.lines().map(str::to_owned).collect()
    }

    /// A job that runs a script of the shell.
    pub(crate) fn script(&self, text: &str) -> JobSpec {
        let command = ["sh", "-c", text].map(str::to_owned).to_vec();
        let working_dir = self.path("").display().to_string();
        JobSpec { command, working_dir, ..testkit::spec("script") }
    }

    pub(crate) async fn submit(&self, spec: JobSpec) -> JobId {
        let submitted = self.embedded.service.submit_job(&self.caller, NewJob::from(spec), None);
        submitted.await.expect("an accepted job").id
    }

    pub(crate) async fn submit_batch(&self, specs: Vec<JobSpec>) -> Batch {
        let jobs: Vec<NewJob> = specs.into_iter().map(NewJob::from).collect();
        let batch = NewBatch { name: "batch".to_owned(), ..NewBatch::default() };
        let submitted =
            self.embedded.service.submit_batch(&self.caller, batch, Arc::new(jobs), None);
        submitted.await.expect("an accepted batch")
    }

    pub(crate) async fn cancel(&self, job: JobId) {
        self.embedded.service.cancel_job(&self.caller, job).await.expect("a canceled job");
    }

    pub(crate) async fn job(&self, id: JobId) -> Job {
        self.embedded.service.job(&self.caller, id).await.expect("the job")
    }

    pub(crate) async fn attempts(&self, id: JobId) -> Vec<Attempt> {
        self.embedded.service.attempts(&self.caller, id).await.expect("its attempts")
    }

    pub(crate) async fn logs(&self, id: JobId) -> JobLogs {
        self.embedded.service.logs(&self.caller, id, None).await.expect("its logs")
    }

    /// The members of a batch, in the order of their submission.
    pub(crate) async fn members(&self, batch: &Batch) -> Vec<Job> {
        let filter = JobFilter { batch: Some(batch.id), ..JobFilter::default() };
        let page = self.embedded.service.jobs(&self.caller, filter, PageRequest::first(1000)).await;
        page.expect("a list").items.into_iter().rev().collect()
    }

    /// Waits until a job stands so.
    pub(crate) async fn wait_for(&self, job: JobId, status: Status) -> Job {
        wait_until(&format!("the job to be {status}"), || async {
            Some(self.job(job).await).filter(|job| job.status == status)
        })
        .await
    }

    /// Waits until a job has ended.
    pub(crate) async fn wait_for_end(&self, job: JobId) -> Job {
        wait_until("the job to end", || async {
            Some(self.job(job).await).filter(|job| job.status.is_terminal())
        })
        .await
    }

    /// Waits until all jobs of a batch have ended.
    pub(crate) async fn wait_for_batch(&self, batch: &Batch) -> Batch {
        wait_until("the batch to end", || async {
            let batch = self.embedded.service.batch(&self.caller, batch.id).await;
            Some(batch.expect("the batch")).filter(|batch| batch.counts.all_ended())
        })
        .await
    }

    /// Waits until commands have written a file.
    pub(crate) async fn wait_for_file(&self, name: &str) {
        wait_until(name, || async { self.path(name).exists().then_some(()) }).await;
    }

    pub(crate) fn touch(&self, name: &str) {
        fs::write(self.path(name), "").expect("a file");
    }

    /// Starts a worker of so many slots.
    pub(crate) fn start(&self, slots: u32) -> Running {
        self.start_with(config_with(|config| config.slots = slots), executor())
    }

    pub(crate) fn start_with(&self, config: WorkerConfig, executor: Arc<dyn Executor>) -> Running {
        self.start_over(self.store(), Arc::clone(&self.embedded.queue), executor, config)
    }

    /// Starts a worker that sees another store and queue than the service does.
    pub(crate) fn start_over(
        &self,
        store: Arc<dyn Store>,
        queue: Arc<dyn Queue>,
        executor: Arc<dyn Executor>,
        config: WorkerConfig,
    ) -> Running {
        let worker = Worker::new(store, queue, executor, config);
        let shutdown = CancellationToken::new();
        Running { task: tokio::spawn(worker.run(shutdown.clone())), shutdown }
    }
}

pub(crate) fn config() -> WorkerConfig {
    let mut config = WorkerConfig::default();
    (config.slots, config.lease_ttl) = (4, TTL);
    config
}

/// The usual one with a change.
pub(crate) fn config_with(change: impl FnOnce(&mut WorkerConfig)) -> WorkerConfig {
    let mut config = config();
    change(&mut config);
    config
}

pub(crate) fn executor() -> Arc<dyn Executor> {
    let mut settings = ProcessSettings::default();
    settings.grace = GRACE;
    Arc::new(ProcessExecutor::new(settings))
}

/// A worker at work.
pub(crate) struct Running {
    task: JoinHandle<jobrunner_core::Result<()>>,
    shutdown: CancellationToken,
}

impl Running {
    /// Asks it to stop and waits until it has.
    pub(crate) async fn stop(self) {
        self.shutdown.cancel();
        self.task.await.expect("no panic").expect("a clean end");
    }

    /// Asks it to stop.
    pub(crate) fn ask_to_stop(&self) {
        self.shutdown.cancel();
    }

    /// Makes it vanish without a word.
    pub(crate) async fn vanish(self) {
        self.task.abort();
        let ended = self.task.await.expect_err("it was aborted");
        assert!(ended.is_cancelled());
    }
}

/// The processes that a job's command started, wherever they are in the tree.
pub(crate) fn alive(job: JobId) -> Vec<i32> {
    let mark = format!("JOBRUNNER_JOB_ID={job}");
    let entries = fs::read_dir("/proc").expect("the process table");
    let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let of_job = |pid: &i32| {
        let environ = fs::read(Path::new("/proc").join(pid.to_string()).join("environ"));
        environ.is_ok_and(|environ| environ.split(|b| *b == 0).any(|v| v == mark.as_bytes()))
    };
    names.filter_map(|name| name.parse().ok()).filter(of_job).collect()
}

/// Waits until no process of a job is left.
pub(crate) async fn wait_until_dead(job: JobId) {
    wait_until("the processes to be gone", || async { alive(job).is_empty().then_some(()) }).await;
}
