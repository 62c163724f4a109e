//! The story of 2012 to 2017 on real servers of four kinds, which are as they were found when it is over.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Output,
};

use crate::{
    common::{Scratch, holdfast, noise, text, tree},
    fleet::{Firms, names},
};

/// A file of four firms that speak four protocols, in the order of `FIRMS`, and where each keeps everything.
struct Stage {
    scratch: Scratch,
    firms: Firms,
    folder: PathBuf,
}

impl Stage {
    fn set(story: &str) -> Option<Self> {
        let firms = Firms::start(story)?;
        let scratch = Scratch::new();
        let folder = scratch.join("disk");
        fs::create_dir(&folder).unwrap();
        fs::create_dir(scratch.join("work")).unwrap();
        fs::create_dir_all(scratch.join("files/photos")).unwrap();
        for number in 0..14_u64 {
            let content = noise(number, 900 + number as usize * 90_001);
            fs::write(scratch.join(&format!("files/photos/{number}.jpg")), content).unwrap();
        }
        fs::write(scratch.join("files/film"), noise(99, 5 << 20)).unwrap();
        let mut lines = String::new();
        for firm in &firms.all {
            fs::write(scratch.join(&format!("{}.login", firm.name)), &firm.login).unwrap();
            lines += &format!("[[provider]]\nname = \"{}\"\n[[provider.target]]\n", firm.name);
            lines += &format!("address = \"{}\"\nlogin = \"{}.login\"\n", firm.address, firm.name);
        }
        lines += "[[provider]]\nname = \"disk\"\n[[provider.target]]\npath = \"disk\"\n";
        fs::write(scratch.join("fleet.toml"), lines).unwrap();
        Some(Self { scratch, firms, folder })
    }

    fn play(&self, more: &[&str]) -> Output {
        let mut command = holdfast(&["reenact", "--fleet"]);
        command.arg(self.scratch.join("fleet.toml")).arg("--work").arg(self.scratch.join("work"));
        command.args(more).arg(self.scratch.join("files")).output().unwrap()
    }

    fn roots(&self) -> impl Iterator<Item = &Path> {
        self.firms.all.iter().map(|firm| firm.root.as_path()).chain([self.folder.as_path()])
    }

    /// All files that lie at any firm.
    fn lying(&self) -> Vec<PathBuf> {
        self.roots().flat_map(|root| tree(root).into_iter().map(|(path, _, _)| root.join(path))).collect()
    }
}

fn says(played: &Output, code: i32, lines: &[&str]) {
    let said = text(&played.stdout);
    assert_eq!(played.status.code(), Some(code), "{said}\n{}", text(&played.stderr));
    let mut rest = said.as_str();
    for expected in lines {
        let at = rest.find(expected).unwrap_or_else(|| panic!("'{expected}' is missing, or too early:\n{said}"));
        rest = &rest[at + expected.len()..];
    }
}

#[test]
fn the_story_is_played_on_given_servers_and_leaves_them_as_they_were_found() {
    let Some(stage) = Stage::set("the story is played on given servers") else { return };
    let acts = [
        "a recovery kit is made, before the first file",
        "15 files",
        "dav is fenced off",
        "nobody reaches dav any more",
        "without dav: 15 of 15 acknowledged files are equal",
        "everything is settled on 3 firms",
        "catalogue and keys are deleted",
        "after the rescue: 15 of 15 acknowledged files are equal",
        "nothing was lost",
        "its 4 places are given back as they were found",
    ];
    let played = stage.play(&[]);
    says(&played, 0, &acts);
    let said = text(&played.stdout);
    assert!(said.contains("at dav lie ") && !said.contains("dav lie 0 shards"), "{said}");
    assert_eq!(stage.lying(), Vec::<PathBuf>::new(), "{said}");
    assert_eq!(fs::read_dir(stage.scratch.join("work")).unwrap().count(), 0, "the play cleans up");
    // Folders too, where a firm has them.
    for root in [&stage.folder, &stage.firms.get("box").root, &stage.firms.get("dav").root] {
        assert_eq!(fs::read_dir(root).unwrap().count(), 0, "{}", root.display());
    }

    // Told to, it wipes the firm that goes; told to keep, it leaves what is at the others and no later play takes these places.
    let played = stage.play(&["--lose", "bucket", "--wipe", "--keep"]);
    says(&played, 0, &["objects that this play wrote at bucket are deleted", "nothing was lost", "kept: "]);
    for firm in ["box", "dav"] {
        assert!(!names(&stage.firms.get(firm).root).is_empty(), "{firm}");
    }
    assert_eq!(tree(&stage.firms.get("bucket").root), [], "the firm that went holds nothing");
    let before = stage.lying();
    let refused = stage.play(&[]);
    let said = text(&refused.stderr);
    assert!(!refused.status.success() && said.contains("is a target of another Holdfast service"), "{said}");
    assert_eq!(stage.lying(), before);
}

#[test]
fn places_that_hold_anything_and_fleets_that_are_too_small_are_not_played_on() {
    let Some(stage) = Stage::set("places that hold anything are not played on") else { return };
    let photo = stage.firms.get("bucket").root.join("Holiday.jpg");
    fs::write(&photo, b"a photo").unwrap();
    let refused = stage.play(&["--wipe"]);
    let said = text(&refused.stderr);
    assert!(!refused.status.success() && said.contains("it holds 'Holiday.jpg'"), "{said}");
    assert_eq!(stage.lying(), std::slice::from_ref(&photo), "nothing was written anywhere");
    assert_eq!(fs::read(&photo).unwrap(), b"a photo");
    fs::remove_file(photo).unwrap();

    let file = stage.scratch.join("fleet.toml");
    let lines = fs::read_to_string(&file).unwrap();
    let three = lines.split("[[provider]]\nname = \"disk\"").next().unwrap();
    fs::write(&file, three).unwrap();
    let refused = stage.play(&[]);
    let said = text(&refused.stderr);
    assert!(refused.status.code() == Some(2) && said.contains("not both have two targets"), "{said}");
    fs::write(&file, &lines).unwrap();
    let refused = stage.play(&["--lose", "nobody"]);
    let said = text(&refused.stderr);
    assert!(refused.status.code() == Some(2) && said.contains("no provider 'nobody'"), "{said}");
    assert_eq!(stage.lying(), Vec::<PathBuf>::new());
}
