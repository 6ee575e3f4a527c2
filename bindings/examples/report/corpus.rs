//! The definitions that bindings are measured on, and what is made of them for the oracles.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use isolet_bindings::{Catalog, Grants, Scope};
use serde_json::{Map, Value, json};

/// Definitions by server, and where they come from.
pub(crate) struct Corpus {
    pub(crate) source: String,
    pub(crate) servers: BTreeMap<String, Vec<Definition>>,
    /// Values that match the schemas, and that do not, if the corpus has such.
    pub(crate) instances: Option<PathBuf>,
}

/// One tool of a corpus.
pub(crate) struct Definition {
    pub(crate) id: String,
    pub(crate) tool: Value,
}

/// The folder of the larger corpus: `ISOLET_CORPUS`, or `shared/corpus` beside the checkout.
pub(crate) fn folder() -> Option<PathBuf> {
    let folder = std::env::var_os("ISOLET_CORPUS").map_or_else(|| workspace().join("../shared/corpus"), PathBuf::from);
    folder.is_dir().then_some(folder)
}

/// The folder of hostile definitions: `ISOLET_HOSTILE`, `shared/attacks/schemas` beside the checkout, or the project's own.
pub(crate) fn hostile_folder() -> PathBuf {
    let shared =
        std::env::var_os("ISOLET_HOSTILE").map_or_else(|| workspace().join("../shared/attacks/schemas"), PathBuf::from);
    if shared.is_dir() { shared } else { own_hostile_folder() }
}

/// The hostile definitions of the project itself.
pub(crate) fn own_hostile_folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/hostile")
}

/// The npm packages of the oracles: `NODE_PACKAGES`, or `target/node`; if TypeScript is there.
pub(crate) fn node_packages() -> Option<PathBuf> {
    let folder = std::env::var_os("NODE_PACKAGES").map_or_else(|| workspace().join("target/node"), PathBuf::from);
    folder.join("node_modules/typescript/package.json").is_file().then_some(folder)
}

fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

impl Corpus {
    /// The JSON lines `name`, gzipped or not, of `folder`, and its instances; both are unpacked into `work`.
    pub(crate) fn lines(folder: &Path, name: &str, instances: &str, work: &Path) -> Result<Self> {
        let text = fs::read_to_string(unpacked(folder, name, work)?)?;
        let mut servers: BTreeMap<String, Vec<Definition>> = BTreeMap::new();
        let mut names = HashSet::new();
        for line in text.lines() {
            let mut tool: Value = serde_json::from_str(line)?;
            let [server, id, name] =
                ["server", "id", "name"].map(|member| tool[member].as_str().unwrap_or_default().to_owned());
            // The corpus collects several versions of some servers, which one server would not list together.
            if !names.insert((server.clone(), name.clone())) {
                tool["name"] = json!(format!("{name}_{id}"));
            }
            servers.entry(server).or_default().push(Definition { id, tool });
        }
        let source = folder.join(name).display().to_string();
        let mut corpus = Self { source, servers, instances: None };
        corpus.instances = unpacked(folder, instances, work).ok().map(|path| corpus.judged(&path, work)).transpose()?;
        Ok(corpus)
    }

    /// The instances in the file `path` without those that a JSON Schema validator refuses and servers take: nothing is wrong in them but
    /// that a required property with a default is left out.
    fn judged(&self, path: &Path, work: &Path) -> Result<PathBuf> {
        let schemas: HashMap<&str, &Value> = self
            .servers
            .values()
            .flatten()
            .map(|definition| (definition.id.as_str(), &definition.tool["inputSchema"]))
            .collect();
        let mut judged = String::new();
        for line in fs::read_to_string(path)?.lines() {
            let case: Value = serde_json::from_str(line)?;
            let schema = case["tool"].as_str().and_then(|tool| schemas.get(tool));
            let is_presumed = case["target"] == "input"
                && case["mutation"] == "drop_required"
                && schema.is_some_and(|schema| lacks_presumed(schema, &case["instance"]));
            if !is_presumed {
                judged.push_str(line);
                judged.push('\n');
            }
        }
        let name = path.file_name().context("instances are a file")?.to_string_lossy().into_owned();
        fs::create_dir_all(work)?;
        let path = work.join(format!("judged-{name}"));
        fs::write(&path, judged)?;
        Ok(path)
    }

    /// The lists that were recorded from real servers: `examples/definitions/*.json`, each a `tools` array or a `tools/list` result.
    pub(crate) fn recorded() -> Result<Self> {
        let folder = workspace().join("examples/definitions");
        let mut servers = BTreeMap::new();
        // `servers.json` says where each list was recorded.
        for path in json_files(&folder).into_iter().filter(|path| !path.ends_with("servers.json")) {
            let value: Value = serde_json::from_str(&fs::read_to_string(&path)?)?;
            let tools = value.as_array().or_else(|| value.get("tools")?.as_array()).cloned().unwrap_or_default();
            let name = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default().to_owned();
            let definition = |(place, tool)| Definition { id: format!("{name}_{place}"), tool };
            servers.insert(name.clone(), tools.into_iter().enumerate().map(definition).collect());
        }
        Ok(Self { source: folder.display().to_string(), servers, instances: None })
    }

    /// How many tools there are.
    pub(crate) fn len(&self) -> usize {
        self.servers.values().map(Vec::len).sum()
    }

    /// The scope of all tools of each server.
    pub(crate) fn scopes(&self) -> Result<Vec<ServerScope<'_>>> {
        let scope = |(server, definitions): (&String, &'_ Vec<Definition>)| {
            let tools: Vec<Value> = definitions.iter().map(|definition| definition.tool.clone()).collect();
            let catalog = Catalog::load([(server.as_str(), tools)])?;
            Ok((catalog.dropped().len(), catalog.scope(&Grants::new().allow("*"))?))
        };
        self.servers
            .iter()
            .map(|entry| scope(entry).map(|(dropped, scope)| ServerScope { definitions: entry.1, dropped, scope }))
            .collect()
    }
}

/// Whether `value` lacks, at any depth, a property that `schema` requires and has a default for. What lacks one by a mutation lacks nothing else.
fn lacks_presumed(schema: &Value, value: &Value) -> bool {
    let properties = schema["properties"].as_object();
    let names = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str);
    let mut presumed = names.filter(|name| {
        properties.is_some_and(|properties| properties.get(*name).is_some_and(|schema| schema.get("default").is_some()))
    });
    match value {
        Value::Object(members) => {
            presumed.any(|name| !members.contains_key(name))
                || members.iter().any(|(name, member)| lacks_presumed(&schema["properties"][name], member))
        }
        Value::Array(items) => items.iter().any(|item| lacks_presumed(&schema["items"], item)),
        _ => false,
    }
}

/// One server of a corpus, loaded.
pub(crate) struct ServerScope<'a> {
    pub(crate) definitions: &'a [Definition],
    pub(crate) dropped: usize,
    pub(crate) scope: Scope,
}

/// Writes the declarations of `scopes` into `folder`, as `harness/README.md` of the corpus wants them.
pub(crate) fn write_for_oracle(scopes: &[ServerScope<'_>], folder: &Path) -> Result<()> {
    fs::create_dir_all(folder)?;
    let mut manifest = Map::new();
    for (number, server) in scopes.iter().enumerate() {
        let mut text = server.scope.typescript().to_owned();
        for (place, tool) in server.scope.tools().iter().enumerate() {
            let path = tool.path();
            text.push_str(&format!("export type I{place} = NonNullable<Parameters<typeof {path}>[0]>;\n"));
            // What the guest gets is the wrapped value; the instances are of the whole.
            let (before, after) = if tool.unwraps_result() { ("{ result: ", " }") } else { ("", "") };
            text.push_str(&format!("export type O{place} = {before}Awaited<ReturnType<typeof {path}>>{after};\n"));
            let definition = server.definitions.iter().find(|definition| definition.tool["name"] == tool.name());
            let id = definition.context("a tool of the scope is one of the corpus")?.id.clone();
            manifest.insert(
                id,
                json!({"file": format!("s{number}.ts"), "input": format!("I{place}"), "output": format!("O{place}")}),
            );
        }
        fs::write(folder.join(format!("s{number}.ts")), text)?;
    }
    fs::write(folder.join("manifest.json"), Value::Object(manifest).to_string())?;
    Ok(())
}

/// The JSON files of `folder`, sorted.
pub(crate) fn json_files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    let mut files: Vec<PathBuf> =
        entries.filter(|path| path.extension().is_some_and(|extension| extension == "json")).collect();
    files.sort();
    files
}

/// The file `name` of `folder`, unpacked into `work` if only its archive is there.
fn unpacked(folder: &Path, name: &str, work: &Path) -> Result<PathBuf> {
    let plain = folder.join(name);
    if plain.is_file() {
        return Ok(plain);
    }
    let archive = folder.join(format!("{name}.gz"));
    let mut text = Vec::new();
    flate2::read::GzDecoder::new(fs::File::open(&archive).with_context(|| archive.display().to_string())?)
        .read_to_end(&mut text)?;
    fs::create_dir_all(work)?;
    let target = work.join(name);
    fs::write(&target, text)?;
    Ok(target)
}
