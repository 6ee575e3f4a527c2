//! One line in the log for each request, which is counted too: who, what, how it was answered, how long it took. Nothing that the client wrote is in it, so
//! no token is.

use std::sync::{Arc, OnceLock};
use std::time::Instant;

use axum::extract::{MatchedPath, Request, State};
use axum::http::{Method, StatusCode};
use axum::middleware::Next;
use axum::response::Response;
use isolet::visible;

use crate::counters::Counters;

/// Whose request it is, in its extensions: told by whoever finds out.
#[derive(Clone, Default)]
pub(crate) struct Caller(Arc<OnceLock<String>>);

impl Caller {
    pub(crate) fn is(&self, user: &str) {
        let _ = self.0.set(visible::line(user).into_owned());
    }
}

/// A request that has no line yet: it gets one when this is dropped, also where the client has gone.
struct Entry {
    counters: Arc<Counters>,
    began: Instant,
    method: Method,
    route: Option<MatchedPath>,
    caller: Caller,
    status: Option<StatusCode>,
}

/// Writes the line of a request.
pub(crate) async fn log(State(counters): State<Arc<Counters>>, mut request: Request, next: Next) -> Response {
    let mut entry = Entry {
        counters,
        began: Instant::now(),
        method: request.method().clone(),
        route: request.extensions().get().cloned(),
        caller: Caller::default(),
        status: None,
    };
    request.extensions_mut().insert(entry.caller.clone());
    let response = next.run(request).await;
    entry.status = Some(response.status());
    response
}

impl Drop for Entry {
    fn drop(&mut self) {
        let method = [Method::GET, Method::POST, Method::DELETE].into_iter().find(|method| *method == self.method);
        let route = self.route.as_ref().map_or("none", MatchedPath::as_str);
        let status = self.status.map_or("gone".to_owned(), |status| status.as_u16().to_string());
        self.counters.count(route, &status);
        tracing::info!(
            user = self.caller.0.get().map_or("nobody", String::as_str),
            method = method.as_ref().map_or("other", Method::as_str),
            route,
            status,
            duration = ?self.began.elapsed(),
            "request"
        );
    }
}
