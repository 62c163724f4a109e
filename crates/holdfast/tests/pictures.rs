//! Small pictures of large ones, made by the real program in a child of its own.
#![allow(clippy::unwrap_used)]

mod common;

use std::{
    io::{Cursor, Write},
    process::Stdio,
};

use common::{Answer, Scratch, Server, holdfast, request};
use image::{DynamicImage, ImageFormat, Rgb, RgbImage};
use serde_json::{Value, json};

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
