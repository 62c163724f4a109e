//! Files of `testdata/`: written once, from then on only read.

use std::path::PathBuf;

/// A folder of `testdata/format/`.
pub fn folder(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../testdata/format").join(name)
}

/// A kept file. Where it does not exist yet and `WRITE_TESTDATA` is set, `make` writes it; nothing is ever replaced.
pub fn kept(name: &str, make: impl FnOnce() -> Vec<u8>) -> Vec<u8> {
    let path = folder(name);
    if !path.exists() && std::env::var_os("WRITE_TESTDATA").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, make()).unwrap();
    }
    std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// All kept files of a folder, with their names.
pub fn all(name: &str) -> Vec<(String, Vec<u8>)> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder(name)).into_iter().flatten() {
        let path = entry.unwrap().path();
        files.push((path.display().to_string(), std::fs::read(&path).unwrap()));
    }
    files.sort();
    files
}
