use std::time::{Duration, Instant};

/// How long a condition may take to become true: generous, since test machines are slow and busy.
const LIMIT: Duration = Duration::from_secs(60);

/// Asks again and again, with short pauses, until the answer is there.
///
/// # Panics
/// It takes more than a minute.
pub async fn wait_until<T, F: Future<Output = Option<T>>>(what: &str, ask: impl Fn() -> F) -> T {
    let started = Instant::now();
    loop {
        if let Some(answer) = ask().await {
            return answer;
        }
        assert!(started.elapsed() < LIMIT, "waited in vain for {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
