//! `POST /v1/run`: one program, one outcome. A program that throws or is stopped is an answer like any other: the model reads why.
//!
//! Whoever goes away before the outcome ends the run.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Extension, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use isolet::{Event, Outcome, Principal, RunError, RunOptions, Session};
use serde::Deserialize;
use tokio::sync::mpsc;
use tokio::task::JoinError;
use tokio_util::task::AbortOnDropHandle;

use crate::answers::{self, ENDING};
use crate::ending::Ending;
use crate::events;
use crate::shared::Shared;

/// Events that wait for a slow client; it misses those beyond, and finds them in the outcome.
const EVENTS_WAITING: usize = 1024;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Program {
    code: String,
    /// The program's time on the wall, less than what its session has.
    wall_ms_max: Option<u64>,
}

/// A run in a task of its own: it goes on however slowly its client reads, and ends when this is dropped.
type Running = AbortOnDropHandle<Result<Outcome, RunError>>;

/// Why there is no outcome: status, code and words.
type NoOutcome = (StatusCode, &'static str, String);

/// Answers with the outcome, or with a stream of what happens.
pub(crate) async fn run(
    State(shared): State<Arc<Shared>>,
    Extension(principal): Extension<Principal>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let program: Program = match serde_json::from_slice(&body) {
        Ok(program) => program,
        Err(error) => {
            let message = format!("the body is not `{{\"code\": \"...\"}}`: {error}");
            return answers::refused(StatusCode::BAD_REQUEST, "invalid_request", &message);
        }
    };
    let session = match shared.session(&principal).await {
        Ok(session) => session,
        Err(none) => return none.into_response(),
    };
    let mut options = RunOptions::default();
    options.limits.wall_max = program.wall_ms_max.map(Duration::from_millis);
    let wall_max = session.limits().wall_max;
    if options.limits.wall_max.is_some_and(|asked| asked > wall_max) {
        let message = format!("`wall_ms_max` is beyond the maximum: it can be up to {}", wall_max.as_millis());
        return answers::refused(StatusCode::BAD_REQUEST, "invalid_request", &message);
    }
    let ending = shared.options.ending.clone();
    if events::are_accepted(headers.get(header::ACCEPT)) {
        let (sender, seen) = mpsc::channel(EVENTS_WAITING);
        options.events = Some(sender);
        let streamed = Streamed { running: running(session, program.code, options), seen, ending, last: None, is_over: false };
        return events::response(futures::stream::unfold(streamed, next), shared.options.heartbeat);
    }
    tokio::select! {
        biased;
        ended = running(session, program.code, options) => match outcome_of(ended) {
            Ok(outcome) => Json(outcome.to_json()).into_response(),
            Err((status, code, message)) => {
                let is_later = status == StatusCode::SERVICE_UNAVAILABLE;
                let answer = if is_later { answers::later } else { answers::refused };
                answer(status, code, &message)
            }
        },
        () = ending.is_cut() => answers::later(StatusCode::SERVICE_UNAVAILABLE, "ending", ENDING),
    }
}

/// The run, which has its session: dropping it ends both.
fn running(session: Session, code: String, options: RunOptions) -> Running {
    AbortOnDropHandle::new(tokio::spawn(async move { session.run_with(&code, options).await }))
}

fn outcome_of(ended: Result<Result<Outcome, RunError>, JoinError>) -> Result<Outcome, NoOutcome> {
    match ended {
        Ok(Ok(outcome)) => Ok(outcome),
        Ok(Err(failure)) => Err(answers::failed_run(&failure)),
        Err(lost) => {
            tracing::error!(error = %lost, "the task of a run was lost");
            Err((StatusCode::INTERNAL_SERVER_ERROR, "internal", "the program could not be run: try again".to_owned()))
        }
    }
}

/// A run that is told as it happens.
struct Streamed {
    running: Running,
    seen: mpsc::Receiver<Event>,
    ending: Ending,
    /// The last event, when the run has ended.
    last: Option<String>,
    /// The run has ended, or was cut off.
    is_over: bool,
}

/// The next event: what has happened, then the outcome, then none.
async fn next(mut run: Streamed) -> Option<(String, Streamed)> {
    loop {
        tokio::select! {
            biased;
            Some(event) = run.seen.recv() => {
                return Some((events::named(event.as_str(), &event.to_json()), run));
            }
            ended = &mut run.running, if !run.is_over => {
                run.is_over = true;
                run.last = Some(match outcome_of(ended) {
                    Ok(outcome) => events::named("outcome", &outcome.to_json()),
                    Err((_, code, message)) => events::named("error", &answers::error(code, &message)),
                });
            }
            () = run.ending.is_cut(), if !run.is_over => {
                run.is_over = true;
                // Nothing more is heard of it.
                run.seen.close();
                run.last = Some(events::named("error", &answers::error("ending", ENDING)));
            }
            else => return run.last.take().map(|last| (last, run)),
        }
    }
}
