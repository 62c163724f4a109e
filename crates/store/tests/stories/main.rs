//! Stories of the store, each in a file that is named for it: what happens to a small service, and what must hold then.
//!
//! They are one program, because each program would compile the store's futures anew.

mod common;

mod account_gone;
mod at_once;
mod books;
mod catalogue_lost;
mod console;
mod constraints;
mod degraded_read;
mod drill;
mod failing_disk;
mod filling;
mod idle;
mod joining;
mod ladder;
mod late_records;
mod leaving;
mod ledger;
mod moved_while_read;
mod one_owner;
mod overtaken;
mod placement_sets;
mod provider_wiped;
mod quick_and_cheap;
mod returned_old;
mod room_given_back;
mod slow_firm;
mod staging;
mod stalled_senders;
mod swapped_objects;
mod torn_packs;
mod upkeep_paused;
mod upload_broken_off;
