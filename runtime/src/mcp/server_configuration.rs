//! How one server is reached: a command that is started, or an address that is called.
//!
//! Equal configurations of one user share a server, so everything that a server is told, credentials included, belongs here. No `Debug` shows it.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

use isolet_outbound::Url;

/// One server of a [`crate::mcp::Configuration`].
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum ServerConfiguration {
    /// A command that speaks MCP on its standard input and output.
    Command(CommandServer),
    /// An address that speaks MCP over streamable HTTP.
    Http(HttpServer),
    /// An HTTP API that an OpenAPI document describes.
    OpenApi(OpenApiServer),
}

/// A server that is started.
#[non_exhaustive]
#[derive(Clone, Default, PartialEq, Eq, Hash)]
pub struct CommandServer {
    /// The program: a path, or a name that is looked up in `PATH` (the one of `env`, if that has one).
    pub command: String,
    /// Its arguments, passed on as they are. Other users of the machine can see them: credentials belong into `env`.
    pub args: Vec<String>,
    /// Environment variables, beside those of [`crate::mcp::ENVIRONMENT_KEPT`]; no others reach the server.
    pub env: BTreeMap<String, String>,
    /// The working directory. Default: the one of this process.
    pub cwd: Option<PathBuf>,
}

/// A server that is called over HTTP.
#[non_exhaustive]
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct HttpServer {
    /// Its endpoint, such as `https://mcp.example.com/mcp`.
    pub url: Url,
    /// Header fields that go with each request, credentials among them, by their names in lower case.
    pub headers: BTreeMap<String, String>,
}

/// An HTTP API: each operation of its document is a tool.
#[non_exhaustive]
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct OpenApiServer {
    /// Where its document is.
    pub document: Document,
    /// The address in front of the document's paths, such as `https://pets.example.com/v1`. What the document says of servers is not asked.
    pub url: Url,
    /// Header fields that go with each call, credentials among them, by their names in lower case.
    pub headers: BTreeMap<String, String>,
    /// Patterns for the names of the tools that are taken, such as `list*`. Default: none, which takes all.
    pub tools: Vec<String>,
}

/// Where an OpenAPI document is.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Document {
    /// A file.
    File(PathBuf),
    /// An address, which is called without the API's header fields.
    Url(Url),
}

impl CommandServer {
    /// The server that `command` starts, without arguments or variables.
    #[must_use]
    pub fn new(command: impl Into<String>) -> Self {
        Self { command: command.into(), ..Self::default() }
    }

    /// The same server with these arguments.
    #[must_use]
    pub fn with_args<S: Into<String>>(mut self, args: impl IntoIterator<Item = S>) -> Self {
        self.args = args.into_iter().map(Into::into).collect();
        self
    }

    /// The same server with this environment variable.
    #[must_use]
    pub fn with_env(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.env.insert(name.into(), value.into());
        self
    }
}

impl HttpServer {
    /// The server at `url`, without header fields of its own.
    #[must_use]
    pub fn new(url: Url) -> Self {
        Self { url, headers: BTreeMap::new() }
    }

    /// The same server with this header field.
    #[must_use]
    pub fn with_header(mut self, name: impl AsRef<str>, value: impl Into<String>) -> Self {
        self.headers.insert(name.as_ref().to_ascii_lowercase(), value.into());
        self
    }
}

impl OpenApiServer {
    /// The API at `url` that `document` describes, without header fields of its own, with all its operations.
    #[must_use]
    pub fn new(document: Document, url: Url) -> Self {
        Self { document, url, headers: BTreeMap::new(), tools: Vec::new() }
    }

    /// The same API with this header field.
    #[must_use]
    pub fn with_header(mut self, name: impl AsRef<str>, value: impl Into<String>) -> Self {
        self.headers.insert(name.as_ref().to_ascii_lowercase(), value.into());
        self
    }
}

impl From<OpenApiServer> for ServerConfiguration {
    fn from(server: OpenApiServer) -> Self {
        Self::OpenApi(server)
    }
}

impl From<CommandServer> for ServerConfiguration {
    fn from(server: CommandServer) -> Self {
        Self::Command(server)
    }
}

impl From<HttpServer> for ServerConfiguration {
    fn from(server: HttpServer) -> Self {
        Self::Http(server)
    }
}

impl fmt::Debug for CommandServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&String> = self.env.keys().collect();
        f.debug_struct("CommandServer")
            .field("command", &self.command)
            .field("args", &self.args)
            .field("env", &names)
            .field("cwd", &self.cwd)
            .finish()
    }
}

/// Paths and queries hold keys too.
impl fmt::Debug for HttpServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&String> = self.headers.keys().collect();
        f.debug_struct("HttpServer").field("origin", &self.url.origin().ascii_serialization()).field("headers", &names).finish()
    }
}

impl fmt::Debug for OpenApiServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&String> = self.headers.keys().collect();
        f.debug_struct("OpenApiServer")
            .field("origin", &self.url.origin().ascii_serialization())
            .field("headers", &names)
            .field("tools", &self.tools)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    #[test]
    fn nothing_that_may_be_secret_is_shown() {
        let command = CommandServer::new("x").with_env("TOKEN", "canary");
        let http = HttpServer::new(Url::parse("https://a.example/canary?key=canary").unwrap()).with_header("X-Key", "canary");
        let shown = format!("{command:?} {http:?} {:?}", ServerConfiguration::from(http.clone()));
        assert!(shown.contains("TOKEN") && shown.contains("x-key") && shown.contains("https://a.example"), "{shown}");
        assert!(!shown.contains("canary"), "{shown}");
    }
}
