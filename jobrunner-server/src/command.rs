use std::net::{IpAddr, SocketAddr};

use clap::Args;
use jobrunner_core::{
    connect,
    daemon::{self, Fatal, Refusal},
    rescue,
};

/// The API and the pages, over the database that DATABASE_URL names.
///
/// Any number of servers can share a database. Settings are read from the environment and from a file
/// `.env`; see the README for all of them.
#[derive(Debug, Args)]
pub struct Api {
    /// Where to listen [default: 127.0.0.1:8000] [env: JOBRUNNER_LISTEN]
    #[arg(long, value_name = "HOST:PORT", conflicts_with_all = ["host", "port"])]
    listen: Option<SocketAddr>,
    /// The address to listen on, apart from the port
    #[arg(long, value_name = "ADDRESS")]
    host: Option<IpAddr>,
    /// The port to listen on, 0 for any that is free
    #[arg(long)]
    port: Option<u16>,
}

impl Api {
    /// Serves until a signal stops it, and lets open requests end.
    ///
    /// # Errors
    /// The settings, the address or the database cannot be used.
    pub async fn run(self) -> Result<(), Fatal> {
        daemon::start_log("info")?;
        let settings = daemon::settings()?;
        connect::check_secret(&settings)?;
        daemon::keep_to_itself()?;
        let stop = daemon::stop_on_signals()?;
        let address = self.listen.unwrap_or(SocketAddr::new(
            self.host.unwrap_or(settings.listen.ip()),
            self.port.unwrap_or(settings.listen.port()),
        ));
        let listener = crate::listen(address).await.map_err(|error| {
            Refusal(format!(
                "cannot listen on {address}: {error}; is another server running? choose another --listen"
            ))
        })?;
        let Some(backends) = connect::backends_in_time(&settings, &stop).await? else {
            return Ok(());
        };
        let service = connect::service(&backends, &settings).await?;
        daemon::say(&format!(
            "JobRunner {} serves http://{}/",
            env!("CARGO_PKG_VERSION"),
            listener.local_addr()?
        ));
        let done = stop.child_token();
        let (store, queue) = (backends.store.as_ref(), backends.queue.as_ref());
        let serving = async {
            let served = crate::serve(listener, service, stop).await;
            done.cancel();
            served
        };
        let (served, ()) =
            tokio::join!(serving, rescue::run(store, queue, settings.lease_ttl, &done));
        Ok(served?)
    }
}
