//! Files in a folder of this computer: whole, named, dated, and nothing overwritten.

use std::{
    fs,
    path::{Path, PathBuf},
    time::{Duration, UNIX_EPOCH},
};

use rescue::home::{self, Report};

use crate::{
    open, run,
    world::{FIRMS, World},
};

/// A folder that is removed at the end.
pub struct Scratch(pub PathBuf);

impl Scratch {
    pub fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("holdfast-rescue-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir(&path).unwrap();
        Self(path)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn bring(world: &World, firms: impl IntoIterator<Item = usize>, folder: &Path) -> Report {
    let rescue = open(world, firms).unwrap();
    run(home::bring(&rescue, folder, &mut |_| {})).unwrap()
}

#[track_caller]
pub fn assert_tree(world: &World, folder: &Path) {
    for (path, plain) in &world.files {
        let there = fs::read(folder.join(path)).unwrap();
        assert!(there == *plain, "{path}");
        let modified = fs::metadata(folder.join(path)).unwrap().modified().unwrap();
        assert_eq!(modified, UNIX_EPOCH + Duration::from_secs(1_328_054_400), "{path}");
    }
    for path in &world.folders {
        let modified = fs::metadata(folder.join(path)).unwrap().modified().unwrap();
        assert_eq!(modified, UNIX_EPOCH + Duration::from_secs(1_328_054_400), "{path}");
    }
    assert!(!folder.join(home::PARTS).exists());
}

#[test]
fn the_tree_is_as_it_was() {
    let (world, scratch) = (World::build(), Scratch::new("tree"));
    let report = bring(&world, 0..FIRMS, &scratch.0);
    assert!(report.is_whole());
    assert_eq!(
        (report.files, report.written, report.kept, report.folders),
        (world.files.len() as u64, report.files, 0, 2)
    );
    assert_tree(&world, &scratch.0);
}

#[test]
fn a_second_run_goes_on_where_the_first_stopped() {
    let (world, scratch) = (World::build(), Scratch::new("resume"));
    bring(&world, 0..FIRMS, &scratch.0);
    fs::remove_file(scratch.0.join("photos/a.jpg")).unwrap();
    // What a run leaves that was killed: a half-written part, and a file without its time.
    fs::create_dir(scratch.0.join(home::PARTS)).unwrap();
    fs::write(scratch.0.join(home::PARTS).join("1.part"), b"half").unwrap();
    fs::write(scratch.0.join("note.txt"), &world.files["note.txt"]).unwrap();
    let report = bring(&world, 0..FIRMS, &scratch.0);
    assert_eq!((report.written, report.kept), (1, world.files.len() as u64 - 1));
    assert_tree(&world, &scratch.0);
}

#[test]
fn nothing_that_is_there_is_overwritten() {
    let (world, scratch) = (World::build(), Scratch::new("beside"));
    fs::create_dir_all(scratch.0.join("photos")).unwrap();
    fs::write(scratch.0.join("photos/a.jpg"), b"mine").unwrap();
    std::os::unix::fs::symlink("/nowhere", scratch.0.join("photos/2012")).unwrap();
    for _ in 0..2 {
        let report = bring(&world, 0..FIRMS, &scratch.0);
        assert!(report.is_whole());
        assert!(
            report.renamed.iter().any(|renamed| renamed.to.ends_with("photos/a (rescued).jpg")),
            "{:?}",
            report.renamed
        );
        assert_eq!(fs::read(scratch.0.join("photos/a.jpg")).unwrap(), b"mine");
        assert!(fs::read(scratch.0.join("photos/a (rescued).jpg")).unwrap() == world.files["photos/a.jpg"]);
        assert!(
            fs::read(scratch.0.join("photos/2012 (rescued)/film.mkv")).unwrap() == world.files["photos/2012/film.mkv"]
        );
    }
    assert_eq!(fs::read_dir(scratch.0.join("photos")).unwrap().count(), 7);
}

#[test]
fn what_is_not_whole_never_has_the_name_of_the_whole() {
    let (world, scratch) = (World::build(), Scratch::new("incomplete"));
    for _ in 0..2 {
        let report = bring(&world, [0, 1, 2], &scratch.0);
        let film = report.lost.iter().find(|lost| lost.path == "photos/2012/film.mkv").unwrap();
        assert_eq!(film.kept_as, Some(scratch.0.join("photos/2012/film (incomplete).mkv")));
        assert!(!scratch.0.join("photos/2012/film.mkv").exists());
    }
    let (plain, partial) =
        (&world.files["photos/2012/film.mkv"], fs::read(scratch.0.join("photos/2012/film (incomplete).mkv")));
    let partial = partial.unwrap();
    assert_eq!(partial.len(), plain.len());
    assert!(partial.iter().zip(plain).all(|(got, right)| got == right || *got == 0));
    assert!(bring(&world, [0, 1, 2, 4], &scratch.0).is_whole());
    assert_tree(&world, &scratch.0);
}
