//! How one server is reached: a command that is started, or an address that is called.
//!
//! Equal configurations of one user share a server, so everything that a server is told, credentials included, belongs here. No `Debug` shows it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::PathBuf;

use isolet_bindings::AskKind;
use isolet_outbound::{Secret, Url, secrets_of};

use super::entry_credentials::EntryCredentials;

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
    /// Its credentials: variables like those of `env`.
    pub credentials: EntryCredentials,
    /// What it may ask whoever uses it for. Default: nothing.
    pub asks: BTreeSet<AskKind>,
    /// Whether it is of the era without sessions (2026-07-28), and known to be. Default: it is found out.
    pub is_stateless: bool,
}

/// A server that is called over HTTP.
#[non_exhaustive]
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct HttpServer {
    /// Its endpoint, such as `https://mcp.example.com/mcp`.
    pub url: Url,
    /// Header fields that go with each request, credentials among them, by their names in lower case.
    pub headers: BTreeMap<String, String>,
    /// Its credentials.
    pub credentials: EntryCredentials,
    /// What it may ask whoever uses it for. Default: nothing.
    pub asks: BTreeSet<AskKind>,
    /// Whether it is of the era without sessions (2026-07-28), and known to be. Default: it is found out.
    pub is_stateless: bool,
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
    /// Its credentials.
    pub credentials: EntryCredentials,
}

/// Where an OpenAPI document is.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Document {
    /// A file.
    File(PathBuf),
    /// An address, which is called without the API's header fields.
    Url(Url),
}

impl ServerConfiguration {
    /// Its credentials.
    #[must_use]
    pub fn credentials(&self) -> &EntryCredentials {
        match self {
            Self::Command(server) => &server.credentials,
            Self::Http(server) => &server.credentials,
            Self::OpenApi(server) => &server.credentials,
        }
    }

    /// What it may ask whoever uses it for.
    #[must_use]
    pub fn asks(&self) -> &BTreeSet<AskKind> {
        const NOTHING: &BTreeSet<AskKind> = &BTreeSet::new();
        match self {
            Self::Command(server) => &server.asks,
            Self::Http(server) => &server.asks,
            Self::OpenApi(_) => NOTHING,
        }
    }

    /// Whether it is known to be of the era without sessions.
    pub(super) fn is_stateless(&self) -> bool {
        match self {
            Self::Command(server) => server.is_stateless,
            Self::Http(server) => server.is_stateless,
            Self::OpenApi(_) => false,
        }
    }

    /// Where it is called, if it is.
    #[must_use]
    pub fn url(&self) -> Option<&Url> {
        match self {
            Self::Command(_) => None,
            Self::Http(server) => Some(&server.url),
            Self::OpenApi(server) => Some(&server.url),
        }
    }

    /// Whether each user is asked for credentials of his own: where the entry says so, or where it says nothing of any for a server that can ask.
    #[must_use]
    pub fn asks_users(&self) -> bool {
        let is_silent = match self {
            Self::Http(server) => server.credentials.is_empty() && !server.headers.contains_key("authorization"),
            Self::Command(_) | Self::OpenApi(_) => false,
        };
        is_silent || self.credentials().oauth.is_some()
    }

    /// What of its header fields, variables, arguments and address is a credential, beside its `credentials`.
    pub(super) fn secrets(&self) -> Vec<Secret> {
        let of_pair = |(name, value): (&String, &String)| secrets_of(name, value);
        match self {
            Self::Command(server) => {
                let names = std::iter::once("").chain(server.args.iter().map(String::as_str));
                let of_argument = |(before, argument): (&str, &String)| match argument.split_once('=') {
                    Some((name, value)) => secrets_of(name, value),
                    None if before.starts_with("--") && !before.contains('=') => secrets_of(before, argument),
                    None => secrets_of("", argument),
                };
                let of_arguments = names.zip(&server.args).flat_map(of_argument);
                server.env.iter().flat_map(of_pair).chain(of_arguments).collect()
            }
            Self::Http(HttpServer { url, headers, .. }) | Self::OpenApi(OpenApiServer { url, headers, .. }) => {
                let of_address = url.query_pairs().flat_map(|(name, value)| secrets_of(&name, &value));
                headers.iter().flat_map(of_pair).chain(of_address).collect()
            }
        }
    }
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

    /// The same server with these credentials.
    #[must_use]
    pub fn with_credentials(mut self, credentials: EntryCredentials) -> Self {
        self.credentials = credentials;
        self
    }
}

impl HttpServer {
    /// The server at `url`, without header fields of its own.
    #[must_use]
    pub fn new(url: Url) -> Self {
        Self {
            url,
            headers: BTreeMap::new(),
            credentials: EntryCredentials::default(),
            asks: BTreeSet::new(),
            is_stateless: false,
        }
    }

    /// The same server with this header field.
    #[must_use]
    pub fn with_header(mut self, name: impl AsRef<str>, value: impl Into<String>) -> Self {
        self.headers.insert(name.as_ref().to_ascii_lowercase(), value.into());
        self
    }

    /// The same server with these credentials.
    #[must_use]
    pub fn with_credentials(mut self, credentials: EntryCredentials) -> Self {
        self.credentials = credentials;
        self
    }
}

impl OpenApiServer {
    /// The API at `url` that `document` describes, without header fields of its own, with all its operations.
    #[must_use]
    pub fn new(document: Document, url: Url) -> Self {
        let (headers, tools, credentials) = (BTreeMap::new(), Vec::new(), EntryCredentials::default());
        Self { document, url, headers, tools, credentials }
    }

    /// The same API with this header field.
    #[must_use]
    pub fn with_header(mut self, name: impl AsRef<str>, value: impl Into<String>) -> Self {
        self.headers.insert(name.as_ref().to_ascii_lowercase(), value.into());
        self
    }

    /// The same API with these credentials.
    #[must_use]
    pub fn with_credentials(mut self, credentials: EntryCredentials) -> Self {
        self.credentials = credentials;
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
    fn credentials_are_found_wherever_they_are_configured() {
        let command =
            CommandServer::new("x").with_args(["--api-key", "canary-in-args", "--token=canary-in-pair", "/srv/files"]);
        let command = command.with_env("TOKEN", "canary-in-env").with_env("ROOT", "/srv/files");
        let url = Url::parse("https://a.example/?api_key=canary-in-url&page=1").unwrap();
        let http = HttpServer::new(url).with_header("X-Key", "canary-in-header").with_header("x-version", "2026-01-01");
        let secrets = |server: ServerConfiguration| -> Vec<String> {
            server.secrets().iter().map(|secret| secret.expose().to_owned()).collect()
        };
        assert_eq!(secrets(command.into()), ["canary-in-env", "canary-in-args", "canary-in-pair"]);
        assert_eq!(secrets(http.into()), ["canary-in-header", "canary-in-url"]);
    }

    #[test]
    fn a_server_that_can_ask_and_of_which_nothing_is_said_asks_its_users() {
        let http = || HttpServer::new(Url::parse("https://a.example/").unwrap());
        assert!(ServerConfiguration::from(http()).asks_users());
        assert!(ServerConfiguration::from(http().with_header("x-version", "1")).asks_users());
        assert!(!ServerConfiguration::from(http().with_header("authorization", "Bearer t")).asks_users());
        let nobody = EntryCredentials { asks_nobody: true, ..EntryCredentials::default() };
        assert!(!ServerConfiguration::from(http().with_credentials(nobody)).asks_users());
        assert!(!ServerConfiguration::from(CommandServer::new("x")).asks_users());
    }

    #[test]
    fn nothing_that_may_be_secret_is_shown() {
        let command = CommandServer::new("x").with_env("TOKEN", "canary");
        let http = HttpServer::new(Url::parse("https://a.example/canary?key=canary").unwrap()).with_header("X-Key", "canary");
        let shown = format!("{command:?} {http:?} {:?}", ServerConfiguration::from(http.clone()));
        assert!(shown.contains("TOKEN") && shown.contains("x-key") && shown.contains("https://a.example"), "{shown}");
        assert!(!shown.contains("canary"), "{shown}");
    }
}
