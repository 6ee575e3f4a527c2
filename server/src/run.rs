//! `isolet run`: one program, run once.

use std::io::Read as _;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context as _;
use isolet::{Config, End, Event, Isolation, Outcome, RunOptions, Runtime};
use serde_json::Value;
use tokio::sync::mpsc;

use crate::command_line::RunCommand;
use crate::fault::Fault;
use crate::servers::{Choice, Servers};
use crate::terminal;

/// Events that may wait to be printed.
const EVENTS_WAITING: usize = 1024;

/// Runs the program, prints what it returned, and tells by the exit code how it ended.
pub(crate) async fn run(command: RunCommand) -> Result<ExitCode, Fault> {
    let mut config = Config::default();
    let source = read_program(&command.program, config.limits.source_bytes_max).map_err(Fault::Usage)?;
    let wall_max = command.wall_max.map(Duration::from_secs);
    config.limits.wall_max = wall_max.unwrap_or(config.limits.wall_max);
    if command.strict {
        config.isolation = Isolation::Strict;
    } else if let Some(tier) = command.isolation {
        config.isolation = tier.isolation();
    }
    let runtime = Runtime::new(config).map_err(Fault::host)?;
    let choice = Choice::of(command.config.as_deref(), &command.servers)?.with_wall_max(wall_max);
    let servers = Servers::ask(choice).await?;
    let (events, mut seen) = mpsc::channel(EVENTS_WAITING);
    let options = RunOptions::default().with(|options| options.events = (!command.json).then_some(events));
    let session = runtime.session(servers.scope.clone(), servers.host.clone());
    let show = async {
        while let Some(event) = seen.recv().await {
            if let Event::Console { line, .. } = event {
                terminal::show(&line.text);
            }
        }
    };
    let (outcome, ()) = tokio::join!(session.run_with(&source, options), show);
    drop(session);
    servers.close().await;
    let outcome = outcome.map_err(Fault::host)?;
    print(&outcome, command.json).map_err(Fault::host)?;
    Ok(exit_code(&outcome.end))
}

/// The text of the program; `-` is standard input. No more is read than what makes a program too long.
pub(crate) fn read_program(path: &Path, bytes_max: usize) -> anyhow::Result<String> {
    let mut bytes = Vec::new();
    let most = bytes_max as u64 + 1;
    let read = if path == Path::new("-") {
        std::io::stdin().lock().take(most).read_to_end(&mut bytes)
    } else {
        std::fs::File::open(path).and_then(|file| file.take(most).read_to_end(&mut bytes))
    };
    read.with_context(|| format!("cannot read the program `{}`", path.display()))?;
    if bytes.len() > bytes_max {
        anyhow::bail!("the program `{}` has more than {bytes_max} bytes: split the work into several programs", path.display());
    }
    String::from_utf8(bytes).map_err(|error| {
        let line = error.as_bytes()[..error.utf8_error().valid_up_to()].iter().filter(|byte| **byte == b'\n').count() + 1;
        anyhow::anyhow!("the program `{}` is not UTF-8 at line {line}: save it as UTF-8", path.display())
    })
}

fn exit_code(end: &End) -> ExitCode {
    ExitCode::from(match end {
        End::Returned(_) => 0,
        End::Threw(_) => 1,
        End::Stopped(_) => 3,
    })
}

/// The value on standard output, a text as it is and all else as JSON; notes and an error on standard error. Or all of it as JSON.
fn print(outcome: &Outcome, as_json: bool) -> std::io::Result<()> {
    if !as_json {
        outcome.notes.iter().for_each(|note| terminal::show(&format!("note: {note}")));
        outcome.authorizations.iter().for_each(|needed| terminal::show(&format!("note: {needed}")));
    }
    match &outcome.end {
        _ if as_json => terminal::print_json(&format!("{:#}", outcome.to_json())),
        End::Returned(Value::String(text)) => terminal::print_returned(text),
        End::Returned(value) => terminal::print_json(&format!("{value:#}")),
        end => {
            terminal::show(&end.to_string());
            Ok(())
        }
    }
}
