//! Packets as servers write them, and as they should not.
#![allow(clippy::unwrap_used)]

use bytes::{BufMut, Bytes, BytesMut};

use super::{Attributes, Extensions, Garbled, Kind, Reply, Request, Status, read_space, reply, take_packet};

fn packet(parts: &[&[u8]]) -> Bytes {
    Bytes::from(parts.concat())
}

#[test]
fn a_request_is_framed_around_its_payload() {
    let (head, payload) = Request::write(b"hd", 7, Bytes::from_static(b"bytes")).packet(9);
    let expected =
        [&[0, 0, 0, 28, 6, 0, 0, 0, 9][..], &[0, 0, 0, 2, b'h', b'd'], &[0, 0, 0, 0, 0, 0, 0, 7], &[0, 0, 0, 5]];
    assert_eq!(head, expected.concat());
    assert_eq!(payload, "bytes");
}

#[test]
fn packets_are_taken_whole_however_they_arrive() {
    let stream = [&[0, 0, 0, 2, 1, 2][..], &[0, 0, 0, 1, 3]].concat();
    let mut received = BytesMut::new();
    let mut taken = Vec::new();
    for byte in stream {
        received.put_u8(byte);
        while let Some(packet) = take_packet(&mut received).unwrap() {
            taken.push(packet);
        }
    }
    assert_eq!(taken, [&[1, 2][..], &[3]]);
    for impossible in [[0, 0, 0, 0], [0xff; 4], [0, 4, 0, 1]] {
        assert!(take_packet(&mut BytesMut::from(&impossible[..])).is_err(), "{impossible:?}");
    }
}

#[test]
fn replies_are_read() {
    let status = |code| Reply::Status(Status { code, text: String::new() });
    assert_eq!(reply(packet(&[&[101, 0, 0, 0, 5, 0, 0, 0, 2]])), Ok((5, status(2))));
    let words = packet(&[&[101, 0, 0, 0, 5, 0, 0, 0, 99, 0, 0, 0, 4], b"n\xffo\n", &[0, 0, 0, 0]]);
    let expected = Reply::Status(Status { code: 99, text: "n\u{fffd}o".to_owned() });
    assert_eq!(reply(words), Ok((5, expected)), "codes of later versions and broken words are taken");
    let handle = packet(&[&[102, 0, 0, 0, 5, 0, 0, 0, 4, 0, 0, 0, 0x80]]);
    assert_eq!(reply(handle), Ok((5, Reply::Handle(Bytes::from_static(&[0, 0, 0, 0x80])))), "handles are no text");
    let attributes = packet(&[&[105, 0, 0, 0, 5, 0, 0, 0, 5], &7_u64.to_be_bytes(), &0o120_777_u32.to_be_bytes()]);
    let Ok((5, Reply::Attributes(found))) = reply(attributes) else { panic!() };
    assert_eq!((found.bytes, found.kind()), (Some(7), Some(Kind::Other("a symbolic link"))));
    assert_eq!(Attributes::default().kind(), None);
}

#[test]
fn what_is_cut_off_or_claims_too_much_is_garbled() {
    let entry = packet(&[
        &[104, 0, 0, 0, 5, 0, 0, 0, 1],
        &[0, 0, 0, 1, b'a'],
        &[0, 0, 0, 0],
        &[0x80, 0, 0, 15],
        &[0; 8],
        &[0; 8],
        &[0, 0, 0x81, 0xa4],
        &[0; 8],
        &[0, 0, 0, 1],
        &[0, 0, 0, 1, b'k'],
        &[0, 0, 0, 1, b'v'],
    ]);
    assert!(matches!(reply(entry.clone()), Ok((5, Reply::Names(names))) if names.len() == 1));
    for end in 0..entry.len() {
        assert!(reply(entry.slice(..end)).is_err(), "cut off at {end}");
    }
    let claims: [&[u8]; 4] = [
        &[104, 0, 0, 0, 5, 0xff, 0xff, 0xff, 0xff],
        &[103, 0, 0, 0, 5, 0xff, 0xff, 0xff, 0xff, 1],
        &[105, 0, 0, 0, 5, 0x80, 0, 0, 0, 0xff, 0xff, 0xff, 0xff],
        &[77, 0, 0, 0, 5],
    ];
    for claim in claims {
        assert!(reply(Bytes::from_static(claim)).is_err(), "{claim:?}");
    }
}

#[test]
fn a_version_names_what_is_offered() {
    let offered = packet(&[
        &[2, 0, 0, 0, 3],
        &[0, 0, 0, 17],
        b"fsync@openssh.com",
        &[0, 0, 0, 1, b'1'],
        &[0, 0, 0, 1, b'x'],
        &[0, 0, 0, 0],
    ]);
    assert_eq!(Extensions::read(offered), Ok(Extensions { fsync: true, ..Extensions::default() }));
    assert_eq!(Extensions::read(packet(&[&[2, 0, 0, 0, 6]])), Err(Garbled("another version of SFTP than 3")));
    assert!(Extensions::read(Bytes::new()).is_err());
}

#[test]
fn space_is_read_whole_or_not_at_all() {
    let fields: Vec<u8> = (0..11_u64).flat_map(|n| if n == 9 { 1_u64 } else { n }.to_be_bytes()).collect();
    let space = read_space(Bytes::from(fields.clone())).unwrap();
    assert_eq!((space.free_bytes, space.read_only), (4, true));
    assert!(read_space(Bytes::from(fields).slice(..87)).is_none());
}
