//! The programs of others that are installed: converters, and what shuts them off.

use std::{
    env,
    ffi::{OsStr, OsString},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use super::{convert, kind::Kind};

/// Where programs lie if nothing says so.
const FOLDERS: [&str; 3] = ["/usr/local/bin", "/usr/bin", "/bin"];
/// Stands for a converter while it is tried what shuts one off.
const NOTHING: &str = "/usr/bin/true";

/// What was found when the service started.
pub struct Tools {
    heif: Option<PathBuf>,
    video: Option<PathBuf>,
    /// Which of [`convert::walls`] works here, and where its program lies.
    walls: Option<(usize, PathBuf)>,
}

impl Tools {
    /// Looks for them on `path`, or where programs usually lie if that is empty.
    pub fn look(path: &OsStr) -> Self {
        let of = |kind: Kind| kind.program().and_then(|(name, _)| find(path, OsStr::new(name)));
        let (heif, video) = (of(Kind::Heif), of(Kind::Video));
        let found = || [&heif, &video].into_iter().flatten();
        let (needed, of_system) = (found().count() > 0, found().all(|program| program.starts_with("/usr")));
        let works = |(n, words): (usize, Vec<OsString>)| {
            // Within the first one others are not to be seen.
            let program = find(path, words.first()?).filter(|_| n > 0 || of_system)?;
            let mut command = Command::new(&program);
            command.args(&words[1..]).arg(NOTHING).env_clear().current_dir("/");
            command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
            command.status().is_ok_and(|status| status.success()).then_some((n, program))
        };
        let walls = needed.then(|| convert::walls(Path::new("/usr")).into_iter().enumerate().find_map(works)).flatten();
        Self { heif, video, walls }
    }

    /// How a small picture of a file of that media type is made; `None` if it is not.
    pub fn kind(&self, media_type: &str) -> Option<Kind> {
        Kind::of(media_type).filter(|kind| kind.program().is_none() || self.program(*kind).is_some())
    }

    /// The program of others that comes first.
    pub fn program(&self, kind: Kind) -> Option<&PathBuf> {
        match kind {
            Kind::Picture => None,
            Kind::Heif => self.heif.as_ref(),
            Kind::Video => self.video.as_ref(),
        }
    }

    /// The command that shuts one off which has `scratch`; empty if none works here.
    pub fn walls(&self, scratch: &Path) -> Vec<OsString> {
        let Some((n, program)) = &self.walls else { return Vec::new() };
        let mut words = convert::walls(scratch)[*n].clone();
        words[0] = program.into();
        words
    }

    /// Of which kinds there are small pictures, and which Debian packages would add to that.
    pub fn about(&self) -> String {
        let (mut kinds, mut more) = ("JPEG, PNG, GIF, WebP and raw files of cameras".to_owned(), Vec::new());
        for (kind, name) in [(Kind::Heif, "HEIC and AVIF"), (Kind::Video, "videos")] {
            match kind.program() {
                Some((_, package)) if self.program(kind).is_none() => more.push(format!("{name} with {package}")),
                _ => kinds.extend([", ", name]),
            }
        }
        let mut about = format!("small pictures: {kinds}");
        if !more.is_empty() {
            about += &format!("; Debian packages add {}", more.join(", "));
        }
        if self.heif.is_some() || self.video.is_some() {
            about += match self.walls {
                Some((0, _)) => "; converters see no network and no files",
                Some(_) => {
                    "; converters see no network (with the Debian package bubblewrap, where it may, no files either)"
                }
                None => {
                    "; converters run within limits only, as nothing here shuts them off (the Debian package bubblewrap may)"
                }
            };
        }
        about
    }
}

/// The first file of that name on a path.
fn find(path: &OsStr, name: &OsStr) -> Option<PathBuf> {
    let usual = FOLDERS.map(PathBuf::from);
    let folders = env::split_paths(path).filter(|folder| folder.is_absolute());
    let mut folders: Vec<PathBuf> = folders.collect();
    if path.is_empty() {
        folders.extend(usual);
    }
    folders.into_iter().map(|folder| folder.join(name)).find(|file| file.is_file())
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::{Kind, Tools};

    #[test]
    fn what_is_not_installed_is_not_tried_and_its_package_is_named() {
        let none = Tools { heif: None, video: None, walls: None };
        assert_eq!((none.kind("image/heic"), none.kind("video/mp4")), (None, None));
        assert_eq!(none.kind("image/x-sony-arw"), Some(Kind::Picture));
        assert_eq!(
            none.about(),
            "small pictures: JPEG, PNG, GIF, WebP and raw files of cameras; Debian packages add HEIC and AVIF with libheif-examples, \
             videos with ffmpeg"
        );
        let some = Tools { video: Some(PathBuf::from("/usr/bin/ffmpeg")), ..none };
        assert_eq!((some.kind("image/heic"), some.kind("video/mp4")), (None, Some(Kind::Video)));
        assert!(some.about().starts_with("small pictures: JPEG, PNG, GIF, WebP and raw files of cameras, videos; "));
    }
}
