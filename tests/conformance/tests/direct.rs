//! The fixture passes the suite by itself: what fails with something in front of it is the fault of that.

use std::ffi::OsString;

use anyhow::{Result, ensure};
use isolet_conformance::runner::{Baseline, Revision, Server, Status, Suite, Target, table};
use libtest_mimic::{Arguments, Failed, Trial};

/// What is missing, and the way out: stands in the line of each test that is ignored for it.
const MISSING: &str = "needs `cargo run --package isolet-conformance --bin conformance install`";

/// Beside the arguments of every test binary: whatever a test needs has to be there.
const REQUIRE_ALL: &str = "--require-all";

/// How many checks the fixture passes. The suite is pinned, and leaves out without a word what a server does not do: fewer are a fault.
const PASSED: [(Revision, usize); 2] = [(Revision::Of2025_11_25, 84), (Revision::Of2026_07_28, 197)];

/// Fails where the claim does not hold.
type Test = fn(&Suite, Revision) -> Result<()>;

fn main() {
    let all_required = std::env::args().any(|argument| argument == REQUIRE_ALL);
    let suite = Suite::find();
    let trial = |(name, test, revision): (&str, Test, Revision)| match suite.clone() {
        Some(suite) => Trial::test(name, move || test(&suite, revision).map_err(|error| format!("{error:#}").into())),
        None => Trial::test(name, || Err(Failed::from(MISSING))).with_kind(MISSING).with_ignored_flag(!all_required),
    };
    let (old, new) = (Revision::Of2025_11_25, Revision::Of2026_07_28);
    let trials: [(&str, Test, Revision); 4] = [
        ("direct::the_fixture_passes_2025_11_25", passes, old),
        ("direct::the_fixture_passes_2026_07_28", passes, new),
        ("direct::a_client_that_does_nothing_passes_nothing_of_2025_11_25", nothing_passes_nothing, old),
        ("direct::a_client_that_does_nothing_passes_nothing_of_2026_07_28", nothing_passes_nothing, new),
    ];
    let known = std::env::args().filter(|argument| argument != REQUIRE_ALL);
    libtest_mimic::run(&Arguments::from_iter(known), trials.map(trial).into()).exit();
}

/// Every scenario without an exception, the required ones and those that are not.
fn passes(suite: &Suite, revision: Revision) -> Result<()> {
    let command = [env!("CARGO_BIN_EXE_conformance-fixture"), "--http", "127.0.0.1:0"].map(OsString::from);
    let server = Server::start(&command, None)?;
    let results = tempfile::tempdir()?;
    let outcome = suite.run(Target::Server(server.url()), revision, results.path())?;
    let baseline = Baseline::default();
    let is_complete = PASSED.contains(&(revision, outcome.count(Status::Success)));
    ensure!(baseline.deviations(&outcome).is_empty() && is_complete, "not {PASSED:?}:\n{}", table(&[outcome], &baseline));
    Ok(())
}

/// The suite itself finds no fault with such a client in some scenarios.
fn nothing_passes_nothing(suite: &Suite, revision: Revision) -> Result<()> {
    let results = tempfile::tempdir()?;
    let outcome = suite.run(Target::Client("true"), revision, results.path())?;
    let baseline = Baseline::default();
    let deviations = baseline.deviations(&outcome).len();
    let (green, required) = outcome.green(true);
    ensure!(green == 0 && required > 0 && deviations >= required, "{}", table(&[outcome], &baseline));
    Ok(())
}
