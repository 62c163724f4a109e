//! Media types: the sender's word, else a guess from the name.
//!
//! A type is only a label. Files are served as attachments that no browser runs, so a wrong one does no harm.

/// The most bytes of a media type with its parameters.
pub const MEDIA_TYPE_BYTES_MAX: usize = 255;

/// What a file is called whose name says nothing.
pub const UNKNOWN: &str = "application/octet-stream";

/// Endings and what they mean, sorted.
const BY_ENDING: &[(&str, &str)] = &[
    ("3gp", "video/3gpp"),
    ("7z", "application/x-7z-compressed"),
    ("aac", "audio/aac"),
    ("arw", "image/x-sony-arw"),
    ("avi", "video/x-msvideo"),
    ("avif", "image/avif"),
    ("bmp", "image/bmp"),
    ("bz2", "application/x-bzip2"),
    ("cr2", "image/x-canon-cr2"),
    ("cr3", "image/x-canon-cr3"),
    ("css", "text/css"),
    ("csv", "text/csv"),
    ("dng", "image/x-adobe-dng"),
    ("doc", "application/msword"),
    ("docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
    ("epub", "application/epub+zip"),
    ("flac", "audio/flac"),
    ("gif", "image/gif"),
    ("gz", "application/gzip"),
    ("heic", "image/heic"),
    ("heif", "image/heif"),
    ("htm", "text/html"),
    ("html", "text/html"),
    ("ics", "text/calendar"),
    ("iso", "application/x-iso9660-image"),
    ("jpeg", "image/jpeg"),
    ("jpg", "image/jpeg"),
    ("js", "text/javascript"),
    ("json", "application/json"),
    ("m4a", "audio/mp4"),
    ("m4v", "video/x-m4v"),
    ("md", "text/markdown"),
    ("mkv", "video/x-matroska"),
    ("mov", "video/quicktime"),
    ("mp3", "audio/mpeg"),
    ("mp4", "video/mp4"),
    ("mpeg", "video/mpeg"),
    ("nef", "image/x-nikon-nef"),
    ("nrw", "image/x-nikon-nrw"),
    ("odp", "application/vnd.oasis.opendocument.presentation"),
    ("ods", "application/vnd.oasis.opendocument.spreadsheet"),
    ("odt", "application/vnd.oasis.opendocument.text"),
    ("ogg", "audio/ogg"),
    ("opus", "audio/opus"),
    ("orf", "image/x-olympus-orf"),
    ("pdf", "application/pdf"),
    ("pef", "image/x-pentax-pef"),
    ("png", "image/png"),
    ("ppt", "application/vnd.ms-powerpoint"),
    ("pptx", "application/vnd.openxmlformats-officedocument.presentationml.presentation"),
    ("raf", "image/x-fuji-raf"),
    ("rar", "application/vnd.rar"),
    ("rtf", "application/rtf"),
    ("rw2", "image/x-panasonic-rw2"),
    ("sr2", "image/x-sony-sr2"),
    ("srw", "image/x-samsung-srw"),
    ("svg", "image/svg+xml"),
    ("tar", "application/x-tar"),
    ("tif", "image/tiff"),
    ("tiff", "image/tiff"),
    ("txt", "text/plain"),
    ("wav", "audio/wav"),
    ("webm", "video/webm"),
    ("webp", "image/webp"),
    ("xls", "application/vnd.ms-excel"),
    ("xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    ("xml", "application/xml"),
    ("xz", "application/x-xz"),
    ("zip", "application/zip"),
    ("zst", "application/zstd"),
];

/// The media type that the ending of `name` suggests, else [`UNKNOWN`].
pub fn guess(name: &str) -> &'static str {
    let Some((stem, ending)) = name.rsplit_once('.') else { return UNKNOWN };
    let ending = ending.to_ascii_lowercase();
    match BY_ENDING.binary_search_by(|(known, _)| (*known).cmp(&ending)) {
        Ok(index) if !stem.is_empty() => BY_ENDING[index].1,
        _ => UNKNOWN,
    }
}

/// Whether `text` can be kept and sent back as a media type: `type/subtype` and printable ASCII.
///
/// Source: RFC 9110 section 8.3.1, of which parameters are not read.
pub fn is_media_type(text: &str) -> bool {
    let token = |part: &str| {
        let good = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b);
        !part.is_empty() && part.bytes().all(good)
    };
    let essence = text.split(';').next().unwrap_or_default().trim_end();
    let shaped = essence.split_once('/').is_some_and(|(kind, sub)| token(kind) && token(sub));
    shaped && text.len() <= MEDIA_TYPE_BYTES_MAX && text.bytes().all(|b| b == b' ' || b.is_ascii_graphic())
}

#[cfg(test)]
mod tests {
    use super::{BY_ENDING, UNKNOWN, guess, is_media_type};

    #[test]
    fn endings() {
        assert!(BY_ENDING.is_sorted_by(|a, b| a.0 < b.0));
        for (name, expected) in [
            ("a.txt", "text/plain"),
            ("A.B.JPG", "image/jpeg"),
            ("_DSC0042.NEF", "image/x-nikon-nef"),
            ("archive.tar.zst", "application/zstd"),
            (".zip", UNKNOWN),
            ("zip", UNKNOWN),
            ("a.", UNKNOWN),
            ("a.unheard-of", UNKNOWN),
        ] {
            assert_eq!(guess(name), expected, "{name}");
        }
    }

    #[test]
    fn types_that_can_be_sent_back() {
        for (text, expected) in [
            ("text/plain", true),
            ("text/html; charset=utf-8", true),
            ("application/vnd.api+json", true),
            ("text", false),
            ("/", false),
            ("text/", false),
            ("", false),
            ("text/plain\r\nX-Evil: 1", false),
            ("te xt/plain", false),
            ("text/plain; ä", false),
        ] {
            assert_eq!(is_media_type(text), expected, "{text:?}");
        }
    }
}
