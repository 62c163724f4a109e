//! The catalogue's stories, told to every engine: a file with threads, and memory on the caller's own thread.
#![allow(missing_docs, clippy::unwrap_used)]
#![allow(clippy::disallowed_methods, reason = "these tests look at the database's files, damage and copy them")]

mod access;
mod durable;
mod files;
mod history;
mod leases;
mod local;
mod orders;
mod outgoing;
mod packs;
mod plans;
mod ways;
mod world;

use catalogue::Catalogue;
use world::{Folder, World};

/// Tells each story to each engine, in a fresh catalogue.
macro_rules! stories {
    ($($module:ident::$story:ident),+ $(,)?) => {
        mod in_a_file {
            $(#[test]
            fn $story() {
                let folder = super::Folder::new(stringify!($story));
                let catalogue = super::Catalogue::open(&folder.path("catalogue.sqlite")).unwrap();
                super::$module::$story(&mut super::World::new(catalogue));
            })+
        }
        mod in_memory {
            $(#[test]
            fn $story() {
                let catalogue = super::Catalogue::open_inline_memory().unwrap();
                super::$module::$story(&mut super::World::new(catalogue));
            })+
        }
    };
}

stories! {
    files::a_tree_is_found_by_path_and_listed_in_pages,
    files::moving_a_folder_changes_one_row,
    files::the_trash_takes_no_name,
    files::overwriting_keeps_the_old_version,
    files::a_taken_name_is_a_conflict_and_the_batch_goes_on,
    files::tombstones_beat_older_rows_only,
    files::older_changes_are_ignored,
    files::account_names_are_unique,
    files::inline_files_have_no_place,
    files::a_folder_has_three_orders_and_each_is_paged,
    files::what_an_account_takes_is_counted,
    files::names_are_gone_through_from_where_one_stopped,
    packs::a_segment_is_found_where_it_lies,
    packs::repacking_moves_what_is_live,
    packs::shared_segments_live_until_their_last_version,
    packs::an_upload_keeps_its_segments_live,
    packs::findings_are_kept_for_makes_that_count,
    packs::the_packer_takes_the_oldest_first,
    local::accounts_have_kits_and_envelopes,
    access::what_opens_an_account_comes_back_as_it_was_said,
    access::what_others_see_comes_back_as_it_was_said,
    access::sessions_are_local_and_end,
    outgoing::where_things_go_comes_back_as_it_was_said,
    outgoing::mails_wait_until_they_are_due,
    outgoing::events_wait_for_their_webhook,
    ways::ways_in_come_back_as_they_were_said,
    access::the_digits_of_a_step_are_used_once,
    orders::orders_come_back_as_they_were_said,
    orders::constraints_come_back_as_they_were_said,
    orders::what_is_staged_is_kept_in_order_until_it_is_cleared,
    plans::plans_come_back_as_they_were_said,
    plans::what_guests_took_is_kept_until_their_link_ends,
    plans::files_are_found_by_their_age,
    plans::an_account_that_is_gone_leaves_nothing_and_stays_gone,
    leases::a_ledger_takes_the_next_entry_and_no_other,
    leases::leases_and_notices_come_back_as_they_were_said,
    local::copies_are_counted,
    local::a_journal_object_is_released_when_packed_and_covered,
    local::a_claim_has_one_owner_and_a_growing_term,
    local::uploads_expire_on_service_time,
    local::single_things_are_kept,
    local::hours_are_kept_until_they_are_forgotten,
    local::how_upkeep_stands_is_kept_beside_what_is_paused,
    history::any_order_leads_to_the_same_tables,
    history::layers_of_rows_make_an_equal_catalogue,
    history::live_bytes_equal_a_recount,
    durable::readers_see_nothing_before_the_commit,
    durable::a_rolled_back_transaction_leaves_nothing,
    durable::the_writer_says_what_it_cannot_do,
}
