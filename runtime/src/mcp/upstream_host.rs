//! The tool host whose tools are those of MCP servers: finds the server of a call, and passes on call and answer.

use std::fmt;
use std::sync::Arc;

use isolet_bindings::{Catalog, CatalogError, ToolCall, ToolError, ToolReply};

use super::api_call;
use super::apis::LeftOutOperation;
use super::configuration::Configuration;
use super::configuration_error::ConfigurationError;
use super::error::{Stage, UpstreamError};
use super::result;
use super::server_configuration::{OpenApiServer, ServerConfiguration};
use super::server_key::Key;
use super::tool_list::ToolList;
use super::upstreams::Upstreams;
use crate::host::tool_host::ToolHost;

/// The servers of one user's session, made by [`Upstreams::host`]. Making and dropping one is cheap, and starts and ends nothing.
#[derive(Clone)]
pub struct UpstreamHost {
    upstreams: Upstreams,
    configuration: Configuration,
    user: Arc<str>,
}

/// What the servers of a configuration offer, as far as they could be asked.
#[non_exhaustive]
#[derive(Debug)]
pub struct Discovery {
    /// The tools of the servers that answered.
    pub catalog: Catalog,
    /// Why the others did not: those whose entry is wrong, and then the others, in the order of their names.
    pub failures: Vec<Arc<UpstreamError>>,
    /// The operations of documents that are no tools.
    pub left_out: Vec<LeftOutOperation>,
}

impl Upstreams {
    /// The servers of `configuration`, for `user`: what a session calls its tools through. Starts nothing.
    ///
    /// `user` is whatever tells users apart for the application. Sessions of one user share servers, those of two never do.
    #[must_use]
    pub fn host(&self, configuration: &Configuration, user: &str) -> UpstreamHost {
        UpstreamHost { upstreams: self.clone(), configuration: configuration.clone(), user: user.into() }
    }
}

impl UpstreamHost {
    /// Asks every server for its tools, at the same time, and loads the catalog. Servers whose list is known are not started.
    ///
    /// A server that fails is reported and does not cost the others.
    ///
    /// # Errors
    ///
    /// [`CatalogError`] when the servers' names cannot be told apart.
    pub async fn discover(&self) -> Result<Discovery, CatalogError> {
        let servers = self.configuration.servers().map(async |(name, configuration)| {
            let key = self.key(name, configuration);
            (name.to_owned(), self.listed(&key).await)
        });
        let wrong = |(name, source): (&str, &Arc<ConfigurationError>)| {
            Arc::new(UpstreamError::Entry { server: name.to_owned(), source: Arc::clone(source) })
        };
        let mut failures: Vec<Arc<UpstreamError>> = self.configuration.refused().map(wrong).collect();
        let (mut lists, mut left_out) = (Vec::new(), Vec::new());
        for (name, answer) in futures::future::join_all(servers).await {
            match answer {
                Ok((list, operations)) => {
                    lists.push((name, list.json()));
                    left_out.extend(operations);
                }
                Err(error) => failures.push(error),
            }
        }
        Ok(Discovery { catalog: Catalog::load_json(lists)?, failures, left_out })
    }

    /// What the server lists, and what of its document is no tool.
    async fn listed(&self, key: &Key) -> Result<(Arc<ToolList>, Vec<LeftOutOperation>), Arc<UpstreamError>> {
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
        let answer = api_call::call(&api, server, outbound, &call.tool, &call.arguments);
        let waited = self.upstreams.call_max();
        let slow = |_| failed(UpstreamError::Slow { server: key.server.to_string(), stage: Stage::Call, waited });
        tokio::time::timeout(waited, answer).await.map_err(slow)?
    }

    fn key(&self, server: &str, configuration: &Arc<ServerConfiguration>) -> Key {
        Key { user: Arc::clone(&self.user), server: server.into(), configuration: Arc::clone(configuration) }
    }
}

impl ToolHost for UpstreamHost {
    /// Calls the tool at its server, which is started if it does not run. Dropping the future cancels the call there.
    async fn call(&self, call: ToolCall) -> Result<ToolReply, ToolError> {
        if let Some(configuration) = self.configuration.server(&call.server)
            && let ServerConfiguration::OpenApi(server) = &**configuration
        {
            return self.call_api(&self.key(&call.server, configuration), server, &call).await;
        }
        let ToolCall { server, tool, path, arguments, .. } = call;
        let answer = async {
            let configuration = self.configuration.server(&server);
            let configuration = configuration.ok_or_else(|| UpstreamError::Unknown { server: server.clone() })?;
            let lease = self.upstreams.lease(&self.key(&server, configuration)).await?;
            let is_wrapped = lease.wrapping.has(&tool);
            Ok((lease.connection.call(&tool, arguments.raw()).await?, is_wrapped))
        };
        match answer.await {
            Ok((result, is_wrapped)) => result::reply(result, is_wrapped),
            Err(error) => {
                let error: Arc<UpstreamError> = error;
                self.upstreams.log().call_failed(&server, &path, &error);
                Err(error.to_tool_error())
            }
        }
    }
}

impl fmt::Debug for UpstreamHost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UpstreamHost").field("configuration", &self.configuration).finish_non_exhaustive()
    }
}
