//! Rules about markers: whose a target is, and what that forbids.

use bytes::Bytes;
use fleet::{DeleteTicket, Error, Target};

use super::{Outcome, Place, Rule, ensure, ensure_matches, name, names, pattern};

pub(super) const RULES: &[Rule] = &[
    ("a probe shows the marker", |place| Box::pin(shown(place))),
    ("a missing root is down and is not made again", |place| Box::pin(missing_root(place))),
    ("without an expected marker nothing is changed", |place| Box::pin(no_expectation(place))),
    ("under another marker nothing is changed", |place| Box::pin(another_marker(place))),
    ("what is there is read under any marker", |place| Box::pin(read_under_any(place))),
    ("absence is not believed under another marker", |place| Box::pin(absence(place))),
    ("a marker is replaced only in place of the one named", |place| Box::pin(replaced(place))),
    ("a writer cannot finish under another marker", |place| Box::pin(late_finish(place))),
    ("a place is given back as it was found, and only when nothing is left in it", |place| Box::pin(left(place))),
];

async fn shown(place: Place) -> Outcome {
    let probe = place.target.probe().await?;
    ensure!(probe.marker.as_ref() == Some(&place.marker), "it shows {:?}", probe.marker);
    ensure!(probe.free_bytes.is_some() == place.target.abilities().free_space, "free space: {:?}", probe.free_bytes);
    Ok(())
}

/// Every way of changing something must be down, and so must nothing of it have happened.
async fn refuses_all_changes(target: &dyn Target) -> Outcome {
    let (kept, new) = (name("kept/one"), name("kept/two"));
    let ticket = DeleteTicket { name: kept.clone(), reason: "released" };
    ensure_matches!(target.put(&new, &[pattern(10)]).await, Err(Error::Down { .. }));
    ensure_matches!(target.create(&new, 10).await, Err(Error::Down { .. }));
    ensure_matches!(target.set_aside(&kept).await, Err(Error::Down { .. }));
    ensure_matches!(target.delete(&ticket).await, Err(Error::Down { .. }));
    Ok(())
}

async fn missing_root(Place { target, marker, vanish }: Place) -> Outcome {
    target.put(&name("kept/one"), &[pattern(10)]).await?;
    vanish();
    for _ in 0..2 {
        ensure_matches!(target.probe().await, Err(Error::Down { .. }));
        ensure_matches!(target.read(&name("kept/one"), 0..10).await, Err(Error::Down { .. }));
        ensure_matches!(target.stat(&name("kept/one")).await, Err(Error::Down { .. }));
        ensure_matches!(target.list("", None, 10).await, Err(Error::Down { .. }));
        ensure_matches!(target.write_marker(None, marker.clone()).await, Err(Error::Down { .. }));
        ensure_matches!(target.write_marker(Some(&marker), marker.clone()).await, Err(Error::Down { .. }));
        refuses_all_changes(&*target).await?;
        // Nor is it taken for empty by who expects no marker.
        target.expect_marker(None);
        ensure_matches!(target.list("", None, 10).await, Err(Error::Down { .. }));
        target.expect_marker(Some(marker.clone()));
    }
    Ok(())
}

async fn no_expectation(place: Place) -> Outcome {
    place.target.put(&name("kept/one"), &[pattern(10)]).await?;
    place.target.expect_marker(None);
    refuses_all_changes(&*place.target).await?;
    ensure!(names(&*place.target, "").await? == ["kept/one"], "something changed");
    Ok(())
}

async fn another_marker(place: Place) -> Outcome {
    place.target.put(&name("kept/one"), &[pattern(10)]).await?;
    place.target.expect_marker(Some(Bytes::from_static(b"another service's")));
    refuses_all_changes(&*place.target).await?;
    place.target.expect_marker(Some(place.marker.clone()));
    ensure!(names(&*place.target, "").await? == ["kept/one"], "something changed");
    Ok(())
}

async fn read_under_any(place: Place) -> Outcome {
    place.target.put(&name("kept/one"), &[pattern(10)]).await?;
    for expected in [None, Some(Bytes::from_static(b"another service's"))] {
        place.target.expect_marker(expected);
        ensure!(place.target.read(&name("kept/one"), 0..10).await? == pattern(10), "other bytes");
        ensure!(place.target.stat(&name("kept/one")).await? == Some(10), "another length");
        ensure!(place.target.probe().await?.marker.as_ref() == Some(&place.marker), "another marker");
    }
    Ok(())
}

async fn absence(place: Place) -> Outcome {
    let none = name("none");
    place.target.expect_marker(Some(Bytes::from_static(b"another service's")));
    ensure_matches!(place.target.read(&none, 0..1).await, Err(Error::Down { .. }));
    ensure_matches!(place.target.stat(&none).await, Err(Error::Down { .. }));
    ensure_matches!(place.target.list("", None, 1).await, Err(Error::Down { .. }));
    place.target.expect_marker(None);
    ensure_matches!(place.target.read(&none, 0..1).await, Err(Error::Missing { .. }));
    ensure_matches!(place.target.stat(&none).await, Ok(None));
    ensure_matches!(place.target.list("", None, 1).await, Ok(_));
    Ok(())
}

async fn replaced(place: Place) -> Outcome {
    let (target, first, second) = (&place.target, &place.marker, Bytes::from_static(b"generation 2"));
    ensure_matches!(target.write_marker(None, second.clone()).await, Err(Error::Down { .. }));
    ensure_matches!(target.write_marker(Some(&second), second.clone()).await, Err(Error::Down { .. }));
    ensure!(target.probe().await?.marker.as_ref() == Some(first), "a refused marker was written");
    target.put(&name("before"), &[pattern(1)]).await?;
    target.write_marker(Some(first), second.clone()).await?;
    ensure!(target.probe().await?.marker.as_ref() == Some(&second), "the marker was not replaced");
    target.put(&name("after"), &[pattern(1)]).await?;
    target.expect_marker(Some(first.clone()));
    ensure_matches!(target.put(&name("late"), &[pattern(1)]).await, Err(Error::Down { .. }));
    Ok(())
}

async fn late_finish(place: Place) -> Outcome {
    let mut writer = place.target.create(&name("late"), 10).await?;
    writer.write(pattern(10)).await?;
    place.target.expect_marker(Some(Bytes::from_static(b"another service's")));
    ensure_matches!(writer.finish().await, Err(Error::Down { .. }));
    place.target.expect_marker(Some(place.marker.clone()));
    ensure!(place.target.stat(&name("late")).await?.is_none(), "the object is there");
    Ok(())
}

async fn left(place: Place) -> Outcome {
    let (target, other) = (&place.target, Bytes::from_static(b"another service's"));
    let used = [name("deep/er/object"), name("top")];
    for object in &used {
        target.put(object, &[pattern(10)]).await?;
    }
    ensure_matches!(target.leave(&place.marker, &used).await, Err(Error::Down { .. }));
    ensure!(names(&**target, "").await? == ["deep/er/object", "top"], "it took objects");
    for object in &used {
        target.delete(&DeleteTicket { name: object.clone(), reason: "released" }).await?;
    }
    ensure_matches!(target.leave(&other, &used).await, Err(Error::Down { .. }));
    ensure!(target.probe().await?.marker.as_ref() == Some(&place.marker), "another's marker was taken away");
    target.leave(&place.marker, &used).await?;
    ensure!(target.probe().await?.marker.is_none(), "the marker is there still");
    let occupant = target.occupant().await?;
    ensure!(occupant.is_none(), "{occupant:?} was left behind");
    target.write_marker(None, other).await?;
    target.put(&used[0], &[pattern(10)]).await?;
    Ok(())
}
