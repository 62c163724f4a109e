//! Questions in plain words, one at a time, for whoever starts the program without arguments.

use std::{
    io::{self, BufRead, Write},
    path::{Path, PathBuf},
};

use anyhow::{Result, bail};
use format::Kit;

/// Asks on `output`, reads from `input`.
pub struct Questions<I, O> {
    input: I,
    output: O,
}

impl<I: BufRead, O: Write> Questions<I, O> {
    pub fn new(input: I, output: O) -> Self {
        Self { input, output }
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

    /// In which folders are copies? `known` are those that the kit names and that are there.
    pub fn folders(&mut self, kit: &Kit, known: &[PathBuf]) -> Result<Vec<PathBuf>> {
        if !kit.addresses.is_empty() {
            self.say("When the kit was made, your files were kept at:\n")?;
            for address in &kit.addresses {
                let here = known.iter().any(|folder| folder == Path::new(&address.address));
                let here = if here { "  (found on this computer)" } else { "" };
                self.say(&format!("  {}: {}{here}\n", address.provider, address.address))?;
            }
        }
        let mut folders = known.to_vec();
        loop {
            let question = match folders.len() {
                0 => "Which folder holds what one of the firms kept? ",
                _ => "Is there another such folder? (just Enter: no) ",
            };
            match self.ask(question)? {
                None if folders.is_empty() => bail!("no folder was named: give one with --target PATH"),
                Some(answer) if answer.is_empty() && folders.is_empty() => {}
                Some(answer) if !answer.is_empty() => {
                    if Path::new(&answer).is_dir() {
                        folders.push(answer.into());
                    } else {
                        self.say(&format!("There is no folder {answer}.\n"))?;
                    }
                }
                _ => return Ok(folders),
            }
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
    fn ask(&mut self, question: &str) -> io::Result<Option<String>> {
        self.say(question)?;
        let mut line = String::new();
        if self.input.read_line(&mut line)? == 0 {
            self.say("\n")?;
            return Ok(None);
        }
        Ok(Some(line.trim().trim_matches('"').to_owned()))
    }

    fn say(&mut self, text: &str) -> io::Result<()> {
        self.output.write_all(text.as_bytes())?;
        self.output.flush()
    }
}
