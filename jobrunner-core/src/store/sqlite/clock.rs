use chrono::Utc;
use rustix::time::{ClockId, clock_gettime};

/// Now, in milliseconds since 1970 UTC: for what people read and plan by.
pub(super) fn now() -> i64 {
    Utc::now().timestamp_millis()
}

/// Now, in milliseconds since the machine was started: for what expires. Nobody sets this clock, so
/// that a corrected time of day takes no worker's leases away.
pub(super) fn uptime() -> i64 {
    let since_start = clock_gettime(ClockId::Boottime);
    since_start.tv_sec * 1000 + since_start.tv_nsec / 1_000_000
}

/// Today, in days since 1970 UTC.
pub(super) fn day() -> i64 {
    const DAY_MS: i64 = 24 * 60 * 60 * 1000;
    now().div_euclid(DAY_MS)
}
