//! Times within which all that happens is told by one message.

use std::str::FromStr;

use chrono::{DateTime, Days, NaiveTime, TimeDelta, TimeZone, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

use crate::Violation;

/// The longest window, in minutes: a week.
pub const MOST_MINUTES: u32 = 7 * 24 * 60;

/// Times that follow each other without a gap. At the end of each one message tells all that
/// happened in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Window {
    /// So many minutes each, counted from 1970 UTC.
    Every {
        /// 1 to [`MOST_MINUTES`].
        every_minutes: u32,
    },
    /// Days that end at a time of a zone.
    Daily {
        /// When.
        at: TimeOfDay,
        /// By whose clocks.
        zone: Zone,
    },
}

impl Window {
    /// Windows of so many minutes.
    ///
    /// # Errors
    /// They are none, or more than [`MOST_MINUTES`].
    pub fn every(every_minutes: u32) -> Result<Self, Violation> {
        match (1..=MOST_MINUTES).contains(&every_minutes) {
            true => Ok(Self::Every { every_minutes }),
            false => Err(Violation::new("window.every_minutes", "must be from 1 to 10080")),
        }
    }

    /// The first end of a window that is later than `after`.
    #[must_use]
    pub fn end_after(&self, after: DateTime<Utc>) -> DateTime<Utc> {
        match self {
            Self::Every { every_minutes } => {
                let length = i64::from(*every_minutes).max(1) * 60;
                let end = (after.timestamp().div_euclid(length) + 1) * length;
                DateTime::from_timestamp(end, 0).unwrap_or(after + TimeDelta::seconds(length))
            }
            Self::Daily { at, zone } => {
                let today = after.with_timezone(&zone.0).date_naive();
                // Where clocks are put back the time comes twice, and the first one counts; where
                // they are put forward over it, it is as much later.
                let ends = (0..3).filter_map(|days| {
                    let local = today.checked_add_days(Days::new(days))?.and_time(at.0);
                    let found = zone.0.from_local_datetime(&local).earliest();
                    let later = || zone.0.from_local_datetime(&(local + TimeDelta::hours(1)));
                    Some(found.or_else(|| later().earliest())?.with_timezone(&Utc))
                });
                ends.into_iter().find(|end| *end > after).unwrap_or(after + TimeDelta::days(1))
            }
        }
    }
}

/// A time of the day, to the minute.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct TimeOfDay(NaiveTime);

impl FromStr for TimeOfDay {
    type Err = Violation;

    fn from_str(text: &str) -> Result<Self, Violation> {
        let time = NaiveTime::parse_from_str(text, "%H:%M").ok().filter(|_| text.len() == 5);
        time.map(Self).ok_or_else(|| Violation::new("window.at", "must be a time such as 07:30"))
    }
}

impl TryFrom<String> for TimeOfDay {
    type Error = Violation;

    fn try_from(text: String) -> Result<Self, Violation> {
        text.parse()
    }
}

impl From<TimeOfDay> for String {
    fn from(time: TimeOfDay) -> Self {
        time.0.format("%H:%M").to_string()
    }
}

/// A time zone, by its name in the database of IANA.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Zone(Tz);

impl FromStr for Zone {
    type Err = Violation;

    fn from_str(text: &str) -> Result<Self, Violation> {
        let right = "must be the name of a time zone such as Europe/Berlin or UTC";
        text.parse().map(Self).map_err(|_| Violation::new("window.zone", right))
    }
}

impl TryFrom<String> for Zone {
    type Error = Violation;

    fn try_from(text: String) -> Result<Self, Violation> {
        text.parse()
    }
}

impl From<Zone> for String {
    fn from(zone: Zone) -> Self {
        zone.0.name().to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().expect(text)
    }

    fn daily(time: &str, zone: &str) -> Window {
        Window::Daily { at: time.parse().expect("a time"), zone: zone.parse().expect("a zone") }
    }

    #[test]
    fn windows_of_minutes_end_where_the_clock_does() {
        let ends = |minutes, after| Window::every(minutes).expect("a window").end_after(at(after));
        assert_eq!(ends(15, "2026-11-28T10:00:00Z"), at("2026-11-28T10:15:00Z"));
        assert_eq!(ends(15, "2026-11-28T10:14:59.999Z"), at("2026-11-28T10:15:00Z"));
        assert_eq!(ends(60, "2026-11-28T23:30:00Z"), at("2026-11-29T00:00:00Z"));
        for wrong in [0, MOST_MINUTES + 1] {
            assert!(Window::every(wrong).is_err());
        }
    }

    #[test]
    fn days_end_by_the_clocks_of_their_zone() {
        let berlin = daily("07:30", "Europe/Berlin");
        assert_eq!(berlin.end_after(at("2026-11-28T06:29:59Z")), at("2026-11-28T06:30:00Z"));
        assert_eq!(berlin.end_after(at("2026-11-28T06:30:00Z")), at("2026-11-29T06:30:00Z"));
        assert_eq!(berlin.end_after(at("2026-07-01T05:00:00Z")), at("2026-07-01T05:30:00Z"));
        let auckland = daily("00:15", "Pacific/Auckland");
        assert_eq!(auckland.end_after(at("2026-11-28T11:15:00Z")), at("2026-11-29T11:15:00Z"));
    }

    /// On 2026-03-29 there is no 02:30 in Berlin, and on 2026-10-25 there are two.
    #[test]
    fn a_time_that_is_left_out_or_repeated_ends_one_window() {
        let berlin = daily("02:30", "Europe/Berlin");
        let ends = |mut after: DateTime<Utc>| -> Vec<String> {
            let next = |_| {
                after = berlin.end_after(after);
                after.to_rfc3339_opts(chrono::SecondsFormat::Secs, true)
            };
            (0..3).map(next).collect()
        };
        assert_eq!(
            ends(at("2026-03-28T00:00:00Z")),
            ["2026-03-28T01:30:00Z", "2026-03-29T01:30:00Z", "2026-03-30T00:30:00Z"]
        );
        assert_eq!(
            ends(at("2026-10-24T00:00:00Z")),
            ["2026-10-24T00:30:00Z", "2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z"]
        );
    }

    #[test]
    fn a_window_is_read_back_as_it_was_written() {
        for window in [Window::every(30).expect("a window"), daily("07:30", "Europe/Berlin")] {
            let text = serde_json::to_string(&window).expect("JSON");
            assert_eq!(serde_json::from_str::<Window>(&text).expect(&text), window);
        }
        for wrong in ["7:30", "24:00", "07:30:00", "+7:30", ""] {
            assert_eq!(wrong.parse::<TimeOfDay>().expect_err(wrong).field, "window.at");
        }
        for wrong in ["", "Berlin", "europe/Berlin ", "+01:00"] {
            assert_eq!(wrong.parse::<Zone>().expect_err(wrong).field, "window.zone");
        }
    }
}
