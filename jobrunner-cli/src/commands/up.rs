use std::{path::PathBuf, sync::Arc};

use etcetera::BaseStrategy;
use jobrunner_core::{
    Principal, Service,
    config::{Listen, Settings},
    daemon::{self, Trouble, Variables},
    executor::Reaper,
    rescue,
};
use jobrunner_worker::{default_slots, is_restarted};

use crate::{
    args::Up,
    engine,
    exit::{Context, Exit, Failure},
    suite,
};

const DEMO: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/demo.yaml"));

/// Starts everything in this process, until it is told to stop.
pub(crate) async fn up(args: Up, reaper: Reaper) -> Result<Exit, Failure> {
    let variables = Variables::of_service()?;
    variables.start_log("warn")?;
    let settings = variables.settings()?;
    daemon::keep_to_itself().context(Trouble::Os, || "cannot protect this process".to_owned())?;
    daemon::set_umask(settings.umask);
    let directory = match args.data_dir {
        Some(directory) => directory,
        None => default_directory()?,
    };
    if settings.database_url.is_some() {
        daemon::say(
            "'up' has a database of its own and does not use DATABASE_URL; see 'jobrunner api'",
        );
    }
    let listen = args.listen.unwrap_or_else(|| settings.listen.clone());
    let listeners = jobrunner_server::listen(&listen).await;
    let listeners = listeners.map_err(|error| Failure::new(Trouble::Os, daemon::chain(&error)))?;
    let address = listen.with_port(listeners.port());

    let embedded = engine::open(&directory, &settings).await?;
    let admin = engine::admin(&embedded, &settings).await?;
    let stop = daemon::stop_on_signals()
        .context(Trouble::Os, || "cannot listen for signals".to_owned())?;
    let slots = args.workers.unwrap_or_else(default_slots);
    let worker = (slots > 0)
        .then(|| engine::start_worker(&embedded, &settings, reaper, slots, stop.clone()));
    let server =
        tokio::spawn(jobrunner_server::serve(listeners, embedded.service.clone(), stop.clone()));
    let notify = jobrunner_server::notify::run(
        embedded.service.clone(),
        settings.notify.clone(),
        stop.clone(),
    );
    let notify = tokio::spawn(notify);
    let (store, keep, done) = (embedded.store.clone(), settings.keep_results, stop.clone());
    let forget =
        tokio::spawn(async move { rescue::forget_results(store.as_ref(), keep, &done).await });

    announce(&address, &directory, slots);
    explain_sign_in(&settings, &admin);
    if args.demo && !is_restarted() {
        submit_demo(&embedded.service, &admin.principal, &address).await?;
    }
    let served = server.await.context(Trouble::Software, || "the server ended".to_owned())?;
    // A server that cannot go on takes the worker with it.
    stop.cancel();
    if let Some(worker) = worker {
        daemon::say(&format!("waiting for running jobs, {} s at most", settings.drain.as_secs()));
        worker.await.context(Trouble::Software, || "the worker ended".to_owned())??;
    }
    notify.await.context(Trouble::Software, || "what delivers notifications ended".to_owned())?;
    forget.await.context(Trouble::Software, || "what forgets old results ended".to_owned())?;
    served.context(Trouble::Software, || "the server ended".to_owned())?;
    Ok(Exit::Success)
}

fn default_directory() -> Result<PathBuf, Failure> {
    let base = etcetera::choose_base_strategy()
        .context(Trouble::Os, || "cannot tell your home directory; name a --data-dir".to_owned())?;
    Ok(base.data_dir().join("jobrunner"))
}

fn announce(address: &Listen, directory: &std::path::Path, slots: u32) {
    daemon::say(&format!("JobRunner {} is up", env!("CARGO_PKG_VERSION")));
    daemon::say(&format!("  page      http://{address}/"));
    daemon::say(&format!("  API       http://{address}/api/v1  (try it: http://{address}/docs)"));
    daemon::say(&format!("  data      {}", directory.display()));
    match slots {
        0 => daemon::say("  worker    none: jobs wait"),
        _ => daemon::say(&format!("  worker    {slots} jobs at one time")),
    }
}

fn explain_sign_in(settings: &Settings, admin: &engine::Admin) {
    daemon::say(&format!("  sign in   as {}", admin.principal.email));
    match &admin.password {
        Some(password) => {
            daemon::say(&format!(
                "  password  {}  (shown this once; keep it)",
                engine::shown(password)
            ));
        }
        None if settings.admin_password.is_some() => {
            daemon::say(
                "  password  as it was set with JOBRUNNER_ADMIN_PASSWORD at the first start",
            );
        }
        None => daemon::say("  password  as it was shown at the first start"),
    }
}

async fn submit_demo(
    service: &Service,
    caller: &Principal,
    address: &Listen,
) -> Result<(), Failure> {
    let suite = suite::Suite::parse(DEMO, "demo.yaml".as_ref(), None)?;
    let (batch, jobs) = suite.expand(&[])?;
    let batch = service.submit_batch(caller, batch, Arc::new(jobs), None).await?;
    daemon::say(&format!("  demo      {} jobs; watch them with", batch.counts.total));
    daemon::say(&format!(
        "              jobrunner login --server http://{address} --email {}",
        caller.email
    ));
    daemon::say(&format!(
        "              jobrunner batch watch --server http://{address} {}",
        batch.id
    ));
    Ok(())
}
