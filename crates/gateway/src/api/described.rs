//! What several doors have in common, as the document says it ([`crate::openapi`]): headers of bytes that go out, and of
//! uploads in pieces.

use std::collections::BTreeMap;

use utoipa::{
    IntoParams, IntoResponses, ToSchema,
    openapi::{
        Content, Header, HeaderBuilder, Object, ObjectBuilder, Ref, RefOr, Required, Response, ResponseBuilder, Type,
        path::{Parameter, ParameterBuilder, ParameterIn},
    },
};

use crate::api::{MODIFIED, files};

/// Bytes as they are.
#[derive(ToSchema)]
#[schema(as = Bytes, value_type = String, format = Binary)]
#[allow(dead_code, reason = "for the document alone")]
pub struct Raw(Vec<u8>);

/// Headers with which bytes are asked for.
pub struct Reading;

impl IntoParams for Reading {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let mut all = Ranged::into_params(|| None);
        all.push(asked("If-Match", Required::False, "412 if none of these is the version that is there"));
        all.push(asked("If-None-Match", Required::False, "304 if one of these is the version that is there"));
        all
    }
}

/// Headers with which a zip is asked for.
pub struct Ranged;

impl IntoParams for Ranged {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        vec![
            asked("Range", Required::False, "One range of bytes; of several, all is sent"),
            asked("If-Range", Required::False, "The entity tag that the range is of; if it is another, all is sent"),
        ]
    }
}

/// What every request of a tus upload says.
pub struct Tus;

impl IntoParams for Tus {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        vec![asked("Tus-Resumable", Required::True, "`1.0.0`")]
    }
}

/// The bytes of a file on their way out.
pub struct BytesOut;

impl IntoResponses for BytesOut {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        answers(ResponseBuilder::new().description("All bytes"))
    }
}

/// The bytes of a file, or what is in a folder.
pub struct BytesOrListing;

impl IntoResponses for BytesOrListing {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        let listing = Content::new(Some(Ref::from_schema_name("Listing")));
        answers(
            ResponseBuilder::new()
                .description("All bytes; of a path with a slash at its end, what is in that folder")
                .content("application/json", listing),
        )
    }
}

/// A zip on its way out.
pub struct ZipOut;

impl IntoResponses for ZipOut {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        let zip = |description: &str| {
            ResponseBuilder::new()
                .description(description)
                .content("application/zip", Content::new(Some(Ref::from_schema_name("Bytes"))))
                .header("Accept-Ranges", said("`bytes`"))
                .header("Content-Disposition", said("Always an attachment, with the folder's name"))
                .header("ETag", said("Changes with anything in the folder"))
        };
        let part = zip("A part of it").header("Content-Range", said("Which part, and of how many bytes"));
        [("200", zip("All of it")), ("206", part)]
            .map(|(status, response)| (status.to_owned(), response.build().into()))
            .into()
    }
}

fn answers(whole: ResponseBuilder) -> BTreeMap<String, RefOr<Response>> {
    let part = ResponseBuilder::new().description("A part of them");
    let part = part.header("Content-Range", said("Which part, and of how many bytes"));
    let same = ResponseBuilder::new().description("They are known already").build();
    [("200", of_a_file(whole)), ("206", of_a_file(part)), ("304", same)]
        .map(|(status, response)| (status.to_owned(), response.into()))
        .into()
}

fn of_a_file(answer: ResponseBuilder) -> Response {
    answer
        .content("*/*", Content::new(Some(Ref::from_schema_name("Bytes"))))
        .header("Accept-Ranges", said("`bytes`"))
        .header("Content-Disposition", said("Always an attachment, with the file's name"))
        .header("ETag", said("The version"))
        .header("Last-Modified", said("In seconds"))
        .header("Repr-Digest", said("The SHA-256 of all bytes, where it is known"))
        .header(MODIFIED.as_str(), said("When it was modified, in microseconds"))
        .header(files::STATE.as_str(), said("How firmly it is kept (`Standing`): to `HEAD` alone"))
        .build()
}

fn asked(name: &str, required: Required, description: &str) -> Parameter {
    ParameterBuilder::new()
        .name(name)
        .parameter_in(ParameterIn::Header)
        .required(required)
        .schema(Some(string()))
        .description(Some(description))
        .build()
}

fn said(description: &str) -> Header {
    HeaderBuilder::new().schema(Some(string())).description(Some(description)).build()
}

fn string() -> Object {
    ObjectBuilder::new().schema_type(Type::String).build()
}
