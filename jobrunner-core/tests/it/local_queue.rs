use std::sync::Arc;

use jobrunner_core::{Queue, queue::LocalQueue, queue_conformance};

async fn local() -> (Arc<dyn Queue>, ()) {
    (Arc::new(LocalQueue::new()), ())
}

queue_conformance!(local);
