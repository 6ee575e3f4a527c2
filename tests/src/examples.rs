//! The demo as a newcomer sees it, and every agent program: that it fits the types of its user, and that it runs.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use isolet::{CallEnd, Catalog, Config, End, Runtime, Scope};
use isolet_examples::tracker::{Role, Tracker};
use isolet_examples::tracker_host::{TrackerHost, grants_of};
use libtest_mimic::Trial;

use crate::node_packages::{self, NodePackages};
use crate::process_table::{self, until};
use crate::roles;

/// The argument by which this binary becomes the demo.
pub(crate) const DEMO_ARGUMENT: &str = "--demo";

/// What needs the TypeScript compiler.
const TYPED: &[node_packages::Test] = &[
    ("examples::every_program_fits_the_types_of_its_user", every_program_fits_the_types_of_its_user),
    ("examples::a_program_for_admins_does_not_fit_the_types_of_a_viewer", a_program_for_admins_does_not_fit),
];

/// The demo, and one trial for each agent program.
pub(crate) fn trials() -> Result<Vec<Trial>> {
    let mut trials = vec![Trial::test("examples::the_demo_shows_two_users_and_both_ways", || {
        check_demo().map_err(|error| format!("{error:#}").into())
    })];
    for program in programs()? {
        let name = program.file_stem().unwrap_or_default().to_string_lossy().replace('-', "_");
        trials.push(Trial::test(format!("examples::programs::{name}"), move || {
            run(&program).map_err(|error| format!("{error:#}").into())
        }));
    }
    trials.extend(node_packages::trials(TYPED));
    Ok(trials)
}

/// Is the demo, and looks for what it leaves behind.
pub(crate) fn demo() -> Result<()> {
    tokio::runtime::Runtime::new()?.block_on(async {
        isolet_examples::demo::demo().await?;
        let is_alone = || process_table::descendants_of(process_table::host()).is_empty();
        ensure!(until(Duration::from_secs(5), is_alone).await, "the demo has left processes behind");
        Ok(())
    })
}

fn check_demo() -> Result<()> {
    let output = roles::output_of(&[DEMO_ARGUMENT], |command| command)?;
    let (said, errors) = (String::from_utf8(output.stdout)?, String::from_utf8(output.stderr)?);
    ensure!(output.status.success() && errors.is_empty(), "{}\n{errors}", output.status);
    let after = |text: &str| said.split_once(text).map(|(_, after)| after).with_context(|| format!("no `{text}` in:\n{said}"));
    ensure!(after("== ada: 34 tools")?.contains("declare namespace tracker {"), "{said}");
    ensure!(after("== ada: the outcome")?.starts_with("\n{\"mean_issues\":"), "{said}");
    ensure!(after("== bob: 18 tools")?.contains("tracker.issues_by_assignee_report at line 4: Answered"), "{said}");
    let attempt = |user: &str, tool: &str| -> Result<String> {
        let said = after(&format!("== {user} tries: return await tracker.{tool}("))?;
        let end = said.split_once('\n').and_then(|(_, rest)| rest.split("\n\n").next()).context("no end")?;
        Ok(end.replace(tool, "TOOL"))
    };
    let forbidden = attempt("bob", "delete_issue")?;
    ensure!(forbidden.starts_with("TypeError: there is no tool `tracker.TOOL`"), "{forbidden}");
    ensure!(forbidden == attempt("bob", "no_such_tool")?, "what is forbidden differs from what is not there: {said}");
    ensure!(attempt("ada", "delete_issue")? == "{\"deleted\":\"APP-1\"}", "{said}");
    check_table(after("ada, code")?)
}

/// The columns are ada's code and list, bob's code and list.
fn check_table(table: &str) -> Result<()> {
    let row = |title: &str| -> Result<[f64; 4]> {
        let line = table.lines().find_map(|line| line.strip_prefix(title)).with_context(|| format!("no row `{title}`"))?;
        let numbers = line.split_whitespace().filter_map(|word| word.parse().ok()).collect::<Vec<f64>>();
        numbers.try_into().map_err(|numbers| anyhow::anyhow!("`{title}` has {numbers:?}"))
    };
    ensure!(row("start-up")?.iter().chain(&row("the work")?).all(|time| *time > 0.0), "{table}");
    let [ada_code, ada_list, bob_code, bob_list] = row("tool calls")?;
    ensure!(ada_code == ada_list && bob_code == bob_list && bob_code > 5.0, "the same calls both ways: {table}");
    ensure!(row("round trips of the model")? == [1.0, ada_list, 1.0, bob_list], "{table}");
    let [ada_code, ada_list, bob_code, bob_list] = row("bytes in the model's context")?;
    ensure!(ada_code * 3.0 < ada_list && bob_code * 3.0 < bob_list && bob_code < ada_code, "{table}");
    Ok(())
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/programs")
}

fn programs() -> Result<Vec<PathBuf>> {
    let entries = std::fs::read_dir(folder())?.flatten().map(|entry| entry.path());
    let mut programs: Vec<_> = entries.filter(|path| path.to_string_lossy().ends_with(".ts")).collect();
    programs.retain(|path| !path.ends_with("globals.d.ts"));
    programs.sort();
    ensure!(programs.len() >= 5, "{programs:?}");
    Ok(programs)
}

/// Who runs a program: the least that it needs.
fn user_of(program: &Path) -> (&'static str, Role) {
    match program.file_stem().and_then(|name| name.to_str()) {
        Some("hand-over") => ("ada", Role::Admin),
        Some("assign-urgent") => ("chen", Role::Member),
        _ => ("bob", Role::Viewer),
    }
}

fn scope_of(role: Role) -> Result<Scope> {
    Ok(Catalog::load([("tracker", Tracker::definitions())])?.scope(&grants_of(role))?)
}

fn run(program: &Path) -> Result<()> {
    let source = std::fs::read_to_string(program)?;
    let (user, role) = user_of(program);
    let host = TrackerHost::new(Arc::new(Tracker::new()), user);
    let outcome = tokio::runtime::Runtime::new()?.block_on(async {
        let runtime = Runtime::new(Config::default())?;
        anyhow::Ok(runtime.session(scope_of(role)?, host).run(&source).await?)
    })?;
    let End::Returned(value) = &outcome.end else { bail!("{}", outcome.end) };
    ensure!(value.to_string().len() > 100, "it found nothing: {value}");
    let calls = || outcome.calls.iter();
    ensure!(calls().count() >= 2 && calls().all(|call| call.end == CallEnd::Answered), "{:?}", outcome.calls);
    ensure!(calls().all(|call| call.warnings.is_empty()), "results that are not as their schemas say: {:?}", outcome.calls);
    Ok(())
}

/// What `tsc --strict` says against programs in the scope of a role.
fn complaint(packages: &NodePackages, role: Role, programs: &[PathBuf]) -> Result<Option<String>> {
    let place = tempfile::tempdir()?;
    let types = place.path().join("types.d.ts");
    std::fs::write(&types, scope_of(role)?.typescript())?;
    let mut files = vec![folder().join("globals.d.ts"), types];
    for program in programs {
        let file = place.path().join(program.file_name().context("a program has a name")?);
        // A program is the body of an async function.
        std::fs::write(&file, format!("export async function program() {{\n{}}}\n", std::fs::read_to_string(program)?))?;
        files.push(file);
    }
    packages.complaint(&files)
}

fn every_program_fits_the_types_of_its_user(packages: &NodePackages) -> Result<()> {
    for role in [Role::Admin, Role::Member, Role::Viewer] {
        let mut programs = programs()?;
        programs.retain(|program| user_of(program).1 == role);
        ensure!(!programs.is_empty(), "no program for {role:?}");
        if let Some(complaint) = complaint(packages, role, &programs)? {
            bail!("{complaint}");
        }
    }
    Ok(())
}

fn a_program_for_admins_does_not_fit(packages: &NodePackages) -> Result<()> {
    let complaint = complaint(packages, Role::Viewer, &[folder().join("hand-over.ts")])?.unwrap_or_default();
    ensure!(complaint.contains("Property 'transfer_project' does not exist"), "{complaint}");
    Ok(())
}
