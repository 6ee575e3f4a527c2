//! All tools of all servers of a deployment, loaded once and shared by every request.

use std::collections::{BTreeMap, HashSet};
use std::fmt;
use std::sync::Arc;

use crate::definition::{DefinitionError, DefinitionList, ListError, Tool};
use crate::grants::Grants;
use crate::hash::ContentHash;
use crate::name::{self, RAW_NAME_BYTES_MAX};
use crate::scope::{Scope, ScopeError};

/// The most tools that are taken from one server.
pub const SERVER_TOOLS_MAX: usize = 10_000;

/// Every tool that could be used, by server; cheap to clone.
#[derive(Clone, Debug)]
pub struct Catalog(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    servers: Vec<Server>,
    dropped: Vec<DroppedTool>,
    hash: ContentHash,
}

/// One server of a catalog and its tools, in the order in which it lists them.
#[derive(Debug)]
pub(crate) struct Server {
    pub(crate) id: Arc<str>,
    pub(crate) identifier: String,
    pub(crate) tools: Vec<Arc<Tool>>,
}

/// A catalog that cannot be loaded: the servers' ids cannot be told apart. The fault of the configuration.
#[non_exhaustive]
#[derive(Debug, thiserror::Error)]
pub enum CatalogError {
    /// Two servers have one id.
    #[error("two servers are called {server:?}: rename one of them in the configuration")]
    ServerTwice {
        /// The id.
        server: String,
    },
    /// Two servers become one namespace.
    #[error("the servers {first:?} and {second:?} would both be `{identifier}`: rename one of them in the configuration")]
    NamespaceTaken {
        /// The server that has it.
        first: String,
        /// The server that would have it too.
        second: String,
        /// The namespace.
        identifier: String,
    },
    /// `a` and `a.b`: a pattern `a.b.*` would mean tools of both.
    #[error(
        "the servers {shorter:?} and {longer:?} cannot be told apart in patterns for `server.tool`: rename one of them in the configuration"
    )]
    ServersOverlap {
        /// The server whose id, with a dot, begins the other's.
        shorter: String,
        /// The other server.
        longer: String,
    },
    /// The text of a server's list cannot be read.
    #[error("the tools of server {server:?} cannot be read")]
    List {
        /// The server's id.
        server: String,
        /// Why.
        #[source]
        source: ListError,
    },
}

/// A tool that a catalog did not take. `Display` is one line with the reason and the way out.
#[derive(Debug)]
pub struct DroppedTool {
    /// The server's id.
    pub server: String,
    /// The tool's raw name, or its place in the list (`#3`) where it has none.
    pub tool: String,
    /// Why.
    pub reason: DefinitionError,
}

impl fmt::Display for DroppedTool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "tool {:?} of server {:?} is left out: {}", excerpt(&self.tool), excerpt(&self.server), self.reason)?;
        match std::error::Error::source(&self.reason) {
            Some(source) => write!(f, " ({source})"),
            None => Ok(()),
        }
    }
}

/// The beginning of a name that may be too long to show.
fn excerpt(name: &str) -> &str {
    name.char_indices().nth(80).map_or(name, |(end, _)| &name[..end])
}

impl Catalog {
    /// Takes the tools of each server: its id, and the elements of its `tools/list` (as values, or a [`DefinitionList`] from text).
    ///
    /// Tools that cannot be used are left out and reported by [`Catalog::dropped`]; the others stay. The order of the servers
    /// does not matter, the order of a server's tools is kept.
    ///
    /// # Errors
    ///
    /// [`CatalogError`] when the servers' ids cannot be told apart.
    ///
    /// ```
    /// use isolet_bindings::Catalog;
    /// use serde_json::json;
    ///
    /// let catalog = Catalog::load([("github", vec![json!({"name": "whoami", "inputSchema": {"type": "object"}}), json!(7)])])?;
    /// assert_eq!(catalog.tools().count(), 1);
    /// assert!(catalog.dropped()[0].to_string().contains("it is not an object"));
    /// # Ok::<(), isolet_bindings::CatalogError>(())
    /// ```
    pub fn load<S: Into<String>, L: Into<DefinitionList>>(
        servers: impl IntoIterator<Item = (S, L)>,
    ) -> Result<Self, CatalogError> {
        let mut lists = BTreeMap::new();
        for (server, list) in servers {
            let server = server.into();
            if lists.insert(server.clone(), list.into()).is_some() {
                return Err(CatalogError::ServerTwice { server });
            }
        }
        let mut catalog = Inner { servers: Vec::new(), dropped: Vec::new(), hash: ContentHash::of([]) };
        for (server, DefinitionList(definitions)) in lists {
            catalog.take(server, definitions);
        }
        check_apart(&catalog.servers)?;
        let hashes = catalog.servers.iter().flat_map(|server| &server.tools).map(|tool| tool.hash());
        catalog.hash = ContentHash::of(hashes.collect::<Vec<_>>().iter().map(|hash| hash.as_bytes().as_slice()));
        Ok(Self(Arc::new(catalog)))
    }

    /// As [`Catalog::load`], from the text of each server's `tools` array or `tools/list` result.
    ///
    /// # Errors
    ///
    /// [`CatalogError`] as there, and when a text as a whole cannot be read.
    pub fn load_json<S: Into<String>, T: AsRef<[u8]>>(servers: impl IntoIterator<Item = (S, T)>) -> Result<Self, CatalogError> {
        let parse = |(server, text): (S, T)| {
            let server = server.into();
            match DefinitionList::parse(text) {
                Ok(list) => Ok((server, list)),
                Err(source) => Err(CatalogError::List { server, source }),
            }
        };
        Self::load(servers.into_iter().map(parse).collect::<Result<Vec<_>, _>>()?)
    }

    /// The tools that were left out, each with its reason and the way out.
    #[must_use]
    pub fn dropped(&self) -> &[DroppedTool] {
        &self.0.dropped
    }

    /// What one user may call: the tools that `grants` allows and does not deny, renamed, described and pinned as it says.
    ///
    /// # Errors
    ///
    /// [`ScopeError`] when `grants` itself is wrong: a pattern, a new name that is no identifier or is given twice.
    pub fn scope(&self, grants: &Grants) -> Result<Scope, ScopeError> {
        Scope::new(&self.0.servers, grants)
    }

    /// The hash of all tools taken: equal for equal definitions, whatever the order of the servers.
    #[must_use]
    pub fn hash(&self) -> ContentHash {
        self.0.hash
    }

    /// The tools: servers in the order of their ids, tools in the order of their server.
    pub fn tools(&self) -> impl Iterator<Item = &Tool> {
        self.0.servers.iter().flat_map(|server| &server.tools).map(AsRef::as_ref)
    }
}

impl Inner {
    /// Takes what can be used of one server's definitions.
    fn take(&mut self, server: String, definitions: Vec<Result<serde_json::Value, DefinitionError>>) {
        let id: Arc<str> = Arc::from(server);
        let mut names = HashSet::new();
        let mut identifiers = HashSet::new();
        let mut tools = Vec::with_capacity(definitions.len().min(SERVER_TOOLS_MAX));
        for (place, definition) in definitions.into_iter().enumerate() {
            let name = definition
                .as_ref()
                .ok()
                .and_then(|raw| raw.get("name")?.as_str())
                .map_or_else(|| format!("#{place}"), str::to_owned);
            let taken = Self::check(&id, tools.len(), definition).and_then(|tool| {
                if !names.insert(tool.name().to_owned()) {
                    return Err(DefinitionError::Twice);
                }
                if !identifiers.insert(tool.identifier().to_owned()) {
                    return Err(DefinitionError::IdentifierTaken { identifier: tool.identifier().to_owned() });
                }
                Ok(tool)
            });
            match taken {
                Ok(tool) => tools.push(Arc::new(tool)),
                Err(reason) => self.dropped.push(DroppedTool { server: id.to_string(), tool: name, reason }),
            }
        }
        if !tools.is_empty() {
            self.servers.push(Server { identifier: name::identifier(&id), id, tools });
        }
    }

    fn check(
        server: &Arc<str>,
        taken: usize,
        definition: Result<serde_json::Value, DefinitionError>,
    ) -> Result<Tool, DefinitionError> {
        let definition = definition?;
        if server.is_empty() || server.len() > RAW_NAME_BYTES_MAX {
            Err(DefinitionError::ServerNotAName)
        } else if taken == SERVER_TOOLS_MAX {
            Err(DefinitionError::TooMany { max: SERVER_TOOLS_MAX })
        } else {
            Tool::new(server, definition)
        }
    }
}

/// Refuses servers, sorted by id, that share a namespace or whose ids overlap in `server.tool`.
fn check_apart(servers: &[Server]) -> Result<(), CatalogError> {
    let mut namespaces: BTreeMap<&str, &str> = BTreeMap::new();
    let ids: HashSet<&str> = servers.iter().map(|server| &*server.id).collect();
    for server in servers {
        if let Some(first) = namespaces.insert(&server.identifier, &server.id) {
            let identifier = server.identifier.clone();
            return Err(CatalogError::NamespaceTaken { first: first.to_owned(), second: server.id.to_string(), identifier });
        }
        let beginnings = server.id.match_indices('.').map(|(dot, _)| &server.id[..dot]);
        if let Some(shorter) = beginnings.into_iter().find(|beginning| ids.contains(beginning)) {
            return Err(CatalogError::ServersOverlap { shorter: shorter.to_owned(), longer: server.id.to_string() });
        }
    }
    Ok(())
}
