//! `holdfast ledger`: what was said to the service and done with it, and whether that was changed since.
//!
//! `verify` asks no service: it needs the exported file and the key that somebody noted down while all was well.

use std::{
    fs::File,
    io::{self, BufRead, BufReader, Write},
    path::{Path, PathBuf},
    process::ExitCode,
};

use format::ledger::{Checkpoint, EXPORT_HEAD, Receipt, Verified, Verifier, VerifierKey, note::NOTE_BYTES_MAX};
use model::Class;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::{
    client::batch::line,
    error::{Error, Result},
    operator::Question,
    reach::Reach,
    time::rfc3339,
};

/// Shows and verifies the ledger: what was said to the service and done with it.
#[derive(clap::Args)]
pub struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(clap::Subcommand)]
enum Verb {
    /// Shows entries, the first ones first.
    Show {
        /// Only those behind this number.
        #[arg(long, value_name = "N", default_value_t = 0)]
        after: u64,
        /// As JSON, one entry to a line.
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        reach: Reach,
    },
    /// Writes all entries and the checkpoint that signs them into a file, to be kept elsewhere and verified.
    Export {
        /// The file to write; `-` for the standard output.
        #[arg(value_name = "FILE")]
        file: PathBuf,
        #[command(flatten)]
        reach: Reach,
    },
    /// Verifies an exported ledger, with no service: names the first entry that was changed, left out, moved or added.
    Verify {
        /// What `ledger export` wrote.
        #[arg(value_name = "FILE")]
        file: PathBuf,
        /// The key that `ledger key` shows, noted down before.
        #[arg(long, value_name = "KEY")]
        key: String,
        /// A file with a checkpoint from before: the ledger must still begin with what it signs.
        #[arg(long, value_name = "FILE")]
        checkpoint: Option<PathBuf>,
    },
    /// Checks a receipt that a desk gave, with no service: that it is signed, and that it is of the file that was sent.
    Receipt {
        /// The receipt: the signed text, or the whole answer of the desk.
        #[arg(value_name = "FILE")]
        file: PathBuf,
        /// The key that `ledger key` shows, noted down before.
        #[arg(long, value_name = "KEY")]
        key: String,
        /// What was sent to the desk, byte by byte.
        #[arg(long, value_name = "FILE")]
        content: Option<PathBuf>,
    },
    /// Shows the key that signatures are checked with. Note it down, and give it to whoever is to verify.
    Key {
        #[command(flatten)]
        reach: Reach,
    },
    /// Shows a signed checkpoint of all entries. Kept elsewhere, it tells later whether the ledger was rewritten.
    Checkpoint {
        #[command(flatten)]
        reach: Reach,
    },
}

/// Runs it.
pub async fn run(args: Args) -> Result<ExitCode> {
    match args.verb {
        Verb::Show { after, json, reach } => show(after, json, &reach).await?,
        Verb::Export { file, reach } => export(&file, &reach).await?,
        Verb::Verify { file, key, checkpoint } => {
            let found = verify(&file, &key, checkpoint.as_deref())?;
            let last = found.last_us.map_or(String::new(), |at| format!(", the last of {}", rfc3339(at)));
            line(&format!("{}: {} entries{last}, as they were signed", found.origin, found.checkpoint.size));
        }
        Verb::Receipt { file, key, content } => receipt(&file, &key, content.as_deref())?,
        Verb::Key { reach } => line(text(&reach.ask(Question::LedgerCheckpoint).await?, "key")),
        Verb::Checkpoint { reach } => {
            print(text(&reach.ask(Question::LedgerCheckpoint).await?, "checkpoint").as_bytes())?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn text<'a>(answer: &'a Value, name: &str) -> &'a str {
    answer[name].as_str().unwrap_or_default()
}

fn print(bytes: &[u8]) -> Result<()> {
    io::stdout().write_all(bytes).map_err(|error| Error::io("writing to", Path::new("the standard output"), &error))
}

async fn show(mut after: u64, json: bool, reach: &Reach) -> Result<()> {
    loop {
        let answer = reach.ask(Question::Ledger { after }).await?;
        for entry in answer["entries"].as_array().into_iter().flatten() {
            if json {
                line(&entry.to_string());
                continue;
            }
            line(&format!("{:>6}  {}  {}", entry["n"], text(entry, "at"), text(entry, "what")));
            for field in entry["fields"].as_array().into_iter().flatten() {
                // A firm's words are shown as they were written, but for what would move the cursor.
                let value: String =
                    text(field, "value").chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
                line(&format!("        {} {value}", text(field, "key")));
            }
        }
        match answer["next"].as_u64() {
            Some(next) => after = next,
            None => return Ok(()),
        }
    }
}

async fn export(path: &Path, reach: &Reach) -> Result<()> {
    let failed = |error: io::Error| Error::io("writing", path, &error);
    let checkpoint = reach.ask(Question::LedgerCheckpoint).await?;
    let size = checkpoint["size"].as_u64().unwrap_or(0);
    let mut out: Box<dyn Write> = if path == Path::new("-") {
        Box::new(io::stdout())
    } else {
        Box::new(io::BufWriter::new(File::create(path).map_err(failed)?))
    };
    write!(out, "{EXPORT_HEAD}\n\n").map_err(failed)?;
    let mut after = 0;
    while after < size {
        let answer = reach.ask(Question::Ledger { after }).await?;
        let entries = answer["entries"].as_array().map(Vec::as_slice).unwrap_or_default();
        for entry in entries.iter().filter(|entry| entry["n"].as_u64().is_some_and(|n| n <= size)) {
            writeln!(out, "{}", text(entry, "text")).map_err(failed)?;
        }
        after = answer["next"].as_u64().unwrap_or(size);
    }
    out.write_all(text(&checkpoint, "checkpoint").as_bytes()).and_then(|()| out.flush()).map_err(failed)?;
    if path != Path::new("-") {
        line(&format!(
            "{size} entries are in {}; verify them with: holdfast ledger verify FILE --key KEY",
            path.display()
        ));
    }
    Ok(())
}

fn receipt(path: &Path, key: &str, content: Option<&Path>) -> Result<()> {
    let key = read_key(key)?;
    let damaged = |what: String| Error::new(Class::Damaged, what);
    let said = read_short(path)?;
    // The desk's answer is JSON, with the receipt in it.
    let note =
        serde_json::from_str::<Value>(&said).ok().and_then(|answer| Some(answer["receipt"].as_str()?.to_owned()));
    let receipt =
        Receipt::open(&note.unwrap_or(said), &key).map_err(|error| damaged(format!("{}: {error}", path.display())))?;
    line(&format!(
        "notice {} was filed at {}, as entry {} of the ledger",
        receipt.notice,
        rfc3339(receipt.at_us),
        receipt.n
    ));
    let Some(content) = content else {
        line("give what was sent with --content to see whether it is that");
        return Ok(());
    };
    let failed = |error: io::Error| Error::io("reading", content, &error);
    let mut hasher = Sha256::new();
    io::copy(&mut File::open(content).map_err(failed)?, &mut hasher).map_err(failed)?;
    match hasher.finalize()[..] == receipt.content {
        true => line(&format!("{} is what was filed", content.display())),
        false => return Err(damaged(format!("{} is not what was filed with this receipt", content.display()))),
    }
    Ok(())
}

fn read_key(key: &str) -> Result<VerifierKey> {
    VerifierKey::parse(key).map_err(|error| {
        Error::refused(format!("this is no key: {error}")).hint("`holdfast ledger key` shows it: name+id+key")
    })
}

fn verify(path: &Path, key: &str, checkpoint: Option<&Path>) -> Result<Verified> {
    let key = read_key(key)?;
    let damaged = |what: String| Error::new(Class::Damaged, what);
    let older = match checkpoint {
        Some(path) => {
            let note = read_short(path)?;
            Some(Checkpoint::open(&note, &key).map_err(|error| damaged(format!("{}: {error}", path.display())))?)
        }
        None => None,
    };
    let failed = |error: io::Error| Error::io("reading", path, &error);
    let mut file = BufReader::new(File::open(path).map_err(failed)?);
    let mut verifier = Verifier::new(key, older);
    let mut next = Vec::new();
    let fault = |fault| damaged(format!("{}: {fault}", path.display()));
    loop {
        next.clear();
        // A line longer than any entry is one that no ledger has: it is not read to its end.
        let most = Verifier::LINE_BYTES_MAX as u64 + 1;
        if io::Read::take(&mut file, most).read_until(b'\n', &mut next).map_err(failed)? == 0 {
            return verifier.finish().map_err(fault);
        }
        verifier.line(&next).map_err(fault)?;
    }
}

/// A file that holds a signed note, and no more.
pub fn read_short(path: &Path) -> Result<String> {
    let failed = |error: io::Error| Error::io("reading", path, &error);
    let mut text = String::new();
    let file = File::open(path).map_err(failed)?;
    io::Read::read_to_string(&mut io::Read::take(file, NOTE_BYTES_MAX as u64 + 1), &mut text).map_err(failed)?;
    Ok(text)
}
