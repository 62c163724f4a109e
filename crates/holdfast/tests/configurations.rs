//! Configurations that are refused, with the words that say why; and fleets that grow, shrink and lose folders.
#![allow(clippy::unwrap_used)]
#![allow(clippy::disallowed_methods, reason = "tests look at the folders of a real service")]

mod common;

use std::{fs, path::Path};

use common::{Scratch, Server, holdfast, refused_start, request, succeed, text};
use serde_json::Value;

fn provider(name: &str, path: &str) -> String {
    format!("[[provider]]\nname = \"{name}\"\n[[provider.target]]\npath = \"{path}\"\n")
}

fn fleet(server: &Server, token: &str) -> Value {
    let answer = request(&server.url, token, "GET", "/api/v1/fleet", &[], b"");
    assert_eq!(answer.status, 200);
    serde_json::from_slice(&answer.body).unwrap()
}

/// The states of a provider's targets.
fn states(fleet: &Value, provider: &str) -> Vec<String> {
    let found = fleet["providers"].as_array().unwrap().iter().find(|row| row["name"] == provider).unwrap();
    found["targets"].as_array().unwrap().iter().map(|target| target["state"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn what_cannot_be_meant_is_refused_and_leaves_nothing_behind() {
    let scratch = Scratch::new();
    for folder in ["one", "two", "used"] {
        fs::create_dir_all(scratch.join(folder)).unwrap();
    }
    fs::write(scratch.join("used/letter.txt"), b"mine").unwrap();
    let (one, two) = (provider("one", "one"), provider("two", "two"));
    for (name, config, said) in [
        ("unknown key", format!("speed = 9\n{one}{two}"), "unknown field `speed`"),
        ("unknown setting", format!("[settings]\nspeed = 9\n{one}{two}"), "line 2"),
        ("unknown provider key", format!("{one}{two}speed = 9\n"), "unknown field `speed`"),
        ("two providers, one folder", format!("{one}{}", provider("two", "./two/../one")), "is the same folder as"),
        ("target inside a target", format!("{one}{}", provider("two", "one/inner")), "lies inside"),
        ("target around the catalogue", format!("{one}{}", provider("two", "data/catalogue")), "own folder"),
        ("one provider twice", format!("{one}{one}"), "there twice"),
        ("missing folder", format!("{one}{}", provider("two", "nowhere")), "does not exist"),
        ("a folder in use", format!("{one}{}", provider("two", "used")), "letter.txt"),
        ("no providers", "[settings]\n".to_owned(), "no [[provider]]"),
        ("one provider", one.clone(), "at least two"),
    ] {
        let file = scratch.join("fleet.toml");
        fs::write(&file, config).unwrap();
        let output = refused_start(&scratch.join("data"), &["--config", file.to_str().unwrap()]);
        let errors = text(&output.stderr);
        assert!(errors.contains(said) && errors.contains("hint:"), "{name}: {errors}");
        assert!(!scratch.join("data/catalogue").exists() && !scratch.join("data/keys").exists(), "{name}");
        assert!(fs::read_dir(scratch.join("one")).unwrap().next().is_none(), "{name}");
    }
    assert_eq!(fs::read(scratch.join("used/letter.txt")).unwrap(), b"mine");
}

#[test]
fn a_provider_left_out_is_down_and_one_put_in_joins() {
    let scratch = Scratch::new();
    let data = scratch.join("data");
    let server = Server::start(&data);
    let token = server.token();
    let file = data.join("holdfast.toml");
    let config = fs::read_to_string(&file).unwrap();
    server.stop();

    fs::write(&file, config.replace(&provider("fjord", "providers/fjord"), "")).unwrap();
    let server = Server::start(&data);
    let seen = fleet(&server, &token);
    assert_eq!(states(&seen, "fjord"), ["down"], "down, not forgotten");
    assert_eq!(request(&server.url, &token, "PUT", "/api/v1/files/a", &[], b"still written").status, 201);
    server.stop();

    fs::write(&file, config + &provider("grove", "providers/grove")).unwrap();
    let server = Server::start(&data);
    let seen = fleet(&server, &token);
    assert_eq!((states(&seen, "fjord"), states(&seen, "grove")), (vec!["up".to_owned()], vec!["up".to_owned()]));
    assert!(data.join("providers/grove/holdfast-target").exists());
    server.stop();
    Server::start(&data).stop();
}

#[test]
fn a_fleet_grows_without_a_restart() {
    let scratch = Scratch::new();
    let data = scratch.join("data");
    let server = Server::start(&data);
    let token = server.token();
    let file = data.join("holdfast.toml");
    let config = fs::read_to_string(&file).unwrap();
    fs::write(&file, format!("{config}oops = 1\n")).unwrap();
    let mut reload = holdfast(&["fleet", "reload", "--data"]);
    let output = reload.arg(&data).output().unwrap();
    assert!(!output.status.success() && text(&output.stderr).contains("oops"), "{}", text(&output.stderr));
    fs::write(&file, config + &provider("grove", "providers/grove")).unwrap();
    let mut reload = holdfast(&["fleet", "reload", "--data"]);
    reload.arg(&data);
    assert!(succeed(reload).contains("grove"));
    assert_eq!(states(&fleet(&server, &token), "grove"), ["up"]);
    server.stop();
}

#[test]
fn folders_that_vanish_or_lose_their_marker_are_down_and_never_made_again() {
    let scratch = Scratch::new();
    let data = scratch.join("data");
    Server::start(&data).stop();
    fs::remove_dir_all(data.join("providers/amber")).unwrap();
    fs::remove_file(data.join("providers/birch/holdfast-target")).unwrap();
    let server = Server::start(&data);
    let seen = fleet(&server, &server.token());
    assert_eq!((states(&seen, "amber"), states(&seen, "birch")), (vec!["down".to_owned()], vec!["down".to_owned()]));
    server.stop();
    assert!(!data.join("providers/amber").exists());
    assert!(!data.join("providers/birch/holdfast-target").exists());
}

#[test]
fn a_moved_data_folder_keeps_its_fleet_and_a_copy_of_a_target_is_refused() {
    let scratch = Scratch::new();
    let data = scratch.join("data");
    let server = Server::start(&data);
    let token = server.token();
    assert_eq!(request(&server.url, &token, "PUT", "/api/v1/files/a", &[], b"moved along").status, 201);
    server.stop();
    let moved = scratch.join("moved");
    fs::rename(&data, &moved).unwrap();
    let server = Server::start(&moved);
    assert_eq!(request(&server.url, &token, "GET", "/api/v1/files/a", &[], b"").body, b"moved along");
    assert_eq!(states(&fleet(&server, &token), "amber"), ["up"]);
    server.stop();
    let file = moved.join("holdfast.toml");
    let config = fs::read_to_string(&file).unwrap();
    copy(&moved.join("providers/amber"), &moved.join("providers/copy"));
    fs::write(&file, config.replace("providers/amber", "providers/copy")).unwrap();
    let output = refused_start(&moved, &[]);
    assert!(text(&output.stderr).contains("is a copy of the target"), "{}", text(&output.stderr));
}

#[test]
fn targets_of_another_service_are_left_alone() {
    let scratch = Scratch::new();
    let (ours, theirs) = (scratch.join("ours"), scratch.join("theirs"));
    Server::start(&theirs).stop();
    Server::start(&ours).stop();
    let file = ours.join("holdfast.toml");
    let config = fs::read_to_string(&file).unwrap();
    let foreign = theirs.join("providers/amber");
    let marker = fs::read(foreign.join("holdfast-target")).unwrap();
    fs::write(&file, config + &provider("grove", foreign.to_str().unwrap())).unwrap();
    let output = refused_start(&ours, &[]);
    assert!(text(&output.stderr).contains("another Holdfast service"), "{}", text(&output.stderr));
    assert_eq!(fs::read(foreign.join("holdfast-target")).unwrap(), marker);
}

#[test]
fn a_lost_catalogue_is_never_replaced_by_an_empty_one() {
    let scratch = Scratch::new();
    let data = scratch.join("data");
    Server::start(&data).stop();
    fs::remove_dir_all(data.join("catalogue")).unwrap();
    let output = refused_start(&data, &[]);
    assert!(text(&output.stderr).contains("holdfast rebuild"), "{}", text(&output.stderr));
}

#[test]
fn a_start_that_names_no_configuration_goes_on_with_the_last_one_and_its_settings() {
    let scratch = Scratch::new();
    let (data, file) = (scratch.join("data"), scratch.join("fleet.toml"));
    let names = ["one", "two", "three", "four", "five", "six"];
    names.iter().for_each(|name| fs::create_dir(scratch.join(name)).unwrap());
    let providers: String = names.iter().map(|name| provider(name, name)).collect();
    let with = |scheme: &str| fs::write(&file, format!("[settings]\nscheme = \"{scheme}\"\n{providers}")).unwrap();
    let scheme = |server: &Server| fleet(server, &server.token())["scheme"].clone();
    with("3+3");
    let server = Server::start_with(&data, &["--config", file.to_str().unwrap()]);
    assert_eq!(scheme(&server), "3+3");
    server.stop();
    let server = Server::start(&data);
    assert_eq!(scheme(&server), "3+3", "and not the default of six providers");
    server.stop();
    // It is the file that is used, as it is now.
    with("5+3");
    let server = Server::start(&data);
    assert_eq!(scheme(&server), "5+3");
    server.stop();
    with("5+");
    let output = refused_start(&data, &[]);
    assert!(text(&output.stderr).contains("fleet.toml"), "{}", text(&output.stderr));
    // Without the file its settings go on as they were.
    fs::remove_file(&file).unwrap();
    let server = Server::start(&data);
    assert_eq!(scheme(&server), "5+3");
    assert!(states(&fleet(&server, &server.token()), "six") == ["up"]);
    server.stop();
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.metadata().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}
