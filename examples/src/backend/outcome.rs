//! An outcome as the JSON of an answer: what the model reads, and what the run cost.

use isolet::{CallEnd, End, Outcome};
use serde_json::{Value, json};

pub(super) fn json(outcome: &Outcome) -> Value {
    let (end, key, value) = match &outcome.end {
        End::Returned(value) => ("returned", "value", value.clone()),
        End::Threw(error) => ("threw", "error", error.to_string().into()),
        End::Stopped(stop) => ("stopped", "error", stop.to_string().into()),
    };
    let failed = outcome.calls.iter().filter(|call| call.end != CallEnd::Answered);
    json!({
        "end": end,
        key: value,
        "console": outcome.console.iter().map(|line| line.text.as_str()).collect::<Vec<_>>(),
        "calls": outcome.calls.len(),
        "failed_calls": failed.map(|call| call.path.as_str()).collect::<Vec<_>>(),
        "wall_ms": outcome.cost.wall.as_secs_f64() * 1000.0,
    })
}
