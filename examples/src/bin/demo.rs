//! Two users of one backend: Ada is an admin, Bob a viewer. Each gets the TypeScript of their own tools, and a program runs for
//! each in a process of its own; then what the same tools cost as a list.
#![expect(clippy::print_stdout, reason = "the demo shows what it does")]

use std::sync::Arc;
use std::time::{Duration, Instant};

use isolet::{Catalog, Config, Grants, Outcome, Runtime, Session};
use isolet_examples::tracker::{Role, Tracker};
use isolet_examples::tracker_host::TrackerHost;

const REPORT: &str = include_str!("../../programs/workload-balance.ts");
const ADMIN_ONLY: &str = "return await tracker.delete_issue({ key: 'APP-1' })";
const NOT_THERE: &str = "return await tracker.no_such_tool({ key: 'APP-1' })";

/// What one user's request took, for the table at the end.
struct Row {
    user: &'static str,
    run: Duration,
    calls: usize,
    types_bytes: usize,
    list_bytes: usize,
    answer_bytes: usize,
    replies_bytes: usize,
}

fn main() -> anyhow::Result<()> {
    isolet::init();
    tokio::runtime::Runtime::new()?.block_on(demo())
}

async fn demo() -> anyhow::Result<()> {
    let tracker = Arc::new(Tracker::new());
    let runtime = Runtime::new(Config::default())?;
    let catalog = Catalog::load([("tracker", Tracker::definitions())])?;
    let mut rows = Vec::new();
    for (user, role) in [("ada", Role::Admin), ("bob", Role::Viewer)] {
        let scope = catalog.scope(&grants_of(role))?;
        let list_bytes = scope.tools().iter().map(|tool| tool.definition().raw().to_string().len()).sum();
        runtime.prepare(&scope).await?;
        let session = runtime.session(scope, TrackerHost::new(Arc::clone(&tracker), user));
        rows.push(show(user, &session, list_bytes).await?);
    }
    print_table(&rows);
    Ok(())
}

/// What a role may call: everything but the tools of higher roles.
fn grants_of(role: Role) -> Grants {
    let definitions = Tracker::definitions();
    let names = definitions.iter().filter_map(|tool| tool.get("name").and_then(serde_json::Value::as_str));
    let denied = names.filter(|name| Tracker::needed_role(name).is_some_and(|needed| needed > role));
    denied.fold(Grants::new().allow("tracker.*"), |grants, name| grants.deny(format!("tracker.{name}")))
}

async fn show(user: &'static str, session: &Session, list_bytes: usize) -> anyhow::Result<Row> {
    let types = session.typescript();
    println!("== {user}: {} tools, the first lines of the TypeScript that the model sees", session.scope().tools().len());
    for line in types.lines().take(12) {
        println!("   {line}");
    }
    println!("   … {} bytes in all\n\n== {user}'s program\n{REPORT}\n== {user}'s outcome", types.len());
    let started = Instant::now();
    let outcome = session.run(REPORT).await?;
    let run = started.elapsed();
    print_outcome(&outcome);
    for program in [ADMIN_ONLY, NOT_THERE] {
        println!("\n== {user} tries: {program}\n{}", session.run(program).await?.end);
    }
    println!();
    Ok(Row {
        user,
        run,
        calls: outcome.calls.len(),
        types_bytes: types.len(),
        list_bytes,
        answer_bytes: outcome.end.to_string().len(),
        replies_bytes: outcome.calls.iter().map(|call| call.reply_bytes).sum(),
    })
}

fn print_outcome(outcome: &Outcome) {
    for line in &outcome.console {
        println!("{}: {}", line.level.as_str(), line.text);
    }
    println!("{}", outcome.end);
    for call in &outcome.calls {
        println!("   {} at line {}: {:?}, {} bytes in {:?}", call.path, call.line, call.end, call.reply_bytes, call.duration);
    }
}

/// The same work both ways: as code, the model reads types and one answer; as a list, definitions and every reply.
fn print_table(rows: &[Row]) {
    println!("user | run in | calls | round trips of the model, code / list | bytes into its context, code / list");
    for row in rows {
        let code = row.types_bytes + REPORT.len() + row.answer_bytes;
        let list = row.list_bytes + row.replies_bytes;
        println!("{:<4} | {:>6.1?} | {:>5} | {:>4} / {:<4} | {code:>7} / {list}", row.user, row.run, row.calls, 1, row.calls);
    }
}
