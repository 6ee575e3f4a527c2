//! All tools of all servers of a deployment, loaded once and shared by every request.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::fmt;
use std::sync::Arc;

use crate::check::UncheckedKeyword;
use crate::definition::{DefinitionError, DefinitionList, ListError, REFUSALS_MAX, Tool, Unchecked};
use crate::granting::ScopeError;
use crate::grants::Grants;
use crate::hash::ContentHash;
use crate::lacking::LackingServer;
use crate::name::{self, RAW_NAME_BYTES_MAX};
use crate::scope::Scope;
use crate::server::Server;
use crate::stand_in::StandIn;

/// The most tools that are taken from one server.
pub const SERVER_TOOLS_MAX: usize = 10_000;

/// The most patterns in the schemas of one server that are checked.
const SERVER_PATTERNS_MAX: usize = 20_000;

/// The most keywords of one server that are reported as not checked; the others are counted.
const UNCHECKED_MAX: usize = 20;

/// The most bytes of a tool's name in a report.
const REPORTED_NAME_BYTES_MAX: usize = 100;

/// Every tool that could be used, by server; cheap to clone.
#[derive(Clone, Debug)]
pub struct Catalog {
    inner: Arc<Inner>,
    /// The namespace of each server.
    namespaces: Arc<[String]>,
    /// The servers whose lists are not here, where it is known which there are.
    missing: Option<Arc<[String]>>,
    /// What stands for those of them that ask their user first.
    stand_ins: Arc<[StandIn]>,
    /// Those that could not be asked.
    lacking: Arc<[LackingServer]>,
}

#[derive(Debug)]
struct Inner {
    servers: Vec<Server>,
    dropped: Vec<DroppedTool>,
    dropped_count: usize,
    unchecked: Vec<UncheckedKeyword>,
    unchecked_count: usize,
    hash: ContentHash,
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
#[non_exhaustive]
#[derive(Debug)]
pub struct DroppedTool {
    /// The server's id.
    pub server: String,
    /// The beginning of the tool's raw name, or its position in the list, from 0 (`#3`), where it has none.
    pub tool: String,
    /// Why.
    pub reason: DefinitionError,
}

impl fmt::Display for DroppedTool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "tool {:?} of server {:?} is left out: {}", self.tool, excerpt(&self.server), self.reason)?;
        match std::error::Error::source(&self.reason) {
            Some(source) => write!(f, " ({source})"),
            None => Ok(()),
        }
    }
}

/// The beginning of a name that may be too long to show.
fn excerpt(name: &str) -> &str {
    let starts = name.char_indices().map(|(start, _)| start).chain([name.len()]);
    let end = starts.take_while(|end| *end <= REPORTED_NAME_BYTES_MAX).last();
    &name[..end.unwrap_or_default()]
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
        let mut catalog = Inner {
            servers: Vec::new(),
            dropped: Vec::new(),
            dropped_count: 0,
            unchecked: Vec::new(),
            unchecked_count: 0,
            hash: ContentHash::of([]),
        };
        for (server, list) in lists {
            catalog.take(server, list);
        }
        let namespaces = namespaces(&catalog.servers)?;
        check_apart(&catalog.servers)?;
        let hashes = catalog.servers.iter().flat_map(|server| &server.tools).map(|tool| tool.hash());
        catalog.hash = ContentHash::of(hashes.collect::<Vec<_>>().iter().map(|hash| hash.as_bytes().as_slice()));
        Ok(Self {
            inner: Arc::new(catalog),
            namespaces: namespaces.into(),
            missing: None,
            stand_ins: Arc::default(),
            lacking: Arc::default(),
        })
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

    /// The tools that were left out, each with its reason and the way out: the first 20 of each server.
    #[must_use]
    pub fn dropped(&self) -> &[DroppedTool] {
        &self.inner.dropped
    }

    /// How many tools were left out, those included that [`Catalog::dropped`] does not name.
    #[must_use]
    pub fn dropped_count(&self) -> usize {
        self.inner.dropped_count
    }

    /// The keywords of schemas that are not checked because of what they are, each with its reason: the first 20 of each server. An operator
    /// should see them: what they say is left to the server.
    #[must_use]
    pub fn unchecked(&self) -> &[UncheckedKeyword] {
        &self.inner.unchecked
    }

    /// How many keywords are not checked, those included that [`Catalog::unchecked`] does not name.
    #[must_use]
    pub fn unchecked_count(&self) -> usize {
        self.inner.unchecked_count
    }

    /// What one user may call: the tools that `grants` allows and does not deny, renamed, described and pinned as it says.
    ///
    /// # Errors
    ///
    /// [`ScopeError`] when `grants` itself is wrong: a pattern, a new name that is no identifier or is given twice.
    pub fn scope(&self, grants: &Grants) -> Result<Scope, ScopeError> {
        let missing = self.missing.as_deref().unwrap_or_default();
        let (stand_ins, lacking) = (&self.stand_ins, &self.lacking);
        Scope::new(&self.inner.servers, &self.namespaces, missing, self.missing.is_some(), stand_ins, lacking, grants)
    }

    /// The same catalog, for a deployment that has `servers` and no others. Those of them whose lists were not loaded, because they are
    /// still starting or have failed, may have any tools: what grants say of them stays in force, and is no mistake. Namespaces are what
    /// they will be when all are there.
    #[must_use]
    pub fn expecting<S: Into<String>>(self, servers: impl IntoIterator<Item = S>) -> Self {
        let listed: HashSet<&str> = self.inner.servers.iter().map(|server| &*server.id).collect();
        let missing: Vec<String> =
            servers.into_iter().map(Into::into).filter(|server: &String| !listed.contains(server.as_str())).collect();
        let loaded = self.inner.servers.iter().map(|server| &*server.id);
        let distinct: BTreeSet<&str> = missing.iter().map(String::as_str).collect();
        let identifiers = name::identifiers(&loaded.chain(distinct).collect::<Vec<_>>());
        let namespaces = identifiers.into_iter().zip(self.namespaces.iter());
        let namespaces = namespaces.map(|(identifier, alone)| identifier.unwrap_or_else(|| alone.clone())).collect();
        Self { namespaces, missing: Some(missing.into()), ..self }
    }

    /// The same catalog, where the lists of these servers, which are expected, are not known before their user has authorized them. In a scope that
    /// may have tools of such a server, its namespace is there with one tool, [`AUTHORIZE`](crate::AUTHORIZE), which stands for whatever else a program calls there.
    #[must_use]
    pub fn asking<S: Into<String>>(self, servers: impl IntoIterator<Item = S>) -> Self {
        let wanted: BTreeSet<String> = servers.into_iter().map(Into::into).collect();
        let loaded = self.inner.servers.iter().map(|server| &*server.id);
        let missing: BTreeSet<&str> = self.missing.as_deref().unwrap_or_default().iter().map(String::as_str).collect();
        let names: Vec<&str> = loaded.chain(missing).collect();
        let named = names.iter().zip(name::identifiers(&names)).skip(self.inner.servers.len());
        let asking = named.filter(|(name, _)| wanted.contains(**name));
        let stand_ins: Vec<StandIn> = asking.filter_map(|(name, namespace)| StandIn::of(name, namespace?)).collect();
        Self { stand_ins: stand_ins.into(), ..self }
    }

    /// The same catalog, where these servers could not be asked for their tools, each with why. Models of users who may call some of those tools are
    /// told so; why in one line of at most 240 characters, which may be in the words of the server and is shown as that.
    #[must_use]
    pub fn lacking<S: Into<String>, W: AsRef<str>>(self, servers: impl IntoIterator<Item = (S, W)>) -> Self {
        let lacking = servers.into_iter().map(|(server, why)| LackingServer::new(server.into(), why.as_ref())).collect();
        Self { lacking, ..self }
    }

    /// The hash of all tools taken: equal for equal definitions, whatever the order of the servers.
    #[must_use]
    pub fn hash(&self) -> ContentHash {
        self.inner.hash
    }

    /// The tools: servers in the order of their ids, tools in the order of their server.
    pub fn tools(&self) -> impl Iterator<Item = &Tool> {
        self.inner.servers.iter().flat_map(|server| &server.tools).map(AsRef::as_ref)
    }
}

impl Inner {
    /// Takes what can be used of one server's definitions.
    fn take(&mut self, server: String, list: DefinitionList) {
        let id: Arc<str> = Arc::from(server);
        let len = list.len();
        let mut names = HashSet::new();
        let mut checked = Vec::with_capacity(list.definitions.len());
        let mut patterns_left = SERVER_PATTERNS_MAX;
        let mut taken_count = 0;
        for (place, definition) in list.definitions {
            let name = definition.as_ref().ok().and_then(|raw| raw.get("name")?.as_str());
            let name = name.map_or_else(|| format!("#{place}"), |name| excerpt(name).to_owned());
            let taken = Self::check(&id, taken_count, definition, &mut patterns_left).and_then(|(tool, unchecked)| {
                if !names.insert(tool.name().to_owned()) {
                    return Err(DefinitionError::Twice);
                }
                Ok((tool, unchecked))
            });
            taken_count += usize::from(taken.is_ok());
            checked.push((name, taken));
        }
        let mut tools = Vec::with_capacity(taken_count);
        let mut refusals_left = REFUSALS_MAX;
        let mut unchecked_left = UNCHECKED_MAX;
        for (name, taken) in called(checked) {
            match taken {
                Ok((tool, unchecked)) => {
                    self.unchecked_count += unchecked.count;
                    for finding in unchecked.findings.into_iter().take(unchecked_left) {
                        unchecked_left -= 1;
                        let (pointer, reason) = (finding.pointer, finding.reason);
                        self.unchecked.push(UncheckedKeyword { server: id.to_string(), tool: name.clone(), pointer, reason });
                    }
                    tools.push(Arc::new(tool));
                }
                Err(reason) if refusals_left > 0 => {
                    refusals_left -= 1;
                    self.dropped.push(DroppedTool { server: id.to_string(), tool: name, reason });
                }
                Err(_) => {}
            }
        }
        let dropped = len - tools.len();
        self.dropped_count += dropped;
        if !id.is_empty() && id.len() <= RAW_NAME_BYTES_MAX {
            self.servers.push(Server { other_names: name::other_names(&id), id, tools, dropped });
        }
    }

    fn check(
        server: &Arc<str>,
        taken: usize,
        definition: Result<serde_json::Value, DefinitionError>,
        patterns_left: &mut usize,
    ) -> Result<(Tool, Unchecked), DefinitionError> {
        let definition = definition?;
        if server.is_empty() || server.len() > RAW_NAME_BYTES_MAX {
            Err(DefinitionError::ServerNotAName)
        } else if taken == SERVER_TOOLS_MAX {
            Err(DefinitionError::TooMany { max: SERVER_TOOLS_MAX })
        } else {
            Tool::new(server, definition, patterns_left)
        }
    }
}

/// A definition of a server, with the name to report it by: a tool, or why it is none.
type NamedDefinition = (String, Result<(Tool, Unchecked), DefinitionError>);

/// The same definitions with the identifiers of their tools, which are known when all of a server are.
fn called(checked: Vec<NamedDefinition>) -> impl Iterator<Item = NamedDefinition> {
    let tools = checked.iter().filter_map(|(_, taken)| taken.as_ref().ok());
    let names: Vec<&str> = tools.map(|(tool, _)| tool.name()).collect();
    let mut identifiers = name::identifiers(&names).into_iter();
    checked.into_iter().map(move |(name, taken)| {
        let taken = taken.and_then(|(tool, unchecked)| match identifiers.next().flatten() {
            Some(identifier) => Ok((tool.called(identifier), unchecked)),
            None => Err(DefinitionError::IdentifierTaken { identifier: name::suffixed(tool.name()) }),
        });
        (name, taken)
    })
}

/// The namespaces of `servers`; refuses those of which one would be another's.
fn namespaces(servers: &[Server]) -> Result<Vec<String>, CatalogError> {
    let ids: Vec<&str> = servers.iter().map(|server| &*server.id).collect();
    let identifiers = name::identifiers(&ids);
    let namespace = |(server, identifier): (&Server, &Option<String>)| match identifier {
        Some(identifier) => Ok(identifier.clone()),
        None => {
            let identifier = name::suffixed(&server.id);
            let first = identifiers.iter().position(|other| other.as_ref() == Some(&identifier));
            let first = first.map_or_else(|| identifier.clone(), |first| ids[first].to_owned());
            Err(CatalogError::NamespaceTaken { first, second: server.id.to_string(), identifier })
        }
    };
    servers.iter().zip(&identifiers).map(namespace).collect()
}

/// Refuses servers, sorted by id, whose ids overlap in `server.tool`.
fn check_apart(servers: &[Server]) -> Result<(), CatalogError> {
    let servers: Vec<&Server> = servers.iter().filter(|server| !server.tools.is_empty()).collect();
    let ids: HashSet<&str> = servers.iter().map(|server| &*server.id).collect();
    for server in servers {
        let beginnings = server.id.match_indices('.').map(|(dot, _)| &server.id[..dot]);
        if let Some(shorter) = beginnings.into_iter().find(|beginning| ids.contains(beginning)) {
            return Err(CatalogError::ServersOverlap { shorter: shorter.to_owned(), longer: server.id.to_string() });
        }
    }
    Ok(())
}
