use std::{io, path::PathBuf};

/// How a request does not fit the present state, for programs to match on. Its text says what to
/// do about it, in terms of what a caller can ask for; what options a program has for that is
/// the program's to add.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Conflict {
    /// The idempotency key belongs to another request.
    #[error("this Idempotency-Key was used for a different request; use a fresh key")]
    KeyReused,
    /// An account has this address already.
    #[error("there is an account with this email address")]
    EmailTaken,
    /// Nobody could administer any more.
    #[error("this is the last active admin; make another one first")]
    LastAdmin,
    /// The account is not any more as it was when the change was begun.
    #[error("the password or the account was changed meanwhile; sign in again")]
    AccountChanged,
    /// The account has as many personal access tokens as it may have.
    #[error("an account may have {most} tokens; delete one of them first")]
    TooManyTokens {
        /// How many those are.
        most: i64,
    },
    /// The account has as many subscriptions to notifications as it may have.
    #[error("an account may have {most} notifications; delete one of them first")]
    TooManySubscriptions {
        /// How many those are.
        most: i64,
    },
    /// The project, or the account without one, has as many known issues as it may have.
    #[error(
        "a project, or an account without one, may have {most} known issues; delete one of them first"
    )]
    TooManyKnownIssues {
        /// How many those are.
        most: i64,
    },
    /// The subscription to notifications is disabled.
    #[error("the notification is disabled; enable it first")]
    NotificationDisabled,
    /// There is a project of this name.
    #[error("there is a project of this name")]
    ProjectExists,
    /// Jobs of the project have not ended.
    #[error("jobs of the project have not ended; cancel them, or wait for them")]
    ProjectOpen,
    /// The project is put away.
    #[error("the project is archived; ask an admin to take it out again")]
    ProjectArchived,
    /// Nobody would see to the members of the project any more.
    #[error("this is the last maintainer of the project; make another one first")]
    LastMaintainer,
    /// The account is a member of as many projects as it may be.
    #[error("an account may be a member of {most} projects; remove it from one of them first")]
    TooManyProjects {
        /// How many those are.
        most: usize,
    },
    /// The job has not ended.
    #[error("the job is {status}; cancel it before you delete it")]
    JobOpen {
        /// How it stands.
        status: &'static str,
    },
    /// Jobs of the batch have not ended.
    #[error("jobs of the batch have not ended; cancel it before you delete it")]
    BatchOpen,
    /// No member of the batch is to be repeated.
    #[error(
        "no job of this batch failed or was canceled; to repeat all, ask for \"only\": \"all\""
    )]
    NothingToRerun,
    /// Another process uses the directory of the embedded store.
    #[error("another jobrunner{} is using {}", process(*.holder), .directory.display())]
    DirectoryInUse {
        /// Which directory.
        directory: PathBuf,
        /// The id of that process, if it is known.
        holder: Option<u32>,
    },
    /// The directory of the embedded store cannot be made, read or written.
    #[error("cannot use the data directory {}: {error}; make it writable", .directory.display())]
    DirectoryUnusable {
        /// Which directory.
        directory: PathBuf,
        /// What the file system said.
        error: io::Error,
    },
    /// The database was never migrated.
    #[error("the database has no schema of jobrunner yet")]
    SchemaMissing,
    /// The database was migrated by an earlier version only.
    #[error("the schema of the database is older than this version of jobrunner")]
    SchemaTooOld,
    /// The database was migrated by a later version.
    #[error("the database was made by a later version of jobrunner; use that version")]
    SchemaTooNew,
    /// The database server lacks what is needed.
    #[error("the server is PostgreSQL {found}; version {needed} or later is needed")]
    ServerTooOld {
        /// Its major version.
        found: u32,
        /// The first one that will do.
        needed: u32,
    },
}

impl Conflict {
    /// The name of its kind wherever programs read it, as in answers of the API.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::KeyReused => "key_reused",
            Self::EmailTaken => "email_taken",
            Self::LastAdmin => "last_admin",
            Self::AccountChanged => "account_changed",
            Self::TooManyTokens { .. } => "too_many_tokens",
            Self::TooManySubscriptions { .. } => "too_many_subscriptions",
            Self::TooManyKnownIssues { .. } => "too_many_known_issues",
            Self::NotificationDisabled => "notification_disabled",
            Self::ProjectExists => "project_exists",
            Self::ProjectOpen => "project_open",
            Self::ProjectArchived => "project_archived",
            Self::LastMaintainer => "last_maintainer",
            Self::TooManyProjects { .. } => "too_many_projects",
            Self::JobOpen { .. } => "job_open",
            Self::BatchOpen => "batch_open",
            Self::NothingToRerun => "nothing_to_rerun",
            Self::DirectoryInUse { .. } => "directory_in_use",
            Self::DirectoryUnusable { .. } => "directory_unusable",
            Self::SchemaMissing => "schema_missing",
            Self::SchemaTooOld => "schema_too_old",
            Self::SchemaTooNew => "schema_too_new",
            Self::ServerTooOld { .. } => "server_too_old",
        }
    }
}

fn process(holder: Option<u32>) -> String {
    holder.map_or_else(String::new, |id| format!(" (process {id})"))
}
