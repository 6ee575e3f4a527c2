//! The tool host whose tools are those of MCP servers: finds the server of a call, and passes on call and answer.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use isolet_bindings::{AUTHORIZE, Asker, Catalog, CatalogError, ToolCall, ToolError, ToolErrorCode, ToolReply};
use tokio::sync::watch;

use super::api_call;
use super::apis::LeftOutOperation;
use super::asking::Guarded;
use super::configuration::Configuration;
use super::configuration_error::ConfigurationError;
use super::credential_source::{CredentialRequest, CredentialSource, Given};
use super::credential_supply::Missing;
use super::error::{Stage, UpstreamError};
use super::offered;
use super::result;
use super::server_configuration::{OpenApiServer, ServerConfiguration};
use super::server_key::Key;
use super::tool_list::ToolList;
use super::upstreams::Upstreams;
use crate::host::principal::Principal;
use crate::host::tool_host::ToolHost;
use crate::host::wanted::Wanted;

/// The servers of one user's session, made by [`Upstreams::host`]. Making and dropping one is cheap, and starts and ends nothing.
#[derive(Clone)]
pub struct UpstreamHost {
    upstreams: Upstreams,
    configuration: Configuration,
    principal: Arc<Principal>,
    given: Option<Arc<dyn CredentialSource>>,
}

/// What the servers of a configuration offer, as far as they could be asked.
#[non_exhaustive]
#[derive(Debug)]
pub struct Discovery {
    /// The tools of the servers that answered.
    pub catalog: Catalog,
    /// Why the others did not: those whose entry is wrong, and then the others, in the order of their names.
    pub failures: Vec<Arc<UpstreamError>>,
    /// The names of these others, in the same order.
    pub failed: Vec<String>,
    /// The operations of documents that are no tools.
    pub left_out: Vec<LeftOutOperation>,
    /// The servers that have not answered yet; they go on starting.
    pub starting: Vec<String>,
}

/// Says when the tools of a host's servers may be others: [`UpstreamHost::changes`].
#[derive(Debug)]
pub struct ToolChanges(watch::Receiver<()>);

impl ToolChanges {
    /// Waits until a server lists other tools than before, listed some for the first time, or failed. What happened since the last time counts.
    pub async fn changed(&mut self) {
        if self.0.changed().await.is_err() {
            std::future::pending().await
        }
    }
}

/// What one server lists, or why it does not.
type Listed = Result<(Arc<ToolList>, Vec<LeftOutOperation>), Arc<UpstreamError>>;

impl Upstreams {
    /// The servers of `configuration`, for `principal`: what a session calls its tools through. Starts nothing.
    ///
    /// A principal may be a name alone: whatever tells users apart for the application. Sessions of one principal share servers, those of two
    /// never do.
    #[must_use]
    pub fn host(&self, configuration: &Configuration, principal: impl Into<Principal>) -> UpstreamHost {
        let principal = Arc::new(principal.into());
        UpstreamHost { upstreams: self.clone(), configuration: configuration.clone(), principal, given: None }
    }
}

impl UpstreamHost {
    /// The same host with credentials that came with the request: `source` is asked first, before each call. What it gives for a server goes out
    /// there instead of anything else, and a connection with other credentials is never used for it.
    #[must_use]
    pub fn with_credentials(mut self, source: impl CredentialSource) -> Self {
        self.given = Some(Arc::new(source));
        self
    }

    /// Asks every server for its tools, at the same time, and loads the catalog. Servers whose list is known are not started.
    ///
    /// A server that fails is reported and does not cost the others.
    ///
    /// # Errors
    ///
    /// [`CatalogError`] when the servers' names cannot be told apart.
    pub async fn discover(&self) -> Result<Discovery, CatalogError> {
        let servers = self.configuration.servers().map(async |(name, configuration)| {
            let listed = match self.key(name, configuration, Stage::List).await {
                Ok(key) => self.listed(&key).await,
                Err(error) => Err(Arc::new(error)),
            };
            (name.to_owned(), Some(listed))
        });
        self.discovered(futures::future::join_all(servers).await)
    }

    /// The same, without waiting longer than `wait` for any server: those that take longer go on starting, and [`ToolChanges`] tells when they
    /// are there, or failed. One that failed is not started again for this, only for a call.
    ///
    /// # Errors
    ///
    /// As [`UpstreamHost::discover`].
    pub async fn discover_within(&self, wait: Duration) -> Result<Discovery, CatalogError> {
        let servers = self.configuration.servers().map(async |(name, configuration)| {
            let host = self.clone();
            let key = match self.key(name, configuration, Stage::List).await {
                Ok(key) => key,
                Err(error) => return (name.to_owned(), Some(Err(Arc::new(error)))),
            };
            if self.upstreams.known(&key).is_none()
                && let Some(error) = self.upstreams.last_failure(&key)
            {
                return (name.to_owned(), Some(Err(error)));
            }
            let listed = self.upstreams.start_aside(async move { host.listed(&key).await });
            (name.to_owned(), tokio::time::timeout(wait, listed).await.ok().and_then(Result::ok))
        });
        self.discovered(futures::future::join_all(servers).await)
    }

    /// Tells when the tools of these servers may be others. So do other hosts' servers of the same [`Upstreams`].
    #[must_use]
    pub fn changes(&self) -> ToolChanges {
        ToolChanges(self.upstreams.changes())
    }

    fn discovered(&self, answers: Vec<(String, Option<Listed>)>) -> Result<Discovery, CatalogError> {
        let wrong = |(name, source): (&str, &Arc<ConfigurationError>)| {
            Arc::new(UpstreamError::Entry { server: name.to_owned(), source: Arc::clone(source) })
        };
        let mut failures: Vec<Arc<UpstreamError>> = self.configuration.refused().map(wrong).collect();
        let mut failed: Vec<String> = self.configuration.refused().map(|(name, _)| name.to_owned()).collect();
        let (mut lists, mut left_out, mut starting) = (Vec::new(), Vec::new(), Vec::new());
        for (name, answer) in answers {
            match answer {
                Some(Ok((list, operations))) => {
                    lists.push((name, list.json()));
                    left_out.extend(operations);
                }
                Some(Err(error)) => {
                    failures.push(error);
                    failed.push(name);
                }
                None => starting.push(name),
            }
        }
        Ok(Discovery { catalog: Catalog::load_json(lists)?, failures, failed, left_out, starting })
    }

    /// What the server lists, and what of its document is no tool.
    async fn listed(&self, key: &Key) -> Listed {
        match &*key.configuration {
            ServerConfiguration::OpenApi(server) => {
                let (api, _) = self.upstreams.api(key, server).await?;
                Ok((Arc::clone(&api.list), api.left_out(&key.server).collect()))
            }
            _ => Ok((self.upstreams.tools(key).await?, Vec::new())),
        }
    }

    async fn call_api(&self, key: &Key, server: &OpenApiServer, call: &ToolCall) -> Result<ToolReply, ToolError> {
        let failed = |error: UpstreamError| {
            self.upstreams.log().call_failed(&key.server, &call.path, &error);
            error.to_tool_error()
        };
        let (api, outbound) = self.upstreams.api(key, server).await.map_err(failed)?;
        let supply = self.upstreams.supply(key);
        let answer = api_call::call(&api, server, outbound, &supply, call);
        let waited = self.upstreams.call_max();
        let slow = |_| failed(UpstreamError::Slow { server: key.server.to_string(), stage: Stage::Call, waited });
        tokio::time::timeout(waited, answer).await.map_err(slow)?
    }

    async fn key(&self, server: &str, configuration: &Arc<ServerConfiguration>, stage: Stage) -> Result<Key, UpstreamError> {
        let request = CredentialRequest {
            principal: &self.principal,
            server,
            url: configuration.url(),
            oauth: configuration.credentials().oauth.as_ref(),
        };
        let missing = |missing| UpstreamError::of_missing(missing, server, stage);
        let given = match &self.given {
            None => None,
            Some(source) => match source.credentials(request).await.map_err(|error| missing(Missing::from(error)))? {
                Given::Nothing => None,
                Given::These(credentials) => Some(credentials),
                Given::Ask(authorization) => return Err(missing(Missing::Ask(Box::new(authorization)))),
            },
        };
        let is_personal = given.is_some() || (self.upstreams.can_ask() && configuration.asks_users());
        let (principal, configuration) = (Arc::clone(&self.principal), Arc::clone(configuration));
        Ok(Key { principal, server: server.into(), configuration, given, is_personal })
    }

    /// Asks the user, if a call of [`AUTHORIZE`] is of what stands for the tools of a server that the user has not authorized: that is none of its tools.
    async fn check_is_listed(&self, key: &Key, call: &ToolCall) -> Result<(), ToolError> {
        let (list, _) = self.listed(key).await.map_err(|error| {
            self.upstreams.log().call_failed(&call.server, &call.path, &error);
            error.to_tool_error()
        })?;
        if list.has(AUTHORIZE) {
            return Ok(());
        }
        let message = "the user has authorized the server meanwhile: run the program again, its tools are there now";
        Err(ToolError::new(ToolErrorCode::Unavailable, message).with_retryable(true))
    }

    /// Whom the server can ask in one call, where `asker` is the client that it is made for.
    fn guarded(&self, key: &Key, asker: Asker) -> Guarded {
        let (user, users) = (self.principal.key(), self.upstreams.asked().clone());
        Guarded::new(&key.server, user, users, key.configuration.asks().clone(), asker)
    }

    /// The key of a server that is called, or asked, for what `path` says.
    async fn called(&self, server: &str, path: &str) -> Result<Key, ToolError> {
        let failed = |error: UpstreamError| {
            self.upstreams.log().call_failed(server, path, &error);
            error.to_tool_error()
        };
        let unknown = || UpstreamError::Unknown { server: server.to_owned() };
        let configuration = self.configuration.server(server).ok_or_else(unknown).map_err(failed)?;
        self.key(server, configuration, Stage::Call).await.map_err(failed)
    }
}

impl ToolHost for UpstreamHost {
    /// Calls the tool at its server, which is started if it does not run. Dropping the future cancels the call there.
    async fn call(&self, call: ToolCall) -> Result<ToolReply, ToolError> {
        let key = self.called(&call.server, &call.path).await?;
        if call.tool == AUTHORIZE {
            self.check_is_listed(&key, &call).await?;
        }
        if let ServerConfiguration::OpenApi(server) = &*key.configuration {
            return self.call_api(&key, server, &call).await;
        }
        let ToolCall { server, tool, path, arguments, listener, asker, .. } = call;
        let guarded = self.guarded(&key, asker);
        let answer = async {
            let lease = self.upstreams.lease(&key).await?;
            let is_wrapped = lease.wrapping.has(&tool);
            Ok((lease.connection.call(&tool, arguments.raw(), listener, &guarded).await?, is_wrapped))
        };
        match answer.await {
            Ok((result, is_wrapped)) => result::reply(result, is_wrapped).map_err(|error| guarded.explained(error)),
            Err(error) => {
                let error: Arc<UpstreamError> = error;
                self.upstreams.log().call_failed(&server, &path, &error);
                Err(guarded.explained(error.to_tool_error()))
            }
        }
    }

    /// All but OpenAPI documents, which have tools alone.
    fn servers(&self) -> Vec<String> {
        let is_mcp = |configuration: &ServerConfiguration| !matches!(configuration, ServerConfiguration::OpenApi(_));
        let servers = self.configuration.servers().filter(|(_, configuration)| is_mcp(configuration));
        servers.map(|(name, _)| name.to_owned()).collect()
    }

    /// Asks the server, which is started if it does not run.
    async fn give(&self, server: String, wanted: Wanted) -> Result<ToolReply, ToolError> {
        let path = offered::path(&wanted);
        let key = self.called(&server, path).await?;
        let asker = if let Wanted::Prompt { asker, .. } = &wanted { asker.clone() } else { Asker::default() };
        let guarded = self.guarded(&key, asker);
        let answer = async {
            let lease = self.upstreams.lease(&key).await?;
            offered::asked(&lease.connection, &wanted, &guarded).await.map_err(Arc::new)
        };
        match answer.await {
            Ok(result) => offered::reply(&wanted, result).map_err(|error| guarded.explained(error)),
            Err(error) => {
                self.upstreams.log().call_failed(&server, path, &error);
                Err(guarded.explained(error.to_tool_error()))
            }
        }
    }
}

impl fmt::Debug for UpstreamHost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UpstreamHost").field("configuration", &self.configuration).finish_non_exhaustive()
    }
}
