//! Which MCP servers there are and how each is started: the `mcpServers` format that desktop clients already have.
//!
//! Read once, with a place for each mistake. What other clients add (`type`, `disabled`, `autoApprove`, ...) is understood or
//! ignored; what would start something else than was meant is refused. Values are taken as they are: no shell, no `${VARIABLE}`.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use isolet_bindings::visible;
use serde::Deserialize;

/// The most bytes of a configuration.
pub const CONFIGURATION_BYTES_MAX: u64 = 1 << 20;

/// The servers of a deployment, or of one user, by name; cheap to clone.
///
/// ```
/// use isolet::mcp::Configuration;
///
/// let configuration = Configuration::parse(r#"{"mcpServers": {"files": {"command": "npx", "args": ["-y", "some-server"]}}}"#)?;
/// assert_eq!(configuration.servers().map(|(name, _)| name).collect::<Vec<_>>(), ["files"]);
/// # Ok::<(), isolet::mcp::ConfigurationError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Configuration {
    servers: Arc<BTreeMap<String, Arc<ServerConfiguration>>>,
}

/// How one server is started: a command that speaks MCP on its standard input and output.
///
/// Equal configurations of one user share a process, so everything a server is told, credentials included, belongs here.
/// `Debug` does not show the values of `env`.
#[non_exhaustive]
#[derive(Clone, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ServerConfiguration {
    /// The program: a path, or a name that is looked up in `PATH` (the one of `env`, if that has one).
    pub command: String,
    /// Its arguments, passed on as they are. Other users of the machine can see them: credentials belong into `env`.
    pub args: Vec<String>,
    /// Environment variables, beside those of [`crate::mcp::ENVIRONMENT_KEPT`]; no others reach the server.
    pub env: BTreeMap<String, String>,
    /// The working directory. Default: the one of this process.
    pub cwd: Option<PathBuf>,
}

/// A configuration that cannot be used.
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
    #[error("the configuration is wrong{}", at(place))]
    Malformed {
        /// Where, as `mcpServers.github.args[1]`; empty for the whole.
        place: String,
        /// What is wrong, with line and column.
        #[source]
        source: serde_json::Error,
    },
    /// A server that is reached over HTTP.
    #[error(
        "server `{server}` is reached over HTTP, which is not supported yet: give it a `command`, such as a bridge to its URL"
    )]
    Http {
        /// The server.
        server: String,
    },
    /// A server without a command.
    #[error("server `{server}` has no `command`: add the program that starts it")]
    NoCommand {
        /// The server.
        server: String,
    },
    /// A value that another client would replace.
    #[error("`mcpServers.{place}` is `{value}`: variables are not expanded here, write the value itself")]
    Variable {
        /// Where, as `github.env.TOKEN`.
        place: String,
        /// The value.
        value: String,
    },
    /// A string that no process can be given.
    #[error("`mcpServers.{place}` cannot be given to a process: remove the NUL character, or the `=` of a variable's name")]
    NotForProcess {
        /// Where, as `github.env.TOKEN`.
        place: String,
    },
}

/// The file as people write it.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Document {
    mcp_servers: BTreeMap<String, Entry>,
}

#[derive(Deserialize)]
struct Entry {
    command: Option<String>,
    #[serde(default)]
    args: Vec<String>,
    #[serde(default)]
    env: BTreeMap<String, String>,
    cwd: Option<PathBuf>,
    url: Option<String>,
    #[serde(default)]
    disabled: bool,
}

impl Configuration {
    /// Reads a file.
    ///
    /// # Errors
    ///
    /// [`ConfigurationError`]: the file cannot be read, is too large, or as for [`Configuration::parse`].
    pub fn read(path: impl AsRef<Path>) -> Result<Self, ConfigurationError> {
        use std::io::Read as _;

        let path = path.as_ref();
        let unreadable = |source| ConfigurationError::Read { path: path.to_owned(), source };
        let mut text = String::new();
        let file = std::fs::File::open(path).map_err(unreadable)?;
        file.take(CONFIGURATION_BYTES_MAX + 1).read_to_string(&mut text).map_err(unreadable)?;
        Self::parse(&text)
    }

    /// Reads a text: an object with `mcpServers`. Other members are ignored, and so are servers that say `"disabled": true`.
    ///
    /// # Errors
    ///
    /// [`ConfigurationError`], which names the place.
    pub fn parse(text: &str) -> Result<Self, ConfigurationError> {
        if text.len() as u64 > CONFIGURATION_BYTES_MAX {
            return Err(ConfigurationError::TooLarge);
        }
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let mut deserializer = serde_json::Deserializer::from_str(text);
        let document: Document = serde_path_to_error::deserialize(&mut deserializer)
            .map_err(|error| ConfigurationError::Malformed { place: place(error.path()), source: error.into_inner() })?;
        deserializer.end().map_err(|source| ConfigurationError::Malformed { place: String::new(), source })?;
        let mut servers = BTreeMap::new();
        for (name, entry) in document.mcp_servers {
            if !entry.disabled {
                let server = entry.check(&name)?;
                servers.insert(name, Arc::new(server));
            }
        }
        Ok(Self { servers: Arc::new(servers) })
    }

    /// The same configuration with this server, instead of one of the same name.
    #[must_use]
    pub fn with(mut self, name: impl Into<String>, server: ServerConfiguration) -> Self {
        Arc::make_mut(&mut self.servers).insert(name.into(), Arc::new(server));
        self
    }

    /// The same configuration without the servers whose name `is_left_out` accepts.
    #[must_use]
    pub fn without(mut self, mut is_left_out: impl FnMut(&str) -> bool) -> Self {
        Arc::make_mut(&mut self.servers).retain(|name, _| !is_left_out(name));
        self
    }

    /// The servers, in the order of their names.
    pub fn servers(&self) -> impl Iterator<Item = (&str, &Arc<ServerConfiguration>)> {
        self.servers.iter().map(|(name, server)| (name.as_str(), server))
    }

    /// The server of this name.
    #[must_use]
    pub fn server(&self, name: &str) -> Option<&Arc<ServerConfiguration>> {
        self.servers.get(name)
    }
}

impl ServerConfiguration {
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

impl fmt::Debug for ServerConfiguration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&String> = self.env.keys().collect();
        f.debug_struct("ServerConfiguration")
            .field("command", &self.command)
            .field("args", &self.args)
            .field("env", &names)
            .field("cwd", &self.cwd)
            .finish()
    }
}

impl Entry {
    fn check(self, server: &str) -> Result<ServerConfiguration, ConfigurationError> {
        if self.url.is_some() {
            return Err(ConfigurationError::Http { server: server.to_owned() });
        }
        let command = self.command.filter(|command| !command.is_empty());
        let command = command.ok_or_else(|| ConfigurationError::NoCommand { server: server.to_owned() })?;
        check_value(|| format!("{server}.command"), &command)?;
        for (place, argument) in self.args.iter().enumerate() {
            check_value(|| format!("{server}.args[{place}]"), argument)?;
        }
        for (name, value) in &self.env {
            check_value(|| format!("{server}.env.{name}"), value)?;
            if name.is_empty() || name.contains(['=', '\0']) {
                return Err(ConfigurationError::NotForProcess { place: format!("{server}.env.{}", visible::line(name)) });
            }
        }
        Ok(ServerConfiguration { command, args: self.args, env: self.env, cwd: self.cwd })
    }
}

/// `path` as people write it; nothing where the mistake concerns the text as a whole.
fn place(path: &serde_path_to_error::Path) -> String {
    use serde_path_to_error::Segment;

    if path.iter().all(|segment| matches!(segment, Segment::Unknown)) { String::new() } else { path.to_string() }
}

fn at(place: &str) -> String {
    if place.is_empty() { String::new() } else { format!(" at `{place}`") }
}

fn check_value(place: impl Fn() -> String, value: &str) -> Result<(), ConfigurationError> {
    if value.contains('\0') {
        return Err(ConfigurationError::NotForProcess { place: place() });
    }
    if value.starts_with("${") && value.ends_with('}') {
        return Err(ConfigurationError::Variable { place: place(), value: value.to_owned() });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;
    use crate::error_chain::with_causes;

    #[track_caller]
    fn check_error(text: &str, expected: &str) {
        let error = with_causes(&Configuration::parse(text).unwrap_err());
        assert!(error.starts_with(expected), "{error}");
    }

    #[test]
    fn what_other_clients_write_is_read() {
        let text = r#"{
            "globalShortcut": "Ctrl+Space",
            "mcpServers": {
                "files": {"type": "stdio", "command": "npx", "args": ["-y", "x"], "env": {"TOKEN": "t"}, "cwd": "/srv", "autoApprove": ["read"]},
                "off": {"command": "x", "disabled": true}
            }
        }"#;
        let configuration = Configuration::parse(text).unwrap();
        let mut expected = ServerConfiguration::new("npx").with_args(["-y", "x"]).with_env("TOKEN", "t");
        expected.cwd = Some("/srv".into());
        assert_eq!(configuration, Configuration::default().with("files", expected));
        assert_eq!(Configuration::parse(r#"{"mcpServers": {}}"#).unwrap().servers().count(), 0);
    }

    #[test]
    fn a_mistake_is_named_with_its_place() {
        check_error("{", "the configuration is wrong: EOF while parsing an object at line 1 column 1");
        check_error(r#"{"servers": {}}"#, "the configuration is wrong: missing field `mcpServers`");
        check_error(r#"{"mcpServers": {}} x"#, "the configuration is wrong: trailing characters");
        check_error(
            r#"{"mcpServers": {"a": {"command": "x", "args": ["y", 3]}}}"#,
            "the configuration is wrong at `mcpServers.a.args[1]`: invalid type: integer `3`, expected a string",
        );
        check_error(
            r#"{"mcpServers": {"a": {"command": "x", "env": {"PORT": 80}}}}"#,
            "the configuration is wrong at `mcpServers.a.env.PORT`",
        );
    }

    #[test]
    fn what_would_start_something_else_is_refused() {
        check_error(r#"{"mcpServers": {"a": {"url": "https://x"}}}"#, "server `a` is reached over HTTP");
        check_error(r#"{"mcpServers": {"a": {}}}"#, "server `a` has no `command`");
        check_error(r#"{"mcpServers": {"a": {"command": ""}}}"#, "server `a` has no `command`");
        check_error(
            r#"{"mcpServers": {"a": {"command": "x", "env": {"T": "${TOKEN}"}}}}"#,
            "`mcpServers.a.env.T` is `${TOKEN}`: variables are not expanded",
        );
        check_error(r#"{"mcpServers": {"a": {"command": "x", "args": ["\u0000"]}}}"#, "`mcpServers.a.args[0]` cannot be given");
        check_error(r#"{"mcpServers": {"a": {"command": "x", "env": {"A=B": ""}}}}"#, "`mcpServers.a.env.A=B` cannot be given");
        assert!(Configuration::parse(r#"{"mcpServers": {"a": {"command": "sh", "args": ["-c", "echo ${X}"]}}}"#).is_ok());
    }

    #[test]
    fn a_missing_file_is_named() {
        let error = Configuration::read("/nowhere/servers.json").unwrap_err();
        assert!(error.to_string().starts_with("cannot read the configuration `/nowhere/servers.json`"), "{error}");
        let large = " ".repeat(usize::try_from(CONFIGURATION_BYTES_MAX).unwrap() + 1);
        assert!(matches!(Configuration::parse(&large), Err(ConfigurationError::TooLarge)));
    }

    #[test]
    fn a_credential_is_not_shown() {
        let server = ServerConfiguration::new("x").with_env("TOKEN", "canary");
        assert!(!format!("{server:?}").contains("canary"));
    }
}
