//! Questions in plain words, one at a time, for whoever starts the program without arguments.

use std::{
    io::{self, BufRead, Write},
    path::{Path, PathBuf},
};

use anyhow::{Result, bail};
use format::KitAddress;

use crate::echo::Hidden;

/// Asks on `output`, reads from `input`.
pub struct Questions<I, O> {
    input: I,
    output: O,
    hide: fn() -> Option<Hidden>,
}

/// A place that somebody named.
#[derive(Debug, PartialEq, Eq)]
pub enum Named {
    /// A folder of this computer.
    Folder(PathBuf),
    /// A firm's server.
    Server(String),
}

impl Named {
    /// What has a scheme is a server.
    pub fn of(text: &Path) -> Self {
        match text.to_str() {
            Some(address) if address.contains("://") => Self::Server(address.to_owned()),
            _ => Self::Folder(text.to_owned()),
        }
    }
}

impl<I: BufRead, O: Write> Questions<I, O> {
    /// `hide` keeps what is typed off the screen until its answer is dropped.
    pub fn new(input: I, output: O, hide: fn() -> Option<Hidden>) -> Self {
        Self { input, output, hide }
    }

    /// Which file is the kit?
    pub fn kit_file(&mut self) -> Result<PathBuf> {
        loop {
            let answer = self.ask("Which file is your recovery kit? ")?;
            match answer {
                None => bail!("no kit was named: give it with --kit FILE"),
                Some(answer) if answer.is_empty() => {}
                Some(answer) if Path::new(&answer).is_file() => return Ok(answer.into()),
                Some(answer) => self.say(&format!("There is no file {answer}.\n"))?,
            }
        }
    }

    /// Says where files were kept. `known` are those of these folders that are there.
    pub fn tell_places(&mut self, addresses: &[KitAddress], known: &[PathBuf]) -> Result<()> {
        if !addresses.is_empty() {
            self.say("When the kit was made, your files were kept at:\n")?;
        }
        for address in addresses {
            let here = known.iter().any(|folder| folder == Path::new(&address.address));
            let here = if here { "  (found on this computer)" } else { "" };
            self.say(&format!("  {}: {}{here}\n", address.provider, address.address))?;
        }
        Ok(())
    }

    /// What else can be read? Ends at an empty answer once there is something.
    pub fn places(&mut self, mut there_is_one: bool) -> Result<Vec<Named>> {
        let mut places = Vec::new();
        loop {
            let question = match there_is_one {
                false => "Which folder holds what one of the firms kept? (or the address of a firm's server) ",
                true => "Is there another such folder or address? (just Enter: no) ",
            };
            let Some(answer) = self.ask(question)? else {
                if there_is_one {
                    return Ok(places);
                }
                bail!("no place was named: give one with --target ADDRESS");
            };
            if answer.is_empty() {
                if there_is_one {
                    return Ok(places);
                }
                continue;
            }
            match Named::of(Path::new(&answer)) {
                Named::Folder(folder) if !folder.is_dir() => {
                    self.say(&format!("There is no folder {answer}.\n"))?;
                    continue;
                }
                Named::Server(address) => {
                    if let Err(error) = fleet::Address::parse(&address) {
                        self.say(&format!("{error}.\n"))?;
                        continue;
                    }
                    places.push(Named::Server(address));
                }
                folder => places.push(folder),
            }
            there_is_one = true;
        }
    }

    /// Where should the files go?
    pub fn destination(&mut self) -> Result<PathBuf> {
        loop {
            match self.ask("In which folder should your files be put? ")? {
                None => bail!("no folder for the files was named: give it with --out DIR"),
                Some(answer) if answer.is_empty() => {}
                Some(answer) if Path::new(&answer).is_file() => self.say(&format!("{answer} is a file.\n"))?,
                Some(answer) => return Ok(answer.into()),
            }
        }
    }

    /// The answer without the blanks around it; `None` when there is nobody to answer.
    pub fn ask(&mut self, question: &str) -> io::Result<Option<String>> {
        let line = self.line(question)?;
        Ok(line.map(|line| line.trim().trim_matches('"').to_owned()))
    }

    /// The answer as it was typed, unseen.
    pub fn ask_hidden(&mut self, question: &str) -> io::Result<Option<String>> {
        let _hidden = (self.hide)();
        let line = self.line(question)?;
        Ok(line.map(|line| line.trim_end_matches(['\r', '\n']).to_owned()))
    }

    fn line(&mut self, question: &str) -> io::Result<Option<String>> {
        self.say(question)?;
        let mut line = String::new();
        if self.input.read_line(&mut line)? == 0 {
            self.say("\n")?;
            return Ok(None);
        }
        Ok(Some(line))
    }

    pub fn say(&mut self, text: &str) -> io::Result<()> {
        self.output.write_all(text.as_bytes())?;
        self.output.flush()
    }
}

#[cfg(test)]
#[path = "ask_tests.rs"]
mod tests;
