//! Grants applied to the tools of a catalog: who is denied, who is allowed, and which grant names nothing.
//!
//! A tool has several names: the one that its server gives (raw), the path that a guest writes, and that path with and without the suffix that
//! tells it from another tool, which may come or go. People copy any of them from a listing. So a deny and a pin match every one of them, and
//! an allow none but the raw name and the exact path, and of these none that is an escape for another tool: where it is not clear what was meant,
//! less is allowed.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::{Map, Value};

use crate::definition::Tool;
use crate::grant_patterns::{NotAGlob, Patterns};
use crate::grants::{Grants, WILDCARDS};
use crate::name;
use crate::nearest::nearest;
use crate::server::Server;

/// Grants that cannot be applied. The fault of the application.
#[non_exhaustive]
#[derive(Debug, thiserror::Error)]
pub enum ScopeError {
    /// A pattern that is no glob, and the name of no tool either.
    #[error("the pattern `{pattern}` is no glob: escape what is meant literally with `\\`")]
    Pattern {
        /// The pattern.
        pattern: String,
        /// What is wrong with it.
        #[source]
        source: NotAGlob,
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

/// Something in the grants of a scope that had no effect, for whoever wrote them.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ScopeWarning {
    /// A name, without wildcards, of a tool that its server does not have. Most likely a mistake: a program that is told such a name by its
    /// user should stop.
    #[error("there is no tool `{name}`{}: correct the name or remove it", near(nearest))]
    NoSuchTool {
        /// The name, as it was given.
        name: String,
        /// The names that look most like it.
        nearest: Vec<String>,
    },
    /// A pattern that allows, under which no tool is left. Most likely a mistake, as above.
    #[error("`{pattern}` allows no tool: write the names that the servers give, and see what is denied")]
    NothingLeft {
        /// The pattern.
        pattern: String,
    },
    /// A pattern that denies no tool, or a name of a tool that was left out or whose server is not known.
    #[error("`{grant}` matches no tool: correct it or remove it")]
    MatchesNothing {
        /// The pattern or the name.
        grant: String,
    },
    /// A tool whose identifier a rename gave to another, and whose suffixed one is taken too.
    #[error("`{tool}` is left out, its identifier is taken: rename it too")]
    IdentifierTaken {
        /// The tool, as `server.tool`.
        tool: String,
    },
}

/// `, the nearest are a, b`.
fn near(names: &[String]) -> Cow<'static, str> {
    if names.is_empty() { Cow::Borrowed("") } else { format!(", the nearest are {}", names.join(", ")).into() }
}

/// A tool that is granted, and what the grants say of it.
pub(crate) struct Granted<'c> {
    pub(crate) tool: &'c Arc<Tool>,
    /// `server.tool`, both as they call themselves.
    pub(crate) address: String,
    /// The new name, if it is renamed.
    pub(crate) identifier: Option<String>,
    pub(crate) description: Option<String>,
    pub(crate) pinned: Map<String, Value>,
    /// It changes nothing, as the operator says.
    pub(crate) is_read_only: bool,
}

/// Grants that are being applied.
pub(crate) struct Granting<'g> {
    grants: &'g Grants,
    allowed: Patterns,
    denied: Patterns,
    trusted: Patterns,
    /// The names of renames, descriptions and pins that are some tool's.
    used: BTreeSet<&'g str>,
}

impl<'g> Granting<'g> {
    pub(crate) fn of(grants: &'g Grants) -> Self {
        let [allowed, denied, trusted] = [&grants.allowed, &grants.denied, &grants.trusted].map(|texts| Patterns::of(texts));
        Self { grants, allowed, denied, trusted, used: BTreeSet::new() }
    }

    /// The tool if it is granted.
    ///
    /// # Errors
    ///
    /// A new name that is no identifier.
    pub(crate) fn decide<'c>(
        &mut self,
        server: &Server,
        namespace: &str,
        tool: &'c Arc<Tool>,
    ) -> Result<Option<Granted<'c>>, ScopeError> {
        let raw = format!("{}.{}", server.id, tool.name());
        let path = format!("{namespace}.{}", tool.identifier());
        let identifier = said(&self.grants.identifiers, &raw, &path, &mut self.used).last().cloned();
        let description = said(&self.grants.descriptions, &raw, &path, &mut self.used).last().cloned();
        let pinned = self.pinned([&*server.id, namespace], tool);
        let allowing = self.allowed.of_names_or_escapes(std::iter::once(&raw), [&raw, &path]);
        let every_name = if self.denied.texts.is_empty() {
            Vec::new()
        } else {
            let servers = std::iter::once(&*server.id).chain(server.other_names.iter().map(String::as_str));
            names(servers, tool, identifier.as_deref(), !self.grants.identifiers.is_empty())
        };
        let denying = self.denied.of_names(every_name.iter(), every_name.iter());
        let trusting = self.trusted.of_names_or_escapes(std::iter::once(&raw), [&raw, &path]);
        self.trusted.note(&trusting, true);
        let is_granted = !allowing.is_empty() && denying.is_empty();
        self.allowed.note(&allowing, is_granted);
        self.denied.note(&denying, true);
        if !is_granted {
            return Ok(None);
        }
        match identifier {
            Some(identifier) if !name::is_identifier(&identifier) => Err(ScopeError::NotAnIdentifier { tool: raw, identifier }),
            identifier => {
                let is_read_only = !trusting.is_empty();
                Ok(Some(Granted { tool, address: raw, identifier, description, pinned, is_read_only }))
            }
        }
    }

    /// The arguments of `tool` that are fixed under any of its names; what is said of its raw name wins. Its server has but the two names that it
    /// is shown under: what is fixed for one may be nobody else's business.
    fn pinned(&mut self, servers: [&str; 2], tool: &Tool) -> Map<String, Value> {
        let pins = &self.grants.pins;
        let names = if pins.is_empty() { Vec::new() } else { names(servers.into_iter(), tool, None, false) };
        let found: Vec<_> = names.iter().rev().filter_map(|name| pins.get_key_value(name)).collect();
        self.used.extend(found.iter().map(|(name, _)| name.as_str()));
        found.into_iter().flat_map(|(_, pins)| pins.clone()).collect()
    }

    /// What had no effect. `missing` are servers whose tools are not known: what may be about them stays in force. If `is_whole`, there are
    /// no others than those and `servers`.
    ///
    /// # Errors
    ///
    /// A pattern that can be no name and is no glob.
    pub(crate) fn finish(
        mut self,
        servers: &[Server],
        missing: &[String],
        is_whole: bool,
    ) -> Result<Vec<ScopeWarning>, ScopeError> {
        for patterns in [&mut self.allowed, &mut self.denied, &mut self.trusted] {
            if let Some((pattern, source)) = patterns.take_broken() {
                return Err(ScopeError::Pattern { pattern, source });
            }
        }
        let known = Known { servers, missing, is_whole };
        let grants = self.grants;
        let mut warnings = Vec::new();
        let ineffective = self.allowed.texts.iter().zip(&self.allowed.is_effective).filter(|(_, is_effective)| !**is_effective);
        for (pattern, _) in ineffective {
            let mut concerned = known.missing_concerned(pattern).peekable();
            let is_denied = concerned.peek().is_some() || self.allowed.is_matched(pattern);
            // A server that is denied as a whole need not be asked: nothing of it is left.
            if concerned.all(|server| grants.denies_server(server)) {
                let nothing = || ScopeWarning::NothingLeft { pattern: pattern.clone() };
                let mistake = if is_denied { None } else { known.mistake(pattern) };
                warnings.push(mistake.unwrap_or_else(nothing));
            }
        }
        let unused =
            [&self.denied, &self.trusted].into_iter().flat_map(|patterns| patterns.texts.iter().zip(&patterns.is_effective));
        let unused = unused.filter(|(_, is_effective)| !**is_effective).map(|(pattern, _)| pattern);
        let named: BTreeSet<&String> =
            grants.identifiers.keys().chain(grants.descriptions.keys()).chain(grants.pins.keys()).collect();
        let named = named.into_iter().filter(|name| !self.used.contains(name.as_str()));
        for grant in unused.chain(named).filter(|grant| known.missing_concerned(grant).next().is_none()) {
            let nothing = || ScopeWarning::MatchesNothing { grant: grant.clone() };
            warnings.push(known.mistake(grant).unwrap_or_else(nothing));
        }
        Ok(warnings)
    }
}

/// What a map says of the tool with these two names: by its path, then by its raw name.
fn said<'m, T>(
    grants: &'m BTreeMap<String, T>,
    raw: &str,
    path: &str,
    used: &mut BTreeSet<&'m str>,
) -> impl Iterator<Item = &'m T> + use<'m, T> {
    let by_path = if raw == path || grants.is_empty() { None } else { grants.get_key_value(path) };
    let entries = [by_path, grants.get_key_value(raw)].into_iter().flatten();
    let entries: Vec<(&'m String, &'m T)> = entries.collect();
    used.extend(entries.iter().map(|(name, _)| name.as_str()));
    entries.into_iter().map(|(_, value)| value)
}

/// All that a tool may be called: the raw name, and what may be shown for it, with a suffix and without, for the server and for the tool.
fn names<'s>(servers: impl Iterator<Item = &'s str>, tool: &Tool, new: Option<&str>, is_anything_renamed: bool) -> Vec<String> {
    let mut tools = vec![tool.name().to_owned()];
    let others = name::other_names(tool.name()).into_iter().chain(new.map(str::to_owned));
    // What it is called where another tool has been given its name.
    for name in others.chain(is_anything_renamed.then(|| name::suffixed(tool.name()))) {
        if !tools.contains(&name) {
            tools.push(name);
        }
    }
    servers.flat_map(|server| tools.iter().map(move |tool| format!("{server}.{tool}"))).collect()
}

/// Whether `grants` may allow some tool of `server`, whatever tools it has.
pub(crate) fn may_allow(grants: &Grants, server: &str) -> bool {
    let missing = [server.to_owned()];
    let known = Known { servers: &[], missing: &missing, is_whole: false };
    !grants.denies_server(server) && grants.allowed.iter().any(|pattern| known.missing_concerned(pattern).next().is_some())
}

/// The servers of a deployment, as far as they are known.
struct Known<'c> {
    servers: &'c [Server],
    missing: &'c [String],
    is_whole: bool,
}

impl<'c> Known<'c> {
    /// The servers whose tools are not known that `pattern` may be about.
    fn missing_concerned<'p>(&self, pattern: &'p str) -> impl Iterator<Item = &'c str> + use<'c, 'p> {
        let beginning = &pattern[..pattern.find(WILDCARDS).unwrap_or(pattern.len())];
        let has_wildcards = beginning.len() < pattern.len();
        let concerns = move |server: &str| {
            let server = format!("{server}.");
            beginning.starts_with(&server) || (has_wildcards && server.starts_with(beginning))
        };
        self.missing
            .iter()
            .map(String::as_str)
            .filter(move |server| concerns(server) || name::other_names(server).iter().any(|name| concerns(name)))
    }

    /// What is wrong with `name`, which is no tool's, if it is a name and all tools that it could mean are known.
    fn mistake(&self, name: &str) -> Option<ScopeWarning> {
        if name.contains(WILDCARDS) {
            return None;
        }
        let is_of = |server: &&Server| {
            let begins = |server: &str| name.strip_prefix(server).is_some_and(|rest| rest.starts_with('.'));
            begins(&server.id) || server.other_names.iter().any(|name| begins(name))
        };
        let servers: Vec<&Server> = self.servers.iter().filter(is_of).collect();
        let all_known = if servers.is_empty() { self.is_whole } else { servers.iter().all(|server| server.dropped == 0) };
        if !all_known {
            return None;
        }
        let searched = if servers.is_empty() { self.servers.iter().collect() } else { servers };
        let tools = searched.iter().flat_map(|server| server.tools.iter().map(move |tool| (server, tool)));
        let names: Vec<String> = tools.map(|(server, tool)| format!("{}.{}", server.id, tool.name())).collect();
        Some(ScopeWarning::NoSuchTool { name: name.to_owned(), nearest: nearest(names.iter().map(String::as_str), name) })
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use serde_json::json;

    use super::*;
    use crate::{Catalog, Scope};

    fn catalog() -> Catalog {
        let tool = |name: &str| json!({"name": name, "inputSchema": {"type": "object"}});
        let servers =
            [("everything", vec![tool("get-sum"), tool("echo")]), ("mongo-db", vec![tool("delete-many"), tool("find")])];
        Catalog::load(servers).unwrap()
    }

    fn scope(grants: &Grants) -> Scope {
        catalog().scope(grants).unwrap()
    }

    fn raw_names(scope: &Scope) -> Vec<&str> {
        scope.tools().iter().map(crate::ScopedTool::name).collect()
    }

    fn nothing(grant: &str) -> ScopeWarning {
        ScopeWarning::MatchesNothing { grant: grant.to_owned() }
    }

    fn nothing_left(pattern: &str) -> ScopeWarning {
        ScopeWarning::NothingLeft { pattern: pattern.to_owned() }
    }

    fn no_such_tool(name: &str, nearest: &[&str]) -> ScopeWarning {
        ScopeWarning::NoSuchTool { name: name.to_owned(), nearest: nearest.iter().map(|name| (*name).to_owned()).collect() }
    }

    #[test]
    fn a_deny_matches_every_name_that_is_shown() {
        let all = scope(&Grants::new().allow("*"));
        let [sum, delete] = ["get-sum", "delete-many"].map(|name| all.tools().iter().find(|tool| tool.name() == name).unwrap());
        let (namespace, identifier) = delete.path().split_once('.').unwrap();
        assert_eq!((namespace, identifier), ("mongo_db", "delete_many"));
        // What they would be called beside others, before these came or after they went.
        let (long_namespace, long) = (name::suffixed("mongo-db"), name::suffixed("delete-many"));
        let check = |pattern: &str, expected: &str| {
            let scope = scope(&Grants::new().allow("*").deny(pattern));
            let denied: Vec<&str> = raw_names(&all).into_iter().filter(|name| !raw_names(&scope).contains(name)).collect();
            assert_eq!((denied.join(" ").as_str(), scope.warnings()), (expected, &[][..]), "{pattern}");
        };
        for pattern in ["everything.get-sum", sum.path(), "everything.get_sum_73fbf2", "*.get_*", "every*.get?sum"] {
            check(pattern, "get-sum");
        }
        for server in ["mongo-db", namespace, &long_namespace] {
            for tool in ["delete-many", identifier, &long, "delete*", "*_many"] {
                check(&format!("{server}.{tool}"), "delete-many");
            }
            check(&format!("{server}.*"), "delete-many find");
        }
        check("*.delete_*", "delete-many");
    }

    #[test]
    fn a_deny_matches_the_new_name_and_the_old_ones() {
        for pattern in ["everything.add", "*.add", "everything.get-sum", "everything.get_sum", "everything.get_sum_73fbf2"] {
            let scope = scope(&Grants::new().allow("everything.*").rename("everything.get-sum", "add").deny(pattern));
            assert_eq!(raw_names(&scope), ["echo"], "{pattern}");
        }
        // The other tool, whose name was given away, is shown by another one.
        let renamed = Grants::new().allow("everything.*").rename("everything.get-sum", "echo");
        let shown = scope(&renamed).tools()[1].path().to_owned();
        assert_eq!(raw_names(&scope(&renamed.deny(shown))), ["get-sum"]);
    }

    #[test]
    fn an_allow_is_a_raw_name_or_an_exact_path() {
        for pattern in ["everything.get-sum", "everything.get_sum", "everything.get-*"] {
            assert_eq!(raw_names(&scope(&Grants::new().allow(pattern))), ["get-sum"], "{pattern}");
        }
        for pattern in ["everything.get_*", "*.delete_*", "everything.get_sum*", "mongo_db.*"] {
            let scope = scope(&Grants::new().allow(pattern));
            assert_eq!((scope.tools().len(), scope.warnings()), (0, &[nothing_left(pattern)][..]));
        }
        let scope = scope(&Grants::new().allow("everything.get_sum_73fbf2"));
        assert_eq!(scope.tools().len(), 0);
        assert_eq!(scope.warnings(), [no_such_tool("everything.get_sum_73fbf2", &["everything.get-sum"])]);
    }

    /// `get-sum` was `get_sum` before a tool came that is called so.
    #[test]
    fn a_newcomer_loosens_nothing_that_was_said_of_the_name_it_takes() {
        let tool = |name: &str| json!({"name": name, "inputSchema": {"type": "object"}});
        let catalog = Catalog::load([("everything", vec![tool("get-sum"), tool("get_sum")])]).unwrap();
        let scope = |grants: Grants| catalog.scope(&grants).unwrap();
        let all = || Grants::new().allow("*");
        assert_eq!(raw_names(&scope(all().deny("everything.get_sum"))), Vec::<&str>::new());
        assert_eq!(raw_names(&scope(all().deny("everything.get-sum"))), ["get_sum"]);
        assert_eq!(raw_names(&scope(Grants::new().allow("everything.get_sum"))), ["get_sum"]);
        assert_eq!(raw_names(&scope(Grants::new().allow("everything.get_sum_73fbf2"))), ["get-sum"]);
        assert!(scope(all().pin("everything.get_sum", "a", 1)).tools().iter().all(|tool| tool.is_pinned("a")));
        let both = scope(all().pin("everything.get_sum", "a", 1).pin("everything.get-sum", "a", 2));
        assert_eq!(both.tools()[0].with_pinned(Map::new()), Map::from_iter([("a".to_owned(), json!(2))]));
        assert_eq!(both.warnings(), []);
    }

    #[test]
    fn what_is_fixed_for_one_server_is_not_sent_to_another_of_a_like_name() {
        let tools = || vec![json!({"name": "find", "inputSchema": {"type": "object"}})];
        let catalog = Catalog::load([("mongo-db", tools()), ("mongo_db", tools())]).unwrap();
        let pinned = |address: &str| {
            let scope = catalog.scope(&Grants::new().allow("*").pin(address, "key", "secret")).unwrap();
            scope.tools().iter().filter(|tool| tool.has_pinned()).map(|tool| tool.server().to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(pinned("mongo_db.find"), ["mongo_db"]);
        assert_eq!(pinned("mongo-db.find"), ["mongo-db"]);
        assert_eq!(pinned(&format!("{}.find", name::suffixed("mongo-db"))), ["mongo-db"]);
        let denied = catalog.scope(&Grants::new().allow("*").deny("mongo_db.find")).unwrap();
        assert_eq!(denied.tools().len(), 0);
    }

    /// A server that is still starting has its name already, so that none changes when it is there.
    #[test]
    fn servers_are_told_apart_before_they_have_started() {
        let tools = || vec![json!({"name": "find", "inputSchema": {"type": "object"}})];
        let path = |catalog: Catalog| catalog.scope(&Grants::new().allow("*")).unwrap().tools()[0].path().to_owned();
        let alone = || Catalog::load([("mongo-db", tools())]).unwrap();
        assert_eq!(path(alone()), "mongo_db.find");
        assert_eq!(path(alone().expecting(["mongo-db", "other"])), "mongo_db.find");
        let apart = format!("{}.find", name::suffixed("mongo-db"));
        assert_eq!(path(alone().expecting(["mongo-db", "mongo_db"])), apart);
        assert_eq!(path(Catalog::load([("mongo-db", tools()), ("mongo_db", tools())]).unwrap()), apart);
    }

    #[test]
    fn a_rename_never_widens_an_allow() {
        let renamed = |pattern: &str, name: &str| {
            let scope = scope(&Grants::new().allow(pattern).rename("everything.get-sum", name));
            raw_names(&scope).join(" ")
        };
        assert_eq!(renamed("everything.echo", "echo"), "echo");
        assert_eq!(renamed("everything.add", "add"), "");
        assert_eq!(renamed("everything.a*", "add"), "");
        assert_eq!(renamed("everything.get-sum", "add"), "get-sum");
    }

    #[test]
    fn a_name_that_no_tool_has_is_a_mistake_where_all_tools_are_known() {
        let warnings = |catalog: Catalog, grants: &Grants| catalog.scope(grants).unwrap().warnings().to_vec();
        let all = || Grants::new().allow("*");
        let sun = || no_such_tool("everything.get_sun", &["everything.get-sum"]);
        assert_eq!(warnings(catalog(), &all().deny("everything.get_sun")), [sun()]);
        assert_eq!(warnings(catalog(), &all().pin("everything.get_sun", "a", 1)), [sun()]);
        assert_eq!(warnings(catalog(), &all().rename("everything.zzz", "z")), [no_such_tool("everything.zzz", &[])]);
        // Which servers there are is known only to who says so.
        assert_eq!(warnings(catalog(), &all().deny("nowhere.x")), [nothing("nowhere.x")]);
        let whole = || catalog().expecting(["everything", "mongo-db", "slow-1"]);
        assert_eq!(warnings(whole(), &all().deny("nowhere.x")), [no_such_tool("nowhere.x", &[])]);
        // A server that left a tool out may have had this one.
        let partial = Catalog::load([("s", vec![json!({"name": "a"}), json!({"name": "b", "inputSchema": 7})])]).unwrap();
        assert_eq!(warnings(partial, &all().deny("s.b")), [nothing("s.b")]);
    }

    #[test]
    fn what_may_concern_a_server_that_is_still_starting_stays_in_force() {
        let check = |grants: Grants, expected: &[ScopeWarning]| {
            let whole = catalog().expecting(["everything", "mongo-db", "slow-1"]);
            assert_eq!(whole.scope(&grants.allow("*")).unwrap().warnings(), expected);
        };
        for pattern in ["slow-1.x", "slow_1.x", "slow-1.*", "*.drop_*", "s*.x", "*", "[rs]low*.x"] {
            check(Grants::new().deny(pattern), &[]);
            check(Grants::new().allow(pattern), &[]);
        }
        check(Grants::new().pin("slow-1.x", "a", 1).rename("slow-1.y", "z").describe("slow_1.y", "z"), &[]);
        for pattern in ["everythin.*", "slow.*", "everything.drop_*"] {
            check(Grants::new().deny(pattern), &[nothing(pattern)]);
            check(Grants::new().allow(pattern), &[nothing_left(pattern)]);
        }
    }

    #[test]
    fn an_allow_under_which_nothing_is_left_is_said() {
        let check = |catalog: Catalog, allowed: &str, denied: &str| {
            let scope = catalog.scope(&Grants::new().allow(allowed).deny(denied)).unwrap();
            assert_eq!((scope.tools().len(), scope.warnings()), (0, &[nothing_left(allowed)][..]), "{allowed} {denied}");
        };
        check(catalog(), "everything.get-*", "everything.get-sum");
        check(catalog(), "everything.echo", "*.echo");
        check(catalog(), "everything.*", "everything.*");
        // One that was not asked, because it is denied as a whole.
        check(catalog().expecting(["slow-1"]), "slow-1.x", "slow_1.*");
        let scope = scope(&Grants::new().allow("everything.*").allow("mongo-db.*").deny("everything.get-sum"));
        assert_eq!((scope.tools().len(), scope.warnings()), (3, &[][..]));
    }

    #[test]
    fn a_wildcard_that_matches_nothing_is_said() {
        for pattern in ["everythin.*", "*.drop_*", "everything.get_sum_??????x"] {
            assert_eq!(scope(&Grants::new().allow("*").deny(pattern)).warnings(), [nothing(pattern)]);
        }
        let broken = catalog().scope(&Grants::new().allow("*").deny("[a")).unwrap_err();
        assert!(broken.to_string().contains("`[a` is no glob"), "{broken}");
    }
}
