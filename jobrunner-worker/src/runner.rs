#[cfg(feature = "sqlite")]
use std::path::PathBuf;
use std::{sync::Arc, time::Duration};

use futures_util::StreamExt;
#[cfg(feature = "sqlite")]
use jobrunner_core::connect::Embedded;
use jobrunner_core::{
    Batch, BatchId, Error, Executor, Job, JobId, NewBatch, NewJob, Principal, Result, Service,
    config::Settings,
    connect::{self, Backends},
    executor::{ProcessExecutor, ProcessSettings},
    service::JobSource,
};
use tokio::{task::JoinHandle, time::timeout};
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::{Worker, WorkerConfig};

/// How long an announcement is waited for before something is looked at again without one.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// JobRunner inside a program of your own: a service, and a worker that runs what is submitted to
/// it.
///
/// The [crate] begins with ten lines of it.
///
/// It acts for one account, the first admin, which it makes if there is none. Dropping it drains
/// the worker in the background; [`stop`](Self::stop) waits for that.
pub struct Runner {
    service: Service,
    caller: Principal,
    stop: DropGuard,
    worker: JoinHandle<Result<()>>,
    /// The lock of the directory.
    #[cfg(feature = "sqlite")]
    _embedded: Option<Embedded>,
}

/// What a [`Runner`] is made of. Every setting has its default until it is given.
pub struct Builder {
    place: Place,
    settings: Settings,
    config: Option<WorkerConfig>,
    slots: Option<u32>,
    executor: Option<Arc<dyn Executor>>,
}

enum Place {
    #[cfg(feature = "sqlite")]
    Directory(PathBuf),
    Backends(Backends),
}

impl Runner {
    /// A runner with a store of its own in a directory, which is made if need be and which no other
    /// process can use at the same time.
    #[cfg(feature = "sqlite")]
    #[must_use]
    pub fn embedded(directory: impl Into<PathBuf>) -> Builder {
        Builder::new(Place::Directory(directory.into()))
    }

    /// A runner over backends that others may share. Its settings need a `jwt_secret`, as those of
    /// a server do.
    #[must_use]
    pub fn over(backends: Backends) -> Builder {
        Builder::new(Place::Backends(backends))
    }

    /// What the runner's service can do besides.
    #[must_use]
    pub const fn service(&self) -> &Service {
        &self.service
    }

    /// Whom the runner acts for.
    #[must_use]
    pub const fn caller(&self) -> &Principal {
        &self.caller
    }

    /// Submits one job.
    ///
    /// # Errors
    /// As [`Service::submit_job`].
    pub async fn submit_job(&self, job: NewJob) -> Result<Job> {
        self.service.submit_job(&self.caller, job, None).await
    }

    /// Submits a batch: all of its jobs or none.
    ///
    /// # Errors
    /// As [`Service::submit_batch`].
    pub async fn submit_batch(&self, name: &str, jobs: impl JobSource) -> Result<Batch> {
        let batch = NewBatch { name: name.to_owned(), ..NewBatch::default() };
        self.service.submit_batch(&self.caller, batch, Arc::new(jobs), None).await
    }

    /// Waits until a batch has ended.
    ///
    /// **Cancel safety**: waiting changes nothing.
    ///
    /// # Errors
    /// [`NotFound`](Error::NotFound); what the store says.
    pub async fn wait(&self, batch: BatchId) -> Result<Batch> {
        let look = async || self.service.batch(&self.caller, batch).await;
        self.until(look, |batch| batch.status.is_terminal()).await
    }

    /// Waits until a job has ended.
    ///
    /// **Cancel safety**: waiting changes nothing.
    ///
    /// # Errors
    /// [`NotFound`](Error::NotFound); what the store says.
    pub async fn wait_for_job(&self, job: JobId) -> Result<Job> {
        let look = async || self.service.job(&self.caller, job).await;
        self.until(look, |job| job.status.is_terminal()).await
    }

    async fn until<T>(
        &self,
        look: impl AsyncFn() -> Result<T>,
        has_ended: impl Fn(&T) -> bool,
    ) -> Result<T> {
        // Asked for first, lest the last change comes between a look and the wait for it.
        let mut changes = self.service.changes();
        loop {
            let now = look().await?;
            if has_ended(&now) {
                return Ok(now);
            }
            // An announcement can be lost; then the next look tells.
            if let Ok(None) = timeout(LOOK_AGAIN, changes.next()).await {
                changes = self.service.changes();
            }
        }
    }

    /// Lets what runs come to its end, for as long as [`WorkerConfig::drain`] allows, and stops.
    /// What waits stays in the store.
    ///
    /// # Errors
    /// The worker has failed.
    pub async fn stop(self) -> Result<()> {
        drop(self.stop);
        self.worker.await.map_err(|error| Error::internal("the worker of a runner", error))?
    }
}

impl Builder {
    fn new(place: Place) -> Self {
        let settings = Settings::default();
        Self { place, settings, config: None, slots: None, executor: None }
    }

    /// Runs so many jobs at one time; as many as there are processors by default.
    #[must_use]
    pub const fn slots(mut self, slots: u32) -> Self {
        self.slots = Some(slots);
        self
    }

    /// With these settings, those of the worker included unless it gets its own.
    #[must_use]
    pub fn settings(mut self, settings: Settings) -> Self {
        self.settings = settings;
        self
    }

    /// With a worker that works like this.
    #[must_use]
    pub fn worker(mut self, config: WorkerConfig) -> Self {
        self.config = Some(config);
        self
    }

    /// With another executor than one that runs commands as processes of this machine.
    #[must_use]
    pub fn executor(mut self, executor: impl Executor + 'static) -> Self {
        self.executor = Some(Arc::new(executor));
        self
    }

    /// Opens the store and starts the worker.
    ///
    /// # Errors
    /// The store cannot be opened, or the settings cannot be used.
    pub async fn start(self) -> Result<Runner> {
        let Self { place, settings, config, slots, executor } = self;
        let mut config = config.unwrap_or_else(|| WorkerConfig::of(&settings));
        config.slots = slots.unwrap_or(config.slots);
        let executor = executor.unwrap_or_else(|| processes(&settings));
        let opened = place.open(&settings).await?;
        let Opened { service, backends, .. } = &opened;
        connect::first_admin(service, &settings).await?;
        let caller = service.local_admin().await?.ok_or(Error::NotFound("admin account"))?;
        let Backends { store, queue } = backends.clone();
        let stop = CancellationToken::new();
        let worker = Worker::new(store, queue, executor, config).run(stop.clone());
        Ok(Runner {
            service: service.clone(),
            caller,
            stop: stop.drop_guard(),
            worker: tokio::spawn(worker),
            #[cfg(feature = "sqlite")]
            _embedded: opened.embedded,
        })
    }
}

struct Opened {
    service: Service,
    backends: Backends,
    #[cfg(feature = "sqlite")]
    embedded: Option<Embedded>,
}

impl Place {
    async fn open(self, settings: &Settings) -> Result<Opened> {
        match self {
            #[cfg(feature = "sqlite")]
            Self::Directory(directory) => {
                let embedded = connect::embedded(&directory, settings).await?;
                let (store, queue) = (Arc::clone(&embedded.store), Arc::clone(&embedded.queue));
                let service = embedded.service.clone();
                let backends = Backends { store, queue };
                Ok(Opened { service, backends, embedded: Some(embedded) })
            }
            Self::Backends(backends) => Ok(Opened {
                service: connect::service(&backends, settings).await?,
                backends,
                #[cfg(feature = "sqlite")]
                embedded: None,
            }),
        }
    }
}

/// Commands as processes of this machine. Their orphans are not followed: the program may have
/// children of its own.
fn processes(settings: &Settings) -> Arc<dyn Executor> {
    let mut processes = ProcessSettings::default();
    processes.grace = settings.kill_grace;
    processes.allowed_roots = settings.allowed_workdirs.clone();
    processes.loading_variables = settings.loading_variables.clone();
    Arc::new(ProcessExecutor::new(processes))
}
