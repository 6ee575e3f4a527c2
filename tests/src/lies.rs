//! What a guest that lies says, and how its run ends: its own run alone.
//!
//! It is this binary, started as [`LIAR_ARGUMENT`] by a script that `Config::executable` names.

use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use isolet::{CallEnd, Config, End, Runtime, Scope, Session, Start, Stop};
use rustix::io::Errno;

use crate::liar::{
    self, ANSWER, BOOT, CALL, FACTS, FORK, FORKED, JAILED, Liar, NO_WALLS, NOT_FORKED, NOTE, READY, REFUSED, SAY, START,
};
use crate::process_table::until;
use crate::shared_runtime::lowered;
use crate::test_tools::{self, TestTools, Upstream};

/// The first argument of a guest that lies.
pub(crate) const LIAR_ARGUMENT: &str = "--liar";
/// The first argument of a zygote that can fork nothing.
pub(crate) const BARREN_ARGUMENT: &str = "--barren-zygote";
/// Begins the program of a liar that sends mutated frames; their seed follows.
pub(crate) const MUTATED: &str = "mutated frames ";
/// How long a liar that says no more is waited for.
pub(crate) const SILENCE: Duration = Duration::from_secs(2);
/// How long what has to happen may take.
const SOON: Duration = Duration::from_secs(10);

/// The end of the name of each lie of a process that has not said which walls stand around it.
const BEFORE_WALLS: &str = "before its walls";

/// The place of `hold.until_told` in the scope of both namespaces.
const HELD: u32 = 0;
/// The place of `test.big` in the scope of both namespaces.
const BIG: u32 = 5;

/// A lie: its name, what the liar does, and how its run has to end: `None` for lost alone.
type Lie = (&'static str, fn(&mut Liar) -> std::io::Result<()>, Option<fn(&End) -> bool>);

/// All lies, and a run that tells none.
const LIES: &[Lie] = &[
    ("honest", |liar| liar.end(0, b"42"), Some(|end| *end == End::Returned(42.into()))),
    ("noise", Liar::noise, None),
    ("an oversize length", |liar| liar.raw(&[0xff, 0xff, 0xff, 0xff, SAY]), None),
    ("an oversize line", |liar| liar.raw(&[0, 0, 0, 0x10, SAY]), None),
    ("an unknown kind", |liar| liar.frame(99, b""), None),
    ("a frame of the host", |liar| liar.frame(ANSWER, &[1, 0, 0, 0, 1, b'1']), None),
    ("a frame of a zygote", |liar| liar.frame(FORKED, &[0; 12]), None),
    ("too short a call", |liar| liar.frame(CALL, &[1, 0, 0]), None),
    ("a line that is no text", |liar| liar.frame(SAY, &[1, 0xff, 0xfe]), None),
    ("call number 0", |liar| liar.call(0, 0, b"{}"), None),
    ("the same call twice", |liar| liar.call(1, 0, b"{}").and_then(|()| liar.call(1, 0, b"{}")), None),
    ("a call too early", |liar| liar.call(2, 0, b"{}"), None),
    ("more calls in flight than allowed", |liar| (1..=129).try_for_each(|id| liar.call(id, HELD, b"{}")), None),
    (
        "more calls than allowed",
        |liar| (1..=1001).try_for_each(|id| liar.call(id, u32::MAX, b"{}").and_then(|()| liar.read(ANSWER).map(drop))),
        Some(|end| matches!(end, End::Stopped(Stop::Calls { .. }))),
    ),
    ("a forged tool", |liar| liar.call_and_return(u32::MAX - 8, b"{}"), Some(|end| has_code(end, "unknown_tool"))),
    ("arguments that are no JSON", |liar| liar.call_and_return(0, b"{\"a\":"), Some(|end| has_code(end, "invalid_arguments"))),
    ("arguments that are no object", |liar| liar.call_and_return(0, b"[1]"), Some(|end| has_code(end, "invalid_arguments"))),
    (
        "arguments nested without end",
        |liar| liar.call_and_return(0, "[".repeat(900_000).as_bytes()),
        Some(|end| has_code(end, "invalid_arguments")),
    ),
    (
        "arguments that are too large",
        |liar| liar.call_and_return(0, format!("\"{}\"", "x".repeat(2 << 20)).as_bytes()),
        Some(|end| has_code(end, "too_large")),
    ),
    (
        "notes that are no words",
        |liar| liar.frame(NOTE, "\u{1b}[2J\u{202e}".repeat(100).as_bytes()).and_then(|()| liar.end(0, b"1")),
        Some(|end| *end == End::Returned(1.into())),
    ),
    ("an oversize note", |liar| liar.frame(NOTE, &[b'x'; 1025]), None),
    ("more notes than there are", |liar| (0..17).try_for_each(|_| liar.frame(NOTE, b"x")), None),
    (
        "facts that say nothing",
        |liar| liar.facts(0).and_then(|()| liar.end(0, b"1")),
        Some(|end| *end == End::Returned(1.into())),
    ),
    // A lie about its own program costs that program.
    (
        "a fact that is not so",
        |liar| liar.facts(1),
        Some(|end| matches!(end, End::Threw(error) if error.message.contains("nowhere"))),
    ),
    ("facts twice", |liar| liar.facts(0).and_then(|()| liar.facts(0)), None),
    ("facts after a call", |liar| liar.call(1, HELD, b"{}").and_then(|()| liar.facts(0)), None),
    ("more facts than a program has", |liar| liar.facts(101), None),
    ("facts that are none", |liar| liar.frame(FACTS, b"{\"line\":1}"), None),
    ("an oversize frame of facts", |liar| liar.frame(FACTS, &[b' '; (32 << 10) + 1]), None),
    ("a result that is no JSON", |liar| liar.end(0, b"{\"a\""), None),
    (
        "a result nested without end",
        |liar| liar.end(0, "[".repeat(900_000).as_bytes()),
        Some(|end| matches!(end, End::Threw(_))),
    ),
    ("a result beyond its limit", |liar| liar.end(0, format!("\"{}\"", "x".repeat((1 << 20) - 1)).as_bytes()), None),
    ("an error that is no JSON", |liar| liar.end(1, b"oh"), None),
    (
        "an error with causes without end",
        |liar| liar.end(1, "{\"name\":\"E\",\"message\":\"\",\"causes\":[".repeat(20_000).as_bytes()),
        None,
    ),
    ("an unknown ending", |liar| liar.end(9, b"1"), None),
    (
        "a place far away",
        |liar| liar.end_at(1, u32::MAX, br#"{"name":"E","message":"m"}"#),
        Some(|end| matches!(end, End::Threw(_))),
    ),
    ("two ends", |liar| liar.end(0, b"1").and_then(|()| liar.end(0, b"2")), Some(|end| *end == End::Returned(1.into()))),
    (
        "calls after the end",
        |liar| liar.end(0, b"1").and_then(|()| liar.call(1, 0, b"{}")),
        Some(|end| *end == End::Returned(1.into())),
    ),
    (
        "lines without end",
        |liar| loop {
            liar.frame(SAY, b"\x01lies")?
        },
        Some(|end| matches!(end, End::Stopped(Stop::Output { .. }))),
    ),
    (
        "empty lines without end",
        |liar| loop {
            liar.frame(SAY, b"\x01")?
        },
        Some(|end| matches!(end, End::Stopped(Stop::Output { .. }))),
    ),
    (
        "silence",
        |_| loop {
            std::thread::park()
        },
        Some(|end| matches!(end, End::Stopped(Stop::Wall { .. }))),
    ),
    (
        "half a frame",
        |liar| {
            liar.raw(&[9, 0, 0]).map(|()| {
                loop {
                    std::thread::park()
                }
            })
        },
        Some(|end| matches!(end, End::Stopped(Stop::Wall { .. }))),
    ),
    (
        "a closed socket",
        |liar| {
            liar.socket.shutdown(std::net::Shutdown::Both).map(|()| {
                loop {
                    std::thread::park()
                }
            })
        },
        None,
    ),
    ("an early exit", |_| Ok(()), None),
    ("walls twice", |liar| liar.frame(JAILED, NO_WALLS).and_then(|()| liar.end(0, b"1")), None),
    ("a refusal behind its walls", |liar| liar.frame(REFUSED, b"no"), None),
    ("a line before its walls", |liar| liar.frame(SAY, b"\x01lies").and_then(|()| liar.end(0, b"1")), None),
    ("a call before its walls", |liar| liar.call_and_return(0, b"{}"), None),
    ("an end before its walls", |liar| liar.end(0, b"1"), None),
];

fn has_code(end: &End, code: &str) -> bool {
    matches!(end, End::Returned(value) if value.get("code").is_some_and(|there| there == code))
}

/// Says that it can fork, and that the system refuses each time.
pub(crate) fn refuse_forks() -> anyhow::Result<()> {
    let mut zygote = Liar::of_host();
    zygote.read(BOOT)?;
    zygote.frame(READY, NO_WALLS)?;
    loop {
        let (_, run) = zygote.read(FORK)?;
        // What was refused is `fork`.
        zygote.frame(NOT_FORKED, &[&run[..], &[1], &Errno::AGAIN.raw_os_error().to_le_bytes()].concat())?;
    }
}

/// Lies as the program that it is given says.
pub(crate) fn lie() -> anyhow::Result<()> {
    let mut lying = Liar::of_host();
    let (_, start) = lying.read(START)?;
    let start = String::from_utf8_lossy(&start);
    if !start.ends_with(BEFORE_WALLS) {
        lying.frame(JAILED, NO_WALLS)?;
    }
    if let Some((_, seed)) = start.rsplit_once(MUTATED) {
        // The host hangs up in the middle.
        let _ = lying.raw(&liar::mutated(seed.parse()?));
        return Ok(());
    }
    if start.ends_with("does not read") {
        for id in 1..=1000 {
            // `test.big` of 4 MB, again and again, and no answer is read.
            lying.call(id, BIG, br#"{"bytes":4000000}"#)?;
        }
        loop {
            std::thread::park();
        }
    }
    let lie = LIES.iter().find(|(name, ..)| start.ends_with(name)).context("no such lie")?;
    // The host may be faster to hang up.
    let _ = lie.1(&mut lying);
    Ok(())
}

/// A script that starts this binary as something else: `Config::executable` is a path and nothing more.
pub(crate) fn executable(place: &tempfile::TempDir, script: &str) -> anyhow::Result<PathBuf> {
    let path = place.path().join("guest");
    let this = std::env::current_exe()?;
    let mut file = std::fs::File::create(&path)?;
    write!(file, "#!/bin/sh\n{}\n", script.replace("THIS", &format!("'{}'", this.display())))?;
    file.set_permissions(std::fs::Permissions::from_mode(0o755))?;
    Ok(path)
}

pub(crate) fn liars(place: &tempfile::TempDir, scope: Scope, upstream: &Arc<Upstream>) -> anyhow::Result<Session> {
    let mut config = Config::default();
    config.start = Start::Spawn;
    config.executable = Some(executable(place, &format!("exec THIS {LIAR_ARGUMENT}"))?);
    Ok(Runtime::new(config)?.session(scope, TestTools(Arc::clone(upstream))))
}

pub(crate) async fn forged_frames() -> anyhow::Result<()> {
    let (place, scopes) = (tempfile::tempdir()?, test_tools::scopes()?);
    let upstream = Upstream::new("liar");
    let lying = liars(&place, scopes.both.clone(), &upstream)?;
    for (index, path) in [(HELD, "hold.until_told"), (BIG, "test.big")] {
        ensure!(
            scopes.both.find(path).is_some_and(|tool| tool.index() == index),
            "{:?}",
            scopes.both.tools().iter().map(|tool| tool.path()).collect::<Vec<_>>()
        );
    }
    let runtime = Runtime::new(Config::default())?;
    let honest = runtime.session(scopes.both, TestTools(Upstream::new("honest")));
    let mut wrong = Vec::new();
    for (name, _, expected) in LIES {
        // Only a liar that says no more is to meet its wall: a busy machine may take long to write a thousand calls.
        let silent = expected.is_some_and(|expected| expected(&End::Stopped(Stop::Wall { limit: SILENCE, pending: 0 })));
        // All benign runs meanwhile are right; none of them waits for the liar.
        let lie = lying.run_with(name, lowered(|limits| limits.wall_max = silent.then_some(SILENCE)));
        tokio::pin!(lie);
        let outcome = loop {
            let benign = honest.run("return (await test.echo({ value: 'benign' })).value");
            tokio::select! {
                outcome = &mut lie => break outcome,
                benign = benign => ensure!(benign?.end == End::Returned("benign".into()), "beside {name}"),
            }
        };
        let right = match &outcome {
            Ok(outcome) => {
                expected.map_or(matches!(outcome.end, End::Stopped(Stop::GuestLost { .. })), |expected| expected(&outcome.end))
            }
            Err(_) => false,
        };
        if !right {
            let end: String = outcome
                .map_or_else(|error| format!("{error:?}"), |outcome| format!("{:?}", outcome.end))
                .chars()
                .take(200)
                .collect();
            wrong.push(format!("{name}: {end}"));
        }
    }
    ensure!(wrong.is_empty(), "{}", wrong.join("\n"));
    let outcome = lying.run("notes that are no words").await?;
    let shown = |note: &String| note.chars().count() <= 503 && note.chars().all(isolet::visible::is_visible);
    ensure!(outcome.notes.len() == 1 && outcome.notes.iter().all(shown), "what is no word in a note: {:?}", outcome.notes);
    let outcome = lying.run("a forged tool").await?;
    ensure!(outcome.calls.len() == 1 && outcome.calls[0].path == "?", "the record of a forged call: {:?}", outcome.calls);
    ensure!(
        matches!(outcome.calls[0].end, CallEnd::Failed(isolet::ToolErrorCode::UnknownTool)),
        "the record of a forged call: {:?}",
        outcome.calls
    );
    ensure!(until(SOON, || upstream.running() == 0).await, "calls of liars go on");
    Ok(())
}

/// Answers that are not read stay in the host: while a megabyte does, no further call is taken.
pub(crate) async fn deaf_guest() -> anyhow::Result<()> {
    let (place, scopes) = (tempfile::tempdir()?, test_tools::scopes()?);
    let upstream = Upstream::new("liar");
    let session = liars(&place, scopes.both, &upstream)?;
    let outcome = session.run_with("does not read", lowered(|limits| limits.wall_max = Some(SILENCE))).await?;
    let received = upstream.take_received();
    ensure!(received.iter().all(|(tool, _)| tool == "big") && !received.is_empty(), "calls: {received:?}");
    // One answer is larger than what may wait.
    ensure!(received.len() == 1, "{} calls were made for a guest that reads no answer", received.len());
    ensure!(matches!(outcome.end, End::Stopped(Stop::Wall { .. })), "{}", outcome.end);
    Ok(())
}
