//! Which files a small picture is made of, by whom, and what of their bytes that takes.

use std::ops::Range;

/// Larger pictures are not looked at: no camera makes them.
pub const PICTURE_BYTES_MAX: u64 = 64 << 20;
/// What is read of either end of a video. A still from near its beginning needs the first frames, and the index, which phones
/// write last.
const END_BYTES: u64 = 16 << 20;

/// What our own decoders take. SVG is a program, not a picture.
const PICTURES: [&str; 4] = ["image/jpeg", "image/png", "image/gif", "image/webp"];
/// Cameras' own, which carry a JPEG.
const RAWS: [&str; 13] = [
    "image/dng",
    "image/x-adobe-dng",
    "image/x-canon-cr2",
    "image/x-canon-cr3",
    "image/x-fuji-raf",
    "image/x-nikon-nef",
    "image/x-nikon-nrw",
    "image/x-olympus-orf",
    "image/x-panasonic-rw2",
    "image/x-pentax-pef",
    "image/x-samsung-srw",
    "image/x-sony-arw",
    "image/x-sony-sr2",
];
/// What one converter takes: pictures in the container of HEIF, by either codec.
const HEIFS: [&str; 3] = ["image/avif", "image/heic", "image/heif"];
const VIDEOS: [&str; 8] = [
    "video/3gpp",
    "video/avi",
    "video/mp4",
    "video/quicktime",
    "video/webm",
    "video/x-m4v",
    "video/x-matroska",
    "video/x-msvideo",
];

/// How a small picture is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Kind {
    /// By our own child.
    Picture,
    /// By a converter of HEIC and AVIF first.
    Heif,
    /// By a player of videos first, which takes a still.
    Video,
}

impl Kind {
    /// As the command line has it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Picture => "picture",
            Self::Heif => "heif",
            Self::Video => "video",
        }
    }

    /// Of a file of that media type; `None` if none is made.
    pub fn of(media_type: &str) -> Option<Self> {
        let among = |types: &[&str]| types.contains(&media_type);
        if among(&PICTURES) || among(&RAWS) {
            Some(Self::Picture)
        } else if among(&HEIFS) {
            Some(Self::Heif)
        } else if among(&VIDEOS) {
            Some(Self::Video)
        } else {
            None
        }
    }

    /// The program of others that comes first, and the Debian package that brings it.
    pub fn program(self) -> Option<(&'static str, &'static str)> {
        match self {
            Self::Picture => None,
            Self::Heif => Some(("heif-convert", "libheif-examples")),
            Self::Video => Some(("ffmpeg", "ffmpeg")),
        }
    }

    /// The ranges of a file of `size` bytes that are read; empty if it is too large, or has nothing.
    pub fn ranges(self, size: u64) -> Vec<Range<u64>> {
        match self {
            Self::Video if size > 2 * END_BYTES => vec![0..END_BYTES, size - END_BYTES..size],
            Self::Picture | Self::Heif if size > PICTURE_BYTES_MAX => Vec::new(),
            _ if size == 0 => Vec::new(),
            _ => std::iter::once(0..size).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{END_BYTES, Kind, PICTURE_BYTES_MAX};

    #[test]
    fn of_a_video_both_ends_are_read_and_of_a_picture_all_or_nothing() {
        let check = |kind: Kind, size: u64, expected: &[(u64, u64)]| {
            let ranges: Vec<_> = kind.ranges(size).iter().map(|range| (range.start, range.end)).collect();
            assert_eq!(ranges, expected, "{kind:?} of {size}");
        };
        let long = 20 << 30;
        check(Kind::Video, long, &[(0, END_BYTES), (long - END_BYTES, long)]);
        check(Kind::Video, 2 * END_BYTES, &[(0, 2 * END_BYTES)]);
        check(Kind::Video, 0, &[]);
        for kind in [Kind::Picture, Kind::Heif] {
            check(kind, PICTURE_BYTES_MAX, &[(0, PICTURE_BYTES_MAX)]);
            check(kind, PICTURE_BYTES_MAX + 1, &[]);
        }
        assert_eq!(Kind::of("image/svg+xml"), None);
        assert_eq!(Kind::of("application/x-mpegurl"), None, "a list of addresses is no video");
    }
}
