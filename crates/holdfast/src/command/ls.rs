//! `holdfast ls`: what is in a folder.

use std::process::ExitCode;

use model::Class;
use serde_json::json;

use crate::{
    client::{
        api::{Api, Entry, Kind},
        batch::line,
        path::{RemotePath, shown},
    },
    error::{Error, Result},
    time,
};

/// Shows what is in a folder, or one file.
#[derive(clap::Args)]
pub struct Args {
    /// Folder or file in the service.
    #[arg(value_name = "PATH", default_value = "/")]
    path: String,
    /// Also state, size and modification time.
    #[arg(short, long)]
    long: bool,
    /// One JSON object per entry, all that is known of it.
    #[arg(long)]
    json: bool,
}

/// Runs it.
pub async fn run(args: Args) -> Result<ExitCode> {
    let api = Api::from_environment()?;
    let path = RemotePath::parse(&args.path)?;
    let entries = match api.list(&path).await {
        Ok(Some(entries)) => entries,
        Ok(None) if !path.folder => vec![file(&api, &path).await?],
        Ok(None) => return Err(nothing(&path)),
        Err(error) if error.class == Class::Conflict && !path.folder => vec![file(&api, &path).await?],
        Err(error) => return Err(error),
    };
    if args.json {
        entries.iter().for_each(|entry| line(&json_of(entry).to_string()));
    } else if args.long {
        let trial = api.fleet().await.is_ok_and(|fleet| fleet["trial"] == json!(true));
        entries.iter().for_each(|entry| line(&long(entry, trial)));
    } else {
        entries.iter().for_each(|entry| line(&name(entry)));
    }
    Ok(ExitCode::SUCCESS)
}

/// The line that the folder has for one file.
async fn file(api: &Api, path: &RemotePath) -> Result<Entry> {
    let entries = api.list(&path.parent()).await?.unwrap_or_default();
    entries.into_iter().find(|entry| Some(entry.name.as_str()) == path.name()).ok_or_else(|| nothing(path))
}

fn nothing(path: &RemotePath) -> Error {
    Error::new(Class::Missing, format!("there is nothing at {path}"))
}

fn name(entry: &Entry) -> String {
    let slash = if entry.kind == Kind::Folder { "/" } else { "" };
    format!("{}{slash}", shown(&entry.name))
}

/// `settled (trial)  1048576  2026-04-01 12:00  name`.
fn long(entry: &Entry, trial: bool) -> String {
    let state = match (&entry.state, trial) {
        (None, _) => String::new(),
        (Some(state), true) => format!("{} (trial)", shown(state)),
        (Some(state), false) => shown(state),
    };
    let size = entry.size.filter(|_| entry.kind == Kind::File).map(|size| size.to_string()).unwrap_or_default();
    let modified = entry.modified_us().map(time::minute).unwrap_or_default();
    let width = if trial { 18 } else { 10 };
    format!("{state:<width$} {size:>14}  {modified:<16}  {}", name(entry))
}

fn json_of(entry: &Entry) -> serde_json::Value {
    json!({
        "name": entry.name,
        "kind": if entry.kind == Kind::Folder { "folder" } else { "file" },
        "size": entry.size,
        "modified": entry.modified,
        "state": entry.state,
        "proven": entry.proven,
    })
}

#[cfg(test)]
mod tests {
    use super::long;
    use crate::client::api::{Entry, Kind};

    #[test]
    fn a_trial_is_shown_beside_the_state() {
        let entry = Entry {
            etag: None,
            name: "a".to_owned(),
            kind: Kind::File,
            size: Some(7),
            modified: Some("2026-04-01T12:00:00Z".to_owned()),
            state: Some("safe".to_owned()),
            proven: None,
        };
        assert_eq!(long(&entry, true), "safe (trial)                    7  2026-04-01 12:00  a");
        assert_eq!(long(&entry, false), "safe                    7  2026-04-01 12:00  a");
    }
}
