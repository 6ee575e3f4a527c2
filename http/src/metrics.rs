//! What was counted, in the text that Prometheus reads. Nothing in it says whose anything is.

use std::fmt::Write as _;
use std::sync::Arc;

use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;

use crate::shared::Shared;

/// `GET /metrics`.
pub(crate) async fn metrics(State(shared): State<Arc<Shared>>) -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text(&shared))
}

fn text(shared: &Shared) -> String {
    let runtime = shared.runtime.metrics();
    let whole = |count: usize| u64::try_from(count).unwrap_or(u64::MAX);
    let series = [
        ("runs_total", "counter", "Runs that were started.", runtime.runs),
        ("runs_claimed_total", "counter", "Runs that found a process forked ahead.", runtime.claimed),
        ("runs_cold_total", "counter", "Runs of cold scopes.", runtime.cold),
        ("runs_overloaded_total", "counter", "Runs that were refused because too many waited.", runtime.overloaded),
        ("forks_total", "counter", "Forks that were asked for.", runtime.forks),
        ("forks_failed_total", "counter", "Forks that the system refused.", runtime.failed_forks),
        ("zygotes_lost_total", "counter", "Zygotes that ended by themselves.", runtime.zygotes_lost),
        ("runs_live", "gauge", "Runs alive now.", whole(runtime.live)),
        ("runs_ready", "gauge", "Runs forked ahead now.", whole(runtime.ready)),
        ("held_bytes", "gauge", "Bytes of arguments and replies that are held for runs now.", whole(runtime.held_bytes)),
        ("mcp_sessions", "gauge", "Sessions of MCP clients before 2026-07-28.", whole(shared.mcp.len())),
    ];
    let mut text = String::new();
    for (name, kind, help, value) in series {
        let _ = writeln!(text, "# HELP isolet_{name} {help}\n# TYPE isolet_{name} {kind}\nisolet_{name} {value}");
    }
    let help = "Requests by route and status; `gone` if the client left before the answer.";
    let _ = writeln!(text, "# HELP isolet_http_requests_total {help}\n# TYPE isolet_http_requests_total counter");
    for (route, status, count) in shared.counters.all() {
        let _ = writeln!(text, "isolet_http_requests_total{{route=\"{route}\",status=\"{status}\"}} {count}");
    }
    text
}
