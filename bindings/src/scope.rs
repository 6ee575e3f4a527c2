//! What one user may call in one request: the only value from which lists, types, bindings, search and authorisation derive.
//!
//! Nothing else makes a tool index: a tool's position in [`Scope::tools`]. A guest sends such a number, and the host
//! resolves it in the scope of that very run.

mod observing;

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::sync::{Arc, OnceLock};

use serde_json::Map;

use crate::budgeted::{self, Declarations};
use crate::comment;
use crate::declarations::{self, Piece, ServerDeclarations};
use crate::granting::{self, Granted, Granting, ScopeError, ScopeWarning};
use crate::grants::Grants;
use crate::hash::ContentHash;
use crate::lacking::LackingServer;
use crate::manifest::{Manifest, Namespace};
use crate::name;
use crate::nearest::{PATH_LENGTH_MAX, nearest};
use crate::observed_types::ObservedTypes;
use crate::render::Form;
use crate::scoped_tool::ScopedTool;
use crate::search::{self, Index, SearchHit};
use crate::search_answer;
use crate::server::Server;
use crate::stand_in::StandIn;
use crate::tokens::TokenBudget;
use crate::tool_index::{self, IndexForm, ToolIndex};
use crate::whole_servers::WholeServers;

/// The most paths that one call of [`Scope::describe`] looks at: a program or a client may name as many as it likes.
pub const DESCRIBED_PATHS_MAX: usize = 50;

/// How many unknown paths get the nearest names: each is compared with all tools of the scope.
const HINTED_PATHS_MAX: usize = 5;

/// The tools of one user, filtered, renamed, described and pinned; cheap to clone.
#[derive(Clone)]
pub struct Scope {
    inner: Arc<Inner>,
    /// What was seen of replies, if any are observed.
    observed: Option<Arc<ObservedTypes>>,
}

struct Inner {
    tools: Vec<ScopedTool>,
    by_path: HashMap<String, usize>,
    manifest: Manifest,
    hash: ContentHash,
    warnings: Vec<ScopeWarning>,
    lacking: Vec<LackingServer>,
    whole_servers: WholeServers,
    /// Those of each namespace.
    declarations: Vec<OnceLock<ServerDeclarations>>,
    typescript: OnceLock<String>,
    index: OnceLock<Index>,
}

impl Scope {
    /// The tools of `servers`, each with its namespace, that `grants` allows. `missing` are servers whose tools are not known; if `is_whole`, there are no others.
    /// `stand_ins` stand for those of them that ask their user first.
    /// `lacking` are those that could not be asked.
    pub(crate) fn new(
        servers: &[Server],
        namespaces: &[String],
        missing: &[String],
        is_whole: bool,
        stand_ins: &[StandIn],
        lacking: &[LackingServer],
        grants: &Grants,
    ) -> Result<Self, ScopeError> {
        let mut granting = Granting::of(grants);
        let mut scope = Inner {
            tools: Vec::new(),
            by_path: HashMap::new(),
            manifest: Manifest::default(),
            hash: ContentHash::of([]),
            warnings: Vec::new(),
            lacking: Vec::new(),
            whole_servers: WholeServers::of(grants),
            declarations: Vec::new(),
            typescript: OnceLock::new(),
            index: OnceLock::new(),
        };
        for (server, namespace) in servers.iter().zip(namespaces) {
            let decided = server.tools.iter().map(|tool| granting.decide(server, namespace, tool));
            let granted = decided.filter_map(Result::transpose).collect::<Result<Vec<_>, _>>()?;
            scope.add(namespace, granted)?;
        }
        for StandIn { namespace, tool } in
            stand_ins.iter().filter(|stand_in| granting::may_allow(grants, stand_in.tool.server()))
        {
            let address = format!("{}.{}", tool.server(), tool.name());
            let (identifier, description, pinned, is_read_only) = (None, None, Map::new(), false);
            scope.add(namespace, vec![Granted { tool, address, identifier, description, pinned, is_read_only }])?;
            if let Some(namespace) = scope.manifest.namespaces.last_mut() {
                namespace.is_open = true;
            }
        }
        // Who may call nothing of a server is not told of it either.
        let concerned = |server: &&LackingServer| granting::may_allow(grants, server.server());
        scope.lacking = lacking.iter().filter(concerned).cloned().collect();
        scope.warnings.append(&mut granting.finish(servers, missing, is_whole)?);
        scope.declarations = scope.manifest.namespaces.iter().map(|_| OnceLock::new()).collect();
        scope.hash = scope.manifest.hash();
        Ok(Self { inner: Arc::new(scope), observed: None })
    }

    /// The tools. A tool's position here is its index.
    #[must_use]
    pub fn tools(&self) -> &[ScopedTool] {
        &self.inner.tools
    }

    /// The tool with this index. A guest sends it, so it may be anything.
    #[must_use]
    pub fn tool(&self, index: u32) -> Option<&ScopedTool> {
        self.inner.tools.get(usize::try_from(index).ok()?)
    }

    /// The tool that a guest calls `path`: `github.create_issue`, or `github.create-issue` if its server does and no identifier is like that.
    #[must_use]
    pub fn find(&self, path: &str) -> Option<&ScopedTool> {
        self.inner.by_path.get(path).map(|place| &self.inner.tools[*place])
    }

    /// Whether a guest has a namespace that is called `name`.
    #[must_use]
    pub fn has_namespace(&self, name: &str) -> bool {
        self.inner.manifest.namespaces.iter().any(|namespace| namespace.name == name)
    }

    /// Whether what the namespace `name` has is not known yet: a guest may call any name there, which asks its user.
    #[must_use]
    pub fn is_open(&self, name: &str) -> bool {
        self.inner.manifest.namespaces.iter().any(|namespace| namespace.name == name && namespace.is_open)
    }

    /// The servers that could not be asked for their tools, of which this user may call some.
    #[must_use]
    pub fn lacking(&self) -> &[LackingServer] {
        &self.inner.lacking
    }

    /// Whether this user has `server` as a whole, by a pattern that allows all of it and none that denies all of it. So much is needed for what is
    /// no tool: its resources and prompts, which have no patterns of their own.
    #[must_use]
    pub fn has_server(&self, server: &str) -> bool {
        self.inner.whole_servers.has(server)
    }

    /// What the isolate installs.
    #[must_use]
    pub fn manifest(&self) -> &Manifest {
        &self.inner.manifest
    }

    /// The full declarations of all tools, made at the first call.
    ///
    /// A server whose declarations would take more than 8 MiB, or the last ones of a scope beyond 32 MiB, are shortened to signatures
    /// and then left out; a comment says how many.
    #[must_use]
    pub fn typescript(&self) -> &str {
        match &self.observed {
            Some(observed) => observed.appended_to(self.declared(), self.tools()),
            None => self.declared(),
        }
    }

    /// The full declarations without what was seen.
    fn declared(&self) -> &str {
        self.inner.typescript.get_or_init(|| budgeted::all(&self.inner.tools, &self.declarations()))
    }

    /// Declarations within `budget`: in full as far as it goes, then signatures with one line each, then names, then nothing. The
    /// text begins with a line that says which; each namespace has its own counts.
    #[must_use]
    pub fn types(&self, budget: TokenBudget) -> Declarations {
        let mut types = budgeted::within(&self.inner.tools, &self.declarations(), self.declared(), budget);
        self.append_seen(&mut types.text, &mut types.tokens, budget);
        types
    }

    /// The names of the tools, each server with its number of tools: as many as fit `budget`.
    #[must_use]
    pub fn names(&self, budget: TokenBudget) -> ToolIndex {
        tool_index::names(&self.inner.tools, budget)
    }

    /// The declarations of all servers, in the order of the namespaces.
    fn declarations(&self) -> Vec<&ServerDeclarations> {
        let made = self.inner.declarations.iter().zip(self.inner.by_server());
        made.map(|(declarations, tools)| declarations.get_or_init(|| ServerDeclarations::of(tools))).collect()
    }

    /// The place of the server that `tool` belongs to, and its tools.
    fn server_of(&self, tool: &ScopedTool) -> (&OnceLock<ServerDeclarations>, &[ScopedTool]) {
        let mut servers = self.inner.declarations.iter().zip(self.inner.by_server());
        let is_of = |(_, tools): &(&OnceLock<ServerDeclarations>, &[ScopedTool])| tools[0].namespace() == tool.namespace();
        servers.find(is_of).expect("each tool of a scope has a server there")
    }

    /// The tools that match `query` in their names, descriptions and parameters, best first, at most `limit`.
    ///
    /// The first search of a scope makes its index, which later ones wait for and share: see [`Scope::search_work`].
    #[must_use]
    pub fn search(&self, query: &str, limit: usize) -> Vec<SearchHit> {
        let hit = |place: usize| {
            let tool = &self.inner.tools[place];
            SearchHit {
                path: tool.path.clone(),
                signature: ServerDeclarations::alone(tool, Form::COMPACT, self.seen_of(tool)).0,
                description: declarations::summary(tool),
            }
        };
        self.places(query, limit).into_iter().map(hit).collect()
    }

    /// As [`Scope::search`], as a model reads it: a line for each tool, with its types in full as far as `budget` goes, then shortened, then
    /// counted. If nothing matches, the text says which tools there are.
    #[must_use]
    pub fn search_text(&self, query: &str, limit: usize, budget: TokenBudget) -> String {
        search_answer::answer(&self.inner.tools, &self.places(query, limit), budget, |tool| self.seen_of(tool))
    }

    /// The places of the tools that match `query`, best first.
    fn places(&self, query: &str, limit: usize) -> Vec<usize> {
        self.inner.index.get_or_init(|| Index::of(&self.inner.tools)).search(query, limit)
    }

    /// What a model should know of the tools before it asks for any: all declarations if they fit `budget`; else a line for each tool; else
    /// names, each server with its number of tools. The text begins with a line that says which.
    ///
    /// A budget in which not even the servers fit gives that line alone.
    #[must_use]
    pub fn index(&self, budget: TokenBudget) -> ToolIndex {
        let mut index = tool_index::within(&self.inner.tools, || self.declarations(), || self.declared(), budget);
        if index.form != IndexForm::Names {
            self.append_seen(&mut index.text, &mut index.tokens, budget);
        }
        index
    }

    /// How many steps the next [`Scope::search`] for at most `limit` tools takes about, at the most: a step is a nanosecond, and the first search
    /// of a scope takes the most by far.
    #[must_use]
    pub fn search_work(&self, limit: usize) -> u64 {
        let count = |number: usize| u64::try_from(number).unwrap_or(u64::MAX);
        let index = if self.inner.index.get().is_some() { 0 } else { search::INDEX_TOOL_STEPS };
        let tools = count(self.inner.tools.len());
        tools.saturating_mul(index + search::SEARCH_TOOL_STEPS) + count(limit.min(self.inner.tools.len())) * search::HIT_STEPS
    }

    /// The full declarations of the tools at `paths`, with the named types that they need; for an unknown one a line that says so, for
    /// the first five of these with the nearest names.
    ///
    /// Only the first [`DESCRIBED_PATHS_MAX`] paths are looked at, known or not; a last line says how many were left out.
    #[must_use]
    pub fn describe<'a>(&self, paths: impl IntoIterator<Item = &'a str>) -> String {
        let mut paths = paths.into_iter();
        let mut text = self.declare(paths.by_ref().take(DESCRIBED_PATHS_MAX), ServerDeclarations::full);
        let left_out = paths.count();
        if left_out > 0 {
            text.push_str(&format!("// {left_out} paths are left out: name at most {DESCRIBED_PATHS_MAX} at a time\n"));
        }
        text
    }

    /// The tools at `paths` on one line each: signature and first sentence.
    #[must_use]
    pub fn signatures<'a>(&self, paths: impl IntoIterator<Item = &'a str>) -> String {
        self.declare(paths, ServerDeclarations::compact)
    }

    fn declare<'a>(
        &self,
        paths: impl IntoIterator<Item = &'a str>,
        form: fn(&ServerDeclarations, &ScopedTool) -> Piece,
    ) -> String {
        let mut known = Vec::new();
        let mut unknown = Vec::new();
        for path in paths {
            match self.find(path) {
                Some(tool) => known.push(tool),
                None => unknown.push(path),
            }
        }
        known.sort_by_key(|tool| tool.index);
        known.dedup_by_key(|tool| tool.index);
        let mut text = String::new();
        for tools in known.chunk_by(|one, next| one.namespace() == next.namespace()) {
            let (declarations, all) = self.server_of(tools[0]);
            let server = declarations.get_or_init(|| ServerDeclarations::of(all));
            text.push_str(&server.assemble(&tools.iter().map(|tool| form(server, tool)).collect::<Vec<_>>()));
        }
        if let Some(observed) = &self.observed {
            text.push_str(&observed.section(known.iter().copied()));
        }
        for (place, path) in unknown.into_iter().enumerate() {
            let nearest = if place < HINTED_PATHS_MAX { self.nearest(path) } else { Vec::new() };
            let hint = if nearest.is_empty() { String::new() } else { format!(", the nearest are {}", nearest.join(", ")) };
            let path: String = path.chars().take(PATH_LENGTH_MAX).collect();
            text.push_str(&format!("// no tool {}{hint}\n", comment::string_literal(&path)));
        }
        text
    }

    /// The paths of this scope that look most like `name`, best first, at most five; none for a name that is longer than any path.
    #[must_use]
    pub fn nearest(&self, name: &str) -> Vec<String> {
        nearest(self.inner.tools.iter().map(|tool| tool.path.as_str()), name)
    }

    /// The hash of what the isolate installs: users with equal manifests share zygotes and snapshots.
    #[must_use]
    pub fn hash(&self) -> ContentHash {
        self.inner.hash
    }

    /// What in the grants had no effect.
    #[must_use]
    pub fn warnings(&self) -> &[ScopeWarning] {
        &self.inner.warnings
    }
}

impl fmt::Debug for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scope").field("tools", &self.inner.tools.len()).field("hash", &self.inner.hash).finish_non_exhaustive()
    }
}

impl Inner {
    /// Adds the granted tools of one server, renamed ones first in the choice of names.
    fn add(&mut self, namespace: &str, granted: Vec<Granted<'_>>) -> Result<(), ScopeError> {
        let mut renamed: HashMap<&str, &str> = HashMap::new();
        for tool in &granted {
            if let Some(identifier) = &tool.identifier
                && let Some(first) = renamed.insert(identifier, &tool.address)
            {
                let (first, second) = (first.to_owned(), tool.address.clone());
                return Err(ScopeError::RenamedTwice { first, second, identifier: identifier.clone() });
            }
        }
        let renamed: HashSet<String> = renamed.into_keys().map(str::to_owned).collect();
        let own: HashSet<&str> =
            granted.iter().filter(|tool| tool.identifier.is_none()).map(|tool| tool.tool.identifier()).collect();
        let mut known = Namespace {
            name: namespace.to_owned(),
            tools: Vec::with_capacity(granted.len()),
            aliases: Vec::new(),
            is_open: false,
        };
        let namespace: Arc<str> = Arc::from(namespace);
        for Granted { tool, address, identifier, description, pinned, is_read_only } in granted {
            let raw = tool.name();
            let has_alias = identifier.is_none() && name::is_property(raw);
            let suffixed = || Some(name::suffixed(raw)).filter(|name| !own.contains(name.as_str()) && !renamed.contains(name));
            let identifier = match identifier {
                Some(identifier) => Some(identifier),
                None if renamed.contains(tool.identifier()) => suffixed(),
                None => Some(tool.identifier().to_owned()),
            };
            let path = identifier.as_ref().map(|identifier| format!("{namespace}.{identifier}"));
            let (Some(identifier), Some(path)) = (identifier, path.filter(|path| !self.by_path.contains_key(path))) else {
                self.warnings.push(ScopeWarning::IdentifierTaken { tool: address });
                continue;
            };
            self.by_path.insert(path.clone(), self.tools.len());
            if has_alias {
                self.by_path.insert(format!("{namespace}.{raw}"), self.tools.len());
                known.aliases.push((known.tools.len(), raw.to_owned()));
            }
            self.tools.push(ScopedTool {
                index: u32::try_from(self.tools.len()).expect("a catalog has far fewer tools"),
                namespace: Arc::clone(&namespace),
                path,
                definition: Arc::clone(tool),
                description,
                pinned,
                is_read_only,
            });
            known.tools.push(identifier);
        }
        if !known.tools.is_empty() {
            self.manifest.namespaces.push(known);
        }
        Ok(())
    }

    /// The tools of each server.
    fn by_server(&self) -> impl Iterator<Item = &[ScopedTool]> {
        self.tools.chunk_by(|one, next| one.namespace() == next.namespace())
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use serde_json::{Value, json};

    use super::*;
    use crate::Catalog;

    fn scope_of(tools: usize) -> Scope {
        let tools: Vec<Value> =
            (0..tools).map(|tool| json!({"name": format!("tool_{tool}"), "inputSchema": {"type": "object"}})).collect();
        Catalog::load([("server", tools)]).unwrap().scope(&Grants::new().allow("*")).unwrap()
    }

    fn scope_of_names(names: &[&str], grants: &Grants) -> Scope {
        let tools: Vec<Value> = names.iter().map(|name| json!({"name": name, "inputSchema": {"type": "object"}})).collect();
        Catalog::load([("s", tools)]).unwrap().scope(grants).unwrap()
    }

    #[test]
    fn what_a_server_calls_a_tool_works_too_where_that_is_no_identifier() {
        let all = Grants::new().allow("*");
        let scope = scope_of_names(&["echo", "get-sum", "then"], &all);
        let namespace = &scope.manifest().namespaces[0];
        assert_eq!(namespace.tools[..2], ["echo", "get_sum"]);
        assert_eq!(namespace.aliases, [(1, "get-sum".to_owned())]);
        assert_eq!(scope.find("s.get-sum").unwrap().path(), "s.get_sum");
        let manifest = serde_json::to_string(scope_of_names(&["get-sum"], &all).manifest()).unwrap();
        assert_eq!(manifest, r#"[{"name":"s","tools":["get_sum"],"aliases":[[0,"get-sum"]]}]"#);
        let renamed = scope_of_names(&["get-sum"], &all.clone().rename("s.get-sum", "add"));
        assert_eq!(serde_json::to_string(renamed.manifest()).unwrap(), r#"[{"name":"s","tools":["add"]}]"#);
        assert!(renamed.find("s.get-sum").is_none());
    }

    #[test]
    fn a_path_that_means_another_tool_is_in_a_scope_of_another_hash() {
        let of = |names: &[&str]| scope_of_names(names, &Grants::new().allow("*"));
        let (before, after, instead) = (of(&["get-sum"]), of(&["get-sum", "get_sum"]), of(&["get_sum"]));
        let meant = |scope: &Scope| scope.find("s.get_sum").unwrap().name().to_owned();
        assert_eq!((meant(&before), meant(&after), meant(&instead)), ("get-sum".into(), "get_sum".into(), "get_sum".into()));
        assert_ne!(before.hash(), after.hash());
        assert_ne!(before.hash(), instead.hash());
        assert_eq!(after.hash(), of(&["get-sum", "get_sum"]).hash());
    }

    /// Whatever the order in which they are listed.
    #[test]
    fn a_tool_whose_name_was_given_away_takes_none_that_is_another_tools() {
        let given = Grants::new().allow("*").rename("s.find", "get_sum");
        for names in [["find", "get-sum", "get_sum_73fbf2"], ["get_sum_73fbf2", "get-sum", "find"]] {
            let scope = scope_of_names(&names, &given);
            assert_eq!(scope.find("s.get_sum").unwrap().name(), "find");
            assert_eq!(scope.find("s.get_sum_73fbf2").unwrap().name(), "get_sum_73fbf2");
            assert_eq!(scope.warnings(), [ScopeWarning::IdentifierTaken { tool: "s.get-sum".to_owned() }]);
        }
    }

    #[test]
    fn as_many_paths_are_described_as_the_limit_says() {
        let scope = scope_of(DESCRIBED_PATHS_MAX + 2);
        let paths: Vec<&str> = scope.tools().iter().map(ScopedTool::path).collect();
        let described = |count: usize| scope.describe(paths[..count].iter().copied());
        let tools = |text: &str| text.matches("function tool_").count();
        let (all, more) = (described(DESCRIBED_PATHS_MAX), described(DESCRIBED_PATHS_MAX + 2));
        assert_eq!((tools(&all), tools(&more)), (DESCRIBED_PATHS_MAX, DESCRIBED_PATHS_MAX));
        assert_eq!(more.strip_prefix(&all), Some("// 2 paths are left out: name at most 50 at a time\n"));
    }

    #[test]
    fn the_first_unknown_paths_get_near_names() {
        let text = scope_of(1).describe(["server.tool0"; HINTED_PATHS_MAX + 1]);
        assert_eq!(text.matches("// no tool \"server.tool0\", the nearest are server.tool_0\n").count(), HINTED_PATHS_MAX);
        assert!(text.ends_with("// no tool \"server.tool0\"\n"), "{text}");
    }

    #[test]
    fn of_unknown_paths_without_end_few_are_looked_at() {
        let scope = scope_of(1_000);
        let paths: Vec<String> = (0..100_000).map(|path| format!("server.tool-{path}")).collect();
        let text = scope.describe(paths.iter().map(String::as_str));
        assert_eq!((text.lines().count(), text.matches("nearest").count()), (DESCRIBED_PATHS_MAX + 1, HINTED_PATHS_MAX));
        assert!(text.ends_with("// 99950 paths are left out: name at most 50 at a time\n"), "{text}");
    }
}
