//! Ninja: the compilations themselves, with progress, and with one clear message when one fails.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, BufRead as _, BufReader, IsTerminal as _, Read, Write as _};
use std::process::{Command, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use indicatif::{ProgressBar, ProgressStyle};

use super::pace;
use super::tools::Tools;
use super::work_folder::WorkFolder;
use crate::console::say;

/// The target whose result is the archive.
const TARGET: &str = "rusty_v8";

/// How often a line says how far it is where there is no terminal to draw on.
const LINE_EVERY: Duration = Duration::from_secs(60);

/// What ninja prints before a step's description.
const STATUS: &str = "step ";

/// Runs ninja until the archive is there; what it has done already it does not do again.
///
/// # Errors
///
/// When a compilation fails, is killed, or the disk is full.
pub(crate) fn run(tools: &Tools, folder: &WorkFolder, jobs: usize) -> anyhow::Result<()> {
    let steps = pending(tools, folder)?;
    if steps.is_empty() {
        return Ok(());
    }
    say(format!("V8: {} steps to go, {jobs} at once", steps.len()));
    let log_path = folder.path().join("ninja.log");
    let mut log = File::create(&log_path).with_context(|| format!("`{}` cannot be written", log_path.display()))?;
    let mut child = ninja(tools, folder)?
        .args(["-j", &jobs.to_string(), TARGET])
        .stdin(folder.lock_for_child().context("the lock cannot be handed on")?)
        .stdout(Stdio::piped())
        .spawn()
        .context("`ninja` does not start")?;
    let output = child.stdout.take().context("`ninja` has no output")?;
    let failure = follow(output, &mut log, Progress::new(&steps))?;
    let status = child.wait().context("`ninja` was lost")?;
    if status.success() {
        return Ok(());
    }
    bail!("{} (log: `{}`)", explained(&failure, jobs), log_path.display())
}

fn ninja(tools: &Tools, folder: &WorkFolder) -> anyhow::Result<Command> {
    let mut command = Command::new("ninja");
    command.args(["-C", "out"]).current_dir(folder.source()).env("PATH", tools.path()?).env("NINJA_STATUS", STATUS);
    Ok(command)
}

/// What ninja would do now: the descriptions of its steps.
fn pending(tools: &Tools, folder: &WorkFolder) -> anyhow::Result<Vec<String>> {
    let run = ninja(tools, folder)?.args(["-n", TARGET]).output().context("`ninja` does not start")?;
    let said = String::from_utf8_lossy(&run.stdout);
    if !run.status.success() && is_disk_full(&said) {
        bail!("the disk is full: make room, and call again to go on from there");
    }
    if !run.status.success() {
        bail!(
            "`ninja` cannot read its files ({}): remove `{}`, and call again",
            said.lines().chain(String::from_utf8_lossy(&run.stderr).lines()).last().unwrap_or("no reason given"),
            folder.output().display()
        );
    }
    Ok(said.lines().filter_map(|line| line.strip_prefix(STATUS)).map(str::to_owned).collect())
}

/// Reads ninja's output to its end; gives what it printed from the first failure on, empty if there was none.
fn follow(output: impl Read + Send, log: &mut File, mut progress: Progress) -> anyhow::Result<String> {
    let mut failure = String::new();
    let (sender, lines) = mpsc::channel();
    thread::scope(|scope| {
        // A thread of its own reads, so that a step that takes minutes does not keep the next word from the user.
        scope.spawn(move || BufReader::new(output).split(b'\n').try_for_each(|line| sender.send(line).map_err(drop)));
        loop {
            match lines.recv_timeout(progress.silence_left()) {
                Ok(line) => {
                    let line = line.context("the output of `ninja` cannot be read")?;
                    writeln!(log, "{}", String::from_utf8_lossy(&line))
                        .context("the log of `ninja` cannot be written: see to space on the disk, and call again")?;
                    sort_line(&String::from_utf8_lossy(&line), &mut progress, &mut failure);
                }
                Err(RecvTimeoutError::Timeout) => progress.say_line(),
                Err(RecvTimeoutError::Disconnected) => break,
            }
        }
        progress.finish();
        Ok(failure)
    })
}

/// Gives a line of ninja's output to the progress or to the failure.
fn sort_line(line: &str, progress: &mut Progress, failure: &mut String) {
    match line.strip_prefix(STATUS) {
        Some(step) => progress.done(step.trim_end()),
        None if line.starts_with("ninja: Entering directory") => {}
        None if !failure.is_empty() || line.starts_with("FAILED: ") || line.starts_with("ninja: ") => {
            failure.push_str(line);
            failure.push('\n');
        }
        None => {}
    }
}

/// Whether ninja or a compiler says so.
fn is_disk_full(said: &str) -> bool {
    said.contains("No space left on device") || said.contains("no space left on device")
}

/// What went wrong and what to do, in one line.
fn explained(failure: &str, jobs: usize) -> String {
    let path = failure.lines().find_map(|line| line.strip_prefix("FAILED: ")?.split_whitespace().next());
    let step = path.map_or("a step of the build".to_owned(), |path| format!("`{}`", path.rsplit('/').next().unwrap_or(path)));
    if is_disk_full(failure) {
        return format!("the disk is full (at {step}): make room, and call again to go on from there");
    }
    let reason = failure.lines().find(|line| line.contains("error: "));
    // A compiler that the shell has replaced itself with dies without a word.
    let is_silent = path.is_some() && reason.is_none();
    if is_silent || failure.contains("Killed") || failure.contains("signal 9") || failure.contains("out of memory") {
        return format!(
            "the compiler was killed (at {step}), most likely because memory ran out with {jobs} at once: \
             call again with `--jobs {}` to go on from there",
            (jobs / 2).max(1)
        );
    }
    if failure.contains("interrupted by user") {
        return "interrupted: call again to go on from there".to_owned();
    }
    let reason = reason.map(|line| format!(" ({})", line.trim()));
    format!("{step} does not compile{}", reason.unwrap_or_default())
}

/// How far the build is, and for how long it will go on.
struct Progress {
    bar: ProgressBar,
    weights: HashMap<String, u64>,
    start: Instant,
    last_line: Instant,
}

impl Progress {
    fn new(steps: &[String]) -> Self {
        let weights: HashMap<String, u64> = steps.iter().map(|step| (step.clone(), pace::weight(step))).collect();
        let bar = ProgressBar::new(steps.iter().map(|step| pace::weight(step)).sum());
        let template = "V8: {bar:30} {percent:>3} %, {elapsed} gone, {eta} to go: {msg}";
        bar.set_style(ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar()));
        bar.enable_steady_tick(Duration::from_secs(1));
        let now = Instant::now();
        Self { bar, weights, start: now, last_line: now }
    }

    /// One step was begun or done: ninja prints it when it is done.
    fn done(&mut self, step: &str) {
        self.bar.inc(self.weights.remove(step).unwrap_or(0));
        self.bar
            .set_message(step.split(' ').next_back().and_then(|path| path.split('/').next_back()).unwrap_or(step).to_owned());
    }

    /// How long nothing need be said.
    fn silence_left(&self) -> Duration {
        LINE_EVERY.saturating_sub(self.last_line.elapsed())
    }

    /// Says how far it is, where there is no terminal on which the bar says it.
    fn say_line(&mut self) {
        self.last_line = Instant::now();
        if !io::stderr().is_terminal() {
            say(self.line());
        }
    }

    fn line(&self) -> String {
        let (done, all) = (self.bar.position(), self.bar.length().unwrap_or(0));
        format!(
            "V8: {} % after {}, about {} to go",
            done * 100 / all.max(1),
            pace::minutes(self.start.elapsed()),
            pace::minutes(pace::remaining(self.start.elapsed(), done, all))
        )
    }

    fn finish(&self) {
        self.bar.finish_and_clear();
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test stops where it fails")]

    use super::*;

    /// What is said of a build whose output is `output`.
    fn said(output: &str) -> String {
        let mut log = tempfile::tempfile().unwrap();
        let failure = follow(output.as_bytes(), &mut log, Progress::new(&["CXX obj/v8/a.o".to_owned()])).unwrap();
        explained(&failure, 2)
    }

    #[test]
    fn a_killed_compiler_is_told_apart_and_fewer_are_proposed() {
        let said = said(
            "step CXX obj/v8/b.o\nFAILED: obj/v8/a.o \nclang++ -c a.cc\nKilled\nninja: build stopped: subcommand failed.\n",
        );
        assert!(
            said.starts_with("the compiler was killed (at `a.o`), most likely because memory ran out with 2 at once: "),
            "{said}"
        );
        assert!(said.ends_with("call again with `--jobs 1` to go on from there"), "{said}");
        // Seen with `pkill -KILL clang`.
        let said = self::said("FAILED: obj/v8/a.o \nclang++ -c a.cc\nninja: build stopped: subcommand failed.\n");
        assert!(said.starts_with("the compiler was killed"), "{said}");
        let said = self::said("FAILED: obj/v8/a.o \nclang++: error: unable to execute command: Killed\n");
        assert!(said.starts_with("the compiler was killed"), "{said}");
    }

    #[test]
    fn a_full_disk_is_told_apart() {
        let said = said("FAILED: obj/v8/a.o \nLLVM ERROR: IO failure on output stream: No space left on device\n");
        assert_eq!(said, "the disk is full (at `a.o`): make room, and call again to go on from there");
        let said = self::said("ninja: fatal: writing to the build log: No space left on device\n");
        assert_eq!(said, "the disk is full (at a step of the build): make room, and call again to go on from there");
    }

    #[test]
    fn a_source_that_does_not_compile_is_named_with_the_first_error() {
        let said = said(
            "step CXX obj/v8/b.o\nFAILED: obj/v8/a.o \nclang++ -c a.cc\na.cc:1:2: error: no such type\na.cc:9:9: error: more\n",
        );
        assert_eq!(said, "`a.o` does not compile (a.cc:1:2: error: no such type)");
    }

    #[test]
    fn an_interruption_is_no_failure_of_a_source() {
        assert_eq!(said("ninja: build stopped: interrupted by user.\n"), "interrupted: call again to go on from there");
    }

    #[test]
    fn all_output_goes_to_the_log() {
        let folder = tempfile::tempdir().unwrap();
        let mut log = File::create(folder.path().join("log")).unwrap();
        let output = "ninja: Entering directory `out'\nstep CXX obj/v8/a.o\nwarning: x\nstep CXX obj/v8/b.o\n";
        assert_eq!(follow(output.as_bytes(), &mut log, Progress::new(&[])).unwrap(), "", "nothing failed");
        assert_eq!(std::fs::read_to_string(folder.path().join("log")).unwrap(), output);
    }

    #[test]
    fn a_step_moves_the_bar_by_its_weight_and_only_once() {
        let mut progress = Progress::new(&["CXX obj/v8/a.o".to_owned(), "CXX obj/v8/b.o".to_owned()]);
        for step in ["CXX obj/v8/a.o", "CXX obj/v8/a.o", "CXX obj/v8/unknown.o"] {
            progress.done(step);
        }
        assert_eq!(progress.bar.position() * 2, progress.bar.length().unwrap());
    }
}
