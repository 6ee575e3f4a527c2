//! Runs the official MCP conformance suite against a server or a client, prints what came out as Markdown, and fails where it is not the
//! expected.

use std::ffi::OsString;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, ensure};
use clap::Parser as _;
use isolet_conformance::runner::{Baseline, Outcome, Revision, Server, Suite, Target, table};

/// Runs the official MCP conformance suite, which npm installs below `target`
#[derive(clap::Parser)]
enum Arguments {
    /// Install the suite, and nothing else
    Install,
    /// Test a server that is started here and prints its address: `conformance server -- conformance-fixture --http 127.0.0.1:0`
    Server {
        #[command(flatten)]
        options: Options,
        /// Where the MCP server is at that address; by default where it says, or `/mcp`
        #[arg(long)]
        path: Option<String>,
        /// The server's command
        #[arg(last = true, required = true)]
        command: Vec<OsString>,
    },
    /// Test a client, which the suite starts once for each scenario: `conformance client -- conformance-client`
    Client {
        #[command(flatten)]
        options: Options,
        /// The client's command, to which the suite appends an address. No part of it may have a space in it
        #[arg(last = true, required = true)]
        command: Vec<String>,
    },
}

#[derive(clap::Args)]
struct Options {
    /// A revision of the specification whose requirement set is run; by default all
    #[arg(long = "revision", value_name = "DATE")]
    revisions: Vec<Revision>,
    /// A file with what may be bad, and why
    #[arg(long, value_name = "FILE")]
    baseline: Option<PathBuf>,
    /// An empty folder for all that the suite writes; by default it is thrown away
    #[arg(long, value_name = "FOLDER")]
    results: Option<PathBuf>,
}

fn main() -> anyhow::Result<ExitCode> {
    match Arguments::parse() {
        Arguments::Install => Suite::install().map(|_| ExitCode::SUCCESS),
        Arguments::Server { options, path, command } => {
            let server = Server::start(&command, path.as_deref())?;
            run(Target::Server(server.url()), &options)
        }
        Arguments::Client { options, command } => {
            let divided = command.iter().find(|word| word.contains(' '));
            ensure!(
                divided.is_none(),
                "`{}` has a space in it, where the suite would split it",
                divided.map_or("", String::as_str)
            );
            run(Target::Client(&command.join(" ")), &options)
        }
    }
}

/// Runs the sets, prints the table, and says whether all is as expected.
fn run(target: Target<'_>, options: &Options) -> anyhow::Result<ExitCode> {
    let baseline = options.baseline.as_deref().map(Baseline::read).transpose()?.unwrap_or_default();
    let suite = Suite::install()?;
    let thrown_away = tempfile::tempdir()?;
    let results = options.results.as_deref().unwrap_or(thrown_away.path());
    let revisions = if options.revisions.is_empty() { &Revision::ALL[..] } else { &options.revisions };
    let outcomes: Vec<_> =
        revisions.iter().map(|revision| one(&suite, target, *revision, results)).collect::<anyhow::Result<_>>()?;
    write!(std::io::stdout(), "{}", table(&outcomes, &baseline))?;
    let is_expected = outcomes.iter().all(|outcome| baseline.deviations(outcome).is_empty());
    Ok(if is_expected { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn one(suite: &Suite, target: Target<'_>, revision: Revision, results: &Path) -> anyhow::Result<Outcome> {
    let folder = results.join(revision.to_string());
    std::fs::create_dir_all(&folder).with_context(|| format!("`{}` cannot be made", folder.display()))?;
    suite.run(target, revision, &folder)
}
