//! `holdfast-rescue`: a user's files brought home from a kit, copies of the firms' disks, and the firms' own servers.
//!
//! Whatever is not said on the command line is asked, one question at a time. The exit code is 0 only if every file of the tree
//! came home whole; 1 if something is missing; 2 if there was no rescue at all.

#![allow(
    clippy::disallowed_methods,
    reason = "a binary is the door: it reads kit and logins, looks at the folders named, and has the clocks"
)]

mod ask;
mod echo;
mod folders;
mod logins;
mod show;
mod world;

use std::{
    collections::BTreeSet,
    io::{self, BufRead, IsTerminal, Write},
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::{Context, Result, bail};
use clap::Parser;
use fleet::Logins;
use format::Kit;
use rescue::{
    Access, Rescue,
    access::{NamedBy, Shut},
    home,
};

use crate::{
    ask::{Named, Questions},
    show::Progress,
};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Reads that run at once: two columns of the usual four data lanes. More threads would only hold more memory.
const READERS: usize = 8;

/// Brings your files home from a recovery kit, and from copies of the firms' disks or their own servers: no service, no account.
///
/// What is not given is asked. Stop it whenever you like: run again, it goes on.
///
/// Of the firms where your files were kept a few are enough. A folder on this computer, such as a copied disk, needs no login; a
/// firm's server needs one, which the firm, the operator or a trustee may hand to you. Passwords are not shown while you type them,
/// and nowhere else.
#[derive(Parser)]
#[command(name = "holdfast-rescue", version)]
struct Args {
    /// The recovery kit, as a text file.
    #[arg(long, value_name = "FILE")]
    kit: Option<PathBuf>,
    /// A place with what a firm kept; can be given several times. A folder's path (also one with several such folders in it),
    /// s3://BUCKET/ROOT?endpoint=URL&region=R, sftp://USER@HOST:PORT/ROOT?host_key=K, or webdav+https://HOST/ROOT.
    #[arg(long = "target", value_name = "ADDRESS")]
    targets: Vec<PathBuf>,
    /// File with logins. Below a line [ADDRESS] stand the values for that address, one name=value to a line: user and password for
    /// WebDAV; access_key_id and secret_access_key for S3; password, or key and its passphrase, for SFTP (\n in a value for the
    /// end of a line). What stands above the first address is for every place that you name or your kit names. Places in the kit
    /// and in the firms' address books that have a login here are read too.
    #[arg(long, value_name = "FILE")]
    logins: Option<PathBuf>,
    /// Where the files are put; made if it is missing, and nothing in it is overwritten.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Only show what there is.
    #[arg(long)]
    list: bool,
}

fn main() -> ExitCode {
    let done = tokio::runtime::Builder::new_current_thread()
        .enable_io()
        .enable_time()
        .max_blocking_threads(READERS)
        .build()
        .context("this computer does not start the program's runtime")
        .and_then(|runtime| runtime.block_on(run(Args::parse())));
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(error) => {
            eprintln!("holdfast-rescue: {error:#}");
            ExitCode::from(2)
        }
    }
}

/// Whether everything came home.
async fn run(args: Args) -> Result<bool> {
    let mut questions = Questions::new(io::stdin().lock(), io::stdout(), echo::hide);
    let kit_file = match args.kit {
        Some(file) => file,
        None => questions.kit_file()?,
    };
    let kit = read_kit(&kit_file)?;
    let has_logins = args.logins.is_some();
    let mut places = Places::new(Access::new(read_logins(args.logins.as_deref())?, world::real()));
    let mut asking = false;
    for named in &args.targets {
        if !places.add(Named::of(named), &mut questions)? {
            bail!("{} cannot be read without a login: --logins names a file that holds one", named.display());
        }
    }
    if args.targets.is_empty() {
        places.access.offer(&kit.addresses, NamedBy::Kit, &mut is_new(&mut places.seen));
        // Who brings logins that open something has answered already.
        asking = !has_logins || places.access.is_empty();
    }
    if asking {
        questions.tell_places(&kit.addresses, &folders::existing(&kit.addresses))?;
        places.ask_logins(&mut questions)?;
        for named in questions.places(!places.access.is_empty())? {
            places.add(named, &mut questions)?;
        }
    }
    places.follow(&kit).await?;
    if asking && places.ask_logins(&mut questions)? {
        places.follow(&kit).await?;
    }
    let out = match args.out {
        Some(out) => out,
        None if args.list => PathBuf::new(),
        None => questions.destination()?,
    };
    let done = read(&kit, &places.access, (!args.list).then_some(out.as_path())).await;
    show::shut(places.access.shut(), &mut io::stderr())?;
    done
}

/// Brings the tree to `out`, or shows it.
async fn read(kit: &Kit, access: &Access, out: Option<&Path>) -> Result<bool> {
    let rescue = Rescue::open(kit, access.targets()?).await?;
    match out {
        Some(out) => bring(&rescue, out).await,
        None => {
            show::tree(rescue.tree(), &mut io::stdout().lock())?;
            Ok(show::findings(&rescue.findings(), &mut io::stderr())?)
        }
    }
}

/// What is going to be read.
struct Places {
    access: Access,
    /// Folders that are in it, by their one real name.
    seen: BTreeSet<PathBuf>,
    /// Addresses whose login was asked for.
    asked: BTreeSet<String>,
}

impl Places {
    fn new(access: Access) -> Self {
        Self { access, seen: BTreeSet::new(), asked: BTreeSet::new() }
    }

    /// Adds what a person named. A login that is missing is asked for; false if nobody has one.
    fn add<I: BufRead, O: Write>(&mut self, named: Named, questions: &mut Questions<I, O>) -> Result<bool> {
        match named {
            Named::Folder(folder) => {
                for folder in folders::targets_in(&folder) {
                    if self.seen.insert(folders::real(&folder)) {
                        self.access.add_folder(folder);
                    }
                }
            }
            Named::Server(address) if self.access.lacks_login(&address)? => {
                self.asked.insert(address.clone());
                return self.ask_login("", &address, questions);
            }
            Named::Server(address) => self.access.add(&address)?,
        }
        Ok(true)
    }

    /// Asks for the logins of places that are known and shut, of each once. Whether one opened.
    fn ask_logins<I: BufRead, O: Write>(&mut self, questions: &mut Questions<I, O>) -> Result<bool> {
        let mut opened = false;
        for Shut { provider, address, reason } in self.access.shut().to_vec() {
            if reason.is_none() && self.asked.insert(address.clone()) {
                opened |= self.ask_login(&provider, &address, questions)?;
            }
        }
        Ok(opened)
    }

    /// Asks for one login until there is one that can be used, or none.
    fn ask_login<I: BufRead, O: Write>(
        &mut self,
        provider: &str,
        address: &str,
        questions: &mut Questions<I, O>,
    ) -> Result<bool> {
        while let Some(login) = questions.login_for(provider, address)? {
            match self.access.add_with(address, login) {
                Ok(()) => return Ok(true),
                Err(error) => questions.say(&format!("{error}.\n"))?,
            }
        }
        Ok(false)
    }

    /// Adds what kit and address books name.
    async fn follow(&mut self, kit: &Kit) -> Result<()> {
        for address in self.access.follow(kit, &mut is_new(&mut self.seen)).await? {
            eprintln!("also reading {address}, which kit or address book name");
        }
        Ok(())
    }
}

/// Says yes to a folder that is there and was not taken before.
fn is_new(seen: &mut BTreeSet<PathBuf>) -> impl FnMut(&Path) -> bool + Send {
    |folder| folder.is_dir() && seen.insert(folders::real(folder))
}

async fn bring(rescue: &Rescue, out: &Path) -> Result<bool> {
    let mut progress = Progress::new(rescue.tree(), io::stderr().is_terminal());
    let report = home::bring(rescue, out, &mut |step| progress.step(&step)).await;
    progress.end();
    let nothing_missing = show::findings(&rescue.findings(), &mut io::stderr())?;
    let report = report?;
    show::report(&report, out, &mut io::stdout().lock())?;
    Ok(report.is_whole() && nothing_missing)
}

fn read_kit(file: &Path) -> Result<Kit> {
    let bytes = std::fs::read(file).with_context(|| format!("the kit {} cannot be read", file.display()))?;
    Kit::parse(&String::from_utf8_lossy(&bytes)).with_context(|| file.display().to_string())
}

fn read_logins(file: Option<&Path>) -> Result<Logins> {
    let Some(file) = file else { return Ok(Logins::default()) };
    let text =
        std::fs::read_to_string(file).with_context(|| format!("the logins {} cannot be read", file.display()))?;
    Logins::parse(&text).with_context(|| file.display().to_string())
}
