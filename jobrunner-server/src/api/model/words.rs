//! Words: the enums of core as the API writes them.

use std::borrow::Cow;

use jobrunner_core::{
    audit, batch, executor, job, known_issue, log, notification, project, report, retry, series,
    status, user, verdict,
};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Serialize;

use crate::api::http::parameter::Parameter;

/// The schema of one of a few words, each of which may be explained.
fn schema(about: &str, words: &[(&str, &str)]) -> Schema {
    let names: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
    let mut description = about.trim().to_owned();
    for (word, meaning) in words.iter().filter(|(_, meaning)| !meaning.is_empty()) {
        description += &format!("\n* `{word}`: {}", meaning.trim());
    }
    json_schema!({ "type": "string", "enum": names, "description": description })
}

/// Declares words: of core's, which are converted both ways, or of the API alone.
macro_rules! words {
    ($($(#[doc = $doc:literal])+ $name:ident = $module:ident::$core:ident { $($words:tt)+ })+) => {$(
        words!(@declare [$($doc)+] $name { $($words)+ });
        words!(@convert $name = $module::$core { $($words)+ });
    )+};

    ($($(#[doc = $doc:literal])+ $name:ident { $($words:tt)+ })+) => {
        $(words!(@declare [$($doc)+] $name { $($words)+ });)+
    };

    (@declare [$($doc:literal)+] $name:ident {
        $($(#[doc = $meaning:literal])* $variant:ident = $word:literal,)+
    }) => {
        $(#[doc = $doc])+
        #[derive(Clone, Copy, Debug, Serialize)]
        pub(crate) enum $name {
            $($(#[doc = $meaning])* #[serde(rename = $word)] $variant),+
        }

        impl JsonSchema for $name {
            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                schema(concat!($($doc),+), &[$(($word, concat!($($meaning),*))),+])
            }
        }

        impl Parameter for $name {
            fn read(text: &str) -> Result<Self, String> {
                match text {
                    $($word => Ok(Self::$variant),)+
                    _ => Err(format!("must be one of {}", [$($word),+].join(", "))),
                }
            }
        }
    };

    (@convert $name:ident = $module:ident::$core:ident {
        $($(#[doc = $meaning:literal])* $variant:ident = $word:literal,)+
    }) => {
        impl From<$module::$core> for $name {
            fn from(word: $module::$core) -> Self {
                match word {
                    $($module::$core::$variant => Self::$variant),+
                }
            }
        }

        impl From<$name> for $module::$core {
            fn from(word: $name) -> Self {
                match word {
                    $($name::$variant => Self::$variant),+
                }
            }
        }
    };
}

words! {
    /// Where a job or a batch stands.
    Status = status::Status {
        Waiting = "waiting",
        Running = "running",
        Passed = "passed",
        Failed = "failed",
        Canceled = "canceled",
    }

    /// How a test case of a JUnit file ended.
    CaseStatus = report::CaseStatus {
        /// It failed, or could not be carried out.
        Failed = "failed",
        /// It was left out.
        Skipped = "skipped",
        Passed = "passed",
    }

    /// Why an attempt did not pass.
    Reason = job::Reason {
        /// The command returned something other than 0.
        ExitCode = "exit_code",
        /// A signal that JobRunner did not send ended the command.
        Signal = "signal",
        /// It ran longer than it may, and was killed.
        Timeout = "timeout",
        /// It wrote nothing for longer than it may, and was killed.
        Silent = "silent",
        /// It used more memory than it may, and the kernel killed one of its processes for it.
        Oom = "oom",
        /// The program could not be started.
        SpawnFailed = "spawn_failed",
        /// The working directory is missing, unreadable, or not allowed.
        WorkingDir = "working_dir",
        /// One of the inputs is missing or unreadable.
        InputMissing = "input_missing",
        /// The worker went away in the middle.
        WorkerLost = "worker_lost",
        /// Somebody canceled the job.
        Canceled = "canceled",
    }

    /// A kind of failure.
    RetryKind = retry::RetryKind {
        /// A signal ended the command.
        Signal = "signal",
        /// It exceeded its timeout.
        Timeout = "timeout",
        /// It wrote nothing for too long.
        Silent = "silent",
    }

    /// A kind of reason why a job is not started.
    HoldReason = job::HoldReason {
        /// The account of its owner is disabled.
        OwnerDisabled = "owner_disabled",
        /// Its queue is paused.
        QueuePaused = "queue_paused",
        /// Its owner has as many jobs running as they may have.
        AccountLimit = "account_limit",
        /// It was submitted for a later time.
        Scheduled = "scheduled",
        /// An attempt failed, and the pause before the next one is not over.
        RetryDelay = "retry_delay",
        /// No worker that takes jobs serves its queue.
        NoWorker = "no_worker",
        /// It has lost so many workers that it runs alone, when no other job waits.
        Suspect = "suspect",
        /// Nothing but its turn: every slot is taken by jobs before it.
        Turn = "turn",
    }

    /// In which order members of a batch are listed: by a field, with `-` in front of it from the
    /// largest value down. By duration, those without a start come last either way.
    Order = job::Order {
        Oldest = "created_at",
        Newest = "-created_at",
        Name = "name",
        NameDown = "-name",
        Shortest = "duration",
        Longest = "-duration",
    }

    /// Which members a rerun repeats.
    RerunOnly = batch::RerunOnly {
        /// Those that failed or were canceled.
        Failed = "failed",
        /// Every one.
        All = "all",
    }

    /// Which failures make the verdict of a batch one.
    Gate = series::Gate {
        /// All that are not known issues.
        Failed = "failed",
        /// Those that are new.
        New = "new",
        /// None.
        None = "none",
    }

    /// What a gate says of a batch.
    VerdictStatus = verdict::VerdictStatus {
        /// It has not ended.
        Pending = "pending",
        /// Nothing that the gate looks at has failed.
        Pass = "pass",
        /// Something has.
        Fail = "fail",
    }

    /// What became of a test in a run.
    Outcome = verdict::Outcome {
        /// It passed.
        Passed = "passed",
        /// It passed by an exit code that says that it had nothing to do.
        Skipped = "skipped",
        /// It passed after an attempt that failed.
        Flaky = "flaky",
        /// It was canceled, started or not.
        NotRun = "not_run",
        /// It failed by its host: a worker was lost, an input or the working directory away.
        Infra = "infra",
        /// It failed.
        Failed = "failed",
    }

    /// What a test is in a batch, beside its own last result. Each is in one of the first eight.
    Class = verdict::Class {
        /// It passed.
        Passed = "passed",
        /// It passed after an attempt that failed.
        Flaky = "flaky",
        /// It passed, and its last result was a failure.
        Fixed = "fixed",
        /// It failed, and did not before, or for another cause.
        New = "new",
        /// It failed as before.
        Still = "still",
        /// It failed as a known issue says.
        Known = "known",
        /// It failed by its host: a worker was lost, an input or the working directory away.
        Infra = "infra",
        /// It was canceled, started or not.
        NotRun = "not_run",
        /// It has a last result, and is not in this batch.
        Missing = "missing",
        /// It passed, in twice the time of nine tenths of its last results or more, and a second
        /// more.
        Slower = "slower",
    }

    /// What an account may do.
    Role = user::Role {
        /// Everything.
        Admin = "admin",
        /// Submit, and control what is theirs.
        Operator = "operator",
        /// Read what is theirs.
        Viewer = "viewer",
    }

    /// What a member of a project may do with what belongs to it, as far as the account's role lets
    /// them do it at all.
    ProjectRole = project::ProjectRole {
        /// Everything operators may, and see to the members.
        Maintainer = "maintainer",
        /// Submit, and control what belongs to the project.
        Operator = "operator",
        /// Read what belongs to the project.
        Viewer = "viewer",
    }

    /// One of the two streams a command writes.
    Stream = log::Stream {
        Stdout = "stdout",
        Stderr = "stderr",
    }

    /// How a worker holds together what commands start.
    Containment = executor::Containment {
        /// By process groups alone.
        ProcessGroup = "process_group",
        /// By process groups, and by a reaper that is handed what leaves them.
        ProcessTree = "process_tree",
        /// By a control group (cgroup v2) for each command, besides.
        CgroupV2 = "cgroup_v2",
    }

    /// What was asked for.
    AuditAction = audit::AuditAction {
        SignIn = "sign_in",
        /// No more than one a second is kept.
        SignInFailed = "sign_in_failed",
        SignOut = "sign_out",
        CreateUser = "create_user",
        UpdateUser = "update_user",
        /// By the account's own user.
        ChangePassword = "change_password",
        CreateToken = "create_token",
        DeleteToken = "delete_token",
        CreateNotification = "create_notification",
        UpdateNotification = "update_notification",
        DeleteNotification = "delete_notification",
        TestNotification = "test_notification",
        Redeliver = "redeliver",
        CancelJob = "cancel_job",
        /// Every one that had not ended, of one owner or of everybody.
        CancelJobs = "cancel_jobs",
        DeleteJob = "delete_job",
        CancelBatch = "cancel_batch",
        RerunBatch = "rerun_batch",
        DeleteBatch = "delete_batch",
        CreateKnownIssue = "create_known_issue",
        UpdateKnownIssue = "update_known_issue",
        DeleteKnownIssue = "delete_known_issue",
        CreateProject = "create_project",
        UpdateProject = "update_project",
        DeleteProject = "delete_project",
        SetProjectMember = "set_project_member",
        RemoveProjectMember = "remove_project_member",
        UpdateQueue = "update_queue",
        DrainWorker = "drain_worker",
    }

    /// What an action was done to.
    TargetType = audit::TargetType {
        User = "user",
        Job = "job",
        Batch = "batch",
        Queue = "queue",
        Worker = "worker",
        Token = "token",
        Project = "project",
        Notification = "notification",
        KnownIssue = "known_issue",
    }

    /// What becomes of a test that a known issue is about.
    Effect = known_issue::Effect {
        /// Its failures are `known`: shown apart, and nothing that a gate looks at.
        Mute = "mute",
        /// It is expected to fail: its failures are `known`, and when it passes, it is `fixed`.
        Xfail = "xfail",
    }

    /// What somebody may be told of.
    EventKind = notification::EventKind {
        /// All jobs of a batch have ended.
        Finished = "finished",
        /// They have, and one of them failed.
        Failed = "failed",
        /// The first job of a batch failed for good; others may still run.
        FirstFailure = "first_failure",
        /// A batch passed, and the one of this name before it had failed.
        Recovered = "recovered",
        /// A batch has ended, and tests of it failed that had not failed before, or not so.
        NewFailures = "new_failures",
    }

    /// What kind of server takes the messages.
    ChannelType = notification::ChannelKind {
        /// One that takes Standard Webhooks.
        Webhook = "webhook",
        /// One that takes messages as Slack does.
        Slack = "slack",
        /// The operator's mail server.
        Email = "email",
    }

    /// How a delivery stands.
    DeliveryStatus = notification::DeliveryStatus {
        /// It is tried, now or later.
        Waiting = "waiting",
        /// It was taken.
        Delivered = "delivered",
        /// It is not tried again unless somebody asks for it.
        Dead = "dead",
        /// It waits for the end of its window, and is told together with what else happens in it.
        Gathered = "gathered",
    }

    /// What a personal access token is good for.
    TokenScope = user::TokenScope {
        /// Look at jobs, batches, output, queues and workers.
        Read = "read",
        /// Submit jobs and batches.
        Submit = "submit",
        /// Cancel, rerun and delete them.
        Control = "control",
        /// Everything but to see to passwords, sign-ins and tokens.
        Admin = "admin",
    }

}

words! {
    /// With what somebody signs in.
    GrantType {
        /// With an address and a password.
        Password = "password",
        /// With the `refresh_token` of the answer before.
        RefreshToken = "refresh_token",
    }

    /// How a token is sent: `Authorization: Bearer …`.
    TokenType {
        Bearer = "bearer",
    }

    /// Whether the service does its work.
    HealthStatus {
        Ok = "ok",
        /// A part does not work.
        Degraded = "degraded",
    }

    /// Whether the database answers.
    DatabaseHealth {
        Ok = "ok",
        Error = "error",
    }

    /// Whether Redis answers.
    RedisHealth {
        Ok = "ok",
        Error = "error",
        /// There is none.
        Disabled = "disabled",
    }
}
