//! One record of a target cannot be used: that target stays closed and says why, and the service starts.

use catalogue::Catalogue;
use model::{Change, Scope, fleet::TargetRow};

use crate::fleet::{Fleet, done, is, on_data, settled, target, up};

/// Changes what is recorded of targets in a catalogue that nobody has open.
fn with_records(data: &std::path::Path, change: impl Fn(&mut catalogue::Tx<'_>, Vec<TargetRow>) + Send + 'static) {
    let catalogue = Catalogue::open(&data.join("catalogue").join(catalogue::FILE_NAME)).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let done = catalogue.writer(move |writer| {
            writer.begin()?;
            writer.savepoint(|tx| {
                let rows = catalogue::fleet::targets(tx)?;
                change(tx, rows);
                Ok::<_, catalogue::Error>(())
            })?;
            writer.commit()
        });
        done.await.unwrap().unwrap();
        catalogue.sync().await.unwrap();
    });
}

#[test]
fn a_login_or_an_address_that_cannot_be_used_is_that_target_down_and_the_service_starts() {
    let Some(fleet) = Fleet::grown("a recorded login cannot be opened") else { return };
    let (dav, bucket) = (fleet.firm("dav").address.clone(), fleet.firm("bucket").address.clone());
    let address = dav.clone();
    let fleet = fleet.start_again(|data| {
        with_records(data, move |tx, rows| {
            let row = rows.iter().find(|row| row.address == address).unwrap();
            catalogue::logins::set(tx, row.id, b"no envelope").unwrap();
        })
    });
    let report =
        fleet.until("one is closed, and all is settled without it", |report| up(report) == 4 && settled(report));
    let note = target(&report, "dav")["note"].as_str().unwrap();
    assert!(is(&report, "dav", "down") && note.contains("its recorded login cannot be opened"), "{report}");
    assert!(note.contains(&format!("holdfast target login '{dav}'")), "{report}");
    let file = fleet.scratch.join("kit");
    let kit = on_data(&fleet.data, &["kit", "make", "--operator", "--out", file.to_str().unwrap()]);
    let said = crate::common::text(&kit.stderr);
    assert!(!kit.status.success() && said.contains(&dav) && said.contains("holdfast target login"), "{said}");

    let mut fleet = fleet.start_again(|data| {
        with_records(data, move |tx, rows| {
            let mut row = rows.into_iter().find(|row| row.address == bucket).unwrap();
            row.address = bucket.replace("endpoint=", "speed=9&endpoint=");
            let revision = catalogue::bump_revision(tx, Scope::Cluster).unwrap();
            catalogue::apply(tx, Scope::Cluster, revision, &Change::Target(row)).unwrap();
        })
    });
    let report =
        fleet.until("two are closed, and all is settled on three", |report| up(report) == 3 && settled(report));
    let note = target(&report, "bucket")["note"].as_str().unwrap();
    assert!(is(&report, "bucket", "down") && note.contains("there is no 'speed' here"), "{report}");
    assert_eq!(report["files_unreadable"], 0, "{report}");
    fleet.check();
    fleet.put("meanwhile");
    done(fleet.enter_login("dav", &fleet.firm("dav").login));
    fleet.until("the login opens it again", |report| is(report, "dav", "up") && settled(report));
    fleet.put("after");
    fleet.check();
}
