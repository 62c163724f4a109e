//! A big file read while two of six providers are gone: all fifteen pairs are tried, the dearest is shown.
//!
//! Each pair is taken from a copy of the stopped service (shards are written once, so they are linked, not copied). The copy
//! takes the place of the original, which is moved away meanwhile: a service refuses a copy while the original is there.
//!
//! Below safe a service repairs at once, all of its packs, also while the file is read. To see what the read costs alone, upkeep
//! is held to a byte a second while the pairs are tried; the dearest pair is then read once more with the settings as they are.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};

use super::large::download;
use crate::bench::{
    Bench, GIB, MIB,
    meter::Cost,
    report::{Report, Row},
    server::{Server, providers},
};

/// Runs the story on the data folder of a stopped service that holds the large files.
///
/// # Errors
/// When the file is not read back.
pub fn run(bench: &Bench<'_>, data: &Path, size: u64, report: &mut Report) -> Result<()> {
    let names: Vec<PathBuf> = providers(data)?;
    let mut worst: Option<(Cost, [&PathBuf; 2])> = None;
    for (index, first) in names.iter().enumerate() {
        for second in &names[index + 1..] {
            let cost = read_without(bench, data, [first, second], true, size)?;
            if worst.as_ref().is_none_or(|(known, _)| known.cpu_s < cost.cpu_s) {
                worst = Some((cost, [first, second]));
            }
        }
    }
    let (alone, pair) = worst.context("fewer than two providers")?;
    let beside = read_without(bench, data, pair, false, size)?;
    for (cost, upkeep) in [(alone, ""), (beside, ", repair running")] {
        report.row(&Row {
            workload: &format!(
                "1 file down, {} MiB, without {} and {}{upkeep}",
                size / MIB,
                name(pair[0]),
                name(pair[1])
            ),
            server: "holdfast",
            rate: format!("{:.0} MiB/s", (size / MIB) as f64 / cost.wall.as_secs_f64()),
            cpu: format!("{:.2} s/GiB", cost.cpu_s * GIB as f64 / size as f64),
            cost: Some(cost),
            ..Row::default()
        });
    }
    let cpu_s_per_gib = alone.cpu_s * GIB as f64 / size as f64;
    report.at_most("1 GiB down, worst pair of providers gone: CPU-s/GiB", cpu_s_per_gib, 1.1);
    Ok(())
}

/// Reads the file from a copy of the data folder in which two providers are empty, `alone` without upkeep beside it.
fn read_without(bench: &Bench<'_>, data: &Path, gone: [&PathBuf; 2], alone: bool, size: u64) -> Result<Cost> {
    let away = bench.place("away");
    fs::rename(data, &away)?;
    let emptied = gone.map(|provider| away.join("providers").join(provider.file_name().unwrap_or_default()));
    copy_tree(&away, data, &[&emptied[0], &emptied[1]])?;
    if alone {
        let file = data.join("holdfast.toml");
        let held = fs::read_to_string(&file)?.replace("[settings]", "[settings]\nupkeep_bytes_per_s = 1");
        fs::write(&file, held)?;
    }
    let server = Server::holdfast(bench, data.to_path_buf())?;
    let cost = download(bench, &server, 0, size)?;
    drop(server);
    fs::remove_dir_all(data)?;
    fs::rename(&away, data)?;
    Ok(cost)
}

fn name(provider: &Path) -> String {
    provider.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// Copies a data folder. What lies at providers is linked; the folders in `emptied` come out empty.
fn copy_tree(from: &Path, to: &Path, emptied: &[&PathBuf]) -> Result<()> {
    fs::create_dir_all(to)?;
    fs::set_permissions(to, fs::metadata(from)?.permissions())?;
    if emptied.iter().any(|folder| from == folder.as_path()) {
        return Ok(());
    }
    for entry in fs::read_dir(from).with_context(|| format!("cannot list {}", from.display()))? {
        let (entry, kind) = entry.and_then(|entry| Ok((entry.path(), entry.file_type()?)))?;
        let place = to.join(entry.file_name().unwrap_or_default());
        if kind.is_dir() {
            copy_tree(&entry, &place, emptied)?;
        } else if kind.is_file() && entry.components().any(|part| part.as_os_str() == "providers") {
            fs::hard_link(&entry, &place)?;
        } else if kind.is_file() {
            fs::copy(&entry, &place)?;
        }
    }
    Ok(())
}
