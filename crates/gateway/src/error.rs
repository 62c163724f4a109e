//! Our errors as HTTP answers: the one table from class to status, and problem documents.
//!
//! Source: RFC 9457. `type` stays `about:blank`; programs read `code`, which is never reworded, people read `detail`.

use axum::{
    body::Body,
    response::{IntoResponse, Response},
};
use hyper::{
    StatusCode,
    header::{CONTENT_TYPE, HeaderName, HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE},
};
use model::Class;
use serde::Serialize;
use utoipa::ToSchema;

/// How long a client is asked to wait before it tries again.
const RETRY_AFTER_S: &str = "5";

/// A refusal on its way to the client.
#[derive(Debug)]
pub struct Problem {
    /// The answer's status.
    pub status: StatusCode,
    /// A stable name for programs.
    pub code: &'static str,
    /// A sentence for people.
    pub detail: String,
    /// Headers that go with it.
    pub headers: Vec<(HeaderName, HeaderValue)>,
    /// The number that was gone beyond, for programs.
    pub limit: Option<u64>,
}

impl Problem {
    /// Any status.
    pub fn new(status: StatusCode, code: &'static str, detail: impl Into<String>) -> Self {
        Self { status, code, detail: detail.into(), headers: Vec::new(), limit: None }
    }

    /// 400: the request itself is wrong.
    pub fn bad_request(code: &'static str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, code, detail)
    }

    /// 401 without a token.
    pub fn no_token() -> Self {
        let detail = "send `Authorization: Bearer TOKEN`; `holdfast token create` makes a token";
        Self::new(StatusCode::UNAUTHORIZED, "no_token", detail)
            .with(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"))
    }

    /// 403: a page of another site made the browser ask.
    pub fn cross_origin() -> Self {
        let detail = "another site's page asked for this, so nothing was done; use this service's own page";
        Self::new(StatusCode::FORBIDDEN, "cross_origin", detail)
    }

    /// 404: no door here.
    pub fn no_route() -> Self {
        Self::new(StatusCode::NOT_FOUND, "no_route", "nothing answers at this address; files are under /api/v1/files/")
    }

    /// 405, with what is allowed.
    pub fn method(allow: &'static str) -> Self {
        let detail = format!("only {allow} are understood at this address");
        Self::new(StatusCode::METHOD_NOT_ALLOWED, "method", detail)
            .with(hyper::header::ALLOW, HeaderValue::from_static(allow))
    }

    /// 500: a broken invariant of ours.
    pub fn bug(detail: impl std::fmt::Display) -> Self {
        tracing::error!(%detail, "an invariant is broken");
        let detail = "something is wrong in the service itself; its log says more";
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "bug", detail)
    }

    /// A refusal that has a class and no name of its own.
    pub fn of_class(class: Class, detail: String) -> Self {
        let code = match class {
            Class::Bug => return Self::bug(detail),
            Class::Retry => "retry",
            Class::Refused => "refused",
            Class::Missing => "missing",
            Class::Conflict => "conflict",
            Class::Damaged => "damaged",
            Class::Exhausted => "exhausted",
        };
        Self::new(status(class, code), code, detail)
    }

    /// What is said of it.
    pub fn detail(&self) -> &str {
        &self.detail
    }

    /// With a header.
    pub fn with(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }
}

/// The table. A class has one status; a few codes have a better one that HTTP knows.
fn status(class: Class, code: &str) -> StatusCode {
    match code {
        "token_unknown" | "token_expired" => return StatusCode::UNAUTHORIZED,
        "bad_login" | "signed_out" | "link_password" | "second_factor_needed" | "bad_second_factor" | "bad_passkey" => {
            return StatusCode::UNAUTHORIZED;
        }
        "account_locked" | "other_account" | "suspended" | "not_operator" | "own_account" | "needs_session"
        | "read_only" | "token_scope" | "desk_token" | "owners_alone" | "sign_up_closed" | "sign_in_again"
        | "quick_off" => {
            return StatusCode::FORBIDDEN;
        }
        "too_many_attempts" | "link_traffic" | "too_many_quick" => return StatusCode::TOO_MANY_REQUESTS,
        "link_ended" | "link_off" => return StatusCode::GONE,
        "too_many_accounts" | "too_many_reports" | "too_many_notices" => return StatusCode::TOO_MANY_REQUESTS,
        "bad_webhook" => return StatusCode::UNPROCESSABLE_ENTITY,
        "mail_failed" => return StatusCode::BAD_GATEWAY,
        "precondition_failed" => return StatusCode::PRECONDITION_FAILED,
        "upload_expired" => return StatusCode::GONE,
        "upload_too_long" | "file_too_large" => return StatusCode::PAYLOAD_TOO_LARGE,
        "bad_media_type" => return StatusCode::UNSUPPORTED_MEDIA_TYPE,
        "body_broken" => return StatusCode::BAD_REQUEST,
        _ => {}
    }
    match class {
        Class::Retry => StatusCode::SERVICE_UNAVAILABLE,
        Class::Refused => StatusCode::BAD_REQUEST,
        Class::Missing => StatusCode::NOT_FOUND,
        Class::Conflict => StatusCode::CONFLICT,
        Class::Damaged => StatusCode::BAD_GATEWAY,
        Class::Exhausted => StatusCode::INSUFFICIENT_STORAGE,
        Class::Bug => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

impl From<service::Error> for Problem {
    fn from(error: service::Error) -> Self {
        if error.class() == Class::Bug {
            return Self::bug(error);
        }
        let problem = Self::new(status(error.class(), error.code()), error.code(), error.to_string());
        match error {
            service::Error::TooManyAttempts { wait_s } | service::Error::LinkTraffic { wait_s } => {
                return problem.with(RETRY_AFTER, HeaderValue::from(wait_s));
            }
            service::Error::FileTooLarge { limit } => return Self { limit: Some(limit), ..problem },
            _ => {}
        }
        match problem.status {
            StatusCode::SERVICE_UNAVAILABLE => problem.with(RETRY_AFTER, HeaderValue::from_static(RETRY_AFTER_S)),
            // Source: RFC 6750 section 3.
            StatusCode::UNAUTHORIZED => {
                problem.with(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer error=\"invalid_token\""))
            }
            _ => problem,
        }
    }
}

/// A problem document.
#[derive(Serialize, ToSchema)]
#[schema(as = Problem)]
pub struct Document<'p> {
    /// Always `about:blank`: the code says what is meant.
    r#type: &'static str,
    title: &'static str,
    status: u16,
    /// What happened, what still works, what to do: for people.
    detail: &'p str,
    code: &'static str,
    /// The number that was gone beyond, where there is one.
    limit: Option<u64>,
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let document = serde_json::json!(Document {
            r#type: "about:blank",
            title: self.status.canonical_reason().unwrap_or("Error"),
            status: self.status.as_u16(),
            detail: &self.detail,
            code: self.code,
            limit: self.limit,
        });
        let mut response = Response::new(Body::from(document.to_string()));
        *response.status_mut() = self.status;
        response.headers_mut().extend(self.headers);
        crate::api::guard(response.headers_mut());
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        response
    }
}

#[cfg(test)]
mod tests {
    use hyper::header::{RETRY_AFTER, WWW_AUTHENTICATE};
    use service::{Error, StoreError, paths::BadPath};

    use super::Problem;

    #[test]
    fn classes_and_codes_have_their_status() {
        let path = || "/a".to_owned();
        let has = |problem: &Problem, name| problem.headers.iter().any(|(known, _)| known == name);
        let unsafe_now = StoreError::Unsafe { providers_up: 1, detail: String::new() };
        for (error, status, code) in [
            (Error::Path(BadPath::Dots), 400, "bad_path"),
            (Error::TokenUnknown, 401, "token_unknown"),
            (Error::Missing { path: path() }, 404, "missing"),
            (Error::Exists { path: path() }, 409, "exists"),
            (Error::Precondition { path: path() }, 412, "precondition_failed"),
            (Error::UploadTooLong { length: 1, got: 2 }, 413, "upload_too_long"),
            (Error::Store(unsafe_now), 503, "unsafe"),
            (Error::Store(StoreError::BodyDigest), 400, "body_digest"),
        ] {
            let problem = Problem::from(error);
            assert_eq!((problem.status.as_u16(), problem.code), (status, code));
            assert_eq!(has(&problem, &RETRY_AFTER), status == 503);
            assert_eq!(has(&problem, &WWW_AUTHENTICATE), status == 401);
        }
    }
}
