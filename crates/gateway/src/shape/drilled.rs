//! What a drill found.

use serde::Serialize;
use service::DrillReport;
use utoipa::ToSchema;

use crate::api::word::Time;

/// What was read without a firm, and what could not be.
#[derive(Serialize, ToSchema)]
pub struct Drilled {
    /// When it ended.
    at: Time,
    /// Whether everything was asked for, or a sample.
    complete: bool,
    /// Whether all that was asked for could be read.
    passed: bool,
    /// Whether it was held without all that count as one with the provider by now. If not, a new drill has to show what the loss
    /// of all of them would do.
    still_holds: bool,
    packs: u64,
    packs_unreadable: u64,
    records: u64,
    records_unreadable: u64,
    files_unreadable: u64,
    /// That were read and were right.
    bytes: u64,
    /// The first of what could not be read, in words.
    holes: Vec<String>,
    /// Providers that did not answer either when it began.
    away: Vec<String>,
}

/// What a drill found.
pub fn drilled(report: DrillReport) -> Drilled {
    Drilled {
        at: Time(report.at_us),
        complete: report.complete,
        passed: report.passed(),
        still_holds: report.still_holds,
        packs: report.packs,
        packs_unreadable: report.packs_unreadable,
        records: report.records,
        records_unreadable: report.records_unreadable,
        files_unreadable: report.files_unreadable,
        bytes: report.bytes,
        holes: report.holes,
        away: report.away,
    }
}
