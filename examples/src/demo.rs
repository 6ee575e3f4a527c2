//! Two users of one backend ask the same question. Ada is an admin, Bob a viewer: each gets the TypeScript of their own tools, and
//! a program runs for each in a process of its own. Then the same calls are made the classic way, over MCP, and both are compared.
#![expect(clippy::print_stdout, reason = "the demo shows what it does")]

mod classic;

use std::sync::Arc;
use std::time::{Duration, Instant};

use isolet::{Catalog, Config, Outcome, Runtime, Session};
use isolet_comparison::{Recording, RecordingHost};

use self::classic::Classic;
use crate::tracker::{Role, Tracker};
use crate::tracker_host::{TrackerHost, grants_of};

const QUESTION: &str = "Who has too much to do, who has room, and which issues could move?";
/// What the model writes for it.
const PROGRAM: &str = include_str!("../programs/workload-balance.ts");
/// Who tries what at the end: a tool of admins, and one that nobody has.
const ATTEMPTS: [(&str, &str); 3] = [
    ("bob", "return await tracker.delete_issue({ issue: 'APP-1' })"),
    ("bob", "return await tracker.no_such_tool({ issue: 'APP-1' })"),
    ("ada", "return await tracker.delete_issue({ issue: 'APP-1' })"),
];
/// Lines of the TypeScript that are shown.
const TYPES_LINES: usize = 12;

/// What the work took in one of the two ways: a column of the table.
struct Work {
    /// Until the first call could be made.
    start: Duration,
    /// The whole work, without its start.
    work: Duration,
    calls: usize,
    /// How often the model is asked to go on.
    round_trips: usize,
    /// What the model has to read and to write.
    context_bytes: usize,
}

/// One user's session, and the calls that were made in it.
struct User {
    name: &'static str,
    session: Session,
    calls: Recording,
}

/// Runs the demonstration, and prints it.
///
/// # Errors
///
/// When guest processes cannot be started here.
pub async fn demo() -> anyhow::Result<()> {
    let tracker = Arc::new(Tracker::new());
    let runtime = Runtime::new(Config::default())?;
    let catalog = Catalog::load([("tracker", Tracker::definitions())])?;
    let mut users = Vec::new();
    for (name, role) in [("ada", Role::Admin), ("bob", Role::Viewer)] {
        let scope = catalog.scope(&grants_of(role))?;
        runtime.prepare(&scope).await?;
        let calls = Recording::default();
        let host = RecordingHost::new(TrackerHost::new(Arc::clone(&tracker), name), calls.clone());
        users.push(User { name, session: runtime.session(scope, host), calls });
    }
    println!("Ada and Bob ask: {QUESTION}\n\n== the program that the model writes\n{PROGRAM}");
    let mut columns = Vec::new();
    for user in &users {
        show_types(user);
        let code = as_code(user).await?;
        let list = as_list(user, &tracker).await?;
        columns.extend([(format!("{}, code", user.name), code), (format!("{}, list", user.name), list)]);
    }
    for (name, program) in ATTEMPTS {
        for user in users.iter().filter(|user| user.name == name) {
            println!("== {name} tries: {program}\n{}\n", user.session.run(program).await?.end);
        }
    }
    print_table(&columns);
    Ok(())
}

fn show_types(user: &User) {
    let types = user.session.typescript();
    println!("== {}: {} tools; the TypeScript that the model sees begins", user.name, user.session.scope().tools().len());
    for line in types.lines().take(TYPES_LINES) {
        println!("   {line}");
    }
    println!("   … {} bytes in all\n", types.len());
}

/// The work as one program: the model reads types and an answer, and writes the program.
async fn as_code(user: &User) -> anyhow::Result<Work> {
    let started = Instant::now();
    user.session.run("").await?;
    let start = started.elapsed();
    let outcome = user.session.run(PROGRAM).await?;
    show_outcome(user.name, &outcome);
    Ok(Work {
        start,
        work: outcome.cost.wall,
        calls: outcome.calls.len(),
        round_trips: 1,
        context_bytes: user.session.typescript().len() + PROGRAM.len() + outcome.end.to_string().len(),
    })
}

fn show_outcome(name: &str, outcome: &Outcome) {
    println!("== {name}: the outcome");
    for line in &outcome.console {
        println!("{}: {}", line.level.as_str(), line.text);
    }
    println!("{}", outcome.end);
    for call in &outcome.calls {
        println!("   {} at line {}: {:?}, {} bytes in {:?}", call.path, call.line, call.end, call.reply_bytes, call.duration);
    }
    println!();
}

/// The same calls the classic way, over MCP: the model reads all definitions and every result, and writes every call.
async fn as_list(user: &User, tracker: &Arc<Tracker>) -> anyhow::Result<Work> {
    let started = Instant::now();
    let mut classic = Classic::open(Arc::clone(tracker), user.name).await?;
    let start = started.elapsed();
    let calls = user.calls.calls();
    let count = calls.len();
    let started = Instant::now();
    for call in calls {
        classic.call(call.tool, call.arguments).await?;
    }
    let work = started.elapsed();
    Ok(Work { start, work, calls: count, round_trips: count, context_bytes: classic.close().await? })
}

fn print_table(columns: &[(String, Work)]) {
    println!("{:<28}{}", "", columns.iter().map(|(title, _)| format!("{title:>12}")).collect::<String>());
    print_row("start-up", columns, |work| milliseconds(work.start));
    print_row("the work", columns, |work| milliseconds(work.work));
    print_row("tool calls", columns, |work| work.calls.to_string());
    print_row("round trips of the model", columns, |work| work.round_trips.to_string());
    print_row("bytes in the model's context", columns, |work| work.context_bytes.to_string());
    println!(
        "\ncode: a process for each program, started ahead; the context has types, program and answer. list: the tracker's own MCP server, made\n\
         for the user, in memory; the context has `tools/list`, calls and the content of results as they crossed the wire, one call a round\n\
         trip. Times are those of this build, without the model's own."
    );
}

fn print_row(title: &str, columns: &[(String, Work)], value: impl Fn(&Work) -> String) {
    println!("{title:<28}{}", columns.iter().map(|(_, work)| format!("{:>12}", value(work))).collect::<String>());
}

fn milliseconds(duration: Duration) -> String {
    format!("{:.1} ms", duration.as_secs_f64() * 1000.0)
}
