use jobrunner_core::{Service, lease::Worker};
use poem::{
    Request, Response, handler,
    web::{Data, Path},
};
use serde::{Deserialize, Serialize};
use tera::Context;
use uuid::Uuid;

use super::{
    home::origin,
    page,
    session::{Form, Session, see},
    show::Moment,
};

#[derive(Serialize)]
struct ShownWorker {
    id: String,
    host: String,
    pid: u32,
    slots: u32,
    running: u32,
    load: u32,
    queues: String,
    draining: bool,
    containment: &'static str,
    started: Moment,
    seen: Moment,
}

impl From<&Worker> for ShownWorker {
    fn from(worker: &Worker) -> Self {
        Self {
            id: worker.id.to_string(),
            host: worker.host.clone(),
            pid: worker.pid,
            slots: worker.slots,
            running: worker.running,
            load: (100 * worker.running / worker.slots.max(1)).min(100),
            queues: if worker.queues.is_empty() {
                "all".to_owned()
            } else {
                worker.queues.join(", ")
            },
            draining: worker.draining,
            containment: worker.containment.as_str(),
            started: worker.started_at.into(),
            seen: worker.seen_at.into(),
        }
    }
}

/// The workers that are alive.
#[handler]
pub(super) async fn list(
    Data(service): Data<&Service>,
    request: &Request,
    session: Session,
) -> Response {
    match service.workers(&session.caller).await {
        Ok(workers) => {
            let mut context = Context::new();
            let running: u32 = workers.iter().map(|worker| worker.running).sum();
            let slots: u32 = workers.iter().map(|worker| worker.slots).sum();
            context.insert("running", &running);
            context.insert("slots", &slots);
            context.insert("workers", &workers.iter().map(ShownWorker::from).collect::<Vec<_>>());
            context.insert("origin", &origin(request));
            page::page(&session, "workers.html", "Workers", context)
        }
        Err(error) => page::problem(&session, error.into()),
    }
}

#[derive(Deserialize)]
pub(super) struct Nothing {}

/// Tells a worker to take no new jobs.
#[handler]
pub(super) async fn drain(
    Data(service): Data<&Service>,
    Path(id): Path<Uuid>,
    form: Form<Nothing>,
) -> Response {
    let Nothing {} = form.fields;
    match service.drain_worker(&form.session.caller, id.into()).await {
        Ok(_) => see("/workers"),
        Err(error) => page::problem(&form.session, error.into()),
    }
}
