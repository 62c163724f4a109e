//! Small pictures of large ones, made by the real program in a child of its own.
#![allow(clippy::unwrap_used)]
#![allow(clippy::disallowed_methods, reason = "tests look at the folders of a real service")]

mod common;

use std::{
    fs,
    io::{BufRead, BufReader, Cursor, Write},
    os::unix::fs::PermissionsExt,
    path::Path,
    process::{Command, Stdio},
};

use common::{Answer, Scratch, Server, holdfast, request};
use image::{DynamicImage, ImageFormat, Rgb, RgbImage};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use testkit::server::skip;

/// A photo of 12 megapixels, in so many bytes that it is packed and not kept inline.
fn photo(format: ImageFormat, width: u32, height: u32) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    let pixels = RgbImage::from_fn(width, height, |x, y| Rgb([(x / 16) as u8, (y / 16) as u8, ((x ^ y) / 8) as u8]));
    DynamicImage::from(pixels).write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

fn sides(answer: &Answer) -> (u32, u32) {
    assert_eq!(answer.status, 200, "{}", answer.head);
    let head = answer.head.to_lowercase();
    assert!(head.contains("content-type: image/jpeg") && head.contains("nosniff"), "{head}");
    let small = image::load_from_memory_with_format(&answer.body, ImageFormat::Jpeg).unwrap();
    (small.width(), small.height())
}

#[test]
fn a_photo_is_small_in_lists_and_what_is_none_is_told_so() {
    let scratch = Scratch::new();
    let server = Server::start(&scratch.join("data"));
    let token = server.token();
    let put = |name: &str, bytes: &[u8]| {
        assert_eq!(request(&server.url, &token, "PUT", &format!("/api/v1/files/{name}"), &[], bytes).status, 201);
    };
    let get = |path: &str| request(&server.url, &token, "GET", path, &[], b"");
    let mut bomb = photo(ImageFormat::Png, 8, 8);
    bomb[16..24].copy_from_slice(&[0, 0, 0xff, 0xff, 0, 0, 0xff, 0xff]);
    let jpeg = photo(ImageFormat::Jpeg, 4_000, 3_000);
    put("photos/beach.jpg", &jpeg);
    put("photos/tall.png", &photo(ImageFormat::Png, 300, 900));
    put("photos/broken.jpg", &jpeg[..jpeg.len() / 2]);
    put("photos/bomb.png", &bomb);
    put("photos/drawing.svg", b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>");
    put("photos/words.jpg", b"these are words");

    let small = get("/api/v1/thumbnails/photos/beach.jpg");
    assert_eq!(sides(&small), (256, 192));
    assert!(small.body.len() < jpeg.len() / 10);
    assert!(
        small.head.to_lowercase().contains("cache-control: private, no-store"),
        "an address that stays is not kept"
    );
    assert_eq!(sides(&get("/api/v1/thumbnails/photos/tall.png?size=1024")), (300, 900), "nothing is made larger");
    let listing: Value = serde_json::from_slice(&get("/api/v1/files/photos/").body).unwrap();
    let beach = listing["entries"].as_array().unwrap().iter().find(|entry| entry["name"] == "beach.jpg").unwrap();
    let version = beach["etag"].as_str().unwrap();
    let known = get(&format!("/api/v1/thumbnails/photos/beach.jpg?size=1024&version={version}"));
    assert_eq!(sides(&known), (1_024, 768));
    assert!(known.head.to_lowercase().contains("cache-control: private, max-age="), "{}", known.head);

    for (name, status) in [("bomb.png", 404), ("drawing.svg", 404), ("words.jpg", 404), ("nothing.jpg", 404)] {
        assert_eq!(get(&format!("/api/v1/thumbnails/photos/{name}")).status, status, "{name}");
    }
    assert!(matches!(get("/api/v1/thumbnails/photos/broken.jpg").status, 200 | 404), "half a photo, or none");
    assert_eq!(get("/api/v1/thumbnails/photos/beach.jpg?size=99999").status, 400);
    assert_eq!(request(&server.url, "", "GET", "/api/v1/thumbnails/photos/beach.jpg", &[], b"").status, 401);

    // A guest sees what the link shows, behind its password, and it is no download.
    let wish = json!({ "path": "/photos", "password": "1234", "downloads_max": 1 }).to_string();
    let share = request(&server.url, &token, "POST", "/api/v1/shares", &[], wish.as_bytes());
    let share: Value = serde_json::from_slice(&share.body).unwrap();
    let link = format!("/api/v1/links/{}", share["code"].as_str().unwrap());
    let guest = |path: &str, cookie: &str| {
        request(&server.url, "", "GET", &format!("{link}{path}"), &[&format!("Cookie: {cookie}")], b"")
    };
    assert_eq!(guest("/thumbnails/beach.jpg", "").status, 401);
    let entered = request(&server.url, "", "POST", &format!("{link}/session"), &[], br#"{"password":"1234"}"#);
    let cookie = entered.head.lines().find_map(|line| line.strip_prefix("set-cookie: ")).unwrap();
    let cookie = cookie.split(';').next().unwrap();
    assert_eq!(sides(&guest("/thumbnails/beach.jpg?size=1024", cookie)), (1_024, 768));
    assert_eq!(sides(&guest("/thumbnails/tall.png", cookie)), (85, 256));
    let about: Value = serde_json::from_slice(&guest("", cookie).body).unwrap();
    assert_eq!(about["downloads_left"], 1);
    server.stop();
}

#[test]
fn the_child_gives_up_what_takes_too_much() {
    let small = |picture: &[u8]| {
        let mut child = holdfast(&["thumbnail", "--side", "256"]);
        child.env("MIMALLOC_ARENA_RESERVE", "0");
        let mut child = child.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        // A child that has seen enough closes its side.
        drop(child.stdin.take().unwrap().write_all(picture));
        let output = child.wait_with_output().unwrap();
        (output.status.success(), output.stdout.len(), output.stderr)
    };
    let (fits, bytes, said) = small(&photo(ImageFormat::Jpeg, 8_000, 6_000));
    assert!(fits && bytes > 0 && said.is_empty(), "48 megapixels fit: {}", String::from_utf8_lossy(&said));
    // One colour in few bytes, 196 megapixels when it is unpacked.
    let mut bytes = Cursor::new(Vec::new());
    DynamicImage::from(RgbImage::new(14_000, 14_000)).write_to(&mut bytes, ImageFormat::Png).unwrap();
    let bomb = bytes.into_inner();
    assert!(bomb.len() < 4 << 20);
    let (fits, bytes, _) = small(&bomb);
    assert!(!fits && bytes == 0, "more than the child may hold");
}

/// Runs a program of others, which must succeed.
fn call(program: &str, arguments: &[&str]) {
    let path = testkit::server::find(program).unwrap();
    let output = Command::new(path).args(arguments).stdin(Stdio::null()).output().unwrap();
    assert!(output.status.success(), "{program} {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
}

/// A service, and what is in its files.
struct Album {
    server: Server,
    token: String,
}

impl Album {
    fn new(server: Server) -> Self {
        let token = server.token();
        Self { server, token }
    }

    fn put(&self, name: &str, head: &str, bytes: &[u8]) {
        let path = format!("/api/v1/files/{name}");
        assert_eq!(request(&self.server.url, &self.token, "PUT", &path, &[head], bytes).status, 201, "{name}");
    }

    fn small(&self, name: &str) -> Answer {
        request(&self.server.url, &self.token, "GET", &format!("/api/v1/thumbnails/{name}"), &[], b"")
    }

    /// `None`: there is none, and the answer says so in the word that clients know.
    fn sides(&self, name: &str) -> Option<(u32, u32)> {
        let answer = self.small(name);
        if answer.status != 404 {
            return Some(sides(&answer));
        }
        let problem: Value = serde_json::from_slice(&answer.body).unwrap();
        assert_eq!(problem["code"], "no_thumbnail", "{name}: {problem}");
        None
    }

    /// Nothing of what was tried is left, and others are made as before.
    fn unharmed(self) {
        self.put("after.jpg", "X-Nothing: 1", &photo(ImageFormat::Jpeg, 400, 300));
        assert_eq!(self.sides("after.jpg"), Some((256, 192)));
        let left = fs::read_dir(self.server.data.join("scratch")).map_or(0, Iterator::count);
        assert_eq!(left, 0, "a converter's folder stays");
        self.server.stop();
    }
}

#[test]
fn the_picture_in_a_raw_file_is_shown_and_a_circle_of_folders_is_none() {
    let scratch = Scratch::new();
    let album = Album::new(Server::start(&scratch.join("data")));
    let tag = |name: u16, value: u32| {
        [&name.to_le_bytes()[..], &4_u16.to_le_bytes(), &1_u32.to_le_bytes(), &value.to_le_bytes()].concat()
    };
    let raw = |tags: &[Vec<u8>], next: u32, jpeg: &[u8]| {
        let head = [&b"II*\0\x08\0\0\0"[..], &(tags.len() as u16).to_le_bytes()].concat();
        let mut bytes = [head, tags.concat(), next.to_le_bytes().to_vec()].concat();
        bytes.resize(1_024, 0);
        [&bytes[..], jpeg].concat()
    };
    let jpeg = photo(ImageFormat::Jpeg, 3_000, 2_000);
    // Held sideways: the file says so, the picture in it does not.
    let camera = raw(&[tag(0x0112, 8), tag(0x0201, 1_024), tag(0x0202, jpeg.len() as u32)], 0, &jpeg);
    album.put("a.nef", "X-Nothing: 1", &camera);
    // Browsers know no type for it.
    album.put("b.DNG", "Content-Type: application/octet-stream", &camera);
    assert_eq!((album.sides("a.nef"), album.sides("b.DNG")), (Some((171, 256)), Some((171, 256))));
    album.put("circle.arw", "X-Nothing: 1", &raw(&[tag(0x014a, 8), tag(0x0201, u32::MAX)], 8, b""));
    album.put("cut.cr2", "X-Nothing: 1", &camera[..900]);
    assert_eq!((album.sides("circle.arw"), album.sides("cut.cr2")), (None, None));
    album.unharmed();
}

#[test]
fn a_picture_of_a_phone_is_shown() {
    if ["heif-convert", "heif-enc"].into_iter().any(|program| skip("a picture of a phone is shown", program)) {
        return;
    }
    let scratch = Scratch::new();
    let (jpeg, heic) = (scratch.join("a.jpg"), scratch.join("a.heic"));
    fs::write(&jpeg, photo(ImageFormat::Jpeg, 1_600, 1_200)).unwrap();
    call("heif-enc", &[jpeg.to_str().unwrap(), "-o", heic.to_str().unwrap()]);
    let heic = fs::read(&heic).unwrap();
    let album = Album::new(Server::start(&scratch.join("data")));
    album.put("a.heic", "X-Nothing: 1", &heic);
    album.put("B.HEIF", "Content-Type: image/heif", &heic);
    assert_eq!((album.sides("a.heic"), album.sides("B.HEIF")), (Some((256, 192)), Some((256, 192))));
    let avif = scratch.join("c.avif");
    call("heif-enc", &["--avif", jpeg.to_str().unwrap(), "-o", avif.to_str().unwrap()]);
    album.put("c.avif", "X-Nothing: 1", &fs::read(&avif).unwrap());
    assert_eq!(album.sides("c.avif"), Some((256, 192)));
    // The colours of the one that it was made of.
    album.put("a.jpg", "X-Nothing: 1", &fs::read(&jpeg).unwrap());
    let pixels = |name: &str| image::load_from_memory(&album.small(name).body).unwrap().to_rgb8().into_raw();
    let apart = pixels("a.heic").iter().zip(pixels("a.jpg")).map(|(a, b)| u64::from(a.abs_diff(b))).sum::<u64>();
    assert!(apart / (256 * 192 * 3) < 12, "{apart}");
    // Garbage behind a sound beginning, and nothing but garbage.
    let garbage = photo(ImageFormat::Png, 64, 64);
    album.put("garbage.heic", "X-Nothing: 1", &[&heic[..40], &garbage].concat());
    album.put("other.heic", "X-Nothing: 1", &garbage);
    album.put("cut.heic", "X-Nothing: 1", &heic[..heic.len() / 2]);
    assert_eq!((album.sides("garbage.heic"), album.sides("other.heic")), (None, None));
    album.sides("cut.heic");
    album.unharmed();
}

/// A second of moving colours.
fn video(at: &Path, arguments: &[&str]) -> Vec<u8> {
    let source = ["-loglevel", "error", "-y", "-f", "lavfi", "-i", "testsrc=size=640x360:rate=10:duration=1"];
    call("ffmpeg", &[&source[..], arguments, &[at.to_str().unwrap()]].concat());
    fs::read(at).unwrap()
}

/// An MP4 that is `size` bytes long, as its beginning and its end: pictures first, the index last, nothing between.
fn long(short: &[u8], size: u64) -> (Vec<u8>, Vec<u8>) {
    let at = |name: &[u8]| short.windows(4).position(|four| four == name).unwrap() - 4;
    let (free, index) = (at(b"free"), at(b"moov"));
    assert!(at(b"mdat") == free + 8 && index > free);
    let mut start = short[..index].to_vec();
    let media = size - (short.len() - index) as u64 - free as u64;
    start[free..free + 16].copy_from_slice(&[&1_u32.to_be_bytes()[..], b"mdat", &media.to_be_bytes()].concat());
    (start, short[index..].to_vec())
}

#[test]
fn a_video_shows_a_still_however_long_it_is() {
    if skip("a video shows a still", "ffmpeg") {
        return;
    }
    let scratch = Scratch::new();
    let album = Album::new(Server::start(&scratch.join("data")));
    for name in ["a.mp4", "a.mov", "a.mkv", "a.webm", "a.avi"] {
        album.put(name, "X-Nothing: 1", &video(&scratch.join(name), &[]));
        assert_eq!(album.sides(name), Some((256, 144)), "{name}");
    }
    // Pixels that are twice as wide as high.
    let mp4 = fs::read(scratch.join("a.mp4")).unwrap();
    album.put("wide.mp4", "X-Nothing: 1", &video(&scratch.join("wide.mp4"), &["-vf", "setsar=2"]));
    assert_eq!(album.sides("wide.mp4"), Some((256, 72)));
    let size = 100 << 20;
    let (mut start, end) = long(&mp4, size);
    start.resize(size as usize - end.len(), 0);
    album.put("long.mp4", "X-Nothing: 1", &[start, end].concat());
    assert_eq!(album.sides("long.mp4"), Some((256, 144)));

    // One that says it is as large as its format can say, in words of the container and of the picture.
    let mut bomb = video(&scratch.join("bomb.avi"), &["-c:v", "mjpeg"]);
    let said = bomb.windows(4).position(|four| four == b"strf").unwrap() + 12;
    bomb[said..said + 8].copy_from_slice(&[100_000_u32.to_le_bytes(), 100_000_u32.to_le_bytes()].concat());
    for at in 0..bomb.len() - 9 {
        if bomb[at..at + 2] == *b"\xff\xc0" {
            bomb[at + 5..at + 9].copy_from_slice(b"\xff\xfe\xff\xfe");
        }
    }
    album.put("bomb.avi", "X-Nothing: 1", &bomb);
    album.put("garbage.mp4", "X-Nothing: 1", &photo(ImageFormat::Png, 64, 64));
    album.put("cut.webm", "X-Nothing: 1", &fs::read(scratch.join("a.webm")).unwrap()[..300]);
    // A list of addresses and files, which a player would follow.
    album.put(
        "list.mp4",
        "X-Nothing: 1",
        b"#EXTM3U\n#EXT-X-MEDIA-SEQUENCE:0\n#EXTINF:1,\n/etc/passwd\n#EXT-X-ENDLIST\n",
    );
    for name in ["bomb.avi", "garbage.mp4", "cut.webm", "list.mp4"] {
        assert_eq!(album.sides(name), None, "{name}");
    }
    album.unharmed();
}

#[test]
fn of_a_video_of_twenty_gigabytes_only_the_ends_are_needed() {
    if skip("of a long video only the ends are needed", "ffmpeg") {
        return;
    }
    let scratch = Scratch::new();
    let (size, end_bytes) = (20_u64 << 30, 16 << 20);
    let (mut start, end) = long(&video(&scratch.join("a.mp4"), &[]), size);
    start.resize(end_bytes * 2 - end.len(), 0);
    let folder = scratch.join("folder");
    fs::create_dir(&folder).unwrap();
    let program = testkit::server::find("ffmpeg").unwrap();
    let mut child = holdfast(&["convert", "--kind", "video", "--size", &size.to_string()]);
    child.arg("--program").arg(program).arg("--scratch").arg(&folder).env("MIMALLOC_ARENA_RESERVE", "0");
    let mut child = child.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut into = child.stdin.take().unwrap();
    into.write_all(&[start, end].concat()).unwrap();
    drop(into);
    let output = child.wait_with_output().unwrap();
    let still = image::load_from_memory_with_format(&output.stdout, ImageFormat::Jpeg).unwrap();
    assert_eq!((still.width(), still.height()), (640, 360));
}

#[test]
fn a_converter_has_no_environment_and_writes_no_file_and_what_it_makes_is_made_anew() {
    let scratch = Scratch::new();
    let bin = scratch.join("bin");
    fs::create_dir(&bin).unwrap();
    let still = photo(ImageFormat::Jpeg, 640, 480);
    fs::write(scratch.join("still.jpg"), &still).unwrap();
    // Whatever does not hold, there is no picture.
    let script = format!(
        "#!/bin/sh\n[ -z \"$XDG_CONFIG_HOME\" ] || exit 1\n(echo x > {0}/written) 2>/dev/null\n[ -s {0}/written ] && exit 1\n\
         [ \"$(wc -c < /proc/self/fd/0)\" = 6 ] || exit 1\nexec cat {0}/still.jpg\n",
        scratch.path().display()
    );
    // The path of the service is this folder alone; a shell finds what it calls where it lies.
    let script = script.replace("(wc", "(/usr/bin/wc").replace("exec cat", "exec /usr/bin/cat");
    fs::write(bin.join("ffmpeg"), script).unwrap();
    fs::set_permissions(bin.join("ffmpeg"), fs::Permissions::from_mode(0o755)).unwrap();
    let album = Album::new(Server::start_on_path(&scratch.join("data"), &bin));
    album.put("a.mp4", "X-Nothing: 1", b"a film");
    let small = album.small("a.mp4");
    assert_eq!(sides(&small), (256, 192));
    // It is a program of a stranger as soon as it has read a stranger's bytes.
    fs::write(scratch.join("still.jpg"), b"<script>alert(1)</script>").unwrap();
    album.put("b.mp4", "X-Nothing: 1", b"b film");
    assert_eq!(album.sides("b.mp4"), None);
    album.unharmed();
}

#[test]
fn what_is_not_installed_is_named_at_the_start_and_not_tried() {
    let scratch = Scratch::new();
    let mut serve = holdfast(&["serve", "--listen", "127.0.0.1:0", "--data"]);
    serve.arg(scratch.join("data")).env("PATH", "/nonexistent").stdout(Stdio::piped());
    let mut serve = serve.spawn().unwrap();
    let mut lines = BufReader::new(serve.stdout.take().unwrap()).lines().map(Result::unwrap);
    let said = lines.find(|line| line.starts_with("small pictures: ")).unwrap();
    kill_process(Pid::from_child(&serve), Signal::TERM).unwrap();
    assert!(serve.wait().unwrap().success());
    assert!(said.contains("HEIC and AVIF with libheif-examples") && said.contains("videos with ffmpeg"), "{said}");

    let album = Album::new(Server::start_on_path(&scratch.join("data"), Path::new("/nonexistent")));
    album.put("a.heic", "X-Nothing: 1", b"any bytes");
    album.put("a.mp4", "X-Nothing: 1", b"any bytes");
    assert_eq!((album.sides("a.heic"), album.sides("a.mp4")), (None, None));
    album.unharmed();
}

#[test]
fn a_service_that_stops_ends_what_a_converter_started() {
    let scratch = Scratch::new();
    let bin = scratch.join("bin");
    fs::create_dir(&bin).unwrap();
    // Two processes that stay. A file without a byte may be made: its name is the number of one of them.
    let script = "#!/bin/sh\n/usr/bin/sleep 3600 &\n: > $!\n: > started\nwait\n";
    fs::write(bin.join("ffmpeg"), script).unwrap();
    fs::set_permissions(bin.join("ffmpeg"), fs::Permissions::from_mode(0o755)).unwrap();
    let album = Album::new(Server::start_on_path(&scratch.join("data"), &bin));
    album.put("a.mp4", "X-Nothing: 1", b"a film");
    let (url, token) = (album.server.url.clone(), album.token.clone());
    let mut asked = std::net::TcpStream::connect(url.strip_prefix("http://").unwrap()).unwrap();
    let head = format!("GET /api/v1/thumbnails/a.mp4 HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n\r\n");
    asked.write_all(head.as_bytes()).unwrap();
    let folder = scratch.join("data/scratch/0");
    while !folder.join("started").exists() {
        std::thread::yield_now();
    }
    let names = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let sleeper = names.filter_map(|name| name.parse::<u32>().ok()).next().unwrap();
    assert!(Path::new(&format!("/proc/{sleeper}")).exists());
    drop(asked);
    album.server.stop();
    // Whoever adopts it may need a moment to notice that it ended.
    while fs::read_to_string(format!("/proc/{sleeper}/stat")).is_ok_and(|stat| !stat.contains(") Z ")) {
        std::thread::yield_now();
    }
    assert!(!scratch.join("data/scratch").exists());
}
