//! The program itself, on folders.

use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

use crate::{
    homecoming::{Scratch, assert_tree},
    world::{FIRMS, World},
};

/// Writes what a firm has as a folder.
pub fn dump(world: &World, firm: usize, root: &Path) -> PathBuf {
    let folder = root.join(format!("firm-{firm}"));
    let image = world.disks[firm].image();
    for (name, bytes) in &image.objects {
        let file = folder.join(name);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, bytes).unwrap();
    }
    fs::write(folder.join("holdfast-target"), image.marker.unwrap()).unwrap();
    folder
}

pub fn run(args: &[&str], answers: &str) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_holdfast-rescue"))
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(answers.as_bytes()).unwrap();
    child.wait_with_output().unwrap()
}

pub fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn brings_a_tree_home_from_folders() {
    let (world, scratch) = (World::build(), Scratch::new("program"));
    let firms = scratch.0.join("firms");
    (0..FIRMS).filter(|firm| ![1, 4].contains(firm)).for_each(|firm| drop(dump(&world, firm, &firms)));
    let kit = scratch.0.join("kit.txt");
    fs::write(&kit, world.kit.to_text()).unwrap();
    let (kit, firms, out) = (kit.to_str().unwrap(), firms.to_str().unwrap(), scratch.0.join("home"));

    let listed = run(&["--kit", kit, "--target", firms, "--list"], "");
    assert!(listed.status.success(), "{}", text(&listed.stderr));
    assert!(text(&listed.stdout).contains("2000003  photos/2012/film.mkv"), "{}", text(&listed.stdout));
    assert!(!out.exists());

    let done = run(&["--kit", kit, "--target", firms, "--out", out.to_str().unwrap()], "");
    assert!(done.status.success(), "{}\n{}", text(&done.stdout), text(&done.stderr));
    assert_tree(&world, &out);
}

#[test]
fn asks_for_what_it_is_not_told() {
    let (world, scratch) = (World::build(), Scratch::new("asks"));
    let firms: Vec<_> = (0..4).map(|firm| dump(&world, firm, &scratch.0)).collect();
    let (kit, out) = (scratch.0.join("kit.txt"), scratch.0.join("home"));
    fs::write(&kit, world.kit.to_text()).unwrap();
    let mut answers = format!("/no/such/file\n{}\n", kit.display());
    firms.iter().for_each(|firm| answers.push_str(&format!("{}\n", firm.display())));
    answers.push_str(&format!("\n{}\n", out.display()));
    let done = run(&[], &answers);
    assert!(done.status.success(), "{}\n{}", text(&done.stdout), text(&done.stderr));
    assert!(text(&done.stdout).contains("There is no file /no/such/file"));
    assert_tree(&world, &out);
}

#[test]
fn tells_what_is_missing_by_exit_code_and_words() {
    let (world, scratch) = (World::build(), Scratch::new("missing"));
    let firms: Vec<_> = (0..3).map(|firm| dump(&world, firm, &scratch.0).display().to_string()).collect();
    let (kit, out) = (scratch.0.join("kit.txt"), scratch.0.join("home"));
    fs::write(&kit, world.kit.to_text()).unwrap();
    let (kit, out) = (kit.display().to_string(), out.display().to_string());
    let mut args = vec!["--kit", &kit, "--out", &out];
    firms.iter().for_each(|firm| args.extend(["--target", firm]));
    let done = run(&args, "");
    assert_eq!(done.status.code(), Some(1));
    let said = text(&done.stdout);
    assert!(said.contains("photos/2012/film.mkv") && said.contains("lane 3 at firm-3 (/srv/firm-3)"), "{said}");

    let mut page = world.kit.to_text();
    page = page.replace("account: ", "account: 0");
    fs::write(&kit, page).unwrap();
    let done = run(&args, "");
    assert_eq!(done.status.code(), Some(2));
    assert!(text(&done.stderr).contains("of the kit (`account`) is damaged"), "{}", text(&done.stderr));
    let done = run(&["--kit", &firms[0], "--out", &out, "--target", &firms[0]], "");
    assert_eq!(done.status.code(), Some(2));
}
