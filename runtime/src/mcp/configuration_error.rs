//! What is wrong with a configuration, or may have been meant otherwise: with where it stands, and never with a value that may be secret.

use std::path::PathBuf;

/// The most bytes of a configuration.
pub const CONFIGURATION_BYTES_MAX: u64 = 1 << 20;

/// Something that may have been meant otherwise.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConfigurationWarning {
    /// A variable where others see its value.
    #[error("`{at}` has a variable in it, and others can see its value there: use `env` or `headers`")]
    Visible {
        /// Where, as `mcpServers.github.args[1]`.
        at: String,
    },
    /// A variable without braces.
    #[error("`{at}` has `$` before a name, which stays as it is: write `${{NAME}}` if a variable was meant")]
    NotExpanded {
        /// Where, as `mcpServers.github.env.TOKEN`.
        at: String,
    },
}

/// What is wrong with a text that should be TOML, with line and column.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(transparent)]
pub struct NotToml(toml::de::Error);

/// A configuration, or an entry of one, that cannot be used.
#[non_exhaustive]
#[derive(Debug, thiserror::Error)]
pub enum ConfigurationError {
    /// The file cannot be read.
    #[error("cannot read the configuration `{}`: name a file like `{{\"mcpServers\": {{\"name\": {{\"command\": ...}}}}}}`", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The file is longer than [`CONFIGURATION_BYTES_MAX`].
    #[error("the configuration has more than {CONFIGURATION_BYTES_MAX} bytes: is it the right file?")]
    TooLarge,
    /// Not JSON, or not of this form.
    #[error("the configuration is wrong{}", located(at))]
    Malformed {
        /// Where, as `mcpServers.github.args[1]`; empty for the whole.
        at: String,
        /// What is wrong, with line and column if it is no JSON.
        #[source]
        source: serde_json::Error,
    },
    /// Not TOML.
    #[error("the configuration is no TOML")]
    Toml {
        /// What is wrong, with line and column.
        #[source]
        source: NotToml,
    },
    /// No servers in it, under whichever name.
    #[error(
        "the configuration has no servers: name them in `mcpServers`, as `{{\"mcpServers\": {{\"name\": {{\"command\": ...}}}}}}`"
    )]
    NoServers,
    /// An address that is none.
    #[error("`{at}` is no address: write one such as `https://mcp.example.com/mcp`")]
    Address {
        /// Where, as `mcpServers.github.url`.
        at: String,
    },
    /// The older transport over HTTP.
    #[error(
        "server `{server}` is reached over the older transport `sse`: give it the `url` of streamable HTTP (often `/mcp` instead of `/sse`) with `\"type\": \"http\"`, or a bridge as `command`"
    )]
    OlderTransport {
        /// The server.
        server: String,
    },
    /// A server without a command.
    #[error("server `{server}` has no `command` and no `url`: add the program that starts it, or its address")]
    NoCommand {
        /// The server.
        server: String,
    },
    /// A document without the address of its API.
    #[error(
        "server `{server}` has an `openapi` document and no `url`: add the address of the API, which the document has no say in"
    )]
    NoBase {
        /// The server.
        server: String,
    },
    /// A pattern for tools that is none.
    #[error("`{at}` is no pattern for names of tools: write one such as `list*`")]
    Pattern {
        /// Where, as `mcpServers.pets.tools[0]`.
        at: String,
    },
    /// A variable that is not allowed.
    #[error("`{at}` has the variable `{name}`, which is not allowed: allow it with {way}, or write the value itself")]
    Variable {
        /// Where, as `mcpServers.github.env.TOKEN`.
        at: String,
        /// Its name.
        name: String,
        /// How it is allowed.
        way: String,
    },
    /// A variable that is allowed and has no value.
    #[error("`{at}` has the variable `{name}`, which is not set: set it, or write `${{{name}:-default}}`")]
    NotSet {
        /// Where, as `mcpServers.github.env.TOKEN`.
        at: String,
        /// Its name.
        name: String,
    },
    /// A variable of the environment without braces, which is not replaced.
    #[error("`{at}` has `${name}`, which is not replaced: write `${{{name}}}` and allow it with {way}, or the value itself")]
    WithoutBraces {
        /// Where, as `mcpServers.github.env.TOKEN`.
        at: String,
        /// Its name.
        name: String,
        /// How it is allowed.
        way: String,
    },
    /// A value that another client would ask for, or make.
    #[error(
        "`{at}` has `{value}`, which only its own client can fill in: write `${{env:NAME}}` and allow it with {way}, or the value itself"
    )]
    ClientVariable {
        /// Where, as `mcpServers.github.env.TOKEN`.
        at: String,
        /// What is written there.
        value: String,
        /// How a variable is allowed.
        way: String,
    },
    /// A file with variables that cannot be read.
    #[error("cannot read the `envFile` `{}` of server `{server}`: correct its path, or write its lines as `NAME=value`", path.display())]
    EnvFile {
        /// The server.
        server: String,
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// A credential that is none.
    #[error("`{at}` is no credential: {problem}")]
    NoCredential {
        /// Where, as `mcpServers.github.credentials.bearer`.
        at: String,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// A string that no process can be given.
    #[error("`{at}` cannot be given to a process: remove the NUL character, or the `=` of a variable's name")]
    NotForProcess {
        /// Where, as `mcpServers.github.env.TOKEN`.
        at: String,
    },
}

impl ConfigurationError {
    /// That of a text that is no TOML.
    pub(super) fn no_toml(source: toml::de::Error) -> Self {
        Self::Toml { source: NotToml(source) }
    }
}

fn located(at: &str) -> String {
    if at.is_empty() { String::new() } else { format!(" at `{at}`") }
}
