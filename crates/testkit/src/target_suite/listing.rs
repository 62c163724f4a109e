//! Rules about listings: complete, in the order of the names' bytes, page after page.

use fleet::{ObjectName, Target};

use super::{Outcome, Place, Rule, ensure, name, names, pattern};

pub(super) const RULES: &[Rule] = &[
    ("names ascend by their bytes, slashes included", |place| Box::pin(order(place))),
    ("a prefix is text and need not end at a slash", |place| Box::pin(prefixes(place))),
    ("pages of any size give every object once", |place| Box::pin(pages(place))),
    ("a page begins after a name that need not exist", |place| Box::pin(after(place))),
    ("lengths are listed", |place| Box::pin(lengths(place))),
];

/// In the order of their bytes: a dash and a dot go before the slash, digits and letters after it.
const NAMES: [&str; 12] =
    ["a-/z", "a-b", "a-b-/c", "a-b.c/d", "a.b", "a/b", "a/b-c", "a/b.", "a/c/d", "a/c0", "a0", "b/c/d/e"];

async fn fill(target: &dyn Target) -> fleet::Result<()> {
    for (n, text) in NAMES.iter().rev().enumerate() {
        target.put(&name(text), &[pattern(n)]).await?;
    }
    Ok(())
}

async fn order(place: Place) -> Outcome {
    fill(&*place.target).await?;
    let found = names(&*place.target, "").await?;
    ensure!(found == NAMES, "{found:?}");
    Ok(())
}

async fn prefixes(place: Place) -> Outcome {
    fill(&*place.target).await?;
    let odd = ["/", "..", "../", "a//", "A", "tmp/", "aside/", "holdfast-target", "a/b/", "a/b/c", "z/y/x"];
    let real = ["a", "a/", "a/b", "a-", "a-b", "a-b-", "a/c/", "b", "b/c/d/", "b/c/d/e", "b/c/d/e/"];
    for prefix in odd.into_iter().chain(real) {
        let found = names(&*place.target, prefix).await?;
        let right: Vec<&str> = NAMES.into_iter().filter(|name| name.starts_with(prefix)).collect();
        ensure!(found == right, "{prefix}: {found:?}");
    }
    Ok(())
}

async fn pages(place: Place) -> Outcome {
    ensure!(place.target.list("", None, 10).await? == fleet::Page::default(), "a fresh target lists something");
    fill(&*place.target).await?;
    for prefix in ["", "a", "a/", "b/c"] {
        let right: Vec<&str> = NAMES.into_iter().filter(|name| name.starts_with(prefix)).collect();
        for limit in 1..=NAMES.len() + 1 {
            let mut found: Vec<ObjectName> = Vec::new();
            loop {
                let page = place.target.list(prefix, found.last(), limit).await?;
                ensure!(page.objects.len() <= limit, "a page of {limit} has {}", page.objects.len());
                ensure!(!page.more || page.objects.len() == limit, "more after a page that is not full");
                found.extend(page.objects.into_iter().map(|listed| listed.name));
                if !page.more {
                    break;
                }
                ensure!(found.len() < right.len(), "more after the last one, page of {limit}, prefix '{prefix}'");
            }
            let found: Vec<&str> = found.iter().map(ObjectName::as_str).collect();
            ensure!(found == right, "prefix '{prefix}', pages of {limit}: {found:?}");
        }
    }
    Ok(())
}

async fn after(place: Place) -> Outcome {
    fill(&*place.target).await?;
    for text in ["a", "a-", "a-b-", "a/", "a/b-", "a/c", "a/zz", "a00", "b", "b/c/d/e", "zz"] {
        // What is no name cannot be asked for.
        let Ok(after) = ObjectName::parse(text) else { continue };
        for prefix in ["", "a/", "b"] {
            let page = place.target.list(prefix, Some(&after), 100).await?;
            let found: Vec<&str> = page.objects.iter().map(|listed| listed.name.as_str()).collect();
            let right: Vec<&str> = NAMES.into_iter().filter(|name| *name > text && name.starts_with(prefix)).collect();
            ensure!(found == right, "after {text}, prefix '{prefix}': {found:?}");
        }
    }
    Ok(())
}

async fn lengths(place: Place) -> Outcome {
    fill(&*place.target).await?;
    for (n, listed) in place.target.list("", None, 100).await?.objects.iter().rev().enumerate() {
        ensure!(listed.bytes == n as u64, "{} has {} bytes, not {n}", listed.name, listed.bytes);
    }
    Ok(())
}
