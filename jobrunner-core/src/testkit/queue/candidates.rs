use std::{any::Any, sync::Arc};

use tokio::time::timeout;

use crate::{
    JobId, Queue, UserId,
    queue::{Candidates, Hint},
    testkit::{PATIENCE, wait_until},
};

/// A queue that sends everybody to the store says so each time; one that proposes jobs does it now
/// and then.
const TIMES: usize = 10;

/// Asks for candidates; `None` if the queue leaves the choice to the store.
async fn ask(queue: &dyn Queue, queues: &[&str], want: u32) -> Option<Vec<JobId>> {
    let queues: Vec<String> = queues.iter().map(|name| (*name).to_owned()).collect();
    for _ in 0..TIMES {
        let asked = timeout(PATIENCE, queue.candidates(&queues, want)).await;
        if let Candidates::Ids(jobs) = asked.expect("an answer") {
            assert!(jobs.len() <= want as usize, "{} for {want}", jobs.len());
            return Some(jobs);
        }
    }
    None
}

/// Asks until so many were proposed; `None` if the choice is left to the store.
async fn take(queue: &dyn Queue, queues: &[&str], count: usize) -> Option<Vec<JobId>> {
    let taken = tokio::sync::Mutex::new(Vec::new());
    wait_until("candidates", || async {
        let mut taken = taken.lock().await;
        let want = u32::try_from(count - taken.len()).expect("few");
        let Some(jobs) = ask(queue, queues, want).await else { return Some(None) };
        taken.extend(jobs);
        (taken.len() >= count).then(|| Some(std::mem::take(&mut *taken)))
    })
    .await
}

async fn offer(queue: &dyn Queue, owner: UserId, name: &str, count: usize) -> Vec<JobId> {
    let jobs: Vec<JobId> = (0..count).map(|_| JobId::new()).collect();
    let hint = |job: &JobId| Hint::Job { job: *job, priority: 5, queue: name.to_owned(), owner };
    queue.offer(&jobs.iter().map(hint).collect::<Vec<_>>()).await;
    jobs
}

/// A worker has so many free slots and no more.
pub async fn no_more_is_proposed_than_is_wanted<K: Any>((queue, _keep): &(Arc<dyn Queue>, K)) {
    offer(queue.as_ref(), UserId::new(), "default", 40).await;
    for want in [0, 1, 7, 1000] {
        // Looks at how many there are.
        ask(queue.as_ref(), &[], want).await;
    }
}

/// Either the queue knows it and names it sooner or later, or it sends its asker to the store.
pub async fn an_offered_job_is_proposed_to_somebody<K: Any>((queue, _keep): &(Arc<dyn Queue>, K)) {
    let mut offered = offer(queue.as_ref(), UserId::new(), "default", 20).await;
    offered.extend(offer(queue.as_ref(), UserId::new(), "other", 20).await);
    let Some(mut proposed) = take(queue.as_ref(), &[], offered.len()).await else { return };
    offered.sort();
    proposed.sort();
    assert_eq!(proposed, offered);
}

/// A worker can do nothing with others.
pub async fn what_is_proposed_is_of_the_queues_that_are_served<K: Any>(
    (queue, _keep): &(Arc<dyn Queue>, K),
) {
    let owner = UserId::new();
    let [a, mut b, mut c] = [
        offer(queue.as_ref(), owner, "a", 5).await,
        offer(queue.as_ref(), owner, "b", 5).await,
        offer(queue.as_ref(), owner, "c", 5).await,
    ];
    let Some(mut proposed) = take(queue.as_ref(), &["b"], 5).await else { return };
    proposed.sort();
    b.sort();
    assert_eq!(proposed, b);
    let mut proposed = take(queue.as_ref(), &["c", "nowhere"], 5).await.expect("candidates");
    proposed.sort();
    c.sort();
    assert_eq!(proposed, c);
    let proposed = take(queue.as_ref(), &[], 5).await.expect("candidates");
    assert!(proposed.iter().all(|job| a.contains(job)), "each is proposed to one");
}

/// Each owner gets turns, however many jobs another has.
pub async fn p11_a_large_batch_is_not_proposed_before_the_jobs_of_others<K: Any>(
    (queue, _keep): &(Arc<dyn Queue>, K),
) {
    offer(queue.as_ref(), UserId::new(), "default", 400).await;
    let few = offer(queue.as_ref(), UserId::new(), "default", 5).await;
    let Some(proposed) = take(queue.as_ref(), &[], 100).await else { return };
    assert!(few.iter().all(|job| proposed.contains(job)), "somebody waits behind a large batch");
}

/// At once, with nothing or with the advice to ask the store.
pub async fn who_asks_an_empty_queue_is_answered<K: Any>((queue, _keep): &(Arc<dyn Queue>, K)) {
    for _ in 0..100 {
        let proposed = ask(queue.as_ref(), &["default"], 8).await.unwrap_or_default();
        assert_eq!(proposed, [], "nothing was offered");
    }
}
