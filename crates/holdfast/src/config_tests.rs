//! What a configuration may say, and the words with which the rest is refused.
#![allow(clippy::unwrap_used)]

use std::path::Path;

use model::Scheme;

use super::{Config, fleet_text, plain_path, trial_text};

fn parse(text: &str) -> crate::error::Result<Config> {
    Config::parse(Path::new("/srv/holdfast.toml"), text)
}

#[test]
fn a_full_file_is_understood() {
    let config = parse(
        "[settings]\nscheme = \"9+3\"\ndown_wait_s = 60\n[[provider]]\nname = \"amber\"\nlabels = { b = \"2\", a = \"1\" }\n\
         price = { tb_month = \"4.99\" }\n\
         [[provider.target]]\npath = \"disks/../amber\"\n[[provider.target]]\npath = \"/mnt/a\"\n",
    )
    .unwrap();
    assert_eq!((config.settings.scheme, config.settings.down_wait_s), (Some(Scheme::new(9, 3)), 60));
    let labels = [("a", "1"), ("b", "2"), ("price.tb_month", "4.99")];
    assert_eq!(config.providers[0].labels, labels.map(|(name, value)| (name.to_owned(), value.to_owned())));
    assert_eq!(config.providers[0].paths, [Path::new("/srv/amber"), Path::new("/mnt/a")]);
    let firm = "[settings]\nfill = false\nsample_every_days = 7\n[[provider]]\nname = \"a\"\n[[provider.target]]\n\
                address = \"s3://shards?endpoint=https://s3.example\"\nlogin = \"a.login\"\n";
    let config = parse(firm).unwrap();
    assert_eq!((config.settings.sample_every_s, config.settings.listing_every_s), (7 * 86_400, 86_400));
    assert!(!config.settings.fill && config.providers[0].paths.is_empty());
    assert_eq!(config.providers[0].far[0].login.as_deref(), Some(Path::new("/srv/a.login")));
}

#[test]
fn what_is_wrong_is_named() {
    let provider = "[[provider]]\nname = \"a\"\n[[provider.target]]\npath = \"a\"\n";
    for (text, said) in [
        ("colour = 1\n".to_owned(), "unknown field `colour`"),
        ("colour = 1\n".to_owned(), "line 1"),
        (format!("[settings]\ndown_wait = 1\n{provider}"), "down_wait_s"),
        (format!("{provider}size = 3\n"), "unknown field `size`"),
        (format!("[settings]\nscheme = \"4\"\n{provider}"), "not k+m"),
        (format!("[settings]\nscheme = \"30+3\"\n{provider}"), "at most 32"),
        (format!("[settings]\nbuffer_bytes = 5\n{provider}"), "buffer_bytes"),
        (format!("[settings]\ndrill_sample = 0\n{provider}"), "prove nothing"),
        (format!("[settings]\nscrub_every_days = 0\n{provider}"), "from 1 to 3650"),
        (format!("[settings]\nupkeep_bytes_per_s = 0\n{provider}"), "stop repair"),
        (format!("{provider}{provider}"), "there twice"),
        ("[[provider]]\nname = \"a\"\n".to_owned(), "no [[provider.target]]"),
        ("[[provider]]\nname = \"a/b\"\n[[provider.target]]\npath = \"a\"\n".to_owned(), "not a name"),
        ("[[provider]]\nname = \"a\"\n[[provider.target]]\naddress = \"/mnt/a\"\n".to_owned(), "path = \"/mnt/a\""),
        ("[[provider]]\nname = \"a\"\n[[provider.target]]\naddress = \"gopher://a\"\n".to_owned(), "gopher"),
        (format!("{provider}login = \"a\"\n"), "either a path"),
        (format!("{provider}[provider.price]\ntb_month = \"4,99\"\n"), "no price"),
        (String::new(), "no [[provider]]"),
        ("[[provider".to_owned(), "line 1"),
    ] {
        let error = parse(&text).unwrap_err();
        assert!(error.message.contains(said), "{text}: {}", error.message);
        assert!(error.message.contains("/srv/holdfast.toml") && error.hint.is_some());
    }
}

#[test]
fn own_files_read_back() {
    let names = ["amber", "birch"];
    let config = Config::parse(Path::new("/srv/d/holdfast.toml"), &trial_text(&names)).unwrap();
    assert!(config.settings.trial);
    assert_eq!(config.providers.iter().map(|provider| provider.name.as_str()).collect::<Vec<_>>(), names);
    assert_eq!(config.providers[1].paths, [Path::new("/srv/d/providers/birch")]);
    let again = Config::parse(Path::new("/x/holdfast.toml"), &fleet_text(true, &config.providers)).unwrap();
    assert_eq!(again.providers, config.providers);
}

#[test]
fn paths_lose_their_dots() {
    for (path, expected) in [("a", "/b/a"), ("./a/../c/", "/b/c"), ("/x/./y", "/x/y"), ("../../../z", "/z")] {
        assert_eq!(plain_path(Path::new("/b"), Path::new(path)), Path::new(expected), "{path}");
    }
}

#[test]
fn folders_that_overlap_are_refused() {
    let folder = crate::scratch::Scratch::new("config-paths");
    std::fs::create_dir_all(folder.path().join("real/inner")).unwrap();
    std::os::unix::fs::symlink("real", folder.path().join("link")).unwrap();
    for (first, second, said) in [
        ("one", "one", "same folder"),
        ("one", "one/two", "lies inside"),
        ("missing/deep", "missing", "contains"),
        ("real", "link", "same folder"),
        ("link/inner", "real", "contains"),
        ("catalogue", "x", "own folder"),
    ] {
        let text = format!(
            "[[provider]]\nname = \"a\"\n[[provider.target]]\npath = \"{first}\"\n\
             [[provider]]\nname = \"b\"\n[[provider.target]]\npath = \"{second}\"\n"
        );
        let config = Config::parse(&folder.path().join("holdfast.toml"), &text).unwrap();
        let error = config.check_paths(&[folder.path().join("catalogue")]).unwrap_err();
        assert!(error.message.contains(said), "{first} {second}: {}", error.message);
    }
    let text =
        "[[provider]]\nname = \"a\"\n[[provider.target]]\npath = \"one\"\n[[provider.target]]\npath = \"one-more\"\n";
    let config = Config::parse(&folder.path().join("holdfast.toml"), text).unwrap();
    config.check_paths(&[folder.path().join("catalogue")]).unwrap();
}
