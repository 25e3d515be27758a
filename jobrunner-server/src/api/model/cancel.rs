use jobrunner_core::{Violation, service::Whose, store};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::pattern;

/// Whose jobs are canceled.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CancelJobs {
    /// `me`, `all` (of everybody whose jobs the caller may control), or the id of an account.
    #[schemars(regex(pattern = pattern::WHOSE))]
    owner: String,
}

impl TryFrom<CancelJobs> for Whose {
    type Error = Violation;

    fn try_from(asked: CancelJobs) -> Result<Self, Violation> {
        let CancelJobs { owner } = asked;
        Ok(match owner.as_str() {
            "me" => Self::Mine,
            "all" => Self::All,
            id => Self::Of(id.parse().map_err(|_| {
                Violation::new("owner", "must be me, all, or the id of an account")
            })?),
        })
    }
}

/// What a cancel did.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Canceled {
    /// Jobs that ended by it at once, since they were not running.
    ended: u64,
    /// Jobs whose worker was told to kill them.
    stopping: u64,
}

impl From<store::Canceled> for Canceled {
    fn from(canceled: store::Canceled) -> Self {
        let store::Canceled { ended, stopping } = canceled;
        Self { ended, stopping }
    }
}
