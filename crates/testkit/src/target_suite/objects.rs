//! Rules about single objects: whole or not at all, once and for ever.

use bytes::Bytes;
use fleet::{DeleteTicket, Error};

use super::{Outcome, Place, Rule, ensure, ensure_matches, name, names, pattern};

pub(super) const RULES: &[Rule] = &[
    ("what was put is read back", |place| Box::pin(put_and_read(place))),
    ("a stream of any length arrives whole, whatever was hinted", |place| Box::pin(streamed(place))),
    ("an object may be empty", |place| Box::pin(empty(place))),
    ("a read gives exactly the range or an error", |place| Box::pin(ranges(place))),
    ("what is not there is missing", |place| Box::pin(missing(place))),
    ("an object is seen only when it is finished", |place| Box::pin(unseen(place))),
    ("a dropped writer leaves nothing", |place| Box::pin(dropped(place))),
    ("a second write of a name is refused and harms nothing", |place| Box::pin(second_write(place))),
    ("of many writers of one name one wins whole, or the last where nobody guards names", |place| {
        Box::pin(race(place))
    }),
    ("many new folders can be written to at once", |place| Box::pin(side_by_side(place))),
    ("a delete removes the named object and no other", |place| Box::pin(deleted(place))),
    ("a bad object is moved out of the way, again and again", |place| Box::pin(set_aside(place))),
];

async fn put_and_read(place: Place) -> Outcome {
    let long = format!("deep/{}/{}", "f".repeat(200), "l".repeat(200));
    for text in ["plain", "a/b/c/d/e", "dots..and-dashes_0/x.y", &long] {
        place.target.put(&name(text), &[pattern(5), Bytes::new(), pattern(7)]).await?;
        let read = place.target.read(&name(text), 0..12).await?;
        ensure!(read == [pattern(5), pattern(7)].concat(), "{text}: other bytes");
        ensure!(place.target.stat(&name(text)).await? == Some(12), "{text}: another length");
    }
    Ok(())
}

async fn streamed(place: Place) -> Outcome {
    let piece = pattern(300_001);
    for (text, hint) in [("unknown", 0), ("low", 1_000), ("high", 9_000_000), ("exact", 5 * 300_001)] {
        let mut writer = place.target.create(&name(text), hint).await?;
        for _ in 0..5 {
            writer.write(piece.clone()).await?;
        }
        writer.finish().await?;
        let bytes = 5 * piece.len() as u64;
        ensure!(place.target.stat(&name(text)).await? == Some(bytes), "hint {text}: another length");
        let read = place.target.read(&name(text), 0..bytes).await?;
        ensure!(read.chunks(piece.len()).all(|part| part == piece), "hint {text}: other bytes");
    }
    Ok(())
}

async fn empty(place: Place) -> Outcome {
    place.target.put(&name("put"), &[]).await?;
    place.target.create(&name("streamed"), 0).await?.finish().await?;
    for text in ["put", "streamed"] {
        ensure!(place.target.stat(&name(text)).await? == Some(0), "{text} is not empty");
        ensure!(place.target.read(&name(text), 0..0).await?.is_empty(), "{text} has bytes");
        ensure_matches!(place.target.read(&name(text), 0..1).await, Err(Error::Short { .. }));
    }
    ensure!(names(&*place.target, "").await?.len() == 2, "an empty object is not listed");
    Ok(())
}

async fn ranges(place: Place) -> Outcome {
    let bytes = pattern(100_000);
    let object = name("object");
    place.target.put(&object, std::slice::from_ref(&bytes)).await?;
    for range in [0..1, 0..100_000, 99_999..100_000, 4_095..8_193, 50..50, 100_000..100_000] {
        let read = place.target.read(&object, range.clone()).await.map_err(|error| format!("{range:?}: {error}"))?;
        ensure!(read == bytes[range.start as usize..range.end as usize], "{range:?}: other bytes");
    }
    for range in [0..100_001, 99_999..100_001, 100_000..100_001, 1 << 40..(1 << 40) + 1, 0..u64::MAX] {
        let result = place.target.read(&object, range.clone()).await;
        let right = matches!(&result, Err(Error::Short { expected, got: 100_000, .. }) if *expected == range.end);
        ensure!(right, "{range:?} gave {:?}", result.map(|read| read.len()).map_err(|error| error.to_string()));
    }
    Ok(())
}

async fn missing(place: Place) -> Outcome {
    place.target.put(&name("there"), &[pattern(1)]).await?;
    for text in ["none", "no/folder", "there-not", "there/not"] {
        ensure_matches!(place.target.read(&name(text), 0..1).await, Err(Error::Missing { .. }));
        ensure_matches!(place.target.stat(&name(text)).await, Ok(None));
        ensure_matches!(place.target.set_aside(&name(text)).await, Err(Error::Missing { .. }));
        let ticket = DeleteTicket { name: name(text), reason: "released" };
        ensure_matches!(place.target.delete(&ticket).await, Ok(()));
    }
    Ok(())
}

async fn unseen(place: Place) -> Outcome {
    let object = name("folder/object");
    let mut writer = place.target.create(&object, 0).await?;
    for written in 0..2 {
        ensure!(place.target.stat(&object).await?.is_none(), "seen after {written} pieces");
        ensure_matches!(place.target.read(&object, 0..1).await, Err(Error::Missing { .. }));
        ensure!(names(&*place.target, "").await?.is_empty(), "listed after {written} pieces");
        writer.write(pattern(10)).await?;
    }
    writer.finish().await?;
    ensure!(place.target.stat(&object).await? == Some(20), "not seen when finished");
    Ok(())
}

async fn dropped(place: Place) -> Outcome {
    let object = name("object");
    drop(place.target.create(&object, 1_000).await?);
    let mut writer = place.target.create(&object, 1_000).await?;
    writer.write(pattern(1_000)).await?;
    drop(writer);
    ensure!(place.target.stat(&object).await?.is_none(), "something is there");
    ensure!(names(&*place.target, "").await?.is_empty(), "something is listed");
    place.target.put(&object, &[pattern(3)]).await?;
    Ok(())
}

async fn second_write(place: Place) -> Outcome {
    let object = name("folder/object");
    let mut slow = place.target.create(&object, 10).await?;
    slow.write(pattern(10)).await?;
    place.target.put(&object, &[pattern(20)]).await?;
    ensure_matches!(slow.finish().await, Err(Error::Exists { .. }));
    ensure_matches!(place.target.put(&object, &[pattern(30)]).await, Err(Error::Exists { .. }));
    // A driver may notice at the beginning or at the end.
    match place.target.create(&object, 40).await {
        Err(Error::Exists { .. }) => {}
        Err(other) => return Err(other.into()),
        Ok(mut writer) => {
            writer.write(pattern(40)).await?;
            ensure_matches!(writer.finish().await, Err(Error::Exists { .. }));
        }
    }
    ensure!(place.target.stat(&object).await? == Some(20), "another length");
    ensure!(place.target.read(&object, 0..20).await? == pattern(20), "other bytes");
    Ok(())
}

async fn race(place: Place) -> Outcome {
    let object = name("new/folder/object");
    let mut writers = tokio::task::JoinSet::new();
    for length in 1..=16_usize {
        let (target, object) = (place.target.clone(), object.clone());
        writers.spawn(async move { (length, target.put(&object, &[pattern(length)]).await) });
    }
    let mut won = Vec::new();
    while let Some(ended) = writers.join_next().await {
        match ended? {
            (length, Ok(())) => won.push(length),
            (_, Err(Error::Exists { .. })) => {}
            (_, Err(other)) => return Err(other.into()),
        }
    }
    // Where the server does not guard names, writers at one moment may all be told that they won; the object is one of theirs.
    let guarded = place.target.abilities().no_clobber;
    ensure!(won.len() == 1 || (!guarded && !won.is_empty()), "{} writers won", won.len());
    let length = place.target.stat(&object).await?.ok_or("nothing is there")?;
    ensure!(won.contains(&(length as usize)), "it is no winner's");
    ensure!(place.target.read(&object, 0..length).await? == pattern(length as usize), "other bytes");
    Ok(())
}

async fn side_by_side(place: Place) -> Outcome {
    let mut writers = tokio::task::JoinSet::new();
    for n in 0..32_usize {
        let target = place.target.clone();
        writers.spawn(async move {
            let object = name(&format!("shards/{}/{n}", n % 4));
            let mut writer = target.create(&object, 0).await?;
            writer.write(pattern(n)).await?;
            writer.finish().await
        });
    }
    while let Some(ended) = writers.join_next().await {
        ended??;
    }
    ensure!(names(&*place.target, "shards/").await?.len() == 32, "some are missing");
    for n in 0..32_usize {
        let read = place.target.read(&name(&format!("shards/{}/{n}", n % 4)), 0..n as u64).await?;
        ensure!(read == pattern(n), "{n}: other bytes");
    }
    Ok(())
}

async fn deleted(place: Place) -> Outcome {
    for text in ["a/b", "a/b-1", "a/c"] {
        place.target.put(&name(text), &[pattern(10)]).await?;
    }
    let ticket = DeleteTicket { name: name("a/b"), reason: "reclaimed" };
    place.target.delete(&ticket).await?;
    place.target.delete(&ticket).await?;
    ensure!(place.target.stat(&name("a/b")).await?.is_none(), "it is still there");
    ensure!(names(&*place.target, "").await? == ["a/b-1", "a/c"], "another one is gone");
    Ok(())
}

async fn set_aside(place: Place) -> Outcome {
    let bad = name("shards/bad");
    for n in 0..3 {
        place.target.put(&bad, &[pattern(n)]).await?;
        place.target.set_aside(&bad).await?;
        ensure!(place.target.stat(&bad).await?.is_none(), "it is still there");
        ensure!(names(&*place.target, "").await?.is_empty(), "it is listed");
    }
    Ok(())
}
