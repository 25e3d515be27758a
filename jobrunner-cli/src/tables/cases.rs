use jobrunner_core::report::Case;

use super::{WHOLE, columns, cut, drop, either, or_dash};
use crate::{table::Column, time};

pub(crate) const CASES: &[Column<Case>] = columns! {
    "status" WHOLE, usual, |case, _| match case.flaky {
        true => format!("{}, flaky", case.status),
        false => case.status.to_string(),
    };
    "class" either(12, 2), usual, |case, _| or_dash(Some(case.class.to_string()));
    "name" cut(16), usual, |case, _| case.name.clone();
    "took" drop(3), usual, |case, _| or_dash(case.duration_ms.map(|took| {
        time::short(i64::try_from(took).unwrap_or(i64::MAX))
    }));
    "why" either(20, 1), usual, |case, _| {
        let message = case.message.as_deref().unwrap_or_default();
        message.lines().next().unwrap_or_default().to_owned()
    };
    "file" either(12, 4), wanted, |case, _| or_dash(case.file.clone());
};
