//! Names of what is brought in beside something else.

/// Bytes of a name at most.
const NAME_BYTES_MAX: usize = 255;

/// `report (before rebuild 2).pdf`: a name beside one that is taken, still at most 255 bytes.
pub(super) fn late_name(name: &str, epoch: u64, number: u64) -> String {
    let count = if number > 1 { format!(", {number}") } else { String::new() };
    let mark = format!(" (before rebuild {}{count})", epoch.saturating_sub(1));
    let (stem, ending) = match name.rfind('.') {
        Some(dot) if dot > 0 && name.len() - dot <= 16 => name.split_at(dot),
        _ => (name, ""),
    };
    let room = NAME_BYTES_MAX - mark.len() - ending.len();
    format!("{}{mark}{ending}", &stem[..stem.floor_char_boundary(room)])
}

#[cfg(test)]
mod tests {
    use super::late_name;

    #[test]
    fn names_beside_others() {
        assert_eq!(late_name("report.pdf", 2, 1), "report (before rebuild 1).pdf");
        assert_eq!(late_name("report.pdf", 3, 4), "report (before rebuild 2, 4).pdf");
        assert_eq!(late_name(".profile", 2, 1), ".profile (before rebuild 1)");
        let long = late_name(&format!("{}.tar", "ä".repeat(125)), 2, 1);
        assert!(long.len() <= 255 && long.ends_with("ä (before rebuild 1).tar"), "{long}");
    }
}
