use clap::Args;
use futures_util::future::BoxFuture;
use jobrunner_core::{
    config::{Host, Listen},
    connect,
    daemon::{self, Fatal, Refusal, Variables},
    rescue,
};

/// The API and the pages, over the database that DATABASE_URL names.
///
/// Any number of servers can share a database. Settings are read from the environment and from a
/// file `.env` here; see the README for all of them.
#[derive(Debug, Args)]
pub struct Api {
    /// Where to listen [default: 127.0.0.1:8000] [env: JOBRUNNER_LISTEN]
    #[arg(long, value_name = "HOST:PORT", conflicts_with_all = ["host", "port"])]
    listen: Option<Listen>,
    /// The address or the name to listen on, apart from the port
    #[arg(long, value_name = "HOST")]
    host: Option<Host>,
    /// The port to listen on, 0 for any that is free
    #[arg(long)]
    port: Option<u16>,
}

impl Api {
    /// Serves until a signal stops it, and lets open requests end.
    ///
    /// # Errors
    /// The settings, the address or the database cannot be used.
    pub fn run(self) -> BoxFuture<'static, Result<(), Fatal>> {
        Box::pin(self.serve())
    }

    async fn serve(self) -> Result<(), Fatal> {
        let variables = Variables::of_service()?;
        variables.start_log("info")?;
        let settings = variables.settings()?;
        connect::check_secret(&settings)?;
        daemon::keep_to_itself()?;
        let stop = daemon::stop_on_signals()?;
        let listen = self.listen.unwrap_or_else(|| {
            let host = self.host.unwrap_or_else(|| settings.listen.host().clone());
            Listen::new(host, self.port.unwrap_or(settings.listen.port()))
        });
        let listeners = crate::listen(&listen).await;
        let listeners = listeners.map_err(|error| Refusal(daemon::chain(&error)))?;
        let Some(backends) = connect::backends_in_time(&settings, &stop).await? else {
            return Ok(());
        };
        let service = connect::service(&backends, &settings).await?;
        let at = listen.with_port(listeners.port());
        daemon::say(&format!("JobRunner {} serves http://{at}/", env!("CARGO_PKG_VERSION")));
        let notify = crate::notify::run(service.clone(), settings.notify.clone(), stop.clone());
        let done = stop.child_token();
        let (store, queue) = (backends.store.as_ref(), backends.queue.as_ref());
        let serving = async {
            let served = crate::serve(listeners, service, stop).await;
            done.cancel();
            served
        };
        let rescue = rescue::run(store, queue, settings.lease_ttl, &done);
        let forget = rescue::forget_results(store, settings.keep_results, &done);
        let (served, (), (), ()) = tokio::join!(serving, rescue, forget, notify);
        Ok(served?)
    }
}
