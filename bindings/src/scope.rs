//! What one user may call in one request: the only value from which lists, types, bindings, search and authorisation derive.
//!
//! This is the only place that makes a tool index: a tool's place in [`Scope::tools`]. A guest sends such a number, and the host
//! resolves it in the scope of that very run.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fmt;
use std::sync::{Arc, OnceLock};

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};
use serde_json::{Map, Value};

use crate::catalog::Server;
use crate::check::{CHECK_STEPS_MAX, Check, Verdict, Violation};
use crate::comment;
use crate::declarations::{self, Piece, ServerDeclarations};
use crate::definition::Tool;
use crate::grants::Grants;
use crate::hash::ContentHash;
use crate::manifest::{Manifest, Namespace};
use crate::name;
use crate::search::{self, Index, PATH_LENGTH_MAX, SearchHit};
use crate::tokens::TokenBudget;
use crate::types::{self, Types};

/// The most paths that one call of [`Scope::describe`] looks at: a program or a client may name as many as it likes.
pub const DESCRIBED_PATHS_MAX: usize = 50;

/// How many unknown paths get the nearest names: each is compared with all tools of the scope.
const HINTED_PATHS_MAX: usize = 5;

/// The tools of one user, filtered, renamed, described and pinned; cheap to clone.
#[derive(Clone)]
pub struct Scope(Arc<Inner>);

struct Inner {
    tools: Vec<ScopedTool>,
    by_path: HashMap<String, usize>,
    manifest: Manifest,
    hash: ContentHash,
    warnings: Vec<ScopeWarning>,
    declarations: OnceLock<Vec<ServerDeclarations>>,
    typescript: OnceLock<String>,
    index: OnceLock<Index>,
}

/// One tool of a scope: its definition, and how this scope shows it.
#[derive(Clone, Debug)]
pub struct ScopedTool {
    index: u32,
    namespace: Arc<str>,
    path: String,
    definition: Arc<Tool>,
    description: Option<String>,
    pinned: Map<String, Value>,
}

/// Grants that cannot be applied. The fault of the application.
#[non_exhaustive]
#[derive(Debug, thiserror::Error)]
pub enum ScopeError {
    /// A pattern that is no glob.
    #[error("the pattern `{pattern}` is no glob: escape what is meant literally with `\\`")]
    Pattern {
        /// The pattern.
        pattern: String,
        /// What is wrong with it.
        #[source]
        source: globset::Error,
    },
    /// A new name that is no identifier.
    #[error("`{tool}` cannot be renamed to {identifier:?}: take an identifier that is no reserved word and no global")]
    NotAnIdentifier {
        /// The tool, as `server.tool`.
        tool: String,
        /// The name that it should have had.
        identifier: String,
    },
    /// Two tools of one server renamed to the same.
    #[error("`{first}` and `{second}` are both renamed to `{identifier}`: give them different names")]
    RenamedTwice {
        /// One tool, as `server.tool`.
        first: String,
        /// The other.
        second: String,
        /// The name that both should have had.
        identifier: String,
    },
}

/// Something in the grants of a scope that had no effect, for the operator's log.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ScopeWarning {
    /// A pattern, or the tool of a rename, description or pin, that is not in the catalog.
    #[error("`{grant}` matches no tool of the catalog: correct it or remove it")]
    MatchesNothing {
        /// The pattern or `server.tool`.
        grant: String,
    },
    /// A tool whose identifier a rename gave to another, and whose suffixed one is taken too.
    #[error("`{tool}` is left out, its identifier is taken: rename it too")]
    IdentifierTaken {
        /// The tool, as `server.tool`.
        tool: String,
    },
}

impl Scope {
    pub(crate) fn new(servers: &[Server], grants: &Grants) -> Result<Self, ScopeError> {
        let allowed = globs(&grants.allowed)?;
        let denied = globs(&grants.denied)?;
        let mut used = Used::default();
        let mut scope = Inner {
            tools: Vec::new(),
            by_path: HashMap::new(),
            manifest: Manifest::default(),
            hash: ContentHash::of([]),
            warnings: Vec::new(),
            declarations: OnceLock::new(),
            typescript: OnceLock::new(),
            index: OnceLock::new(),
        };
        for server in servers {
            let mut granted = Vec::new();
            for tool in &server.tools {
                let address = format!("{}.{}", server.id, tool.name());
                let allowing = allowed.matches(&address);
                let denying = denied.matches(&address);
                let is_granted = !allowing.is_empty() && denying.is_empty();
                used.note(grants, &address, &allowing, &denying);
                if is_granted {
                    granted.push((address, tool));
                }
            }
            scope.add(server, granted, grants)?;
        }
        used.report(grants, &mut scope.warnings);
        let names = scope.manifest.namespaces.iter().flat_map(|namespace| {
            [namespace.name.as_bytes(), &[]].into_iter().chain(namespace.tools.iter().map(|tool| tool.as_bytes()))
        });
        scope.hash = ContentHash::of(names);
        Ok(Self(Arc::new(scope)))
    }

    /// The tools. A tool's place here is its index.
    #[must_use]
    pub fn tools(&self) -> &[ScopedTool] {
        &self.0.tools
    }

    /// The tool with this index. A guest sends it, so it may be anything.
    #[must_use]
    pub fn tool(&self, index: u32) -> Option<&ScopedTool> {
        self.0.tools.get(usize::try_from(index).ok()?)
    }

    /// The tool that a guest calls `path`: `github.create_issue`.
    #[must_use]
    pub fn find(&self, path: &str) -> Option<&ScopedTool> {
        self.0.by_path.get(path).map(|place| &self.0.tools[*place])
    }

    /// What the isolate installs.
    #[must_use]
    pub fn manifest(&self) -> &Manifest {
        &self.0.manifest
    }

    /// The full declarations of all tools, made at the first call.
    ///
    /// A server whose declarations would take more than 8 MiB, or the last ones of a scope beyond 32 MiB, are shortened to signatures
    /// and then left out; a comment says how many.
    #[must_use]
    pub fn typescript(&self) -> &str {
        self.0.typescript.get_or_init(|| types::all(&self.0.tools, self.declarations()))
    }

    /// Declarations within `budget`: in full as far as it goes, then signatures with one line each, then names, then nothing. The
    /// text begins with a line that says which; each namespace has its own counts.
    #[must_use]
    pub fn types(&self, budget: TokenBudget) -> Types {
        types::within(&self.0.tools, self.declarations(), self.typescript(), budget)
    }

    fn declarations(&self) -> &[ServerDeclarations] {
        self.0.declarations.get_or_init(|| {
            self.0.tools.chunk_by(|one, next| one.namespace() == next.namespace()).map(ServerDeclarations::of).collect()
        })
    }

    /// The declarations of the server that `tool` belongs to.
    fn declarations_of(&self, tool: &ScopedTool) -> &ServerDeclarations {
        let declarations = self.declarations();
        &declarations[declarations.partition_point(|server| server.first <= tool.index() as usize) - 1]
    }

    /// The tools that match `query` in their names, descriptions and parameters, best first, at most `limit`.
    #[must_use]
    pub fn search(&self, query: &str, limit: usize) -> Vec<SearchHit> {
        let hit = |place: usize| {
            let tool = &self.0.tools[place];
            SearchHit {
                path: tool.path.clone(),
                signature: self.declarations_of(tool).signature(tool),
                description: declarations::summary(tool),
            }
        };
        self.0.index.get_or_init(|| Index::of(&self.0.tools)).search(query, limit).into_iter().map(hit).collect()
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
            let server = self.declarations_of(tools[0]);
            text.push_str(&server.assemble(&tools.iter().map(|tool| form(server, tool)).collect::<Vec<_>>()));
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
        search::nearest(self.0.tools.iter().map(|tool| tool.path.as_str()), name)
    }

    /// The hash of what the isolate installs: users with equal manifests share zygotes and snapshots.
    #[must_use]
    pub fn hash(&self) -> ContentHash {
        self.0.hash
    }

    /// What in the grants had no effect.
    #[must_use]
    pub fn warnings(&self) -> &[ScopeWarning] {
        &self.0.warnings
    }
}

impl fmt::Debug for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scope").field("tools", &self.0.tools.len()).field("hash", &self.0.hash).finish_non_exhaustive()
    }
}

impl Inner {
    /// Adds the granted tools of one server, renamed ones first in the choice of names.
    fn add(&mut self, server: &Server, granted: Vec<(String, &Arc<Tool>)>, grants: &Grants) -> Result<(), ScopeError> {
        let mut renamed: HashMap<&str, &str> = HashMap::new();
        for (address, _) in &granted {
            let Some(identifier) = grants.identifiers.get(address) else { continue };
            if !name::is_identifier(identifier) {
                return Err(ScopeError::NotAnIdentifier { tool: address.clone(), identifier: identifier.clone() });
            }
            if let Some(first) = renamed.insert(identifier, address) {
                return Err(ScopeError::RenamedTwice {
                    first: first.to_owned(),
                    second: address.clone(),
                    identifier: identifier.clone(),
                });
            }
        }
        let namespace: Arc<str> = Arc::from(server.identifier.as_str());
        let mut tools = Vec::with_capacity(granted.len());
        for (address, tool) in &granted {
            let identifier = match grants.identifiers.get(address) {
                Some(identifier) => identifier.clone(),
                None if renamed.contains_key(tool.identifier()) => name::mapped(tool.name()),
                None => tool.identifier().to_owned(),
            };
            let path = format!("{namespace}.{identifier}");
            if self.by_path.contains_key(&path) {
                self.warnings.push(ScopeWarning::IdentifierTaken { tool: address.clone() });
                continue;
            }
            self.by_path.insert(path.clone(), self.tools.len());
            self.tools.push(ScopedTool {
                index: u32::try_from(self.tools.len()).expect("a catalog has far fewer tools"),
                namespace: Arc::clone(&namespace),
                path,
                definition: Arc::clone(tool),
                description: grants.descriptions.get(address).cloned(),
                pinned: grants.pins.get(address).cloned().unwrap_or_default(),
            });
            tools.push(identifier);
        }
        if !tools.is_empty() {
            self.manifest.namespaces.push(Namespace { name: server.identifier.clone(), tools });
        }
        Ok(())
    }
}

/// Which grants had an effect.
#[derive(Default)]
struct Used {
    allowed: HashSet<usize>,
    denied: HashSet<usize>,
    tools: HashSet<String>,
}

impl Used {
    fn note(&mut self, grants: &Grants, address: &str, allowing: &[usize], denying: &[usize]) {
        self.allowed.extend(allowing);
        self.denied.extend(denying);
        if grants.identifiers.contains_key(address)
            || grants.descriptions.contains_key(address)
            || grants.pins.contains_key(address)
        {
            self.tools.insert(address.to_owned());
        }
    }

    fn report(&self, grants: &Grants, warnings: &mut Vec<ScopeWarning>) {
        let unused = |patterns: &[String], used: &HashSet<usize>| -> Vec<String> {
            patterns.iter().enumerate().filter(|(place, _)| !used.contains(place)).map(|(_, pattern)| pattern.clone()).collect()
        };
        let tools: BTreeMap<&String, ()> = grants
            .identifiers
            .keys()
            .chain(grants.descriptions.keys())
            .chain(grants.pins.keys())
            .map(|tool| (tool, ()))
            .collect();
        let tools = tools.into_keys().filter(|tool| !self.tools.contains(*tool)).cloned();
        let nothing =
            unused(&grants.allowed, &self.allowed).into_iter().chain(unused(&grants.denied, &self.denied)).chain(tools);
        warnings.extend(nothing.map(|grant| ScopeWarning::MatchesNothing { grant }));
    }
}

fn globs(patterns: &[String]) -> Result<GlobSet, ScopeError> {
    let failed = |pattern: &String| {
        let pattern = pattern.clone();
        move |source| ScopeError::Pattern { pattern, source }
    };
    let mut set = GlobSetBuilder::new();
    for pattern in patterns {
        set.add(GlobBuilder::new(pattern).literal_separator(false).backslash_escape(true).build().map_err(failed(pattern))?);
    }
    set.build().map_err(|source| ScopeError::Pattern { pattern: patterns.join(" "), source })
}

impl ScopedTool {
    /// What a guest writes: `github.create_issue`.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The identifier of its server's global.
    #[must_use]
    pub fn namespace(&self) -> &str {
        &self.namespace
    }

    /// Its identifier within the namespace.
    #[must_use]
    pub fn identifier(&self) -> &str {
        &self.path[self.namespace.len() + 1..]
    }

    /// The server's id, as the catalog was loaded with.
    #[must_use]
    pub fn server(&self) -> &str {
        self.definition.server()
    }

    /// The name that its server calls it by.
    #[must_use]
    pub fn name(&self) -> &str {
        self.definition.name()
    }

    /// Its definition, as its server gave it.
    #[must_use]
    pub fn definition(&self) -> &Tool {
        &self.definition
    }

    /// Its place in the scope.
    #[must_use]
    pub fn index(&self) -> u32 {
        self.index
    }

    /// What it does: in the application's words, else in its server's.
    #[must_use]
    pub fn description(&self) -> Option<&str> {
        self.description.as_deref().or_else(|| self.definition.description())
    }

    /// Whether any argument is fixed in this scope.
    #[must_use]
    pub fn has_pinned(&self) -> bool {
        !self.pinned.is_empty()
    }

    /// Whether `argument` is fixed in this scope.
    #[must_use]
    pub fn is_pinned(&self, argument: &str) -> bool {
        self.pinned.contains_key(argument)
    }

    /// `arguments` with the pinned ones, which win over what is there: what is validated and sent.
    #[must_use]
    pub fn with_pinned(&self, mut arguments: Map<String, Value>) -> Map<String, Value> {
        arguments.extend(self.pinned.clone());
        arguments
    }

    /// Checks `arguments`, the pinned ones among them, against the tool's schema, in at most `steps_max` steps.
    ///
    /// Each step is paid before it is made, so the check ends within them whatever the schema and the value are; it takes no locks and no
    /// more stack than a thread has. [`Verdict::Excessive`] is no match: try again where there is more time ([`CHECK_STEPS_MAX`] at the most),
    /// or refuse the value. A caller that must not block tries with few steps where it is, and elsewhere with more.
    #[must_use]
    pub fn check_arguments(&self, arguments: &Value, steps_max: u64) -> Check {
        self.definition.check_input(arguments, steps_max)
    }

    /// Checks a structured result against the tool's `outputSchema`, in at most `steps_max` steps. What comes of it is a warning, never a
    /// reason to lose the result.
    #[must_use]
    pub fn check_result(&self, structured: &Value, steps_max: u64) -> Check {
        self.definition.check_output(structured, steps_max)
    }

    /// Checks `arguments` as [`ScopedTool::check_arguments`] does, in at most [`CHECK_STEPS_MAX`] steps.
    ///
    /// # Errors
    ///
    /// Each violation found, eight at most; one that says so if the check was given up.
    pub fn validate_arguments(&self, arguments: &Value) -> Result<(), Vec<Violation>> {
        match self.check_arguments(arguments, CHECK_STEPS_MAX).verdict {
            Verdict::Matches => Ok(()),
            Verdict::Differs(violations) => Err(violations),
            Verdict::Excessive => Err(vec![Violation::excessive()]),
        }
    }

    /// How a structured result differs from the tool's `outputSchema`, as [`ScopedTool::check_result`] finds in at most
    /// [`CHECK_STEPS_MAX`] steps; one violation says so if the check was given up.
    #[must_use]
    pub fn validate_result(&self, structured: &Value) -> Vec<Violation> {
        match self.check_result(structured, CHECK_STEPS_MAX).verdict {
            Verdict::Matches => Vec::new(),
            Verdict::Differs(violations) => violations,
            Verdict::Excessive => vec![Violation::excessive()],
        }
    }

    /// Whether its structured result is `{"result": T}`, which the guest gets as `T` (fastmcp's `x-fastmcp-wrap-result`).
    #[must_use]
    pub fn unwraps_result(&self) -> bool {
        self.definition.unwraps_result()
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use std::time::{Duration, Instant};

    use serde_json::json;

    use super::*;
    use crate::Catalog;

    fn scope_of(tools: usize) -> Scope {
        let tools: Vec<Value> =
            (0..tools).map(|tool| json!({"name": format!("tool_{tool}"), "inputSchema": {"type": "object"}})).collect();
        Catalog::load([("server", tools)]).unwrap().scope(&Grants::new().allow("*")).unwrap()
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
    fn unknown_paths_without_end_take_no_time() {
        let scope = scope_of(1_000);
        let paths: Vec<String> = (0..100_000).map(|path| format!("server.tool-{path}")).collect();
        let start = Instant::now();
        let text = scope.describe(paths.iter().map(String::as_str));
        assert!(start.elapsed() < Duration::from_secs(1), "{:?}", start.elapsed());
        assert!(text.ends_with("// 99950 paths are left out: name at most 50 at a time\n"), "{text}");
    }
}
