//! The storage contract as tests: one list of cases, for every backend, with no opt-outs.
//!
//! [`conformance_tests!`](crate::conformance_tests) makes one `#[test]` for each case. A case fails by
//! panicking.

mod attempts;
mod backfilling;
mod conflicts;
mod creation;
mod deletion;
mod exchange;
mod faults;
mod faulty;
mod feed;
mod fixture;
mod isolation;
mod life;
mod locks;
mod metering;
mod moving_in;
mod neighbours;
mod pages;
mod periods;
mod reading;
mod settings;
mod sign_in;
mod transactions;
mod upkeep;
mod verbs;
mod verifying;
mod voiding;

use std::sync::Arc;

use super::Storage;

/// Gives the suite the stores that it tries.
///
/// ```
/// use std::sync::Arc;
/// use partnerkit::storage::Storage;
/// use partnerkit::storage::conformance::Harness;
/// use partnerkit::storage::memory::Memory;
///
/// struct InMemory;
///
/// impl Harness for InMemory {
///     fn storage(&self) -> Arc<dyn Storage> {
///         Arc::new(Memory::new())
///     }
/// }
///
/// let first = partnerkit::storage::conformance::cases()[0];
/// (first.run)(&InMemory); // panics where the store does something else
/// ```
pub trait Harness: Send + Sync {
    /// Opens an empty store. It is called once for each case.
    fn storage(&self) -> Arc<dyn Storage>;

    /// Is called at the end of every thread that a case started.
    fn thread_ends(&self) {}
}

/// One thing that every backend must do.
#[derive(Clone, Copy)]
pub struct Case {
    /// What it does, as a sentence.
    pub name: &'static str,
    /// Proves it, or panics.
    pub run: fn(&dyn Harness),
}

/// Every case of the suite.
///
/// ```
/// use partnerkit::storage::conformance::cases;
///
/// assert!(cases().iter().any(|case| case.name == "a_read_is_not_torn"));
/// ```
pub fn cases() -> &'static [Case] {
    crate::each_conformance_case!(conformance_table)
}

/// Runs one case by name.
///
/// # Panics
/// If the backend fails the case, or no case has this name.
///
/// ```
/// use std::sync::Arc;
/// use partnerkit::storage::Storage;
/// use partnerkit::storage::conformance::Harness;
/// use partnerkit::storage::memory::Memory;
///
/// struct InMemory;
///
/// impl Harness for InMemory {
///     fn storage(&self) -> Arc<dyn Storage> {
///         Arc::new(Memory::new())
///     }
/// }
///
/// partnerkit::storage::conformance::run("a_read_is_not_torn", &InMemory);
/// ```
pub fn run(name: &str, harness: &dyn Harness) {
    let case = cases().iter().find(|case| case.name == name);
    (case.expect("the name of a conformance case").run)(harness);
}

/// Passes the one list of cases to another macro of this crate.
#[doc(hidden)]
#[macro_export]
macro_rules! each_conformance_case {
    ($callback:ident $(, $harness:expr)?) => {
        $crate::$callback! { $($harness)? ;
            verbs::a_scan_follows_its_index_either_way,
            verbs::a_scan_ends_where_its_range_does,
            verbs::a_removal_takes_the_first_of_its_scan,
            verbs::rows_are_answered_in_the_order_of_their_keys,
            verbs::what_is_put_replaces_the_whole_row,
            verbs::an_update_of_a_row_that_is_not_there_is_an_error,
            verbs::a_sum_that_is_too_large_is_aborted,
            settings::an_agency_is_configured,
            settings::an_agency_is_advised_by_what_it_has_reserved,
            settings::wrong_settings_are_refused_all_at_once,
            settings::another_time_zone_begins_no_new_period,
            deletion::a_deleted_agency_leaves_nothing_but_tombstones,
            deletion::of_many_that_need_an_agency_one_creates_it,
            deletion::who_needs_a_deleted_agency_has_another_or_is_told,
            deletion::an_agency_that_is_being_deleted_is_not_answered,
            deletion::no_create_outlives_its_agency,
            deletion::a_deletion_that_is_cut_short_goes_on,
            deletion::no_use_outlives_its_agency,
            deletion::upkeep_erases_no_agency_that_has_the_id_by_now,
            deletion::a_planned_deletion_changes_nothing,
            attempts::what_survives_a_rollback_locks_no_row_of_the_hosts,
            attempts::upkeep_in_a_hosts_transaction_leaves_attempts,
            attempts::every_failure_costs_the_same_commits,
            attempts::a_stop_is_lifted_under_every_secret,
            attempts::a_success_lifts_no_stop_that_others_reach_meanwhile,
            attempts::a_stop_is_told_while_it_stands,
            attempts::a_clock_that_is_ahead_blocks_nobody_elsewhere,
            conflicts::a_taken_label_is_answered_with_its_holder,
            conflicts::a_label_can_be_claimed_when_its_quarantine_is_over,
            conflicts::a_taken_unique_field_leaves_the_transaction_usable,
            conflicts::an_update_to_a_taken_email_leaves_the_transaction_usable,
            conflicts::a_known_event_is_answered_as_it_is,
            conflicts::a_blocked_duplicate_is_answered_with_what_was_committed,
            conflicts::a_duplicate_of_what_was_rolled_back_is_inserted,
            conflicts::an_agency_and_a_secret_are_made_once,
            creation::a_repeated_create_is_answered_as_the_first,
            creation::of_racing_creates_with_one_key_one_creates,
            creation::of_many_created_at_once_each_has_its_answer,
            creation::a_refused_row_takes_nothing_from_others,
            creation::racing_batches_create_each_label_once,
            exchange::every_row_of_a_file_has_its_answer,
            exchange::a_row_is_compared_with_every_row_before,
            exchange::a_file_comes_again_under_another_policy,
            exchange::a_file_that_cannot_be_read_says_why,
            exchange::a_stray_quotation_mark_costs_its_row,
            exchange::an_export_comes_back,
            faults::a_fault_at_any_call_leaves_all_or_nothing,
            feed::the_feed_is_gapless_while_many_write,
            feed::entries_of_one_reseller_follow_its_versions,
            feed::a_reader_sees_every_entry_once,
            isolation::no_read_reaches_another_agency,
            isolation::no_operation_reaches_another_agency,
            isolation::no_lock_reaches_another_agency,
            isolation::no_write_reaches_another_agency,
            isolation::agencies_are_listed_in_order,
            life::a_reseller_is_read_as_it_was_created,
            life::all_taken_fields_are_reported_at_once,
            life::of_many_creates_of_one_label_one_succeeds,
            life::a_stale_version_is_a_conflict,
            life::a_patch_leaves_clears_and_sets,
            life::of_many_updates_of_one_version_one_succeeds,
            life::repeating_a_deactivation_changes_nothing,
            life::deletion_leaves_nothing_but_history,
            life::a_deleted_label_is_quarantined,
            life::a_login_domain_is_renamed_in_one_step,
            life::racing_renames_leave_each_label_with_one,
            life::a_label_that_cannot_be_had_comes_with_suggestions,
            life::an_unknown_agency_is_not_found,
            life::a_host_name_leads_to_its_reseller,
            locks::no_update_of_an_agency_is_lost,
            locks::no_update_of_a_reseller_is_lost,
            locks::no_update_of_a_meter_is_lost,
            locks::no_update_of_a_day_is_lost,
            locks::no_failed_attempt_is_lost,
            locks::nothing_added_to_a_total_is_lost,
            locks::a_shared_lock_keeps_writers_out,
            metering::an_event_counts_once,
            metering::another_event_with_a_known_id_is_a_conflict,
            metering::a_batch_reports_each_event,
            metering::any_arrival_order_gives_the_same_sums,
            metering::the_latest_level_of_a_gauge_counts,
            metering::an_agency_is_summed_by_quarter_hour_and_day,
            metering::a_voided_event_is_still_known,
            metering::a_sum_never_overflows,
            metering::a_total_of_levels_never_overflows,
            metering::racing_levels_fill_a_total_once,
            metering::no_rejection_rests_on_what_is_not_counted,
            metering::racing_consumers_never_pass_the_limit,
            metering::a_denial_explains_itself,
            metering::a_repeated_consume_is_answered_as_before,
            metering::permuted_batches_never_deadlock,
            metering::a_large_batch_is_one_step,
            moving_in::a_reseller_moves_in_as_it_was,
            moving_in::what_no_reseller_can_have_been_is_refused,
            moving_in::resellers_are_listed_by_when_they_joined,
            moving_in::a_file_brings_along_what_was,
            neighbours::a_neighbour_that_never_was_takes_nothing,
            neighbours::a_neighbour_that_comes_in_between_keeps_what_it_has,
            reading::windows_are_what_the_events_add_up_to,
            reading::a_period_has_an_overview,
            reading::resellers_are_ranked,
            reading::levels_that_once_were_too_large_can_be_read,
            verifying::a_falsified_number_is_named,
            verifying::a_lost_row_is_named,
            verifying::what_is_recorded_in_any_way_is_right,
            verifying::what_is_recorded_meanwhile_is_no_difference,
            verifying::pruned_days_agree_with_themselves,
            backfilling::a_rollup_counts_once,
            backfilling::every_view_shows_what_was_backfilled,
            backfilling::a_rollup_that_cannot_be_counted_is_rejected_alone,
            backfilling::racing_rollups_count_once,
            backfilling::what_is_backfilled_cannot_be_lost_by_taking_back,
            backfilling::how_late_events_may_come_is_configured,
            backfilling::what_was_forgotten_is_not_counted_again,
            backfilling::what_an_older_version_forgot_is_not_counted_again,
            backfilling::events_and_rollups_meet,
            backfilling::no_event_is_of_before_1980,
            voiding::what_was_taken_back_was_never_there,
            voiding::events_are_taken_back_while_others_come,
            voiding::an_event_is_taken_back_once,
            voiding::an_event_that_is_too_old_stays,
            pages::pages_follow_the_newest_first,
            pages::a_walk_sees_each_row_once,
            pages::a_search_follows_the_times_whatever_clocks_do,
            pages::a_search_finds_what_was_folded,
            pages::a_search_finds_marks_without_letters,
            pages::no_character_is_a_wildcard,
            pages::a_foreign_cursor_is_refused,
            pages::a_list_is_filtered,
            pages::a_list_is_sorted_by_folded_text,
            pages::an_instant_of_any_year_is_kept_and_followed,
            pages::a_page_can_carry_the_total,
            periods::an_allowance_is_what_consume_decides_by,
            periods::an_early_event_leaves_the_period_as_it_is,
            periods::a_fast_clock_leaves_the_period_as_it_is,
            periods::an_old_handle_counts_in_the_stored_zone,
            periods::another_time_zone_gives_no_second_allowance,
            periods::racing_consumers_pass_no_limit_at_a_months_end,
            sign_in::a_reseller_signs_in_until_switched_off,
            sign_in::every_failure_is_one_error_and_one_computation,
            sign_in::a_locked_account_costs_one_computation,
            sign_in::racing_guesses_stay_within_the_limit,
            sign_in::a_changed_email_ends_every_stamp,
            sign_in::a_success_clears_the_failures,
            sign_in::a_new_password_ends_every_stamp,
            sign_in::changing_a_password_needs_the_current_one,
            sign_in::a_reset_token_works_once_and_in_time,
            sign_in::revoked_access_ends_every_stamp,
            sign_in::an_unlocked_reseller_signs_in_again,
            sign_in::one_source_cannot_go_on_guessing,
            sign_in::a_hard_stop_is_told_to_the_feed_once,
            sign_in::failures_stay_with_their_account,
            sign_in::no_failure_is_inherited,
            sign_in::a_stop_of_nobody_has_an_end,
            sign_in::a_new_secret_forgets_no_failure,
            sign_in::a_new_secret_forgives_no_source,
            sign_in::what_was_sealed_outlives_a_new_secret,
            transactions::an_error_of_the_work_undoes_everything,
            transactions::a_panic_of_the_work_undoes_everything,
            transactions::aborted_work_runs_again_and_counts_once,
            transactions::work_inside_work_is_refused,
            transactions::a_transaction_reads_its_own_writes,
            transactions::a_read_is_not_torn,
            transactions::every_row_comes_back_as_it_was_stored,
            upkeep::a_backup_opens_or_is_refused,
            upkeep::what_is_due_is_removed,
            upkeep::old_changes_go_if_the_host_wants,
            upkeep::upkeep_runs_from_many_at_once,
            upkeep::upkeep_takes_nothing_that_was_just_taken_anew,
        }
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! conformance_table {
    (; $($topic:ident::$case:ident,)*) => {
        &[$(Case { name: stringify!($case), run: $topic::$case },)*]
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! conformance_test_functions {
    ($harness:expr; $($topic:ident::$case:ident,)*) => {
        $(#[test]
        fn $case() {
            $crate::storage::conformance::run(stringify!($case), &$harness);
        })*
    };
}

/// Makes one `#[test]` for each case, which runs on the harness that the expression makes.
///
/// ```
/// use std::sync::Arc;
/// use partnerkit::storage::Storage;
/// use partnerkit::storage::conformance::Harness;
/// use partnerkit::storage::memory::Memory;
///
/// struct InMemory;
///
/// impl Harness for InMemory {
///     fn storage(&self) -> Arc<dyn Storage> {
///         Arc::new(Memory::new())
///     }
/// }
///
/// partnerkit::conformance_tests!(InMemory);
/// ```
#[macro_export]
macro_rules! conformance_tests {
    ($harness:expr) => {
        $crate::each_conformance_case!(conformance_test_functions, $harness);
    };
}
