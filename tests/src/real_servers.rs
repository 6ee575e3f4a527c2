//! Twelve MCP servers that nobody here wrote, as npm and PyPI have them (`tests/servers`): each is started, asked for its tools, typed under `tsc --strict`, and called once
//! by a program. `cargo xtask servers` installs them and prints the table of `docs/servers.md`; the tests have two of them (`npm_servers`).

use std::collections::BTreeMap;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use isolet::mcp::{Configuration, UpstreamOptions, Upstreams};
use isolet::{Grants, with_causes};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::process::Child;

use crate::http_server::{HttpServer, whole};
use crate::node_packages::NodePackages;
use crate::program;

/// The argument by which this binary tries them.
pub(crate) const ARGUMENT: &str = "servers";
/// Where they are installed.
const PACKAGES: &str = "SERVERS_PACKAGES";
/// How long a server that listens may take until it does.
const LISTENING_MAX: Duration = Duration::from_secs(60);

/// What `tests/servers/servers.json` says of one.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    name: String,
    package: String,
    over: Over,
    command: Vec<String>,
    #[serde(default)]
    env: BTreeMap<String, String>,
    /// A program with a harmless call.
    program: String,
    /// What stands in its value.
    expected: String,
}

#[derive(Clone, Copy, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
enum Over {
    Http,
    Stdio,
}

/// Where things are: what stands for them in a command or a program.
struct Places {
    npm: PathBuf,
    pypi: PathBuf,
    /// A folder of one's own, with a git repository in it.
    folder: tempfile::TempDir,
    /// An address at which there is a page.
    page: String,
}

/// What became of one.
struct Row {
    version: String,
    registry: &'static str,
    tools: usize,
}

/// Tries all of them, or those that are named; fails if one does not do what is expected.
#[expect(clippy::print_stdout, clippy::print_stderr, reason = "a command that reports")]
pub(crate) fn run(names: &[String]) -> Result<()> {
    let packages = NodePackages::find().context("there is no TypeScript compiler: `cargo xtask servers` installs it")?;
    let entries: Vec<Entry> = serde_json::from_str(&std::fs::read_to_string(source("servers.json"))?)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let page =
        runtime.block_on(HttpServer::start(|_| whole(200, &[("content-type", "text/html")], b"a page of this machine")))?;
    let places = Places::find(page.url()?.to_string())?;
    let mut failed = Vec::new();
    println!(
        "| server | version | from | over | tools | typed | a program with a call | its value has |\n|---|---|---|---|---|---|---|---|"
    );
    for entry in entries.iter().filter(|entry| names.is_empty() || names.contains(&entry.name)) {
        match entry.tried(&places, &packages, &runtime) {
            Ok(row) => println!("{}", entry.line(&row)),
            Err(error) => {
                eprintln!("{}: {error:#}", entry.name);
                failed.push(entry.name.as_str());
            }
        }
    }
    ensure!(failed.is_empty(), "not as expected: {}", failed.join(", "));
    Ok(())
}

/// A file of `tests/servers`.
fn source(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("servers").join(name)
}

impl Places {
    fn find(page: String) -> Result<Self> {
        let installed = std::env::var_os(PACKAGES).map(PathBuf::from).filter(|folder| folder.join("node_modules").is_dir());
        let installed = installed
            .with_context(|| format!("`{PACKAGES}` is no folder with the servers: `cargo xtask servers` installs them"))?;
        let folder = tempfile::tempdir()?;
        std::fs::write(folder.path().join("note.txt"), "seventeen")?;
        std::fs::write(folder.path().join("note.js"), "export const note = 17;\n")?;
        std::fs::write(folder.path().join("eslint.config.js"), "module.exports = [];\n")?;
        let git = |arguments: &[&str]| -> Result<()> {
            let who = ["-c", "user.name=ada", "-c", "user.email=ada@example.com"];
            let output = Command::new("git").args(who).args(arguments).current_dir(folder.path()).output()?;
            ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
            Ok(())
        };
        git(&["init", "--quiet"])?;
        git(&["add", "note.txt"])?;
        git(&["commit", "--quiet", "--message", "A note"])?;
        Ok(Self { npm: installed.join("node_modules"), pypi: installed.join("python"), folder, page })
    }

    /// `text` with places, and a port, in place of what stands for them.
    fn filled(&self, text: &str, port: u16) -> String {
        let of_path = |path: &Path| path.to_string_lossy().into_owned();
        let filled = text.replace("{npm}", &of_path(&self.npm)).replace("{pypi}", &of_path(&self.pypi));
        let filled = filled.replace("{folder}", &of_path(self.folder.path())).replace("{page}", &self.page);
        filled.replace("{port}", &port.to_string())
    }
}

impl Entry {
    fn tried(&self, places: &Places, packages: &NodePackages, runtime: &tokio::runtime::Runtime) -> Result<Row> {
        let (version, registry) = self.version(places)?;
        let port = free_port()?;
        let filled = |text: &String| places.filled(text, port);
        let (command, env): (Vec<_>, BTreeMap<_, _>) = (
            self.command.iter().map(filled).collect(),
            self.env.iter().map(|(name, value)| (name.clone(), filled(value))).collect(),
        );
        let (entry, _server) = match self.over {
            Over::Stdio => (json!({ "command": command[0], "args": command[1..], "env": env }), None),
            Over::Http => {
                let server = runtime.block_on(listening(&command, &env, places.folder.path(), port))?;
                (json!({ "url": format!("http://127.0.0.1:{port}/mcp") }), Some(server))
            }
        };
        let servers = json!({ (&self.name): entry });
        let program = filled(&self.program);
        let tools = runtime.block_on(self.typed(&servers, &program, packages))?;
        let ran = program::run(format!("{program};"), servers, &[])?;
        ensure!(ran.code == Some(0) && ran.output.contains(&self.expected), "{:?} {} {}", ran.code, ran.output, ran.errors);
        Ok(Row { version, registry, tools })
    }

    /// Lists its tools, none of which may be left out, and has the compiler read their types and the program; how many there are.
    async fn typed(&self, servers: &Value, program: &str, packages: &NodePackages) -> Result<usize> {
        let configuration = Configuration::parse(&json!({ "mcpServers": servers }).to_string())?;
        let upstreams = Upstreams::new(UpstreamOptions::default());
        let discovery = upstreams.host(&configuration, "ada").discover().await?;
        if let Some(failure) = discovery.failures.first() {
            bail!("{}", with_causes(&**failure));
        }
        ensure!(discovery.catalog.dropped().is_empty(), "{:?}", discovery.catalog.dropped());
        let scope = discovery.catalog.scope(&Grants::new().allow("*"))?;
        upstreams.close().await;
        let place = tempfile::tempdir()?;
        let [types, source] = ["types.d.ts", "program.ts"].map(|name| place.path().join(name));
        std::fs::write(&types, scope.typescript())?;
        std::fs::write(&source, format!("export async function program() {{\n{program}\n}}\n"))?;
        if let Some(complaint) = packages.complaint(&[types, source])? {
            bail!("{complaint}");
        }
        Ok(scope.tools().len())
    }

    /// The version that is installed, and where it is from.
    fn version(&self, places: &Places) -> Result<(String, &'static str)> {
        if let Ok(text) = std::fs::read_to_string(places.npm.join(&self.package).join("package.json")) {
            let manifest: Value = serde_json::from_str(&text)?;
            return Ok((manifest["version"].as_str().context("a package without a version")?.to_owned(), "npm"));
        }
        let requirements = std::fs::read_to_string(source("requirements.txt"))?;
        let version = requirements.lines().find_map(|line| line.strip_prefix(&format!("{}==", self.package)));
        Ok((version.with_context(|| format!("`{}` is in no list of packages", self.package))?.to_owned(), "PyPI"))
    }

    fn line(&self, row: &Row) -> String {
        let over = if self.over == Over::Http { "HTTP" } else { "stdio" };
        let (program, expected) = (&self.program, &self.expected);
        let Row { version, registry, tools } = row;
        format!("| `{}` | {version} | {registry} | {over} | {tools} | yes | `{program}` | `{expected}` |", self.package)
    }
}

/// A port on which nobody listens now.
fn free_port() -> Result<u16> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}

/// A server that listens; it ends when it is dropped.
async fn listening(command: &[String], env: &BTreeMap<String, String>, folder: &Path, port: u16) -> Result<Child> {
    let log = folder.join("server.log");
    let file = std::fs::File::create(&log)?;
    let mut starting = tokio::process::Command::new(&command[0]);
    starting.args(&command[1..]).envs(env).current_dir(folder).kill_on_drop(true);
    let mut server = starting.stdin(std::process::Stdio::null()).stdout(file.try_clone()?).stderr(file).spawn()?;
    let began = Instant::now();
    while tokio::net::TcpStream::connect(("127.0.0.1", port)).await.is_err() {
        let has_ended = server.try_wait()?;
        if has_ended.is_some() || began.elapsed() > LISTENING_MAX {
            bail!("it does not listen ({has_ended:?}): {}", std::fs::read_to_string(&log)?);
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    Ok(server)
}
