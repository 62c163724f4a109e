//! A folder of 100,000 entries: its pages in each order, and a search through it, alone and in a catalogue a hundred times as large:
//! ten million files, whose rows are generated.

use anyhow::{Context, Result, ensure};

use crate::bench::{
    Bench,
    load::Load,
    meter::Meter,
    report::{Report, Row},
    server::Server,
};

const FILES: u64 = 100_000;
const CONNECTIONS: usize = 8;
/// Copies of the folder that make the catalogue larger.
const COPIES: u64 = 99;
const ASKED: u64 = 200;

/// Runs the story.
///
/// # Errors
/// When a server does not do what is due.
pub fn run(bench: &Bench<'_>, report: &mut Report) -> Result<()> {
    let count = bench.scaled(FILES);
    let service = Server::holdfast(bench, bench.place("service"))?;
    let name = |file: u64| service.path(&format!("many/{:05}-{file:06}", file.wrapping_mul(7_919) % 100_000));
    Load::run(&service, CONNECTIONS, count, |client, file| client.put(&name(file), &bench.pattern, file, file % 512))?;
    service.wait_released()?;
    // It is asked after a start, as the large one is: what was just written is warm in every cache.
    let service = Server::holdfast(bench, service.stop()?)?;
    let alone = pages(&service, report, "alone")?;
    let data = service.stop()?;
    // By the service's own verb it would take hours, and go to six providers: what is measured is how rows are found.
    let mut cargo = bench.workspace.cargo();
    let ran = cargo
        .args(["bench", "-p", "holdfast-catalogue", "--bench", "crowd", "--"])
        .arg(data.join("catalogue/catalogue.sqlite"))
        .arg(COPIES.to_string())
        .output()
        .context("cannot run cargo")?;
    ensure!(ran.status.success(), "the rows were not copied: {}", String::from_utf8_lossy(&ran.stderr));
    let service = Server::holdfast(bench, data)?;
    let crowded = pages(&service, report, "beside 99 copies")?;
    report.at_most("first page of the folder by name: p50 ms", alone, 10.0);
    report.at_most("the same, times, in a catalogue a hundred times as large", crowded / alone, 1.2);
    report.note(format!("Pages of 100 rows of a folder of {count} files; times are the client's, all of it included."));
    Ok(())
}

/// Asks for the first page in each order, and for a word that is nowhere; the median by name.
fn pages(service: &Server, report: &mut Report, where_: &str) -> Result<f64> {
    let mut by_name = 0.0;
    for (what, target) in [
        ("by name", format!("{}?limit=100", service.path("many/"))),
        ("by time", format!("{}?limit=100&sort=-modified", service.path("many/"))),
        ("by size", format!("{}?limit=100&sort=-size", service.path("many/"))),
        ("a search's step", "/api/v1/search?q=nowhere".to_owned()),
    ] {
        let meter = Meter::start(service.pid())?;
        let load = Load::run(service, 1, ASKED, |client, _| client.document(&target).map(drop))?;
        let cost = meter.read()?;
        if what == "by name" {
            by_name = load.percentile_ms(0.5);
        }
        report.row(&Row {
            workload: &format!("{what}, {where_}"),
            server: service.name,
            rate: format!("{:.0} /s", load.rate()),
            cpu: format!("{:.2} ms each", cost.cpu_s * 1e3 / ASKED as f64),
            cost: Some(cost),
            load: Some(&load),
            user_bytes: None,
        });
    }
    Ok(by_name)
}
