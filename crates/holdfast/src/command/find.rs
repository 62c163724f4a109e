//! `holdfast find`: files and folders by what is remembered of them.

use std::process::ExitCode;

use hyper::Method;
use model::Class;
use serde_json::Value;

use super::share::seconds;
use crate::{
    client::{
        api::Api,
        batch::line,
        path::{RemotePath, encode, shown},
    },
    error::{Error, Result},
    time, world,
};

/// Finds files and folders by words of their names, kind, age and size.
#[derive(clap::Args)]
pub struct Args {
    /// Words that are all in the name, in any order and case.
    #[arg(value_name = "WORD")]
    words: Vec<String>,
    /// What it is.
    #[arg(long, value_enum)]
    kind: Option<Kind>,
    /// Below this folder.
    #[arg(long, value_name = "PATH")]
    under: Option<String>,
    /// Changed within this time: a number and m, h, d or w, for example 10d.
    #[arg(long, value_name = "TIME")]
    newer: Option<String>,
    /// Of at least this size: a number and B, kB, MB, GB or TB, for example 10MB.
    #[arg(long, value_name = "SIZE")]
    larger: Option<String>,
    /// Of at most this size.
    #[arg(long, value_name = "SIZE")]
    smaller: Option<String>,
    /// One JSON object per thing that is found.
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, clap::ValueEnum)]
enum Kind {
    Folder,
    Image,
    Video,
    Audio,
    Document,
    Other,
}

impl Kind {
    const fn word(self) -> &'static str {
        match self {
            Self::Folder => "folder",
            Self::Image => "image",
            Self::Video => "video",
            Self::Audio => "audio",
            Self::Document => "document",
            Self::Other => "other",
        }
    }
}

/// Runs it.
pub async fn run(args: Args) -> Result<ExitCode> {
    let api = Api::from_environment()?;
    let question = query(&args, world::wall_us())?;
    let (mut after, mut found) = (String::new(), false);
    loop {
        let path = format!("/api/v1/search?limit=1000{question}{after}");
        let page: Value = api.json(Method::GET, &path, None).await?;
        for entry in page["entries"].as_array().into_iter().flatten() {
            found = true;
            if args.json {
                line(&entry.to_string());
            } else {
                let slash = if entry["kind"] == "folder" { "/" } else { "" };
                line(&format!("{}{slash}", shown(entry["path"].as_str().unwrap_or_default())));
            }
        }
        match page["next"].as_str() {
            Some(next) => after = format!("&after={}", encode(next)),
            None if found => return Ok(ExitCode::SUCCESS),
            None => {
                return Err(Error::new(
                    Class::Missing,
                    "nothing like that is there; what is in the trash is not searched",
                ));
            }
        }
    }
}

/// The parameters, each with `&` before it.
fn query(args: &Args, now_us: i64) -> Result<String> {
    let mut query = String::new();
    let mut put = |name: &str, value: &str| query.push_str(&format!("&{name}={}", encode(value)));
    if !args.words.is_empty() {
        put("q", &args.words.join(" "));
    }
    if let Some(kind) = args.kind {
        put("kind", kind.word());
    }
    if let Some(under) = &args.under {
        put("under", &format!("/{}", RemotePath::parse(under)?.plain().trim_matches('/')));
    }
    if let Some(newer) = &args.newer {
        put("from", &time::rfc3339(now_us.saturating_sub(seconds(newer)?.saturating_mul(1_000_000))));
    }
    if let Some(larger) = &args.larger {
        put("least", &size(larger)?.to_string());
    }
    if let Some(smaller) = &args.smaller {
        put("most", &size(smaller)?.to_string());
    }
    Ok(query)
}

/// `10MB` in bytes.
pub fn size(text: &str) -> Result<u64> {
    let digits = text.trim_end_matches(|letter: char| letter.is_ascii_alphabetic());
    let factor = match &text[digits.len()..] {
        "" | "B" => 1,
        "k" | "kB" | "KB" => 1_000,
        "M" | "MB" => 1_000_000,
        "G" | "GB" => 1_000_000_000,
        "T" | "TB" => 1_000_000_000_000,
        _ => 0,
    };
    let bytes = digits.parse::<u64>().ok().filter(|_| factor > 0).and_then(|number| number.checked_mul(factor));
    bytes.ok_or_else(|| {
        Error::refused(format!("'{text}' is no size: write a whole number and B, kB, MB, GB or TB, for example 10MB"))
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::size;

    #[test]
    fn sizes() {
        for (text, bytes) in [("7", 7), ("7B", 7), ("10MB", 10_000_000), ("2TB", 2_000_000_000_000), ("1k", 1_000)] {
            assert_eq!(size(text).unwrap(), bytes);
        }
        for bad in ["", "MB", "1.5MB", "-1", "10 MB", "1XB", "99999999999999999999", "99999999999TB", "ä"] {
            assert!(size(bad).is_err(), "{bad}");
        }
    }
}
