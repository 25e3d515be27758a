use std::{
    collections::HashMap,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll},
    time::Duration,
};

use http_body::{Body, Frame, SizeHint};
use rustix::process::{Resource, getrlimit};
use tokio::{
    sync::Notify,
    time::{Instant, sleep_until},
};
use tokio_util::sync::CancellationToken;

/// How long a connection may wait for its next request to be complete, the first one included.
const WAIT_LIMIT: Duration = Duration::from_secs(30);

/// The most connections, however many descriptors there may be: each takes some memory.
const MOST: usize = 16_384;

/// How many connections leave a quarter of the descriptors to everything else, and 256 at least
/// where there are twice as many.
pub(super) fn most_connections() -> usize {
    let descriptors = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
    let descriptors = usize::try_from(descriptors).unwrap_or(usize::MAX);
    let others = (descriptors / 4).max(256.min(descriptors / 2));
    (descriptors - others).clamp(1, MOST)
}

/// The connections that are open.
#[derive(Clone)]
pub(super) struct Open(Arc<Room>);

struct Room {
    most: usize,
    connections: Mutex<Connections>,
    left: Notify,
}

#[derive(Default)]
struct Connections {
    next: u64,
    by_number: HashMap<u64, Arc<Connection>>,
}

impl Open {
    pub(super) fn within(most: usize) -> Self {
        Self(Arc::new(Room { most, connections: Mutex::default(), left: Notify::new() }))
    }

    /// Makes room for one more. Waits only when a request is under way on each of the others.
    ///
    /// **Cancel safety**: nothing is admitted.
    pub(super) async fn admit(&self) -> Admitted {
        loop {
            let left = self.0.left.notified();
            if let Some(connection) = self.try_admit() {
                return connection;
            }
            left.await;
        }
    }

    /// Ends the connection that has waited the longest if there are too many.
    fn try_admit(&self) -> Option<Admitted> {
        let mut connections = self.0.lock();
        if connections.by_number.len() >= self.0.most {
            let waiting = connections.by_number.iter();
            let waiting = waiting.filter_map(|(number, it)| Some((it.waits_since()?, *number)));
            let (_, longest) = waiting.min()?;
            if let Some(longest) = connections.by_number.remove(&longest) {
                longest.end.cancel();
            }
        }
        let number = connections.next;
        connections.next += 1;
        let connection = Arc::new(Connection {
            room: Arc::clone(&self.0),
            end: CancellationToken::new(),
            state: Mutex::new(State { requests: 0, since: Instant::now() }),
            changed: Notify::new(),
        });
        connections.by_number.insert(number, Arc::clone(&connection));
        Some(Admitted { number, connection })
    }
}

impl Room {
    fn lock(&self) -> MutexGuard<'_, Connections> {
        self.connections.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A connection that was admitted. Its place is free again when it is dropped.
pub(super) struct Admitted {
    number: u64,
    connection: Arc<Connection>,
}

struct Connection {
    room: Arc<Room>,
    /// Canceled when it has to go for others.
    end: CancellationToken,
    state: Mutex<State>,
    /// Told when a request has ended.
    changed: Notify,
}

struct State {
    /// How many requests are under way.
    requests: usize,
    /// When the last of them ended.
    since: Instant,
}

impl Admitted {
    /// A request is complete but for its body.
    pub(super) fn request(&self) -> UnderWay {
        self.connection.lock().requests += 1;
        UnderWay(Arc::clone(&self.connection))
    }

    /// Waits until this connection has waited too long for a request, or has to go for others.
    pub(super) async fn is_to_end(&self) {
        tokio::select! {
            () = self.connection.end.cancelled() => {}
            () = self.connection.has_waited_too_long() => {}
        }
    }
}

impl Connection {
    async fn has_waited_too_long(&self) {
        loop {
            let changed = self.changed.notified();
            match self.waits_since().map(|since| since + WAIT_LIMIT) {
                None => changed.await,
                Some(limit) if limit <= Instant::now() => return,
                Some(limit) => sleep_until(limit).await,
            }
        }
    }

    /// Since when there has been no request; `None` while one is under way.
    fn waits_since(&self) -> Option<Instant> {
        let state = self.lock();
        (state.requests == 0).then_some(state.since)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Admitted {
    fn drop(&mut self) {
        let room = &self.connection.room;
        room.lock().by_number.remove(&self.number);
        room.left.notify_waiters();
    }
}

/// A request, from its head until all of its answer is sent.
pub(super) struct UnderWay(Arc<Connection>);

impl UnderWay {
    pub(super) fn until_sent<B>(self, body: B) -> Answering<B> {
        Answering { body, _under_way: self }
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        state.requests -= 1;
        state.since = Instant::now();
        drop(state);
        self.0.changed.notify_waiters();
        // Whoever waits to be admitted may take the place of this one now.
        self.0.room.left.notify_waiters();
    }
}

/// The body of an answer, with which its request ends.
pub(super) struct Answering<B> {
    body: B,
    _under_way: UnderWay,
}

impl<B: Body + Unpin> Body for Answering<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn one_more_takes_the_place_of_whoever_has_waited_the_longest() {
        let open = Open::within(2);
        let first = open.admit().await;
        tokio::time::advance(Duration::from_millis(1)).await;
        let second = open.admit().await;
        tokio::time::advance(Duration::from_millis(1)).await;
        drop(first.request());
        let third = open.admit().await;
        assert!(second.is_to_end().now_or_never().is_some(), "it has waited since it came");
        assert!(first.is_to_end().now_or_never().is_none(), "it had a request since");
        assert!(third.is_to_end().now_or_never().is_none());
    }

    #[tokio::test(start_paused = true)]
    async fn who_has_a_request_under_way_stays_and_one_more_waits() {
        let open = Open::within(2);
        let (first, second) = (open.admit().await, open.admit().await);
        let (one, two) = (first.request(), second.request());
        tokio::time::advance(WAIT_LIMIT * 2).await;
        assert!(first.is_to_end().now_or_never().is_none(), "its answer takes long");
        let other = open.clone();
        let third = tokio::spawn(async move { drop(other.admit().await) });
        tokio::task::yield_now().await;
        assert!(!third.is_finished());
        drop(two);
        third.await.expect("admitted");
        assert!(second.is_to_end().now_or_never().is_some());
        assert!(first.is_to_end().now_or_never().is_none());
        drop(one);
    }

    #[tokio::test(start_paused = true)]
    async fn a_connection_without_a_request_ends_after_half_a_minute() {
        let open = Open::within(2);
        let connection = open.admit().await;
        let started = Instant::now();
        connection.is_to_end().await;
        assert_eq!(started.elapsed(), WAIT_LIMIT);
        let connection = open.admit().await;
        let under_way = connection.request();
        let started = Instant::now();
        let (until, ()) = tokio::join!(
            async {
                connection.is_to_end().await;
                started.elapsed()
            },
            async {
                tokio::time::sleep(WAIT_LIMIT * 3).await;
                drop(under_way);
            }
        );
        assert_eq!(until, WAIT_LIMIT * 4);
    }
}
