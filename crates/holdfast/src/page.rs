//! The web page, handed to the doors.

use gateway::page::Page;

/// The page that is built in.
pub fn page() -> Page {
    Page::none()
}
