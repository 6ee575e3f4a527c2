//! What happens in a run, told to the caller as it happens.

use isolet::Event;
use serde::Serialize;
use serde_json::Value;
use serde_json::value::RawValue;
use tokio::sync::mpsc;

use super::line::Line;

/// Events of one run that may wait to be told; more are left out, and are in the outcome.
pub(super) const EVENTS_WAITING: usize = 1024;

/// What is told of a run, under the `id` of its request as the caller wrote it.
#[derive(Serialize)]
struct OfRun<'run> {
    run: &'run RawValue,
    #[serde(flatten)]
    told: Value,
}

/// Tells what happens in the run that the request `run` asked for, until it has ended.
pub(super) async fn tell(line: &Line, run: &RawValue, mut seen: mpsc::Receiver<Event>) {
    while let Some(event) = seen.recv().await {
        line.notify(&format!("run/{}", event.as_str()), OfRun { run, told: event.to_json() }).await;
    }
}
