//! A thousand photos of twelve megapixels, and a small picture of each: what the server and the children that decode hold.

use std::{
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
    thread,
    time::Duration,
};

use anyhow::{Result, ensure};

use crate::bench::{
    Bench, MIB,
    load::Load,
    meter::{Meter, children_peak_bytes, resident_bytes},
    photo::{numbered, photo},
    report::{Report, Row},
    server::Server,
};

const PHOTOS: u64 = 1_000;
/// As many as a page of a grid asks for at once.
const CONNECTIONS: usize = 6;
/// A child lives for a tenth of a second at least.
const LOOK_EVERY: Duration = Duration::from_millis(4);

/// Runs the story.
///
/// # Errors
/// When an upload or a picture is refused.
pub fn run(bench: &Bench<'_>, report: &mut Report) -> Result<()> {
    let count = bench.scaled(PHOTOS);
    let photo = photo(&bench.pattern);
    let service = Server::holdfast(bench, bench.place("service"))?;
    Load::run(&service, 2, count, |client, number| {
        client.put_bytes(&service.path(&format!("photos/{number:04}.jpg")), &numbered(&photo, number))
    })?;
    service.wait_released()?;
    let before = resident_bytes(service.pid())?;
    let (done, child_peak) = (AtomicBool::new(false), AtomicU64::new(0));
    let meter = Meter::start(service.pid())?;
    let load = thread::scope(|scope| {
        scope.spawn(|| {
            while !done.load(Ordering::Acquire) {
                child_peak.fetch_max(children_peak_bytes(service.pid()), Ordering::AcqRel);
                thread::sleep(LOOK_EVERY);
            }
        });
        let load = Load::run(&service, CONNECTIONS, count, |client, number| {
            let small = client.document(&format!("/api/v1/thumbnails/photos/{number:04}.jpg?size=256"))?;
            ensure!(small.starts_with(&[0xff, 0xd8]), "photo {number} has no small picture");
            Ok(())
        });
        done.store(true, Ordering::Release);
        load
    })?;
    let cost = meter.read()?;
    let child_peak = child_peak.into_inner();
    ensure!(child_peak > 0, "no child was seen at work");
    report.row(&Row {
        workload: &format!("small pictures of {count} photos of 12 megapixels"),
        server: service.name,
        rate: format!("{:.1} /s", load.rate()),
        cpu: format!("{:.1} ms each, without children", cost.cpu_s * 1e3 / count as f64),
        cost: Some(cost),
        load: Some(&load),
        user_bytes: None,
    });
    report.at_most("peak RSS of a child: MiB", child_peak as f64 / MIB as f64, 512.0);
    let grown = cost.peak_bytes.saturating_sub(before) as f64 / MIB as f64;
    report.at_most("peak RSS of the server above where it was before: MiB", grown, 64.0);
    report.note(format!("A photo is a JPEG of {:.1} MB, 4000 × 3008.", photo.len() as f64 / 1e6));
    Ok(())
}
