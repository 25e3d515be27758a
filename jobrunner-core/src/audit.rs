//! The audit: who asked for what, and when.
//!
//! An event says that somebody asked for a change and was allowed to. It is stored before the
//! change is made, so nothing is done that is not told; now and then one tells of a change that
//! came to nothing because something else came in between. Events are never changed or deleted.
//! Submissions are told by the jobs and batches themselves.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{AuditEventId, UserId, words::words};

words! {
    /// What was asked for.
    AuditAction {
        /// A token was given out for a password.
        SignIn = "sign_in",
        /// A password was wrong, or there is no such account. No more than one a second is kept.
        SignInFailed = "sign_in_failed",
        /// A token was ended before its time.
        SignOut = "sign_out",
        /// An account was made.
        CreateUser = "create_user",
        /// An account was changed, enabled or disabled.
        UpdateUser = "update_user",
        /// Somebody set the password of their own account.
        ChangePassword = "change_password",
        /// Somebody made a personal access token.
        CreateToken = "create_token",
        /// A personal access token was ended.
        DeleteToken = "delete_token",
        /// Somebody subscribed to notifications.
        CreateNotification = "create_notification",
        /// A subscription to notifications was changed.
        UpdateNotification = "update_notification",
        /// A subscription to notifications was ended.
        DeleteNotification = "delete_notification",
        /// Somebody had a test delivered.
        TestNotification = "test_notification",
        /// Somebody had a notification delivered again.
        Redeliver = "redeliver",
        /// A job was canceled.
        CancelJob = "cancel_job",
        /// Every job that had not ended was taken back, of one owner or of everybody.
        CancelJobs = "cancel_jobs",
        /// A job that had ended was forgotten.
        DeleteJob = "delete_job",
        /// A batch was canceled.
        CancelBatch = "cancel_batch",
        /// Members of a batch were submitted again.
        RerunBatch = "rerun_batch",
        /// A batch that had ended was forgotten.
        DeleteBatch = "delete_batch",
        /// Somebody made an issue known.
        CreateKnownIssue = "create_known_issue",
        /// A known issue was changed.
        UpdateKnownIssue = "update_known_issue",
        /// A known issue was ended.
        DeleteKnownIssue = "delete_known_issue",
        /// A project was made.
        CreateProject = "create_project",
        /// A project was described anew, put away or taken out again.
        UpdateProject = "update_project",
        /// A project was forgotten, or put away for the sake of what belongs to it.
        DeleteProject = "delete_project",
        /// Somebody became a member of a project, or got another role in it.
        SetProjectMember = "set_project_member",
        /// Somebody is no member of a project any more.
        RemoveProjectMember = "remove_project_member",
        /// A queue was paused, opened or weighted.
        UpdateQueue = "update_queue",
        /// A worker was told to take no new jobs.
        DrainWorker = "drain_worker",
    }
}

words! {
    /// What an action was done to.
    TargetType {
        /// An account.
        User = "user",
        /// A job.
        Job = "job",
        /// A batch.
        Batch = "batch",
        /// A queue.
        Queue = "queue",
        /// A worker.
        Worker = "worker",
        /// A personal access token.
        Token = "token",
        /// A subscription to notifications.
        Notification = "notification",
        /// A known issue.
        KnownIssue = "known_issue",
        /// A project.
        Project = "project",
    }
}

/// One event.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AuditEvent {
    /// Which event.
    pub id: AuditEventId,
    /// When it was asked for, to the millisecond.
    pub created_at: DateTime<Utc>,
    /// Who asked; `None` for the service itself, and for somebody who could not prove who they are.
    pub actor_id: Option<UserId>,
    /// The address of that account then, or the one that a failed sign-in was for; `None` for the
    /// service itself.
    pub actor_email: Option<String>,
    /// What was asked for.
    pub action: AuditAction,
    /// What kind of thing it was done to; `None` for what concerns the actor alone.
    pub target_type: Option<TargetType>,
    /// The thing's id; the name of a queue or a project.
    pub target_id: Option<String>,
    /// What people called it then.
    pub target_name: Option<String>,
    /// What was to change, by the names of the API's fields. Never a secret.
    pub details: Map<String, Value>,
}

/// Which events; `None` is any.
#[derive(Clone, Debug, Default)]
pub struct AuditFilter {
    /// Who asked.
    pub actor: Option<UserId>,
    /// What for.
    pub action: Option<AuditAction>,
    /// The id of what it was done to; the name of a queue or a project.
    pub target: Option<String>,
}
