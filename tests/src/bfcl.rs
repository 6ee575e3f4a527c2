//! Other people's tasks: the conversations of the Berkeley Function Calling Leaderboard (`tests/bfcl`), made as programs and as classic calls, judged by
//! its own checker. `cargo xtask bfcl` makes as many as it is asked to, and prints what they cost.

use std::fmt;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use futures::{StreamExt as _, TryStreamExt as _};
use isolet::mcp::{CommandServer, Configuration, Mode, UpstreamOptions, Upstreams};
use isolet::{Config, Grants, Runtime};
use isolet_comparison::{Conversation, Side, Turn};
use libtest_mimic::Trial;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;

use crate::required;

/// The argument by which this binary makes conversations and prints what they cost.
pub(crate) const ARGUMENT: &str = "--bfcl";
/// What is missing, and the way out.
const MISSING: &str = "needs Python and `cargo xtask test --python-packages`";
/// How many conversations the test makes: all eight back ends are among them.
const SAMPLE: usize = 40;
/// A script that takes longer hangs.
const SCRIPT_MAX: Duration = Duration::from_secs(600);

/// One trial: ignored without the packages, or failed where everything is required.
pub(crate) fn trials() -> Vec<Trial> {
    let name = "bfcl::conversations_leave_the_state_of_the_ground_truth_on_both_faces";
    vec![match Packages::find() {
        Some(packages) => Trial::test(name, move || sample(packages).map_err(|error| format!("{error:#}").into())),
        None => required::lacking(name, MISSING),
    }]
}

fn sample(packages: Packages) -> Result<()> {
    let table = tokio::runtime::Runtime::new()?.block_on(make(&packages, "base", Some(SAMPLE)))?;
    let [code, classic] = &table.faces;
    ensure!(table.conversations == SAMPLE && table.tools > 0, "{table}");
    for face in [code, classic] {
        ensure!(face.wrong.is_empty() && face.failures.is_empty(), "{table}\n{:?}\n{:?}", face.wrong, face.failures);
    }
    ensure!(code.cost.round_trips < classic.cost.round_trips && code.cost.tokens() < classic.cost.tokens(), "{table}");
    Ok(())
}

/// Makes conversations and prints the table: `[CATEGORY [SAMPLE]]`.
#[expect(clippy::print_stdout, reason = "the table is what the task is for")]
pub(crate) fn play(arguments: &[String]) -> Result<()> {
    let packages = Packages::find().context(MISSING)?;
    let category = arguments.first().map_or("base", String::as_str);
    let sample = arguments.get(1).map(|sample| sample.parse()).transpose().context("how many conversations is a number")?;
    let table = tokio::runtime::Runtime::new()?.block_on(make(&packages, category, sample))?;
    println!("{table}");
    for face in &table.faces {
        face.wrong.iter().chain(&face.failures).for_each(|line| println!("{}: {line}", face.name));
    }
    ensure!(table.faces.iter().all(|face| face.wrong.is_empty()), "not every conversation left the state of the ground truth");
    Ok(())
}

/// The Python packages, if they are installed.
#[derive(Clone, Debug)]
struct Packages(PathBuf);

impl Packages {
    fn find() -> Option<Self> {
        required::installed("BFCL_PACKAGES", "bfcl", "installed.txt").map(Self)
    }

    /// A script of `tests/bfcl`, its output in lines of JSON. `input` is what it reads. Its exit code says what its lines say, too.
    async fn lines(&self, script: &str, arguments: &[&str], input: String) -> Result<Vec<Value>> {
        let mut command = Command::new("python3");
        command.arg(script_path(script)).args(arguments).env("PYTHONPATH", &self.0).kill_on_drop(true);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
        let mut stdin = child.stdin.take().context("no input")?;
        let written = async move { stdin.write_all(input.as_bytes()).await };
        let ended = tokio::time::timeout(SCRIPT_MAX, async { tokio::join!(written, child.wait_with_output()) });
        let (written, output) = ended.await.with_context(|| format!("`{script}` hangs"))?;
        let output = output?;
        written.with_context(|| format!("`{script}` does not read: {}", String::from_utf8_lossy(&output.stderr)))?;
        let lines: Vec<Value> = String::from_utf8(output.stdout)?
            .lines()
            .map(serde_json::from_str)
            .collect::<Result<_, _>>()
            .with_context(|| format!("`{script}` says something that is no JSON"))?;
        ensure!(!lines.is_empty(), "`{script}` says nothing: {}", String::from_utf8_lossy(&output.stderr));
        Ok(lines)
    }
}

fn script_path(script: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("bfcl").join(script)
}

/// A line of `scenarios.py`, as far as it is needed.
#[derive(Clone, Debug, Deserialize)]
struct Scenario {
    id: String,
    tools: usize,
    server: Server,
    turns: Vec<ScenarioTurn>,
    /// Calls of the ground truth that the tool's own definition excludes. A host that validates arguments refuses them, and is right.
    contradictions: Vec<String>,
}

#[derive(Clone, Debug, Deserialize)]
struct Server {
    name: String,
    command: String,
    args: Vec<String>,
}

#[derive(Clone, Debug, Deserialize)]
struct ScenarioTurn {
    user: String,
    calls: Vec<Call>,
    program: String,
}

#[derive(Clone, Debug, Deserialize)]
struct Call {
    tool: String,
    arguments: Map<String, Value>,
}

/// What became of all conversations on one face.
struct Face {
    name: &'static str,
    mode: Mode,
    cost: Side,
    /// Conversations that the checker does not call right, and why.
    wrong: Vec<String>,
    /// What failed meanwhile.
    failures: Vec<String>,
}

/// What became of a number of conversations.
struct Table {
    category: String,
    conversations: usize,
    turns: usize,
    calls: usize,
    /// Of all conversations.
    tools: usize,
    /// Conversations that are not made, and what their ground truth contradicts.
    left_out: Vec<String>,
    faces: [Face; 2],
}

impl fmt::Display for Table {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { category, conversations, turns, calls, tools, left_out, faces } = self;
        let each = tools / (*conversations).max(1);
        writeln!(
            to,
            "BFCL v4 multi-turn, `{category}`: {conversations} conversations, {turns} turns, {calls} calls, {each} tools in the mean; tokens of o200k"
        )?;
        writeln!(to, "face      right  round trips  lookups  retries  definitions   written      read    in all")?;
        for Face { name, cost, wrong, .. } in faces {
            let right = format!("{}/{conversations}", conversations - wrong.len());
            let (definitions, written, read) = (cost.definition_tokens, cost.written_tokens, cost.read_tokens);
            writeln!(
                to,
                "{name:<8}{right:>7}{:>13}{:>9}{:>9}{definitions:>13}{written:>10}{read:>10}{:>10}",
                cost.round_trips,
                cost.lookups,
                cost.retries,
                cost.tokens()
            )?;
        }
        for left_out in left_out {
            writeln!(to, "left out, because the ground truth contradicts the tool's definition: {left_out}")?;
        }
        Ok(())
    }
}

/// Makes all conversations of a category, or a sample of them, on both faces.
async fn make(packages: &Packages, category: &str, sample: Option<usize>) -> Result<Table> {
    let sample = sample.map(|sample| sample.to_string());
    let mut arguments = vec!["--category", category];
    arguments.extend(sample.iter().flat_map(|sample| ["--sample", sample.as_str()]));
    let lines = packages.lines("scenarios.py", &arguments, String::new()).await?;
    let scenarios: Vec<Scenario> = lines.into_iter().map(serde_json::from_value).collect::<Result<_, _>>()?;
    let (scenarios, left_out): (Vec<_>, Vec<_>) =
        scenarios.into_iter().partition(|scenario| scenario.contradictions.is_empty());
    let runtime = Runtime::new(Config::default())?;
    let mut faces = [("code", Mode::Code), ("classic", Mode::Classic)].map(|(name, mode)| Face {
        name,
        mode,
        cost: Side::default(),
        wrong: Vec::new(),
        failures: Vec::new(),
    });
    for face in &mut faces {
        let records = tempfile::tempdir()?;
        let at_once = std::thread::available_parallelism()?.get();
        let conversation = |scenario: &Scenario| {
            let (scenario, record) = (scenario.clone(), records.path().join(&scenario.id));
            let (runtime, packages, mode) = (&runtime, packages, face.mode);
            async move { converse(runtime, packages, &scenario, &record, mode).await.with_context(|| scenario.id.clone()) }
        };
        let made: Vec<Conversation> =
            futures::stream::iter(scenarios.iter().map(conversation)).buffered(at_once).try_collect().await?;
        for (conversation, scenario) in made.into_iter().zip(&scenarios) {
            face.cost += &conversation.cost;
            face.failures.extend(conversation.failures.iter().map(|failure| format!("{}: {failure}", scenario.id)));
        }
        let to_check: String = scenarios
            .iter()
            .map(|scenario| {
                let turns: Vec<usize> = scenario.turns.iter().map(|turn| turn.calls.len()).collect();
                format!("{}\n", json!({ "id": scenario.id, "record": records.path().join(&scenario.id), "turns": turns }))
            })
            .collect();
        let verdicts = packages.lines("check.py", &[], to_check).await?;
        ensure!(verdicts.len() == scenarios.len(), "{} of {} are judged", verdicts.len(), scenarios.len());
        let wrong = verdicts.iter().filter(|verdict| verdict["valid"] != true);
        face.wrong = wrong.map(|verdict| format!("{}: {}", verdict["id"], verdict["why"])).collect();
    }
    Ok(Table {
        category: category.to_owned(),
        conversations: scenarios.len(),
        turns: scenarios.iter().map(|scenario| scenario.turns.len()).sum(),
        calls: scenarios.iter().flat_map(|scenario| &scenario.turns).map(|turn| turn.calls.len()).sum(),
        tools: scenarios.iter().map(|scenario| scenario.tools).sum(),
        left_out: left_out.iter().map(|scenario| format!("{}: {}", scenario.id, scenario.contradictions.join("; "))).collect(),
        faces,
    })
}

/// One conversation, on a server of its own that writes into `record` what became of its back ends.
async fn converse(
    runtime: &Runtime,
    packages: &Packages,
    scenario: &Scenario,
    record: &Path,
    mode: Mode,
) -> Result<Conversation> {
    let Server { name, command, args } = &scenario.server;
    let arguments = args.iter().cloned().chain([record.to_string_lossy().into_owned()]);
    let server = CommandServer::new(command.as_str())
        .with_args(arguments)
        .with_env("PYTHONPATH", packages.0.to_string_lossy())
        .with_env("PYTHONDONTWRITEBYTECODE", "1");
    let configuration = Configuration::default().with(name, server);
    let upstreams = Upstreams::new(UpstreamOptions::default());
    let host = upstreams.host(&configuration, "bfcl");
    let discovery = host.discover().await?;
    ensure!(discovery.failures.is_empty(), "{:?}", discovery.failures);
    let scope = discovery.catalog.scope(&Grants::new().allow("*"))?;
    ensure!(scope.tools().len() == scenario.tools, "{} tools of {}", scope.tools().len(), scenario.tools);
    let session = runtime.session(scope.clone(), host);
    let turns: Vec<Turn> = scenario
        .turns
        .iter()
        .map(|turn| Turn {
            words: turn.user.clone(),
            program: turn.program.clone(),
            calls: turn.calls.iter().map(|call| (name.clone(), call.tool.clone(), call.arguments.clone())).collect(),
        })
        .collect();
    let made = Conversation::make(&session, &scope, mode, &turns).await;
    upstreams.close().await;
    made
}
