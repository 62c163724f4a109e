//! A big file read while two of six providers are gone: all fifteen pairs are tried, the dearest is shown.
//!
//! Each pair is taken from a copy of the stopped service (shards are written once, so they are linked, not copied). The copy
//! takes the place of the original, which is moved away meanwhile: a service refuses a copy while the original is there. Below
//! safe the service repairs at once, also while the file is read: what it spends on that in the meantime is in the figure.

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
    let mut worst: Option<(Cost, String)> = None;
    for (index, first) in names.iter().enumerate() {
        for second in &names[index + 1..] {
            let away = bench.place("away");
            fs::rename(data, &away)?;
            let at = |provider: &Path| away.join("providers").join(provider.file_name().unwrap_or_default());
            copy_tree(&away, data, &[&at(first), &at(second)])?;
            let server = Server::holdfast(bench, data.to_path_buf())?;
            let cost = download(bench, &server, 0, size)?;
            drop(server);
            fs::remove_dir_all(data)?;
            fs::rename(&away, data)?;
            if worst.as_ref().is_none_or(|(known, _)| known.cpu_s < cost.cpu_s) {
                worst = Some((cost, format!("{} and {}", name(first), name(second))));
            }
        }
    }
    let (cost, pair) = worst.context("fewer than two providers")?;
    let cpu_s_per_gib = cost.cpu_s * GIB as f64 / size as f64;
    report.row(&Row {
        workload: &format!("1 file down, {} MiB, without {pair}", size / MIB),
        server: "holdfast",
        rate: format!("{:.0} MiB/s", (size / MIB) as f64 / cost.wall.as_secs_f64()),
        cpu: format!("{cpu_s_per_gib:.2} s/GiB"),
        cost: Some(cost),
        ..Row::default()
    });
    report.at_most("1 GiB down, worst pair of providers gone: CPU-s/GiB", cpu_s_per_gib, 1.1);
    Ok(())
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
