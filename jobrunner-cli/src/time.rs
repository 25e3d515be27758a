//! Moments and durations as people write and read them.

use chrono::{DateTime, Local, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, TimeZone, Utc};

const HOW: &str = "must be a time such as 22:30, \"2026-11-27 22:30\" (here), \
                   2026-11-27T22:30:00Z, or a duration such as 90m";

/// A moment that has been: a duration before now, or the last time that it was so late.
pub(crate) fn past(text: &str) -> Result<DateTime<Utc>, String> {
    moment(text, Local::now(), Towards::Past)
}

/// A moment to come: a duration from now, or the next time that it is so late.
pub(crate) fn future(text: &str) -> Result<DateTime<Utc>, String> {
    moment(text, Local::now(), Towards::Future)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Towards {
    Past,
    Future,
}

fn moment<Z: TimeZone>(
    text: &str,
    now: DateTime<Z>,
    towards: Towards,
) -> Result<DateTime<Utc>, String> {
    let text = text.trim();
    if let Ok(moment) = DateTime::parse_from_rfc3339(text) {
        return Ok(moment.with_timezone(&Utc));
    }
    let zone = now.timezone();
    let here = |local: NaiveDateTime| match zone.from_local_datetime(&local) {
        chrono::LocalResult::None => Err(format!("{text} is left out here by a change of clocks")),
        found => found.earliest().map(|found| found.with_timezone(&Utc)).ok_or(HOW.to_owned()),
    };
    for format in ["%Y-%m-%d %H:%M", "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"] {
        if let Ok(local) = NaiveDateTime::parse_from_str(text, format) {
            return here(local);
        }
    }
    if let Ok(day) = NaiveDate::parse_from_str(text, "%Y-%m-%d") {
        return here(day.and_time(NaiveTime::MIN));
    }
    for format in ["%H:%M", "%H:%M:%S"] {
        if let Ok(time) = NaiveTime::parse_from_str(text, format) {
            let days = if towards == Towards::Past { [0, -1] } else { [0, 1] };
            let today = now.date_naive();
            for day in days {
                let found = here((today + TimeDelta::days(day)).and_time(time))?;
                let is_right = match towards {
                    Towards::Past => found <= now,
                    Towards::Future => found > now,
                };
                if is_right {
                    return Ok(found);
                }
            }
        }
    }
    let duration = humantime::parse_duration(text).map_err(|_| HOW.to_owned())?;
    let duration = TimeDelta::from_std(duration).map_err(|_| "is too long".to_owned())?;
    let now = now.with_timezone(&Utc);
    let found = match towards {
        Towards::Past => now.checked_sub_signed(duration),
        Towards::Future => now.checked_add_signed(duration),
    };
    found.ok_or_else(|| "is too long".to_owned())
}

/// How long something took, as people read it.
pub(crate) fn took(milliseconds: i64) -> String {
    let seconds = milliseconds / 1000;
    match (seconds / 3600, seconds / 60 % 60, seconds % 60) {
        (0, 0, seconds) => format!("{seconds}.{} s", milliseconds % 1000 / 100),
        (0, minutes, seconds) => format!("{minutes} min {seconds} s"),
        (hours, minutes, _) => format!("{hours} h {minutes} min"),
    }
}

/// How long something took, in as few letters as a column has.
pub(crate) fn short(milliseconds: i64) -> String {
    let seconds = milliseconds / 1000;
    match (seconds / 3600, seconds / 60, seconds) {
        (0, 0, 0..10) => format!("{}.{}s", seconds, milliseconds % 1000 / 100),
        (0, 0, seconds) => format!("{seconds}s"),
        (0, minutes, _) => format!("{minutes}m{:02}s", seconds % 60),
        (hours, minutes, _) => format!("{hours}h{:02}m", minutes % 60),
    }
}

/// How long ago something was, in its largest unit.
pub(crate) fn age(moment: DateTime<Utc>, now: DateTime<Utc>) -> String {
    let seconds = (now - moment).num_seconds().max(0);
    match seconds {
        0..60 => format!("{seconds}s"),
        60..3600 => format!("{}m", seconds / 60),
        3600..172_800 => format!("{}h", seconds / 3600),
        _ => format!("{}d", seconds / 86400),
    }
}

/// A time to the second, or a dash.
pub(crate) fn utc(time: Option<DateTime<Utc>>) -> String {
    time.map_or_else(|| "-".to_owned(), |time| time.format("%Y-%m-%d %H:%M:%S").to_string())
}

#[cfg(test)]
mod tests {
    use chrono::FixedOffset;

    use super::*;

    fn now() -> DateTime<FixedOffset> {
        DateTime::parse_from_rfc3339("2026-11-27T20:30:00+02:00").expect("a time")
    }

    #[test]
    fn times_are_of_here_and_durations_from_now() {
        let read = |text, towards| {
            moment(text, now(), towards).map(|moment| moment.format("%m-%d %H:%M:%S").to_string())
        };
        for (text, towards, expected) in [
            ("22:30", Towards::Future, "11-27 20:30:00"),
            ("20:30", Towards::Future, "11-28 18:30:00"),
            ("06:00", Towards::Future, "11-28 04:00:00"),
            ("22:30", Towards::Past, "11-26 20:30:00"),
            ("06:00", Towards::Past, "11-27 04:00:00"),
            ("2026-11-28", Towards::Future, "11-27 22:00:00"),
            ("2026-11-28 07:15", Towards::Future, "11-28 05:15:00"),
            ("2026-11-28T07:15:09", Towards::Past, "11-28 05:15:09"),
            ("2026-11-28T07:15:09Z", Towards::Past, "11-28 07:15:09"),
            ("90m", Towards::Future, "11-27 20:00:00"),
            ("2h", Towards::Past, "11-27 16:30:00"),
        ] {
            assert_eq!(read(text, towards).as_deref(), Ok(expected), "{text}");
        }
        for wrong in ["", "25:00", "22", "soon", "2026-13-01", "2026-11-27 22"] {
            assert!(read(wrong, Towards::Future).is_err(), "{wrong}");
        }
        assert!(read("99999999999999y", Towards::Future).is_err());
    }

    #[test]
    fn durations_are_shown_with_the_two_largest_units() {
        assert_eq!(took(1_250), "1.2 s");
        assert_eq!(took(62_000), "1 min 2 s");
        assert_eq!(took(3_723_000), "1 h 2 min");
        let shown = [1_250, 42_000, 62_000, 3_723_000, 360_000_000].map(short);
        assert_eq!(shown, ["1.2s", "42s", "1m02s", "1h02m", "100h00m"]);
    }

    #[test]
    fn ages_have_one_unit() {
        let now = now().with_timezone(&Utc);
        let ago = |seconds| age(now - TimeDelta::seconds(seconds), now);
        assert_eq!(
            [0, 59, 60, 3599, 3600, 172_799, 172_800].map(ago),
            ["0s", "59s", "1m", "59m", "1h", "47h", "2d"]
        );
        assert_eq!(ago(-5), "0s", "clocks differ");
    }
}
