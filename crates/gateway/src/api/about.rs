//! `/api/v1/service`: what anybody may know of the service, and what its operator says of it.

use axum::{
    body::Body,
    extract::{Request, State},
    response::Response,
};
use hyper::{
    Method, StatusCode,
    header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderValue},
};
use model::about::{AboutRow, Logo, SignUp};
use serde::Deserialize;
use serde_json::{Value, json};
use service::{Said, Service};

use crate::{
    api::{self, links, shares::said},
    auth, body,
    error::Problem,
};

/// What the service is called if its operator says nothing.
const NAME: &str = "Holdfast";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(clippy::option_option, reason = "left out, null and a value are three different things here")]
struct Change {
    name: Option<String>,
    sign_up: Option<SignUpWord>,
    #[serde(default, deserialize_with = "said")]
    new_quota_bytes: Option<Option<u64>>,
    #[serde(default, deserialize_with = "said")]
    colour: Option<Option<String>>,
    #[serde(default, deserialize_with = "said")]
    contact: Option<Option<String>>,
    #[serde(default, deserialize_with = "said")]
    imprint: Option<Option<String>>,
    #[serde(default, deserialize_with = "said")]
    terms: Option<Option<String>>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum SignUpWord {
    Invitation,
    Open,
    Closed,
}

/// Says what the service is, or changes it for an operator.
pub async fn door(State(service): State<Service>, request: Request) -> Result<Response, Problem> {
    let (parts, body) = request.into_parts();
    match parts.method {
        Method::GET | Method::HEAD => Ok(api::json(StatusCode::OK, &shape(&service, &service.about().await?))),
        Method::PATCH => {
            auth::caller(&service, &parts).await?;
            let change: Change = body::json(body).await?;
            let caller = auth::caller(&service, &parts).await?;
            Ok(api::json(StatusCode::OK, &shape(&service, &service.say(&caller, change.meant()?).await?)))
        }
        _ => Err(Problem::method("GET, HEAD, PATCH")),
    }
}

impl Change {
    fn meant(self) -> Result<Said, Problem> {
        let colour = match self.colour {
            Some(Some(text)) => Some(Some(colour(&text)?)),
            Some(None) => Some(None),
            None => None,
        };
        let sign_up = self.sign_up.map(|word| match word {
            SignUpWord::Invitation => SignUp::Invitation,
            SignUpWord::Open => SignUp::Open,
            SignUpWord::Closed => SignUp::Closed,
        });
        let Self { name, new_quota_bytes, contact, imprint, terms, .. } = self;
        Ok(Said { name, sign_up, new_space_bytes: new_quota_bytes, colour, contact, imprint, terms })
    }
}

/// `#rrggbb` as three bytes.
fn colour(text: &str) -> Result<[u8; 3], Problem> {
    let bad = || service::Error::BadAbout { what: "a colour is written #rrggbb, with six hex digits" };
    let digits = text.strip_prefix('#').filter(|digits| digits.len() == 6 && digits.is_ascii()).ok_or_else(bad)?;
    let mut bytes = [0; 3];
    for (byte, at) in bytes.iter_mut().zip([0, 2, 4]) {
        // `from_str_radix` would take a sign.
        let pair = digits.get(at..at + 2).filter(|pair| pair.bytes().all(|digit| digit.is_ascii_hexdigit()));
        *byte = pair.and_then(|pair| u8::from_str_radix(pair, 16).ok()).ok_or_else(bad)?;
    }
    Ok(bytes)
}

fn shape(service: &Service, about: &AboutRow) -> Value {
    json!({
        "name": about.name.as_deref().unwrap_or(NAME),
        "version": env!("CARGO_PKG_VERSION"),
        "sign_up": match about.sign_up {
            SignUp::Invitation => "invitation",
            SignUp::Open => "open",
            SignUp::Closed => "closed",
        },
        "new_quota_bytes": about.new_space_bytes,
        "colour": about.colour.map(|[red, green, blue]| format!("#{red:02x}{green:02x}{blue:02x}")),
        "logo": about.logo.as_ref().map(|logo| {
            format!("/api/v1/service/logo?v={}", service::logo_tag(logo))
        }),
        "contact": about.contact,
        "imprint": about.imprint,
        "terms": about.terms,
        "oidc": service.issuer_name().map(|name| json!({ "name": name })),
    })
}

/// The picture beside the name.
pub async fn logo(State(service): State<Service>, request: Request) -> Result<Response, Problem> {
    let (parts, body) = request.into_parts();
    match parts.method {
        Method::PUT => {
            auth::caller(&service, &parts).await?;
            // One byte more says that it is too long.
            let most = Logo::BYTES_MAX + 1;
            let bytes = axum::body::to_bytes(body, most).await.map_or(vec![0; most], |bytes| bytes.to_vec());
            let caller = auth::caller(&service, &parts).await?;
            service.set_logo(&caller, Some(bytes)).await?;
            Ok(api::empty(StatusCode::NO_CONTENT))
        }
        Method::DELETE => {
            let caller = auth::caller(&service, &parts).await?;
            service.set_logo(&caller, None).await?;
            Ok(api::empty(StatusCode::NO_CONTENT))
        }
        _ => {
            links::must_read(&parts)?;
            let logo = service.about().await?.logo.ok_or(service::Error::NoSuchId)?;
            let mut response = api::empty(StatusCode::OK);
            let headers = response.headers_mut();
            headers.insert(CONTENT_TYPE, api::value(&logo.media_type)?);
            headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static("sandbox; default-src 'none'"));
            // Its address changes with it.
            headers.insert(CACHE_CONTROL, HeaderValue::from_static("public, max-age=604800"));
            *response.body_mut() = Body::from(logo.bytes);
            Ok(response)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::colour;

    #[test]
    fn colours_are_six_digits() {
        assert!(matches!(colour("#0aFf10"), Ok([0x0a, 0xff, 0x10])));
        for text in ["", "#", "0aff10", "#0aff1", "#0aff100", "#+a+f10", "#ä1234", "red"] {
            assert!(colour(text).is_err(), "{text}");
        }
    }
}
