//! Subscriptions to notifications, and their deliveries.

use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

use crate::{
    BatchId, Conflict, DeliveryId, Error, ProjectName, SubscriptionId, UserId,
    batch::NewBatch,
    job::Reason,
    notification::{
        Channel, Delivery, DeliveryAttempt, DeliveryReport, DeliveryStatus, Due, Event, EventKind,
        Gathered, MOST_MINUTES, MOST_SUBSCRIPTIONS, NewSubscription, Subscription, TEST, Take,
        WINDOW, Window,
    },
    page::PageRequest,
    series::SeriesChoice,
    store::BatchOrder,
    testkit::{Fixture, new_batch, spec},
    user::Scope,
};

const ALL: [EventKind; 5] = EventKind::ALL;

fn subscription(owner: UserId, on: &[EventKind]) -> Subscription {
    Subscription {
        id: SubscriptionId::new(),
        owner_id: owner,
        what: NewSubscription {
            name: "tell me".to_owned(),
            project: None,
            series: None,
            batch_name: None,
            on: on.to_vec(),
            channel: Channel::Webhook {
                url: "https://hooks.example/a".to_owned(),
                secret: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw".into(),
            },
            window: None,
            is_enabled: true,
        },
        created_at: DateTime::from_timestamp_millis(1_700_000_000_123).unwrap_or_default(),
    }
}

fn test_of(subscription: &Subscription, at: DateTime<Utc>) -> Delivery {
    Delivery {
        id: DeliveryId::new(),
        subscription_id: subscription.id,
        kind: TEST.to_owned(),
        batch_id: None,
        batch_name: None,
        created_at: at,
        due_at: at,
        status: DeliveryStatus::Waiting,
        attempts: Vec::new(),
        tried: 0,
        gathered: None,
    }
}

/// To the millisecond, as stores keep times.
fn millis(at: DateTime<Utc>) -> DateTime<Utc> {
    DateTime::from_timestamp_millis(at.timestamp_millis()).unwrap_or_default()
}

fn take(now: DateTime<Utc>) -> Take {
    let until = now + TimeDelta::minutes(1);
    Take { now, until, of_each: 10, most: 100, but: Vec::new() }
}

async fn taken(fixture: &Fixture, take: Take) -> Vec<Due> {
    fixture.store.take_deliveries(take).await.expect("an answer")
}

/// What there is to be told to a subscription: kinds and batches, the oldest first.
async fn told(fixture: &Fixture, to: &Subscription) -> Vec<(String, Option<BatchId>)> {
    let page = fixture.store.deliveries(to.id, PageRequest::first(100)).await.expect("a page");
    let mut told = page.items;
    told.reverse();
    told.into_iter().map(|delivery| (delivery.kind, delivery.batch_id)).collect()
}

/// Runs a batch whose jobs end so, one after the other.
async fn run(fixture: &Fixture, owner: UserId, name: &str, ends: &[Option<Reason>]) -> BatchId {
    let order = BatchOrder { owner, batch: new_batch(name), idempotency: None };
    let jobs: Vec<_> = ends.iter().map(|_| Ok(spec("a"))).collect();
    let batch = fixture.store.submit_batch(order, Box::new(jobs.into_iter())).await;
    let hand = fixture.hand().await;
    for end in ends {
        hand.run_one(*end).await;
    }
    batch.expect("a batch").id
}

/// With its secret, within the scope, and until it is deleted with what there was to be told.
pub async fn a_subscription_is_found_as_it_was_stored_until_it_is_deleted(fixture: &Fixture) {
    let store = &fixture.store;
    let (owner, other) = (UserId::new(), UserId::new());
    let mut one = subscription(owner, &[EventKind::Failed, EventKind::Recovered]);
    let slack = Channel::Slack { url: "https://slack.example/secret".into() };
    let mut others = subscription(other, &ALL);
    others.what = NewSubscription { channel: slack, batch_name: Some("n".into()), ..others.what };
    for made in [&one, &others] {
        store.create_subscription(made.clone()).await.expect("stored");
    }
    let shown = |it: &Subscription| format!("{it:?} {:?}", it.what.channel.url());
    let found = async |id, scope| {
        let found = store.subscription(id, scope).await.expect("an answer");
        found.as_ref().map(shown)
    };
    assert_eq!(found(one.id, Scope::Owner(owner)).await, Some(shown(&one)));
    assert_eq!(found(others.id, Scope::All).await, Some(shown(&others)));
    for scope in [Scope::Owner(other), Scope::Nothing] {
        assert_eq!(found(one.id, scope).await, None);
    }
    for (scope, expected) in [
        (Scope::All, vec![others.id, one.id]),
        (Scope::Owner(owner), vec![one.id]),
        (Scope::Nothing, vec![]),
    ] {
        let page = store.subscriptions(scope, PageRequest::first(10)).await.expect("a page");
        assert_eq!(page.items.iter().map(|it| it.id).collect::<Vec<_>>(), expected);
    }
    one.what.name = "another".to_owned();
    one.what.is_enabled = false;
    store.update_subscription(one.clone()).await.expect("changed");
    assert_eq!(found(one.id, Scope::All).await, Some(shown(&one)));
    let delivery = test_of(&one, millis(Utc::now()));
    store.create_delivery(delivery.clone()).await.expect("stored");
    assert_eq!(store.delivery(delivery.id).await.expect("an answer"), Some(delivery.clone()));
    for _ in 0..2 {
        store.delete_subscription(one.id).await.expect("deleted");
    }
    assert_eq!(found(one.id, Scope::All).await, None);
    assert_eq!(store.delivery(delivery.id).await.expect("an answer"), None);
    let gone = store.update_subscription(one).await.expect_err("gone");
    assert!(matches!(gone, Error::NotFound(_)), "{gone:?}");
}

/// Each account for itself.
pub async fn an_account_has_no_more_subscriptions_than_it_may(fixture: &Fixture) {
    let owner = UserId::new();
    for _ in 0..MOST_SUBSCRIPTIONS {
        let one = subscription(owner, &ALL);
        fixture.store.create_subscription(one).await.expect("stored");
    }
    let refused = fixture.store.create_subscription(subscription(owner, &ALL)).await;
    let refused = refused.expect_err("one too many");
    assert!(
        matches!(refused, Error::Conflict(Conflict::TooManySubscriptions { .. })),
        "{refused:?}"
    );
    let of_other = subscription(UserId::new(), &ALL);
    fixture.store.create_subscription(of_other).await.expect("another's");
}

/// One message for each subscription that asks for it, of the kind that tells most; none for
/// others' batches, other names and what is disabled.
pub async fn the_end_of_a_batch_is_told_once_to_those_who_asked(fixture: &Fixture) {
    use EventKind::{Failed, Finished, Recovered};
    let (owner, other) = (UserId::new(), UserId::new());
    let named = |mut it: Subscription, name: &str| {
        it.what.batch_name = Some(name.to_owned());
        it
    };
    let everything = subscription(owner, &[Finished, Failed, Recovered]);
    let (failed, recovered) = (subscription(owner, &[Failed]), subscription(owner, &[Recovered]));
    let finished = named(subscription(owner, &[Finished]), "nightly");
    let elsewhere = named(subscription(owner, &[Finished]), "other");
    let of_other = subscription(other, &[Finished]);
    let mut disabled = subscription(owner, &[Finished]);
    disabled.what.is_enabled = false;
    for it in [&everything, &failed, &recovered, &finished, &elsewhere, &of_other, &disabled] {
        fixture.store.create_subscription(it.clone()).await.expect("stored");
    }
    let mut batches = Vec::new();
    for end in [None, Some(Reason::ExitCode), None, None] {
        batches.push(run(fixture, owner, "nightly", &[None, end]).await);
    }
    let of = |kind: EventKind, at: usize| (kind.to_string(), Some(batches[at]));
    let expected = vec![of(Finished, 0), of(Failed, 1), of(Recovered, 2), of(Finished, 3)];
    assert_eq!(told(fixture, &everything).await, expected);
    assert_eq!(told(fixture, &failed).await, [of(Failed, 1)]);
    assert_eq!(told(fixture, &recovered).await, [of(Recovered, 2)]);
    assert_eq!(
        told(fixture, &finished).await,
        (0..4).map(|at| of(Finished, at)).collect::<Vec<_>>()
    );
    for silent in [&elsewhere, &of_other, &disabled] {
        assert_eq!(told(fixture, silent).await, []);
    }
}

/// While others of the batch wait, and once however many fail; a job that is repeated has not
/// failed yet.
pub async fn the_first_failure_of_a_batch_is_told_while_it_runs(fixture: &Fixture) {
    let owner = UserId::new();
    let first = subscription(owner, &[EventKind::FirstFailure]);
    fixture.store.create_subscription(first.clone()).await.expect("stored");
    let mut repeated = spec("repeated");
    repeated.max_attempts = 2;
    let batch = fixture.batch(owner, vec![repeated, spec("b"), spec("c"), spec("d")]).await;
    let hand = fixture.hand().await;
    let mut leased = hand.claim(4).await;
    leased.sort_by_key(|it| it.lease.job);
    hand.finish(leased[0].lease, Some(Reason::ExitCode)).await;
    hand.finish(leased[1].lease, None).await;
    assert_eq!(told(fixture, &first).await, []);
    for failing in &leased[2..] {
        hand.finish(failing.lease, Some(Reason::ExitCode)).await;
        let expected = [(EventKind::FirstFailure.to_string(), Some(batch))];
        assert_eq!(told(fixture, &first).await, expected);
    }
    assert_eq!(fixture.look_at_batch(batch).await.finished_at, None);
}

/// A lease keeps others off until it ends; the report of an old one changes nothing.
pub async fn a_delivery_is_tried_by_one_at_a_time_until_it_is_reported(fixture: &Fixture) {
    let store = &fixture.store;
    let to = subscription(UserId::new(), &ALL);
    store.create_subscription(to.clone()).await.expect("stored");
    let now = millis(Utc::now());
    let delivery = test_of(&to, now);
    store.create_delivery(delivery.clone()).await.expect("stored");
    assert!(taken(fixture, take(now - TimeDelta::milliseconds(1))).await.is_empty());
    let first = taken(fixture, take(now)).await.pop().expect("a delivery");
    assert_eq!((first.delivery.id, first.subscription.id), (delivery.id, to.id));
    assert!(taken(fixture, take(now)).await.is_empty(), "somebody tries it");
    store.redeliver(delivery.id, now).await.expect("left as it is");
    assert!(taken(fixture, take(now)).await.is_empty(), "somebody still tries it");
    let later = now + TimeDelta::minutes(1);
    let second = taken(fixture, take(later)).await.pop().expect("whoever tried it has died");
    assert_ne!(second.lease, first.lease);
    let attempt = DeliveryAttempt {
        at: now,
        duration_ms: 7,
        status: Some(500),
        error: Some("the server answered 500".to_owned()),
    };
    let again = later + TimeDelta::minutes(5);
    let report = |lease: Uuid, status, due_at| DeliveryReport {
        id: delivery.id,
        lease,
        attempts: vec![attempt.clone()],
        tried: 8,
        status,
        due_at,
    };
    let sent = async |report| store.report_delivery(report).await.expect("an answer");
    assert!(!sent(report(first.lease, DeliveryStatus::Delivered, later)).await);
    assert!(sent(report(second.lease, DeliveryStatus::Waiting, again)).await);
    assert!(!sent(report(second.lease, DeliveryStatus::Dead, again)).await, "it was reported");
    let waiting = store.delivery(delivery.id).await.expect("an answer").expect("it");
    assert_eq!((waiting.status, waiting.due_at), (DeliveryStatus::Waiting, again));
    assert_eq!(waiting.attempts, std::slice::from_ref(&attempt));
    assert_eq!(waiting.tried, 8);
    assert!(taken(fixture, take(later)).await.is_empty(), "not yet");
    let third = taken(fixture, take(again)).await.pop().expect("due again");
    assert!(sent(report(third.lease, DeliveryStatus::Dead, again)).await);
    let long_after = again + TimeDelta::days(1);
    assert!(taken(fixture, take(long_after)).await.is_empty(), "given up");
    store.redeliver(delivery.id, long_after).await.expect("due");
    let fourth = taken(fixture, take(long_after)).await.pop().expect("asked for");
    assert_eq!((fourth.delivery.tried, fourth.delivery.attempts.len()), (0, 1), "all over again");
    assert!(sent(report(fourth.lease, DeliveryStatus::Delivered, long_after)).await);
    let status = store.delivery(delivery.id).await.expect("an answer").expect("it").status;
    assert_eq!(status, DeliveryStatus::Delivered);
}

/// So many of each subscription, none of those that are left out or disabled; of many takers at
/// once each delivery goes to one.
pub async fn a_long_list_of_one_subscription_does_not_keep_others_waiting(fixture: &Fixture) {
    let store = &fixture.store;
    let owner = UserId::new();
    let now = millis(Utc::now());
    let [long, short, mut disabled] = [0; 3].map(|_| subscription(owner, &ALL));
    disabled.what.is_enabled = false;
    for (to, number) in [(&long, 30), (&short, 1), (&disabled, 1)] {
        store.create_subscription(to.clone()).await.expect("stored");
        for _ in 0..number {
            store.create_delivery(test_of(to, now)).await.expect("stored");
        }
    }
    let but = Take { but: vec![long.id], ..take(now) };
    let ids = |due: &[Due]| due.iter().map(|it| it.subscription.id).collect::<Vec<_>>();
    assert_eq!(ids(&taken(fixture, but).await), [short.id]);
    let some = taken(fixture, Take { of_each: 2, ..take(now) }).await;
    assert_eq!(ids(&some), [long.id, long.id]);
    let most = taken(fixture, Take { most: 3, ..take(now) }).await;
    assert_eq!(most.len(), 3);
    let takers = (0..4).map(|_| taken(fixture, take(now)));
    let mut taken: Vec<DeliveryId> = futures_util::future::join_all(takers)
        .await
        .concat()
        .iter()
        .map(|due| due.delivery.id)
        .collect();
    let all = taken.len();
    taken.sort_unstable();
    taken.dedup();
    assert_eq!(taken.len(), all, "each to one");
}

/// Otherwise the messages of some servers that never answer would keep all others waiting.
pub async fn what_has_been_due_for_the_longest_is_sent_first(fixture: &Fixture) {
    let store = &fixture.store;
    let owner = UserId::new();
    let now = millis(Utc::now());
    let mut expected = Vec::new();
    for minutes in [1, 3, 2] {
        let to = subscription(owner, &ALL);
        store.create_subscription(to.clone()).await.expect("stored");
        let since = now - TimeDelta::minutes(minutes);
        store.create_delivery(test_of(&to, since)).await.expect("stored");
        expected.push((since, to.id));
    }
    expected.sort_unstable();
    for (_, next) in expected {
        let due = taken(fixture, Take { most: 1, ..take(now) }).await;
        assert_eq!(due.iter().map(|due| due.subscription.id).collect::<Vec<_>>(), [next]);
    }
}

/// What waits stays, however old it is, unless its subscription was deleted while it was made.
pub async fn old_deliveries_are_forgotten_but_for_those_that_wait(fixture: &Fixture) {
    let store = &fixture.store;
    let to = subscription(UserId::new(), &ALL);
    store.create_subscription(to.clone()).await.expect("stored");
    let now = millis(Utc::now());
    for _ in 0..2 {
        store.create_delivery(test_of(&to, now)).await.expect("stored");
    }
    let due = taken(fixture, Take { of_each: 1, ..take(now) }).await.pop().expect("a delivery");
    let report = DeliveryReport {
        id: due.delivery.id,
        lease: due.lease,
        attempts: Vec::new(),
        tried: 1,
        status: DeliveryStatus::Delivered,
        due_at: now,
    };
    assert!(store.report_delivery(report).await.expect("reported"));
    let (before, after) = (now - TimeDelta::hours(1), now + TimeDelta::hours(1));
    assert_eq!(store.forget_deliveries(before).await.expect("an answer"), 0);
    assert_eq!(store.forget_deliveries(after).await.expect("an answer"), 1);
    assert_eq!(store.forget_deliveries(after).await.expect("an answer"), 0);
    assert_eq!(told(fixture, &to).await.len(), 1);
    let orphan = test_of(&subscription(UserId::new(), &ALL), now);
    store.create_delivery(orphan.clone()).await.expect("stored");
    assert!(taken(fixture, take(now)).await.iter().all(|due| due.delivery.id != orphan.id));
    assert_eq!(store.forget_deliveries(after).await.expect("an answer"), 1);
    assert_eq!(store.delivery(orphan.id).await.expect("an answer"), None);
}

/// A batch of a project, or of a series of another name, whose one job ends so.
async fn run_as(fixture: &Fixture, owner: UserId, batch: NewBatch, end: Option<Reason>) -> BatchId {
    let order = BatchOrder { owner, batch, idempotency: None };
    let batch = fixture.store.submit_batch(order, Box::new([Ok(spec("a"))].into_iter())).await;
    fixture.hand().await.run_one(end).await;
    batch.expect("a batch").id
}

/// Whoever submits its batches, and nothing else of its maker's; to whoever sees the project.
pub async fn a_subscription_of_a_project_tells_of_what_belongs_to_it(fixture: &Fixture) {
    let store = &fixture.store;
    let (owner, other) = (UserId::new(), UserId::new());
    let [web, api] = ["web", "api"].map(|name| name.parse::<ProjectName>().expect("a name"));
    let mut of_project = subscription(owner, &[EventKind::Finished]);
    of_project.what.project = Some(web.clone());
    let own = subscription(owner, &[EventKind::Finished]);
    for it in [&of_project, &own] {
        store.create_subscription(it.clone()).await.expect("stored");
    }
    let within =
        |project: &ProjectName| NewBatch { project: Some(project.clone()), ..new_batch("n") };
    let theirs = run_as(fixture, other, within(&web), None).await;
    let mine = run_as(fixture, owner, new_batch("n"), None).await;
    run_as(fixture, other, within(&api), None).await;
    let finished = |batch| (EventKind::Finished.to_string(), Some(batch));
    assert_eq!(told(fixture, &of_project).await, [finished(theirs)]);
    assert_eq!(told(fixture, &own).await, [finished(mine)]);
    let both = [own.id, of_project.id];
    for (scope, expected) in [
        (Scope::of(owner, [web.clone()]), &both[..]),
        (Scope::of(other, [web.clone(), api.clone()]), &both[1..]),
        (Scope::Projects([web.clone()].into()), &both[1..]),
        (Scope::Both(owner, [web.clone()].into()), &both[1..]),
        (Scope::Both(other, [web.clone()].into()), &[]),
        (Scope::of(other, [api.clone()]), &[]),
        (Scope::of(owner, [api]), &both),
    ] {
        let page =
            store.subscriptions(scope.clone(), PageRequest::first(10)).await.expect("a page");
        let found: Vec<_> = page.items.iter().map(|it| it.id).collect();
        assert_eq!(found, expected, "{scope:?}");
        for id in both {
            let found = store.subscription(id, scope.clone()).await.expect("an answer");
            assert_eq!(found.is_some(), expected.contains(&id), "{scope:?}");
        }
    }
}

/// And of all others nothing.
pub async fn a_subscription_of_a_series_tells_of_its_runs(fixture: &Fixture) {
    let owner = UserId::new();
    let mut of_series = subscription(owner, &[EventKind::FirstFailure, EventKind::Failed]);
    of_series.what.series = Some("nightly".to_owned());
    fixture.store.create_subscription(of_series.clone()).await.expect("stored");
    let within = |series| NewBatch { series, ..new_batch("a name") };
    let named = within(SeriesChoice::Named("nightly".to_owned()));
    let failed = Some(Reason::ExitCode);
    let run = run_as(fixture, owner, named, failed).await;
    let own_name = run_as(fixture, owner, new_batch("nightly"), failed).await;
    for other in [SeriesChoice::OfItsName, SeriesChoice::None] {
        run_as(fixture, owner, within(other), failed).await;
    }
    let expected: Vec<_> = [run, own_name]
        .into_iter()
        .flat_map(|batch| {
            [EventKind::FirstFailure, EventKind::Failed].map(|kind| (kind.to_string(), Some(batch)))
        })
        .collect();
    assert_eq!(told(fixture, &of_series).await, expected);
}

/// By the verdict of the batch; whoever asks for less is told less.
pub async fn failures_that_are_new_are_told_when_a_batch_ends(fixture: &Fixture) {
    use EventKind::{Failed, NewFailures};
    let owner = UserId::new();
    let both = subscription(owner, &[Failed, NewFailures]);
    let (new, failed) = (subscription(owner, &[NewFailures]), subscription(owner, &[Failed]));
    for it in [&both, &new, &failed] {
        fixture.store.create_subscription(it.clone()).await.expect("stored");
    }
    let mut batches = Vec::new();
    for end in [None, Some(Reason::ExitCode), Some(Reason::ExitCode)] {
        batches.push(run(fixture, owner, "n", &[end]).await);
    }
    let of = |kind: EventKind, at: usize| (kind.to_string(), Some(batches[at]));
    assert_eq!(told(fixture, &both).await, [of(NewFailures, 1), of(Failed, 2)]);
    assert_eq!(told(fixture, &new).await, [of(NewFailures, 1)]);
    assert_eq!(told(fixture, &failed).await, [of(Failed, 1), of(Failed, 2)]);
}

/// Once, however many close the window; what happens later is told by the next one.
pub async fn what_happens_within_a_window_is_one_message(fixture: &Fixture) {
    let store = &fixture.store;
    let owner = UserId::new();
    let mut daily = subscription(owner, &[EventKind::Finished, EventKind::FirstFailure]);
    daily.what.window = Some(Window::every(MOST_MINUTES).expect("a window"));
    let silent = Subscription { id: SubscriptionId::new(), ..daily.clone() };
    let silent = Subscription { what: named(silent.what, "other"), ..silent };
    for it in [&daily, &silent] {
        store.create_subscription(it.clone()).await.expect("stored");
    }
    let first = run(fixture, owner, "a", &[None]).await;
    let second = run(fixture, owner, "b", &[Some(Reason::ExitCode)]).await;
    let gathered = told(fixture, &daily).await;
    assert_eq!(gathered.len(), 3, "{gathered:?}");
    let now = millis(Utc::now());
    assert_eq!(store.close_windows(now).await.expect("an answer"), 0, "none has ended");
    let week = TimeDelta::minutes(MOST_MINUTES.into());
    let closing = (0..4).map(|_| store.close_windows(now + week));
    let closed = futures_util::future::join_all(closing).await;
    let messages: u64 = closed.into_iter().map(|closed| closed.expect("an answer")).sum();
    assert_eq!(messages, 1, "one message, and none where nothing happened");
    let third = run(fixture, owner, "c", &[None]).await;
    let page = store.deliveries(daily.id, PageRequest::first(10)).await.expect("a page");
    let [next, message] = &page.items[..] else { panic!("{page:?}") };
    assert_eq!((next.status, next.batch_id), (DeliveryStatus::Gathered, Some(third)));
    assert_eq!((message.kind.as_str(), message.status), (WINDOW, DeliveryStatus::Waiting));
    let event = |kind: EventKind, batch, name: &str| Event {
        kind: kind.to_string(),
        batch_id: batch,
        batch_name: name.to_owned(),
    };
    let events = vec![
        event(EventKind::Finished, first, "a"),
        event(EventKind::FirstFailure, second, "b"),
        event(EventKind::Finished, second, "b"),
    ];
    assert_eq!(message.gathered, Some(Gathered { total: 3, told: events }));
    store.redeliver(next.id, now).await.expect("left to its window");
    let due = taken(fixture, take(now + week)).await;
    assert_eq!(due.iter().map(|due| due.delivery.id).collect::<Vec<_>>(), [message.id]);
    // Without a window nothing waits for its end.
    let mut at_once = daily.clone();
    at_once.what.window = None;
    store.update_subscription(at_once).await.expect("changed");
    assert_eq!(store.close_windows(now).await.expect("an answer"), 1);
    let page = store.deliveries(daily.id, PageRequest::first(10)).await.expect("a page");
    let events = vec![event(EventKind::Finished, third, "c")];
    assert_eq!(page.items[0].gathered, Some(Gathered { total: 1, told: events }));
    assert_eq!(page.items.len(), 2);
}

fn named(what: NewSubscription, batch: &str) -> NewSubscription {
    NewSubscription { batch_name: Some(batch.to_owned()), ..what }
}
