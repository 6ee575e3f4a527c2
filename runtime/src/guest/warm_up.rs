//! The programs that a zygote runs before it forks: our own, never a guest's.
//!
//! Functions that ran are compiled and their inline caches filled, and fork inherits both; without it each run costs 0.4 ms
//! more (ENGINE.md §0.3). It must leave nothing behind: no call waiting, no timer, no line said, no socket.

use std::cell::RefCell;
use std::os::unix::net::UnixStream;
use std::rc::Rc;

use isolet_snapshots::door;

use super::channel::Channel;
use super::isolate::Isolate;
use super::outbox::{Outbox, OutboxDoor};
use super::program::Program;
use crate::frame::Start;

/// Touches the paths that most programs take: types, a call of each kind, JSON both ways, errors, dates, console.
const SOURCE: &str = r#"
interface Row { id: number; name: string }
const rows: Row[] = Array.from({ length: 4 }, (_: unknown, id: number) => ({ id, name: `row ${id}` }));
const found = rows.filter((row) => row.id > 1).map((row) => row.name).sort().join(", ");
console.log("warm", rows.length, { found });
const answers = await Promise.all([tools.search("warm", 1), tools.search("up", 1)]);
let failed = "";
try { await tools.describe("a.b"); } catch (error) { failed = `${error.code} ${error.message}`; }
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
    perform(isolate, heap_bytes_max, SOURCE, &[(1, true, "[]"), (2, true, "[]"), (3, false, failure)]);
}

/// Runs a small program to its end.
pub(super) fn rehearse(isolate: &mut Isolate, heap_bytes_max: usize) {
    perform(isolate, heap_bytes_max, REHEARSAL, &[(1, true, r#"[{"path":"a.b"}]"#)]);
}

/// Runs a program, and answers its calls: the number of each, whether it succeeds, its text.
fn perform(isolate: &mut Isolate, heap_bytes_max: usize, source: &str, answers: &[(u32, bool, &str)]) {
    let Ok((here, there)) = UnixStream::pair() else { return };
    let channel = Rc::new(RefCell::new(Channel::new(here)));
    let outbox = Rc::new(RefCell::new(Outbox::new(channel, 1 << 20)));
    door::open(Box::new(OutboxDoor(Rc::clone(&outbox))));
    isolate.begin(&Start {
        heap_bytes_max,
        buffer_bytes_max: usize::MAX,
        data_bytes_max: u64::MAX,
        source_nesting_max: 100,
        argument_bytes_max: 1 << 20,
        result_bytes_max: 1 << 20,
        calls_in_flight_max: 8,
        clock_ms: 1,
        seed: [1, 2, 3, 4],
    });
    if let Ok(program) = Program::new(source, 100) {
        isolate.start(&program.javascript, |position| position);
        isolate.drain_microtasks();
        outbox.borrow_mut().end_turn();
        for (call, succeeded, text) in answers {
            isolate.move_clock(2);
            isolate.settle(*call, *succeeded, text);
            isolate.drain_microtasks();
            isolate.next_timer();
        }
        isolate.say_unhandled_rejections();
        let heap_bytes = isolate.heap_bytes();
        let end = outbox.borrow_mut().end.take();
        if let Some(end) = end {
            outbox.borrow_mut().send_end(end, heap_bytes);
        }
    }
    isolate.forget_rejections();
    door::close(); // and its socket: forks close all that they do not own
    drop(there);
}
