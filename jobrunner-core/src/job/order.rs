use std::{fmt, str::FromStr};

/// In which order members of a batch are listed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Order {
    /// In the order of their submission.
    Oldest,
    /// The last one that was submitted first.
    #[default]
    Newest,
    /// By name, byte by byte.
    Name,
    /// By name, the last one first.
    NameDown,
    /// By how long the last attempt took, or the running one has so far, the shortest first. Those without
    /// a start come last.
    Shortest,
    /// The longest first. Those without a start come last.
    Longest,
}

impl Order {
    /// Every one.
    pub const ALL: [Self; 6] =
        [Self::Oldest, Self::Newest, Self::Name, Self::NameDown, Self::Shortest, Self::Longest];

    /// The word of the API: a field, with `-` in front of it from the largest value down.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Oldest => "created_at",
            Self::Newest => "-created_at",
            Self::Name => "name",
            Self::NameDown => "-name",
            Self::Shortest => "duration",
            Self::Longest => "-duration",
        }
    }
}

impl fmt::Display for Order {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Order {
    type Err = UnknownOrder;

    fn from_str(text: &str) -> Result<Self, UnknownOrder> {
        Self::ALL.into_iter().find(|order| order.as_str() == text).ok_or(UnknownOrder)
    }
}

/// The text is none of the orders.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be one of {}", Order::ALL.map(Order::as_str).join(", "))]
pub struct UnknownOrder;
