use jobrunner_core::{
    Error, Service,
    lease::{QueueState, QueueUpdate},
};
use poem::{
    Response, handler,
    web::{Data, Path},
};
use serde::{Deserialize, Serialize};
use tera::Context;

use super::{
    page,
    session::{Form, Session, see},
    show::{Moment, thousands},
};

#[derive(Serialize)]
struct ShownQueue {
    name: String,
    paused: bool,
    weight: f64,
    waiting: String,
    running: String,
    oldest: Option<Moment>,
}

impl From<QueueState> for ShownQueue {
    fn from(queue: QueueState) -> Self {
        Self {
            name: queue.name,
            paused: queue.paused,
            weight: queue.weight,
            waiting: thousands(queue.waiting),
            running: thousands(queue.running),
            oldest: queue.oldest_waiting_at.map(Into::into),
        }
    }
}

/// How many of them the page shows.
const SHOWN: u32 = 1000;

/// The queues.
#[handler]
pub(super) async fn list(Data(service): Data<&Service>, session: Session) -> Response {
    match service.queues(&session.caller, None, SHOWN).await {
        Ok(shown) => {
            let mut context = Context::new();
            let queues: Vec<ShownQueue> = shown.items.into_iter().map(Into::into).collect();
            context.insert("queues", &queues);
            context.insert("are_more", &shown.next_cursor.is_some());
            page::page(&session, "queues.html", "Queues", context)
        }
        Err(error) => page::problem(&session, error.into()),
    }
}

#[derive(Deserialize)]
pub(super) struct Change {
    paused: Option<bool>,
    weight: Option<String>,
}

/// Pauses a queue, lets it go on, or gives it another weight.
#[handler]
pub(super) async fn update(
    Data(service): Data<&Service>,
    Path(name): Path<String>,
    form: Form<Change>,
) -> Response {
    let changed = async {
        let wrong = || Error::invalid("weight", "must be a number above 0");
        let weight = form.fields.weight.map(|weight| weight.trim().parse().map_err(|_| wrong()));
        let update = QueueUpdate { paused: form.fields.paused, weight: weight.transpose()? };
        service.update_queue(&form.session.caller, &name, update).await
    };
    match changed.await {
        Ok(_) => see("/queues"),
        Err(error) => page::problem(&form.session, error.into()),
    }
}
