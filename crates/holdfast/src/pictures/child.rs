//! The child: a picture comes in, a small JPEG goes out, or nothing and an exit code.

use std::{
    io::{self, Cursor, Read, Write},
    process::ExitCode,
};

use image::{
    DynamicImage, ImageDecoder, ImageReader, Limits, RgbImage, codecs::jpeg::JpegEncoder, metadata::Orientation,
};
use rustix::process::{Resource, Rlimit, setrlimit};

use super::{kind::PICTURE_BYTES_MAX, raw};

/// What the decoded picture and its copies may take.
const PIXEL_BYTES_MAX: u64 = 320 << 20;
/// Everything that the child may hold.
const MEMORY_BYTES_MAX: u64 = 512 << 20;
/// Seconds of a processor.
const CPU_S_MAX: u64 = 20;
/// Longest side of a picture that is looked at, in pixels.
const SIDE_MAX: u32 = 16_384;
/// Pictures within a camera's raw file that are tried.
const TRIES_MAX: usize = 4;
/// The exit code that says that no picture can be made of these bytes, now or ever.
pub const NO_PICTURE: u8 = 3;
/// JPEG quality: a list needs no more.
const QUALITY: u8 = 80;

/// Makes a small picture of the one on standard input; the service starts it for itself.
#[derive(clap::Args)]
#[command(hide = true)]
pub struct Args {
    /// The longer side of the small picture in pixels, at most.
    #[arg(long, value_name = "N")]
    side: u32,
    /// The picture stands upright, whatever it says: it was turned already.
    #[arg(long)]
    upright: bool,
}

/// Runs it, before anything else of the program is started.
pub fn run(args: &Args) -> ExitCode {
    if limited().is_err() {
        return ExitCode::FAILURE;
    }
    match small(io::stdin().lock(), args.side, args.upright).and_then(|small| {
        let mut out = io::stdout().lock();
        out.write_all(&small).and_then(|()| out.flush())
    }) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::from(NO_PICTURE),
    }
}

/// Takes away what a picture has no need of.
fn limited() -> io::Result<()> {
    for (resource, most) in [
        (Resource::Data, MEMORY_BYTES_MAX),
        (Resource::Cpu, CPU_S_MAX),
        (Resource::Fsize, 0),
        // No file and no line to anywhere; the three that are open stay.
        (Resource::Nofile, 0),
        (Resource::Core, 0),
        (Resource::Nproc, 0),
    ] {
        setrlimit(resource, Rlimit { current: Some(most), maximum: Some(most) })?;
    }
    Ok(())
}

/// The small picture's bytes; of a camera's raw file, those of the largest picture within that can be read.
fn small(picture: impl Read, side: u32, upright: bool) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    picture.take(PICTURE_BYTES_MAX + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > PICTURE_BYTES_MAX {
        return Err(io::ErrorKind::FileTooLarge.into());
    }
    let upright = upright.then_some(Orientation::NoTransforms);
    let Some(raw) = raw::look(&bytes) else { return smaller(&bytes, side, upright, None) };
    let made = raw.jpegs.iter().take(TRIES_MAX).find_map(|jpeg| smaller(jpeg, side, upright, raw.orientation).ok());
    made.ok_or_else(|| io::ErrorKind::InvalidData.into())
}

/// Of one picture. It is turned as `known`, else as it says, else as `held`.
fn smaller(picture: &[u8], side: u32, known: Option<Orientation>, held: Option<Orientation>) -> io::Result<Vec<u8>> {
    let mut limits = Limits::default();
    limits.max_image_width = Some(SIDE_MAX);
    limits.max_image_height = Some(SIDE_MAX);
    limits.max_alloc = Some(PIXEL_BYTES_MAX);
    // By what the bytes say, never by a name.
    let mut reader = ImageReader::new(Cursor::new(picture)).with_guessed_format()?;
    reader.limits(limits);
    let mut decoder = reader.into_decoder().map_err(io::Error::other)?;
    // The decoders' own limits are for what they need beside the pixels.
    if decoder.total_bytes() > PIXEL_BYTES_MAX {
        return Err(io::ErrorKind::FileTooLarge.into());
    }
    let said = decoder.exif_metadata().ok().flatten().and_then(|exif| Orientation::from_exif_chunk(&exif));
    let orientation = known.or(said).or(held).unwrap_or(Orientation::NoTransforms);
    let large = DynamicImage::from_decoder(decoder).map_err(io::Error::other)?;
    let mut small = if large.width().max(large.height()) > side { large.thumbnail(side, side) } else { large };
    small.apply_orientation(orientation);
    let mut jpeg = Vec::new();
    let flat = on_white(&small);
    JpegEncoder::new_with_quality(&mut jpeg, QUALITY).encode_image(&flat).map_err(io::Error::other)?;
    Ok(jpeg)
}

/// JPEG knows no transparency.
fn on_white(picture: &DynamicImage) -> RgbImage {
    if !picture.color().has_alpha() {
        return picture.to_rgb8();
    }
    let picture = picture.to_rgba8();
    RgbImage::from_fn(picture.width(), picture.height(), |x, y| {
        let [red, green, blue, alpha] = picture.get_pixel(x, y).0;
        let mix = |colour: u8| {
            let alpha = u32::from(alpha);
            u8::try_from((u32::from(colour) * alpha + 255 * (255 - alpha)) / 255).unwrap_or(u8::MAX)
        };
        image::Rgb([mix(red), mix(green), mix(blue)])
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::io::Cursor;

    use image::{DynamicImage, ImageFormat, Rgba, RgbaImage};

    use super::small;

    fn picture(width: u32, height: u32, format: ImageFormat) -> Vec<u8> {
        let mut bytes = Cursor::new(Vec::new());
        let pixels = RgbaImage::from_fn(width, height, |x, _| Rgba([200, 30, 30, if x < width / 2 { 255 } else { 0 }]));
        let mut picture = DynamicImage::from(pixels);
        if format == ImageFormat::Jpeg {
            picture = picture.to_rgb8().into();
        }
        picture.write_to(&mut bytes, format).unwrap();
        bytes.into_inner()
    }

    #[test]
    fn every_format_becomes_a_small_jpeg() {
        for format in [ImageFormat::Jpeg, ImageFormat::Png, ImageFormat::Gif, ImageFormat::WebP] {
            let made = small(&picture(640, 320, format)[..], 256, false).unwrap();
            let made = image::load_from_memory_with_format(&made, ImageFormat::Jpeg).unwrap();
            assert_eq!((made.width(), made.height()), (256, 128), "{format:?}");
        }
        let made = small(&picture(10, 20, ImageFormat::Png)[..], 256, false).unwrap();
        let made = image::load_from_memory(&made).unwrap().to_rgb8();
        assert_eq!((made.width(), made.height()), (10, 20), "nothing is made larger");
        assert!(made.get_pixel(9, 10).0.iter().all(|colour| *colour > 240), "what is clear is white");
    }

    #[test]
    fn a_picture_that_was_held_sideways_is_upright() {
        let mut jpeg = picture(64, 32, ImageFormat::Jpeg);
        // An Exif segment after the start of the image: orientation 6, a quarter turn to the right.
        let exif = b"\xff\xe1\0\x22Exif\0\0MM\0\x2a\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0";
        jpeg.splice(2..2, exif.iter().copied());
        let sides = |bytes: &[u8], upright: bool| {
            let made = image::load_from_memory(&small(bytes, 256, upright).unwrap()).unwrap();
            (made.width(), made.height())
        };
        assert_eq!(sides(&jpeg, false), (32, 64));
        assert_eq!(sides(&jpeg, true), (64, 32), "a converter has turned it already");
        // Within a camera's raw file its own word goes before the file's, which counts where it has none.
        let raw = |jpeg: &[u8]| [b"II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x03\0\0\0\0\0\0\0", jpeg].concat();
        assert_eq!(sides(&raw(&jpeg), false), (32, 64));
        let plain = picture(64, 32, ImageFormat::Jpeg);
        let upside_down = small(&raw(&plain)[..], 256, false).unwrap();
        let upside_down = image::load_from_memory(&upside_down).unwrap().to_rgb8();
        let upright = image::load_from_memory(&plain).unwrap().to_rgb8();
        let (there, here) = (upside_down.get_pixel(63, 31).0, upright.get_pixel(0, 0).0);
        assert!(there.iter().zip(here).all(|(there, here)| there.abs_diff(here) < 16), "{there:?} {here:?}");
    }

    #[test]
    fn garbage_and_bombs_are_refused() {
        for garbage in [&b""[..], b"<svg xmlns='http://www.w3.org/2000/svg'/>", b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n"] {
            assert!(small(garbage, 256, false).is_err());
        }
        let mut cut = picture(640, 320, ImageFormat::Png);
        cut.truncate(60);
        assert!(small(&cut[..], 256, false).is_err());
        // A few bytes that say that they are 60,000 by 60,000 pixels.
        let mut bomb = picture(8, 8, ImageFormat::Png);
        bomb[16..24].copy_from_slice(&[0, 0, 0xea, 0x60, 0, 0, 0xea, 0x60]);
        assert!(small(&bomb[..], 256, false).is_err());
    }
}
