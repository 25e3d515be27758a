use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Declares a UUID that cannot be mistaken for another kind of id.
macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Uuid);

        impl $name {
            /// A fresh UUIDv7. Ids made by one process are in the order of their making.
            #[expect(clippy::new_without_default, reason = "two calls give two different ids")]
            #[must_use]
            pub fn new() -> Self {
                Self(Uuid::now_v7())
            }

            /// The id as a plain UUID, for the edges that know no other type.
            #[must_use]
            pub const fn as_uuid(self) -> Uuid {
                self.0
            }
        }

        impl From<Uuid> for $name {
            fn from(id: Uuid) -> Self {
                Self(id)
            }
        }

        impl FromStr for $name {
            type Err = uuid::Error;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                text.parse().map(Self)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

id! {
    /// Names a job. A UUIDv7, so ids sort by time of submission.
    JobId
}
id! {
    /// Names a batch. A UUIDv7, so ids sort by time of submission.
    BatchId
}
id! {
    /// Names an account.
    UserId
}
id! {
    /// Names one life of one worker process. Never a host name: two workers on one host, or one
    /// worker before and after a restart, are different sessions.
    SessionId
}
id! {
    /// Names a sign-in: the tokens that were given out for one proof of a password.
    SignInId
}
id! {
    /// Names a personal access token. A UUIDv7, so ids sort by time.
    TokenId
}
id! {
    /// Names a subscription to notifications. A UUIDv7, so ids sort by time.
    SubscriptionId
}
id! {
    /// Names a delivery of a notification. A UUIDv7, so ids sort by time.
    DeliveryId
}
id! {
    /// Names an event of the audit. A UUIDv7, so ids sort by time.
    AuditEventId
}
