//! `isolet snapshot`: scope snapshots on disk, made ahead, listed, checked, removed.

use std::process::ExitCode;
use std::time::{Duration, Instant, SystemTime};

use anyhow::anyhow;
use isolet::{Config, Jit, Runtime, SnapshotFile, SnapshotFolder, SnapshotVerdict, Start, with_causes};
use serde_json::json;

use crate::command_line::{BuildArguments, ClearArguments, FolderArguments, ListArguments, SnapshotCommand};
use crate::fault::Fault;
use crate::servers::Servers;
use crate::terminal;

/// Does one of the four.
pub(crate) async fn snapshot(command: SnapshotCommand) -> Result<ExitCode, Fault> {
    match command {
        SnapshotCommand::Build(arguments) => build(arguments).await,
        SnapshotCommand::List(arguments) => list(&arguments),
        SnapshotCommand::Verify(arguments) => verify(&arguments),
        SnapshotCommand::Clear(arguments) => clear(&arguments),
    }
}

/// Makes the snapshot of what the servers offer, unless it is there.
async fn build(arguments: BuildArguments) -> Result<ExitCode, Fault> {
    let mut config = Config::default();
    config.start = Start::Spawn;
    config.snapshot_folder = Some(folder(&arguments.folder));
    config.jit = if arguments.jit { Jit::On } else { Jit::Off };
    // First: a folder that cannot be used is said before servers are started.
    let runtime = Runtime::new(config).map_err(Fault::usage)?;
    let servers = Servers::open(arguments.config.as_deref(), &arguments.servers).await?;
    let scope = servers.scope.clone();
    servers.close().await;
    let started = Instant::now();
    runtime.prepare(&scope).await.map_err(Fault::host)?;
    let metrics = runtime.metrics();
    if metrics.snapshots_unsaved > 0 {
        return Err(Fault::Host(anyhow!("the snapshot was made and could not be stored")));
    }
    let how = if metrics.snapshots_loaded > 0 { "already there" } else { "made" };
    let (bytes, tools) = (metrics.snapshot_bytes, scope.tools().len());
    let line = format!("{how}: {bytes} bytes for {tools} tools, {} ms", started.elapsed().as_millis());
    terminal::print(&format!("{line}\n")).map_err(Fault::host)?;
    Ok(ExitCode::SUCCESS)
}

fn list(arguments: &ListArguments) -> Result<ExitCode, Fault> {
    let files = folder(&arguments.folder).list().map_err(Fault::usage)?;
    let printed = if arguments.json {
        terminal::print_json(as_json(&files).trim_end())
    } else {
        terminal::print(&files.iter().map(as_line).collect::<String>())
    };
    printed.map_err(Fault::host)?;
    Ok(ExitCode::SUCCESS)
}

/// Says which files would not be used; 1 if there is one.
fn verify(arguments: &FolderArguments) -> Result<ExitCode, Fault> {
    let files = folder(arguments).list().map_err(Fault::usage)?;
    let (refused, others): (Vec<_>, Vec<_>) =
        files.iter().partition(|file| matches!(file.verdict, SnapshotVerdict::Refused(_)));
    let mut text: String = refused.iter().map(|file| as_line(file)).collect();
    text += &format!("{} verified, {} refused\n", others.len(), refused.len());
    terminal::print(&text).map_err(Fault::host)?;
    Ok(ExitCode::from(u8::from(!refused.is_empty())))
}

fn clear(arguments: &ClearArguments) -> Result<ExitCode, Fault> {
    let folder = folder(&arguments.folder);
    let mut files = folder.list().map_err(Fault::usage)?;
    if arguments.unusable {
        files.retain(|file| !matches!(file.verdict, SnapshotVerdict::Usable(_)));
    }
    let removed = folder.remove(&files).map_err(Fault::host)?;
    terminal::print(&format!("{removed} removed\n")).map_err(Fault::host)?;
    Ok(ExitCode::SUCCESS)
}

fn folder(arguments: &FolderArguments) -> SnapshotFolder {
    SnapshotFolder::new(&arguments.folder, &arguments.key)
}

/// The beginning of its name, length, time since its last use, and what of it.
fn as_line(file: &SnapshotFile) -> String {
    let name: String = file.name.chars().take(12).collect();
    let verdict = match &file.verdict {
        SnapshotVerdict::Usable(contents) => contents.clone(),
        SnapshotVerdict::OfAnotherBuild(contents) => format!("of another build: {contents}"),
        SnapshotVerdict::Refused(mismatch) => format!("refused: {}", with_causes(mismatch)),
    };
    format!("{}  {:>9} bytes  {:>5}  {}\n", name, file.bytes, age(file.used), verdict)
}

fn as_json(files: &[SnapshotFile]) -> String {
    let file = |file: &SnapshotFile| {
        let (verdict, text) = match &file.verdict {
            SnapshotVerdict::Usable(contents) => ("usable", contents.clone()),
            SnapshotVerdict::OfAnotherBuild(contents) => ("of_another_build", contents.clone()),
            SnapshotVerdict::Refused(mismatch) => ("refused", with_causes(mismatch)),
        };
        let used = file.used.duration_since(SystemTime::UNIX_EPOCH).map_or(0, |used| used.as_secs());
        json!({"name": file.name, "bytes": file.bytes, "used": used, "verdict": verdict, "text": text})
    };
    format!("{:#}\n", serde_json::Value::Array(files.iter().map(file).collect()))
}

/// How long ago, in the largest unit that it is at least two of.
fn age(then: SystemTime) -> String {
    let seconds = SystemTime::now().duration_since(then).unwrap_or(Duration::ZERO).as_secs();
    let units = [("d", 86_400), ("h", 3600), ("min", 60)];
    let unit = units.into_iter().find(|(_, length)| seconds >= 2 * length);
    unit.map_or_else(|| format!("{seconds} s"), |(name, length)| format!("{} {name}", seconds / length))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(seconds: u64, expected: &str) {
        assert_eq!(age(SystemTime::now() - Duration::from_secs(seconds)), expected);
    }

    #[test]
    fn an_age_has_the_largest_unit_that_it_is_two_of() {
        check(119, "119 s");
        check(121, "2 min");
        check(3 * 3600 + 1, "3 h");
        check(50 * 86_400 + 1, "50 d");
    }

    #[test]
    fn a_time_to_come_is_no_age() {
        assert_eq!(age(SystemTime::now() + Duration::from_secs(1000)), "0 s");
    }
}
