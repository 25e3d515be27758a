use poem_openapi::Enum;

/// In which order members of a batch are listed: by a field, with `-` in front of it from the largest value
/// down. By duration, those without a start come last either way.
#[derive(Clone, Copy, Debug, Enum)]
pub(crate) enum Order {
    #[oai(rename = "created_at")]
    Oldest,
    #[oai(rename = "-created_at")]
    Newest,
    #[oai(rename = "name")]
    Name,
    #[oai(rename = "-name")]
    NameDown,
    #[oai(rename = "duration")]
    Shortest,
    #[oai(rename = "-duration")]
    Longest,
}

impl From<Order> for jobrunner_core::job::Order {
    fn from(order: Order) -> Self {
        match order {
            Order::Oldest => Self::Oldest,
            Order::Newest => Self::Newest,
            Order::Name => Self::Name,
            Order::NameDown => Self::NameDown,
            Order::Shortest => Self::Shortest,
            Order::Longest => Self::Longest,
        }
    }
}
