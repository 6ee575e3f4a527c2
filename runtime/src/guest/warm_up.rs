//! The programs that a zygote runs before it forks: our own, never a guest's.
//!
//! Functions that ran are compiled and their inline caches filled, and fork inherits both; without it each run costs 0.4 ms
//! more (ENGINE.md §0.3). It must leave nothing behind: no call waiting, no timer, no line said, no socket.

use std::io::Write as _;
use std::os::unix::net::UnixStream;

use isolet_snapshots::door;

use super::channel::Channel;
use super::isolate::Isolate;
use super::run;
use crate::contract::codec::Encode as _;
use crate::contract::run::{RunStart, ToRun};

/// Touches the paths that most programs take: types, a call of each kind, JSON both ways, errors, dates, console.
const SOURCE: &str = r#"
interface Row { id: number; name: string }
const rows: Row[] = Array.from({ length: 4 }, (_: unknown, id: number) => ({ id, name: `row ${id}` }));
const found = rows.filter((row) => row.id > 1).map((row) => row.name).sort().join(", ");
console.log("warm", rows.length, { found });
const failing = async () => {
  try { return await tools.describe("a.b"); } catch (error) { return `${error.code} ${error.message}`; }
};
const [failed, ...answers] = await Promise.all([failing(), tools.search("warm", 1), tools.search("up", 1)]);
const text = JSON.stringify({ answers, failed, now: new Date().toISOString(), random: Math.random() >= 0 });
return { text: JSON.parse(text), sum: rows.reduce((sum, row) => sum + row.id, 0) };
"#;

/// What most programs do and little more: from it a zygote learns which pages runs write to.
const REHEARSAL: &str = r#"
const found: { path: string }[] = await tools.search("warm", 1);
console.log(`found ${found.length}`);
return found.map((hit) => hit.path);
"#;

/// Runs the warm-up once in `isolate`, with answers of our own.
pub(super) fn warm_up(isolate: &mut Isolate, heap_bytes_max: usize) {
    let failure = r#"{"code":"unknown_tool","message":"warm","retryable":false}"#;
    perform(isolate, heap_bytes_max, SOURCE, &[(false, failure), (true, "[]"), (true, "[]")]);
}

/// Runs a small program to its end.
pub(super) fn rehearse(isolate: &mut Isolate, heap_bytes_max: usize) {
    perform(isolate, heap_bytes_max, REHEARSAL, &[(true, r#"[{"path":"a.b"}]"#)]);
}

/// Runs a program as that of a guest is run. `answers`: to the calls of its first turn, whether they succeed and their text.
fn perform(isolate: &mut Isolate, heap_bytes_max: usize, source: &str, answers: &[(bool, &str)]) {
    let start = RunStart {
        heap_bytes_max,
        buffer_bytes_max: usize::MAX,
        data_bytes_max: u64::MAX,
        source_nesting_max: 100,
        argument_bytes_max: 1 << 20,
        result_bytes_max: 1 << 20,
        calls_in_flight_max: 8,
        keeps_content: false,
        drain_ms_max: 1_000,
        wall_ms_max: 1_000,
        clock_ms: 1,
        seed: [1, 2, 3, 4],
        cpu_seconds_max: u64::MAX,
    };
    let mut frames = Vec::new();
    ToRun::Start { start, source: source.to_owned() }.encode(&mut frames);
    for (call, (succeeded, text)) in (1..).zip(answers) {
        ToRun::answer(call, *succeeded, text, &mut frames);
    }
    let Ok((here, mut host)) = UnixStream::pair() else { return };
    // A socket has room for this, and for what the program says: nobody reads it.
    if host.write_all(&frames).is_ok() {
        run::perform(isolate, Channel::new(here));
    }
    isolate.forget_rejections();
    door::close(); // and its socket: forks close all that they do not own
}
