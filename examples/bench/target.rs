//! What is to be reached.

use serde::{Deserialize, Serialize};

use crate::report::Line;

/// A bound of a line's median, or of the median of its ratio over the limit.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Target {
    of: Of,
    bound: Bound,
    value: f64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Of {
    Value,
    Ratio,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Bound {
    AtLeast,
    AtMost,
}

impl Target {
    pub(crate) const fn at_least(value: f64) -> Self {
        Self { of: Of::Value, bound: Bound::AtLeast, value }
    }

    pub(crate) const fn at_most(value: f64) -> Self {
        Self { of: Of::Value, bound: Bound::AtMost, value }
    }

    pub(crate) const fn ratio_at_least(value: f64) -> Self {
        Self { of: Of::Ratio, bound: Bound::AtLeast, value }
    }

    pub(crate) const fn ratio_at_most(value: f64) -> Self {
        Self { of: Of::Ratio, bound: Bound::AtMost, value }
    }

    pub(crate) fn is_met_by(self, line: &Line) -> bool {
        let reached = match self.of {
            Of::Value => line.values.median(),
            Of::Ratio => line.ratio().map_or(f64::NAN, |ratio| ratio.median()),
        };
        match self.bound {
            Bound::AtLeast => reached >= self.value,
            Bound::AtMost => reached <= self.value,
        }
    }

    /// As it stands in the table; ratios have the sign of multiplication.
    pub(crate) fn in_words(self, line: &Line) -> String {
        let sign = match self.bound {
            Bound::AtLeast => '≥',
            Bound::AtMost => '≤',
        };
        match self.of {
            Of::Value => format!("{sign} {}", line.unit.number(self.value)),
            Of::Ratio => format!("{sign} {:.2} ×", self.value),
        }
    }
}
