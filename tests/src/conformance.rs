//! The official MCP conformance suite against `isolet serve`: its classic face, behind which is a server that passes all of it by itself. What a gateway does
//! not do is in `tests/conformance.json`, each with its reason.
//!
//!   cargo xtask conformance

use std::ffi::OsString;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use isolet_conformance::fixture::{Fixture, router};
use isolet_conformance::runner::{Baseline, Outcome, Revision, Role, Server, Suite, Target, table};
use libtest_mimic::Trial;
use rmcp::ServiceExt as _;
use rmcp::transport::stdio;
use serde_json::Value;

use crate::{program, required};

/// The argument by which this executable becomes the server behind the gateway, over standard input and output or, with `--http`, by itself.
pub(crate) const FIXTURE_ARGUMENT: &str = "conformance-fixture";

/// The argument by which it runs the whole suite, and prints what came out.
pub(crate) const RUN_ARGUMENT: &str = "conformance";

/// The suite gives a request up after 10 s: a scenario that takes as long has waited for something that did not come.
const SCENARIO_MAX: Duration = Duration::from_secs(10);

/// What is missing, and the way out.
const MISSING: &str = "needs the conformance suite: `cargo xtask test --node-packages`";

/// Becomes the server.
pub(crate) fn fixture(arguments: &[String]) -> Result<()> {
    tokio::runtime::Runtime::new()?.block_on(async {
        let fixture = Fixture::new()?;
        if arguments.first().is_some_and(|argument| argument == "--http") {
            let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
            writeln!(std::io::stdout(), "http://{}/mcp", listener.local_addr()?)?;
            axum::serve(listener, router(fixture)).await?;
        } else {
            fixture.serve(stdio()).await?.waiting().await?;
        }
        Ok(())
    })
}

/// Runs all sets against the server by itself and through `isolet serve`, and prints both tables.
pub(crate) fn run(_: &[String]) -> Result<()> {
    let suite = Suite::install()?;
    let results = tempfile::tempdir()?;
    let mut is_expected = true;
    for (name, is_direct, baseline) in [("Direct", true, Baseline::default()), ("Isolet", false, baseline()?)] {
        let one = |revision: Revision| -> Result<Outcome> {
            let gateway = if is_direct { None } else { Some(Gateway::new(revision)?) };
            let server = gateway.as_ref().map_or_else(direct, Gateway::start)?;
            let folder = results.path().join(format!("{name}-{revision}"));
            std::fs::create_dir_all(&folder)?;
            suite.run(Target::Server(server.url()), revision, &folder)
        };
        let outcomes = Revision::ALL.into_iter().map(one).collect::<Result<Vec<_>>>()?;
        is_expected &= outcomes.iter().all(|outcome| baseline.deviations(outcome).is_empty());
        write!(std::io::stdout(), "{name}\n\n{}\n", table(&outcomes, &baseline))?;
    }
    ensure!(is_expected, "something is not as expected: see the deviations");
    Ok(())
}

/// A trial for each set: ignored without the suite, or failed where everything is required.
pub(crate) fn trials() -> Vec<Trial> {
    let suite = Suite::find();
    let trial = |(name, revision): (&str, Revision)| match suite.clone() {
        Some(suite) => Trial::test(name, move || passes(&suite, revision).map_err(|error| format!("{error:#}").into())),
        None => required::lacking(name, MISSING),
    };
    let trials = [
        ("conformance::the_classic_face_passes_2025_11_25_but_for_the_exceptions", Revision::Of2025_11_25),
        ("conformance::the_classic_face_passes_2026_07_28_but_for_the_exceptions", Revision::Of2026_07_28),
    ];
    trials.map(trial).into()
}

fn passes(suite: &Suite, revision: Revision) -> Result<()> {
    let (gateway, baseline, results) = (Gateway::new(revision)?, baseline()?, tempfile::tempdir()?);
    let server = gateway.start()?;
    let outcome = suite.run(Target::Server(server.url()), revision, results.path())?;
    let is_excepted = |name: &str| baseline.exceptions(Role::Server, revision).any(|(exception, _)| exception == name);
    let slow = outcome.scenarios.iter().filter(|scenario| scenario.duration > Some(SCENARIO_MAX));
    let waiting: Vec<_> = slow.filter(|scenario| !is_excepted(&scenario.name)).map(|scenario| &scenario.name).collect();
    ensure!(waiting.is_empty(), "something is waited for: {waiting:?}");
    ensure!(baseline.deviations(&outcome).is_empty(), "{}", table(&[outcome], &baseline));
    Ok(())
}

fn baseline() -> Result<Baseline> {
    Baseline::read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("conformance.json"))
}

/// The server by itself.
fn direct() -> Result<Server> {
    let executable = std::env::current_exe()?;
    Server::start(&[executable.into(), FIXTURE_ARGUMENT.into(), "--http".into()], None)
}

/// `isolet serve` with the server behind it, whose tools have their own names.
struct Gateway {
    executable: PathBuf,
    folder: tempfile::TempDir,
}

impl Gateway {
    /// The server is spoken to in the revision that the suite speaks: what a server asks is called something in one of them alone.
    fn new(revision: Revision) -> Result<Self> {
        let executable = std::env::current_exe()?;
        let folder = tempfile::tempdir()?;
        // A text of JSON is one of TOML.
        let command = Value::from(executable.to_str().context("the path of this program is no text")?);
        let deployment = format!(
            "[faces]\nenabled = [\"classic\"]\nnames = \"bare\"\n[servers.fixture]\ncommand = {command}\nargs = [\"{FIXTURE_ARGUMENT}\"]\nask = [\"elicitation\", \"sampling\", \"roots\"]\nprotocol = \"{revision}\"\n"
        );
        std::fs::write(folder.path().join("isolet.toml"), deployment)?;
        Ok(Self { executable, folder })
    }

    fn start(&self) -> Result<Server> {
        let mut command: Vec<OsString> = vec![self.executable.clone().into()];
        command.extend([program::ARGUMENT, "serve", "--listen", "127.0.0.1:0", "--no-auth", "--config"].map(Into::into));
        command.push(self.folder.path().join("isolet.toml").into());
        Server::start(&command, Some("/mcp/classic"))
    }
}
