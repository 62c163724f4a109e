//! `/metrics`: numbers for a monitor, in the text format that Prometheus reads.
//!
//! On the service's own port it takes an operator's token; a listener of its own, on an address that the operator configured, asks
//! nobody.

use std::sync::Arc;

use axum::{
    Extension,
    body::Body,
    extract::{Request, State},
    response::{IntoResponse, Response},
};
use hyper::{
    Method,
    header::{CONTENT_TYPE, HeaderValue},
};
use service::Service;

use crate::{api, auth, error::Problem, header::percent, metrics, watch::Watch};

/// Gives numbers for a monitor, for an operator, in the text format of Prometheus.
#[utoipa::path(get, path = "/metrics", responses((status = 200, body = str)))]
pub async fn door(
    State(service): State<Service>,
    Extension(watch): Extension<Arc<Watch>>,
    request: Request,
) -> Result<Response, Problem> {
    let (parts, _) = request.into_parts();
    auth::caller(&service, &parts).await?.must_operate()?;
    percent::query(parts.uri.query(), [])?;
    answer(&parts.method, &watch)
}

/// The same for whoever reaches the listener that is for this alone.
pub async fn open(Extension(watch): Extension<Arc<Watch>>, method: Method) -> Result<Response, Problem> {
    answer(&method, &watch)
}

/// Everything else there.
pub async fn elsewhere() -> Response {
    Problem::no_route().into_response()
}

fn answer(method: &Method, watch: &Watch) -> Result<Response, Problem> {
    if method != Method::GET && method != Method::HEAD {
        return Err(Problem::method("GET, HEAD"));
    }
    let mut response = Response::new(Body::from(metrics::text(watch)));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8"));
    api::guard(headers);
    Ok(response)
}
