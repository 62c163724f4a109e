//! XML of servers, read as a flat sequence of elements: no DTD, no entities but the five of XML itself, bounded depth.
//!
//! Namespaces are passed over: the local names that are looked for mean one thing in the answers that are read.

use quick_xml::{Reader, escape::resolve_predefined_entity, events::Event};

const DEPTH_MAX: usize = 32;

/// What is met on the way through a document.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Met<'a> {
    /// An element begins; its local name.
    Open(&'a str),
    /// An element ends; its local name, and the text since the last tag.
    Close(&'a str, &'a str),
}

/// Walks through `document`.
///
/// # Errors
/// What is wrong with it.
pub(crate) fn walk(document: &[u8], mut see: impl FnMut(Met<'_>)) -> Result<(), &'static str> {
    let document = std::str::from_utf8(document).map_err(|_| "it is not UTF-8")?;
    let mut reader = Reader::from_str(document);
    let (mut depth, mut text, mut elements) = (0_usize, String::new(), 0_usize);
    loop {
        match reader.read_event().map_err(|_| "it is not well formed")? {
            Event::Start(tag) => {
                depth += 1;
                elements += 1;
                if depth > DEPTH_MAX {
                    return Err("it is nested too deeply");
                }
                text.clear();
                see(Met::Open(tag.local_name().as_ref()));
            }
            Event::End(tag) => {
                depth = depth.checked_sub(1).ok_or("it ends more than it begins")?;
                see(Met::Close(tag.local_name().as_ref(), text.trim()));
                text.clear();
            }
            Event::Empty(tag) => {
                elements += 1;
                let name = tag.local_name();
                see(Met::Open(name.as_ref()));
                see(Met::Close(name.as_ref(), ""));
                text.clear();
            }
            Event::Text(piece) => text.push_str(&piece.into_inner()),
            Event::CData(piece) => text.push_str(&piece.into_inner()),
            Event::GeneralRef(name) => {
                if let Some(character) = name.resolve_char_ref().map_err(|_| "it refers to no character")? {
                    text.push(character);
                } else {
                    text.push_str(resolve_predefined_entity(&name).ok_or("it uses entities of its own")?);
                }
            }
            Event::DocType(_) => return Err("it has a DTD"),
            Event::Eof => break,
            Event::Comment(_) | Event::Decl(_) | Event::PI(_) => {}
        }
    }
    match (depth, elements) {
        (0, 1..) => Ok(()),
        (0, 0) => Err("it holds no element"),
        _ => Err("it ends too early"),
    }
}

#[cfg(test)]
mod tests {
    use super::{Met, walk};

    fn seen(document: &str) -> Result<String, &'static str> {
        let mut seen = String::new();
        walk(document.as_bytes(), |met| match met {
            Met::Open(name) => seen.push_str(&format!("<{name} ")),
            Met::Close(name, text) => seen.push_str(&format!("{text}:{name}> ")),
        })?;
        Ok(seen)
    }

    #[test]
    fn elements_are_met_in_order_and_tricks_are_refused() {
        let cases = [
            ("<a><D:b>x &amp; &#65;</D:b><c/></a>", Ok("<a <b x & A:b> <c :c> :a> ")),
            ("<?xml version='1.0'?><!-- c --><a>\n</a>", Ok("<a :a> ")),
            ("<a><![CDATA[<x>]]></a>", Ok("<a <x>:a> ")),
            ("<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>", Err("it has a DTD")),
            ("<a>&b;</a>", Err("it uses entities of its own")),
            ("<a><b></a>", Err("it is not well formed")),
            ("<a>", Err("it ends too early")),
            ("", Err("it holds no element")),
            ("no XML", Err("it holds no element")),
        ];
        for (document, expected) in cases {
            assert_eq!(seen(document), expected.map(str::to_owned), "{document}");
        }
        assert_eq!(seen(&"<a>".repeat(40)), Err("it is nested too deeply"));
        assert_eq!(walk(&[0xff], |_| {}), Err("it is not UTF-8"));
    }
}
