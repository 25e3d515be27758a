//! The conformance suites: what every [`Store`](crate::Store), [`Queue`](crate::Queue),
//! [`Executor`](crate::Executor) and [`Authz`](crate::Authz) must do, whatever they are made of.
//!
//! An implementation runs its suite with one line in a test crate that has this crate with the
//! feature `testkit` and tokio, given a function that makes a fresh one for each case:
//!
//! ```
//! use std::sync::Arc;
//!
//! use jobrunner_core::{Queue, queue::LocalQueue, queue_conformance};
//!
//! async fn queue() -> (Arc<dyn Queue>, ()) {
//!     (Arc::new(LocalQueue::new()), ())
//! }
//!
//! queue_conformance!(queue);
//! ```
//!
//! | of | macro | the function makes |
//! |---|---|---|
//! | a store | [`store_conformance!`](crate::store_conformance), and [`store_model!`](crate::store_model) for random sequences | a [`Fixture`] |
//! | a queue | [`queue_conformance!`](crate::queue_conformance) | the queue, and what must live as long |
//! | an executor | [`executor_conformance!`](crate::executor_conformance) | an [`ExecutorFixture`](executor::ExecutorFixture) |
//! | an authorization | [`authz_conformance!`](crate::authz_conformance) | an [`AuthzFixture`](authz::AuthzFixture) |
//!
//! Each case becomes a test of its name. The cases panic when the backend breaks a promise; names
//! that begin with `p1` to `p13` test the promise of that number.

pub mod authz;
mod builders;
pub mod executor;
mod faulty;
pub mod model;
pub mod queue;
pub mod servers;
pub mod store;
mod wait;

pub use builders::{Fixture, Hand, account, audit_event, new_batch, outcome, skip, spec};
pub use faulty::{Fault, Faulty};
pub use wait::{PATIENCE, allowed, wait_until, wait_while_progressing};

/// Makes a test of every case of the store's suite. Takes the path of an `async fn() -> Fixture`.
#[macro_export]
macro_rules! store_conformance {
    ($fixture:path) => {
        $crate::conformance_tests! { store, $fixture =>
            accounts: an_address_belongs_to_one_account,
                of_many_first_accounts_one_is_made,
                the_last_active_admin_stays,
                a_sign_in_ends_alone_and_for_good,
                a_refresh_token_is_used_once,
                a_new_password_ends_older_tokens,
                the_sign_in_that_sets_a_password_is_kept;
            tokens: a_token_is_found_by_its_secret_until_it_is_deleted,
                tokens_are_listed_of_their_owner_newest_first,
                the_last_use_of_a_token_is_kept_once_a_minute,
                an_account_has_no_more_tokens_than_it_may;
            projects: projects_are_found_by_their_names,
                p12_members_come_and_go_but_for_the_last_maintainer,
                a_project_is_archived_for_the_sake_of_what_belongs_to_it,
                p12_what_is_found_is_in_the_scope_by_owner_or_by_project,
                a_rerun_belongs_to_the_project_of_what_it_repeats;
            audit: events_are_found_as_they_were_recorded;
            notifications: a_subscription_is_found_as_it_was_stored_until_it_is_deleted,
                an_account_has_no_more_subscriptions_than_it_may,
                the_end_of_a_batch_is_told_once_to_those_who_asked,
                the_first_failure_of_a_batch_is_told_while_it_runs,
                a_delivery_is_tried_by_one_at_a_time_until_it_is_reported,
                a_long_list_of_one_subscription_does_not_keep_others_waiting,
                what_has_been_due_for_the_longest_is_sent_first,
                a_subscription_of_a_project_tells_of_what_belongs_to_it,
                a_subscription_of_a_series_tells_of_its_runs,
                failures_that_are_new_are_told_when_a_batch_ends,
                what_happens_within_a_window_is_one_message,
                old_deliveries_are_forgotten_but_for_those_that_wait;
            submit: p1_a_job_is_found_as_it_was_asked_for,
                p1_the_same_key_answers_the_same_job,
                a_key_outlives_what_was_made_with_it,
                p1_a_batch_with_one_bad_member_stores_nothing,
                p1_of_many_submitted_at_once_each_is_stored_once,
                p1_a_job_was_made_when_the_answer_says,
                p1_callers_who_go_away_leave_the_counts_right,
                p1_a_large_batch_is_stored_whole_and_paged_newest_first,
                a_rerun_repeats_the_chosen_members;
            lists: lists_show_what_the_filter_asks_for,
                members_are_listed_in_the_order_that_is_asked_for,
                batches_are_found_by_their_name_or_a_pattern,
                p12_nothing_is_found_out_of_scope,
                what_has_ended_can_be_deleted;
            claims: p3_every_claim_has_a_fresh_token,
                p3_of_many_claimers_each_job_goes_to_one,
                priority_orders_the_jobs_of_an_owner,
                p11_a_large_batch_does_not_keep_others_waiting,
                an_owner_at_the_limit_waits_and_others_go_on,
                the_turns_of_an_owner_at_the_limit_go_to_others,
                jobs_of_a_disabled_account_wait_until_it_is_enabled,
                scheduled_jobs_wait_for_their_time,
                workers_get_jobs_of_the_queues_they_serve,
                proposed_jobs_are_claimed_if_they_can_be,
                what_is_claimable_is_told_page_by_page,
                p4_a_claim_charges_an_attempt_until_it_is_given_back;
            queues: a_paused_queue_is_left_alone_until_it_goes_on,
                what_waits_and_runs_in_a_queue_is_told,
                queues_that_nobody_uses_are_forgotten;
            turns: p11_a_single_job_waits_two_turns_beside_1500_queues_of_another,
                p11_owners_get_turns_in_proportion_to_their_weights,
                p11_the_lanes_of_an_owner_get_its_turns_by_the_weights_of_their_queues,
                p11_who_was_idle_is_a_turn_ahead_and_no_more,
                what_waited_in_a_paused_queue_is_found_when_it_goes_on;
            results: a_failure_is_new_once_then_still_there_then_fixed,
                only_what_says_something_is_compared_with,
                a_verdict_is_live_until_the_batch_has_ended,
                a_rerun_does_not_hide_the_run_that_it_repeats,
                runs_are_compared_with_those_of_their_branch,
                a_test_is_its_name_and_its_variant,
                a_test_that_takes_much_longer_is_slower,
                a_batch_of_no_series_has_no_verdict,
                results_outlive_their_batch,
                the_gate_of_a_batch_decides_its_verdict,
                the_tests_of_a_class_come_in_pages;
            cases: cases_are_tests_with_a_past_of_their_own,
                a_job_that_failed_otherwise_is_a_test_beside_its_cases,
                cases_that_are_called_alike_are_one_test;
            known_issues: a_known_issue_is_found_as_it_was_stored_until_it_is_deleted,
                there_are_no_more_known_issues_than_there_may_be,
                a_failure_of_a_known_cause_is_known_and_fails_no_gate,
                a_known_issue_holds_for_batches_that_run_until_it_ends,
                a_known_issue_is_about_what_it_names_alone,
                that_what_is_expected_to_fail_passes_is_told;
            history: a_series_is_of_its_project_or_of_its_owner,
                the_runs_of_a_series_are_told_newest_first,
                tests_that_failed_last_come_first,
                tests_are_found_by_what_became_of_them_last,
                what_became_of_a_test_is_told_newest_first,
                tests_that_turn_are_suspected,
                two_batches_are_compared_with_each_other_alone;
            insight: failures_that_are_alike_are_told_together,
                the_time_of_a_batch_is_told_in_equal_parts;
            repeats: only_failures_that_a_job_names_are_repeated,
                a_repetition_waits_for_its_pause,
                p4_a_job_that_passes_after_a_failure_is_flaky_and_counted,
                p4_a_job_that_is_skipped_has_passed_and_is_counted,
                files_that_are_missing_on_one_host_are_looked_for_on_another,
                p4_a_job_that_lost_its_worker_prefers_another_host,
                p4_a_job_that_lost_two_workers_runs_alone_after_all_others,
                p4_a_job_whose_workers_were_stopped_is_no_suspect;
            reports: cases_are_listed_as_they_were_reported,
                cases_are_of_the_last_attempt_or_of_a_named_one,
                p2_the_cases_of_a_repeated_report_are_stored_once,
                a_report_of_a_hundred_thousand_cases_is_stored_whole,
                cases_are_forgotten_with_their_job;
            ends: p2_a_job_ends_once,
                p3_a_stale_token_changes_nothing,
                p4_failures_are_repeated_and_every_attempt_is_kept,
                p4_a_lost_worker_is_not_a_failure_until_its_budget_is_spent,
                p5_a_batch_begins_and_finishes_once,
                p5_counts_equal_a_recount_after_any_changes,
                p6_a_job_that_waits_is_canceled_at_once,
                p6_a_running_job_is_canceled_by_its_worker,
                p6_all_that_is_open_is_canceled_of_one_owner_or_of_everybody,
                p6_a_batch_is_canceled_whole;
            sessions: p9_leases_of_a_silent_worker_are_reclaimed,
                p9_a_renewal_keeps_the_leases,
                p9_a_lease_the_worker_never_heard_of_comes_back,
                a_closed_session_gives_its_jobs_back,
                a_draining_worker_gets_nothing_new;
            logs: p8_output_comes_back_byte_for_byte,
                p8_a_chunk_stored_twice_is_stored_once,
                p8_a_trimmed_stream_shows_its_gap,
                p8_a_lost_lease_stores_nothing;
            faults: p1_a_submission_whose_answer_was_lost_is_repeated_by_its_key,
                p1_a_batch_whose_answer_was_lost_is_repeated_by_its_key,
                p3_a_report_whose_answer_was_lost_is_repeated,
                p4_an_exchange_whose_answer_was_lost_is_repeated,
                p6_a_cancel_and_a_release_whose_answers_were_lost_are_repeated,
                p8_output_whose_answer_was_lost_is_repeated,
                p9_a_claim_whose_answer_was_lost_comes_back,
                p9_a_worker_whose_announcement_was_lost_announces_itself_again;
        }
    };
}

/// Makes a test of every case of the queue's suite. Takes the path of an
/// `async fn() -> (Arc<dyn Queue>, impl Any)`; the second part is kept while the test runs.
#[macro_export]
macro_rules! queue_conformance {
    ($queue:path) => {
        $crate::conformance_tests! { queue, $queue =>
            wakeups: an_offer_wakes_those_who_wait,
                announcements_reach_every_listener,
                a_listener_that_falls_behind_is_told;
            candidates: no_more_is_proposed_than_is_wanted,
                an_offered_job_is_proposed_to_somebody,
                what_is_proposed_is_of_the_queues_that_are_served,
                p11_a_large_batch_is_not_proposed_before_the_jobs_of_others,
                who_asks_an_empty_queue_is_answered;
        }
    };
}

/// Makes a test of every case of the executor's suite. Takes the path of an
/// `async fn() -> ExecutorFixture`. Needs Linux.
#[macro_export]
macro_rules! executor_conformance {
    ($fixture:path) => {
        $crate::conformance_tests! { executor, $fixture =>
            commands: an_exit_code_is_told,
                a_signal_is_told_by_its_name,
                arguments_reach_the_command_as_they_are,
                a_program_that_cannot_be_started_is_told_of,
                the_duration_is_that_of_the_command,
                many_commands_at_once_have_their_own_results;
            environment: a_command_has_its_variables_and_knows_its_job,
                p12_a_command_sees_no_variables_of_its_worker,
                p12_the_input_of_a_command_is_empty,
                a_command_runs_in_its_working_directory,
                a_working_directory_that_cannot_be_used_is_told_of,
                an_input_that_is_missing_is_told_of;
            output: p8_both_streams_are_byte_exact,
                p8_long_streams_keep_their_order_side_by_side,
                output_arrives_while_the_command_runs,
                p8_nothing_is_lost_to_a_slow_sink;
            reports: reports_are_found_by_their_patterns,
                reports_of_an_earlier_run_do_not_count,
                what_cannot_be_read_is_told;
            ends: p7_a_timeout_ends_a_command,
                p7_a_timeout_kills_what_does_not_end,
                a_command_may_clean_up_when_it_is_asked_to_end,
                a_command_that_writes_nothing_for_too_long_is_ended,
                p6_a_command_that_is_stopped_ends_with_its_children,
                p6_a_command_that_does_not_stop_is_killed,
                p6_what_is_stopped_before_it_begins_is_not_started,
                what_a_command_leaves_behind_ends_with_it,
                a_run_that_is_dropped_is_killed;
        }
    };
}

/// Makes a test of every case of the suite of authorizations. Takes the path of an
/// `async fn() -> AuthzFixture`; with `own rules` behind it, what the three roles may do and
/// what a new password ends is left to the authorization, and everything else has to hold by
/// whatever it decides.
#[macro_export]
macro_rules! authz_conformance {
    ($fixture:path) => {
        $crate::authz_conformance! { $fixture, own rules }
        $crate::conformance_tests! { authz, $fixture =>
            roles: p12_roles_may_do_what_they_are_for,
                p12_owners_see_what_is_theirs_and_admins_everything,
                p12_a_new_password_ends_what_was_begun_before;
            projects: p12_members_may_do_what_both_their_roles_allow,
                p12_a_membership_acts_at_once_and_ends_what_was_begun_by_it;
        }
    };
    ($fixture:path, own rules) => {
        $crate::conformance_tests! { authz, $fixture =>
            callers: a_caller_is_whom_the_credential_belongs_to,
                p12_what_was_made_up_lets_nobody_in,
                p12_a_disabled_account_is_not_let_in,
                a_new_role_acts_at_once,
                p12_a_sign_in_that_has_ended_lets_nobody_in,
                p12_what_changed_elsewhere_acts_within_a_second;
            scopes: p12_single_reads_keep_to_the_scope,
                p12_lists_keep_to_the_scope_as_single_reads_do,
                p12_nobody_changes_what_is_out_of_scope;
            streams: what_a_caller_began_may_go_on,
                p12_what_a_caller_began_ends_with_what_they_were,
                p12_streams_end_when_their_caller_may_not_go_on;
        }
    };
}

/// What the suites' macros are made of.
#[doc(hidden)]
#[macro_export]
macro_rules! conformance_tests {
    ($suite:ident, $fixture:path => $($group:ident: $($case:ident),+;)+) => {
        $($(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $case() {
                $crate::testkit::$suite::$group::$case(&$fixture().await).await;
            }
        )+)+
    };
}
