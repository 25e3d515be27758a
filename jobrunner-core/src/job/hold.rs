use serde::{Deserialize, Serialize};

/// Why a job that waits is not started, however many workers are free.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hold {
    /// The kind of reason.
    pub reason: HoldReason,
    /// One sentence for people, with what ends it.
    pub message: String,
}

/// The kinds of reasons why a job is not started.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HoldReason {
    /// The account of its owner is disabled.
    OwnerDisabled,
}

impl From<HoldReason> for Hold {
    fn from(reason: HoldReason) -> Self {
        let message = match reason {
            HoldReason::OwnerDisabled => {
                "the account of its owner is disabled; it starts when an admin enables the account"
            }
        };
        Self { reason, message: message.to_owned() }
    }
}
