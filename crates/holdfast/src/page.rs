//! The web page, handed to the doors.

use gateway::page::{Asset, Page};

/// The page that is built in.
pub fn page() -> Page {
    Page { find: |path| ui::asset(path).map(asset), index: || asset(ui::index()) }
}

fn asset(asset: &'static ui::Asset) -> Asset {
    let ui::Asset { media_type, bytes, gzip, immutable, .. } = *asset;
    Asset { media_type, bytes, gzip, immutable }
}
