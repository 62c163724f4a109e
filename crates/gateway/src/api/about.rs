//! `/api/v1/service`: what anybody may know of the service, and what its operator says of it.

use axum::{
    body::Body,
    extract::{Request, State},
    response::Response,
};
use hyper::{
    Method, StatusCode,
    header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderValue},
    http::request::Parts,
};
use model::about::{AboutRow, Logo, Quick, SignUp};
use serde::{Deserialize, Serialize};
use service::{Said, Service};
use utoipa::ToSchema;

use crate::{
    api::{self, described::Raw, quick::QuickLimits, shares::said},
    auth, body,
    error::Problem,
};

/// What the service is called if its operator says nothing.
const NAME: &str = "Holdfast";

/// What operators say of the service. What is left out stays, and `null` takes away.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ServiceChange)]
#[allow(clippy::option_option, reason = "left out, null and a value are three different things here")]
struct Change {
    name: Option<String>,
    sign_up: Option<SignUpWord>,
    #[serde(default, deserialize_with = "said")]
    #[schema(value_type = Option<u64>)]
    new_quota_bytes: Option<Option<u64>>,
    #[serde(default, deserialize_with = "said")]
    #[schema(value_type = Option<String>)]
    new_plan: Option<Option<String>>,
    #[serde(default, deserialize_with = "said")]
    #[schema(value_type = Option<QuickLimits>)]
    quick: Option<Option<QuickLimits>>,
    #[serde(default, deserialize_with = "said")]
    #[schema(value_type = Option<String>)]
    colour: Option<Option<String>>,
    #[serde(default, deserialize_with = "said")]
    #[schema(value_type = Option<String>)]
    contact: Option<Option<String>>,
    #[serde(default, deserialize_with = "said")]
    #[schema(value_type = Option<String>)]
    imprint: Option<Option<String>>,
    #[serde(default, deserialize_with = "said")]
    #[schema(value_type = Option<String>)]
    terms: Option<Option<String>>,
}

/// Who may make an account.
#[derive(Clone, Copy, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = SignUp)]
enum SignUpWord {
    Invitation,
    Open,
    Closed,
}

/// Where people may sign in instead.
#[derive(Serialize, ToSchema)]
struct Issuer {
    /// As the button says it.
    name: String,
}

/// What a service says of itself to everybody.
#[derive(Serialize, ToSchema)]
#[schema(as = Service)]
struct About {
    name: String,
    version: &'static str,
    sign_up: SignUpWord,
    /// What an account may keep that was made by open sign-up; none: no limit.
    new_quota_bytes: Option<u64>,
    /// The plan of such an account.
    new_plan: Option<String>,
    /// What anybody may leave here without an account; none: nothing.
    quick: Option<QuickLimits>,
    /// `#rrggbb`; none: the house colour.
    colour: Option<String>,
    /// Its address, from the top of the service.
    logo: Option<String>,
    contact: Option<String>,
    /// Markdown, as are the terms.
    imprint: Option<String>,
    terms: Option<String>,
    /// Whether the service sends mail.
    mail: bool,
    /// Who else vouches for people.
    oidc: Option<Issuer>,
}

/// Says what the service is, or changes it for an operator.
pub async fn door(State(service): State<Service>, request: Request) -> Result<Response, Problem> {
    let (parts, body) = request.into_parts();
    match parts.method {
        Method::GET | Method::HEAD => about(&service).await,
        Method::PATCH => change(&service, &parts, body).await,
        _ => Err(Problem::method("GET, HEAD, PATCH")),
    }
}

/// Says what the service is.
#[utoipa::path(get, path = "/api/v1/service", security(()), responses((status = 200, body = About)))]
pub async fn about(service: &Service) -> Result<Response, Problem> {
    Ok(api::json(StatusCode::OK, &shape(service, service.about().await?)))
}

/// Changes what the service says of itself, for an operator.
#[utoipa::path(patch, path = "/api/v1/service", request_body = Change, responses((status = 200, body = About)))]
pub async fn change(service: &Service, parts: &Parts, body: Body) -> Result<Response, Problem> {
    auth::caller(service, parts).await?;
    let change: Change = body::json(body).await?;
    let caller = auth::caller(service, parts).await?;
    Ok(api::json(StatusCode::OK, &shape(service, service.say(&caller, change.meant()?).await?)))
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
        let quick = self.quick.map(|limits| limits.map(Quick::from));
        let Self { name, new_quota_bytes, new_plan, contact, imprint, terms, .. } = self;
        Ok(Said { name, sign_up, new_space_bytes: new_quota_bytes, new_plan, quick, colour, contact, imprint, terms })
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

fn shape(service: &Service, about: AboutRow) -> About {
    About {
        name: about.name.unwrap_or_else(|| NAME.to_owned()),
        version: env!("CARGO_PKG_VERSION"),
        sign_up: match about.sign_up {
            SignUp::Invitation => SignUpWord::Invitation,
            SignUp::Open => SignUpWord::Open,
            SignUp::Closed => SignUpWord::Closed,
        },
        new_quota_bytes: about.new_space_bytes,
        new_plan: about.new_plan,
        quick: about.quick.map(QuickLimits::from),
        colour: about.colour.map(|[red, green, blue]| format!("#{red:02x}{green:02x}{blue:02x}")),
        logo: about.logo.map(|logo| format!("/api/v1/service/logo?v={}", service::logo_tag(&logo))),
        contact: about.contact,
        imprint: about.imprint,
        terms: about.terms,
        mail: service.has_mail(),
        oidc: service.issuer_name().map(|name| Issuer { name: name.to_owned() }),
    }
}

/// The picture beside the name.
pub async fn logo(State(service): State<Service>, request: Request) -> Result<Response, Problem> {
    let (parts, body) = request.into_parts();
    match parts.method {
        Method::GET | Method::HEAD => picture(&service).await,
        Method::PUT => set_picture(&service, &parts, body).await,
        Method::DELETE => drop_picture(&service, &parts).await,
        _ => Err(Problem::method("GET, HEAD, PUT, DELETE")),
    }
}

/// Gives the picture beside the name.
#[utoipa::path(
    get, path = "/api/v1/service/logo", security(()),
    params(("v" = Option<String>, Query, description = "Which picture is meant, so that browsers may keep it")),
    responses((status = 200, body = Raw, content_type = "image/*")),
)]
pub async fn picture(service: &Service) -> Result<Response, Problem> {
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

/// Sets the picture: PNG, JPEG or WebP, of at most 64 KiB.
#[utoipa::path(
    put, path = "/api/v1/service/logo", request_body(content = Raw, content_type = "image/*"),
    responses((status = 204)),
)]
pub async fn set_picture(service: &Service, parts: &Parts, body: Body) -> Result<Response, Problem> {
    auth::caller(service, parts).await?;
    // One byte more says that it is too long.
    let most = Logo::BYTES_MAX + 1;
    let bytes = axum::body::to_bytes(body, most).await.map_or(vec![0; most], |bytes| bytes.to_vec());
    let caller = auth::caller(service, parts).await?;
    service.set_logo(&caller, Some(bytes)).await?;
    Ok(api::empty(StatusCode::NO_CONTENT))
}

/// Takes the picture away.
#[utoipa::path(delete, path = "/api/v1/service/logo", responses((status = 204)))]
pub async fn drop_picture(service: &Service, parts: &Parts) -> Result<Response, Problem> {
    let caller = auth::caller(service, parts).await?;
    service.set_logo(&caller, None).await?;
    Ok(api::empty(StatusCode::NO_CONTENT))
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
