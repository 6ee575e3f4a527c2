//! `isolet doctor`: how programs are isolated on this machine, and what is missing.

use std::fmt::Write as _;
use std::process::ExitCode;
use std::time::Duration;

use isolet::{
    Catalog, Config, End, Grants, Isolation, IsolationReport, IsolationTier, Origin, RunError, Runtime, Scope, StartReport,
    ToolCall, ToolError, ToolHost, ToolReply,
};
use serde_json::{Value, json};

use crate::command_line::DoctorCommand;
use crate::fault::Fault;
use crate::servers::{Choice, ServerReport};
use crate::surroundings::system;
use crate::terminal;

/// The exit code of a machine on which programs run and strict isolation cannot be had.
const EXIT_NOT_STRICT: u8 = 5;

/// Examines the machine and prints what it found.
pub(crate) async fn doctor(command: DoctorCommand) -> Result<ExitCode, Fault> {
    let choice = command.config.as_deref().map(|config| Choice::of(Some(config), &command.servers)).transpose()?;
    let mut examination = Examination::make().await?;
    if let Some(choice) = choice {
        examination.servers = choice.examine().await;
    }
    let printed = match command.json {
        true => terminal::print_json(&format!("{:#}", examination.as_json())),
        false => terminal::print(&examination.as_lines()),
    };
    printed.map_err(Fault::host)?;
    Ok(examination.exit_code())
}

/// What was found.
struct Examination {
    report: IsolationReport,
    /// The run of a program with the default configuration.
    run: Result<Run, String>,
    /// Why strict isolation cannot be had, if it cannot.
    strict: Result<(), String>,
    system: String,
    /// The servers of the configuration, if there is one.
    servers: Vec<ServerReport>,
}

/// A program that ran: where its process came from, and how long it took.
struct Run {
    origin: Origin,
    wall: Duration,
}

impl Examination {
    async fn make() -> Result<Self, Fault> {
        let scope = Catalog::load([("none", Vec::<Value>::new())]).map_err(Fault::host)?;
        let scope = scope.scope(&Grants::new()).map_err(Fault::host)?;
        let runtime = Runtime::new(Config::default()).map_err(Fault::host)?;
        // Where nothing can be forked the program is spawned, and the report says why.
        let _ = runtime.prepare(&scope).await;
        let run = add(&runtime, &scope).await;
        let report = runtime.isolation().await;
        let mut config = Config::default();
        config.isolation = Isolation::Strict;
        let strict = add(&Runtime::new(config).map_err(Fault::host)?, &scope).await.map(drop);
        Ok(Self { report, run, strict, system: system(), servers: Vec::new() })
    }

    fn exit_code(&self) -> ExitCode {
        match (&self.run, &self.strict) {
            (Err(_), _) => ExitCode::from(4),
            (Ok(_), Err(_)) => ExitCode::from(EXIT_NOT_STRICT),
            (Ok(_), Ok(())) => ExitCode::SUCCESS,
        }
    }

    /// How strong the isolation is, and what that means; of a machine that runs nothing there is nothing to say.
    fn tier(&self) -> (&'static str, &'static str) {
        let tier = self.report.tier();
        let meaning = match (&self.run, tier) {
            (Err(_), _) => return ("none", "no program runs here"),
            (Ok(_), IsolationTier::Strict) => "all walls stand",
            (Ok(_), IsolationTier::SystemCalls) => "the list of system calls stands alone, without landlock behind it",
            (Ok(_), _) => "a process with its limits, and not all walls around it",
        };
        (tier.as_str(), meaning)
    }

    fn as_lines(&self) -> String {
        let report = &self.report;
        let start = match &report.start {
            StartReport::Fork => "forked from a zygote".to_owned(),
            StartReport::Spawn(reason) => format!("spawned, each of them: {reason}"),
        };
        let run = match &self.run {
            Ok(run) => format!("works ({}, {:.1} ms)", run.origin.as_str(), run.wall.as_secs_f64() * 1000.0),
            Err(error) => format!("fails: {error}"),
        };
        let strict = match &self.strict {
            Ok(()) => "works".to_owned(),
            Err(missing) => format!("refuses to run: {missing}"),
        };
        let descriptors = report.descriptors_max.map_or_else(|| "no limit".to_owned(), |limit| limit.to_string());
        let processes = report.processes_max.map_or_else(|| "no limit".to_owned(), |limit| limit.to_string());
        let (tier, meaning) = self.tier();
        let there = |is_there| if is_there { "yes" } else { "no" }.to_owned();
        let rows = [
            ("guest processes", start),
            ("a run", run),
            ("tier", format!("{tier}: {meaning}")),
            ("with `--strict`", strict),
            ("no new privileges", there(report.no_new_privileges)),
            ("landlock", there(report.landlock)),
            ("seccomp", there(report.seccomp)),
            ("huge pages", there(report.huge_pages)),
            ("JIT", if report.jit { "on" } else { "off" }.to_owned()),
            ("memory", format!("{} MiB", report.memory_bytes >> 20)),
            ("processes", processes),
            ("descriptors", descriptors),
            ("runs at a time", report.live_runs_max.to_string()),
            ("system", self.system.clone()),
        ];
        let mut text = String::new();
        // Writing to a text cannot fail.
        for (name, value) in rows {
            let _ = writeln!(text, "{name:<18} {value}");
        }
        for missing in &report.missing {
            let _ = writeln!(text, "{:<18} {missing}", "missing");
        }
        for server in &self.servers {
            let said = match &server.tools {
                Ok(count) => format!("{}: {count} tools", server.name),
                Err(error) => format!("{}: {error}", server.name),
            };
            let _ = writeln!(text, "{:<18} {said}", "server");
            for left_out in &server.left_out {
                let _ = writeln!(text, "{:<18} {left_out}", "");
            }
        }
        text
    }

    fn as_json(&self) -> Value {
        let report = &self.report;
        let (start, reason) = match &report.start {
            StartReport::Fork => ("fork", None),
            StartReport::Spawn(reason) => ("spawn", Some(reason)),
        };
        let run = match &self.run {
            Ok(run) => json!({ "works": true, "origin": run.origin.as_str(), "wall_ms": run.wall.as_secs_f64() * 1000.0 }),
            Err(error) => json!({ "works": false, "error": error }),
        };
        let server = |server: &ServerReport| {
            let (tools, error) = (server.tools.as_ref().ok(), server.tools.as_ref().err());
            json!({ "name": server.name, "tools": tools, "error": error, "left_out": server.left_out })
        };
        json!({
            "servers": self.servers.iter().map(server).collect::<Vec<_>>(),
            "start": start,
            "spawn_reason": reason,
            "run": run,
            "tier": self.tier().0,
            "strict": { "works": self.strict.is_ok(), "error": self.strict.as_ref().err() },
            "no_new_privileges": report.no_new_privileges,
            "landlock": report.landlock,
            "seccomp": report.seccomp,
            "missing": report.missing,
            "huge_pages": report.huge_pages,
            "jit": report.jit,
            "descriptors_max": report.descriptors_max,
            "memory_bytes": report.memory_bytes,
            "processes_max": report.processes_max,
            "live_runs_max": report.live_runs_max,
            "system": self.system,
        })
    }
}

async fn add(runtime: &Runtime, scope: &Scope) -> Result<Run, String> {
    let outcome = runtime.session(scope.clone(), NoTools).run("return 1 + 1").await.map_err(text_of)?;
    match outcome.end {
        End::Returned(value) if value == 2 => Ok(Run { origin: outcome.cost.origin, wall: outcome.cost.wall }),
        end => Err(end.to_string()),
    }
}

/// An error with its causes, in one line.
fn text_of(error: RunError) -> String {
    format!("{:#}", anyhow::Error::from(error))
}

/// The program that is run calls nothing.
struct NoTools;

impl ToolHost for NoTools {
    async fn call(&self, _: ToolCall) -> Result<ToolReply, ToolError> {
        Err(ToolError::unknown_tool())
    }
}
