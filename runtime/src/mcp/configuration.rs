//! Which MCP servers there are and how each is reached, in the formats that desktop clients already have.
//!
//! Read once, entry by entry, with a place for each mistake: a wrong entry costs itself and no other. What would start or call something else
//! than was meant is refused. No shell; `${VARIABLE}`s are replaced as [`Variables`] allows.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::Path;
use std::sync::Arc;

use serde_json::{Map, Value};

use super::configuration_error::{CONFIGURATION_BYTES_MAX, ConfigurationError, ConfigurationWarning};
use super::configuration_text::{self, Section};
use super::entry::Reader;
use super::server_configuration::ServerConfiguration;
use super::variables::Variables;

/// The servers of a deployment, or of one user, by name; cheap to clone.
///
/// ```
/// use isolet::mcp::Configuration;
///
/// let configuration = Configuration::parse(r#"{"mcpServers": {"files": {"command": "npx", "args": ["-y", "some-server"]}}}"#)?;
/// assert_eq!(configuration.servers().map(|(name, _)| name).collect::<Vec<_>>(), ["files"]);
/// # Ok::<(), isolet::mcp::ConfigurationError>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Configuration {
    servers: Arc<BTreeMap<String, Arc<ServerConfiguration>>>,
    refused: Arc<BTreeMap<String, Arc<ConfigurationError>>>,
    warnings: Arc<Vec<(String, ConfigurationWarning)>>,
}

impl Configuration {
    /// Reads a file, with no variables but those of its entries' own `env`: see [`Configuration::read_with`].
    ///
    /// # Errors
    ///
    /// As [`Configuration::read_with`].
    pub fn read(path: impl AsRef<Path>) -> Result<Self, ConfigurationError> {
        Self::read_with(path, &Variables::default())
    }

    /// Reads a file: JSON (comments and commas at the end are allowed), or TOML if it is called so. Paths in it are relative to its folder.
    ///
    /// # Errors
    ///
    /// [`ConfigurationError`]: the file cannot be read, is too large, is of no known form, or has no servers. What is wrong with one entry is
    /// in [`Configuration::refused`].
    pub fn read_with(path: impl AsRef<Path>, variables: &Variables) -> Result<Self, ConfigurationError> {
        let path = path.as_ref();
        let section = section_of(path)?;
        let unreadable = |source| ConfigurationError::Read { path: path.to_owned(), source };
        let folder = std::path::absolute(path).map_err(unreadable)?.parent().map(Path::to_owned);
        Self::of(section, folder.as_deref(), variables)
    }

    /// The entries of a file as they are written there, by name: nothing of them is replaced or judged.
    ///
    /// # Errors
    ///
    /// As [`Configuration::read_with`].
    pub fn written(path: impl AsRef<Path>) -> Result<Map<String, Value>, ConfigurationError> {
        Ok(section_of(path.as_ref())?.entries)
    }

    /// Reads a text of JSON: an object with `mcpServers`, `servers` or `context_servers`. Other members are ignored, and so are servers that say
    /// `"disabled": true` or `"enabled": false`.
    ///
    /// # Errors
    ///
    /// As [`Configuration::read_with`].
    pub fn parse(text: &str) -> Result<Self, ConfigurationError> {
        Self::parse_with(text, &Variables::default())
    }

    /// Reads a text of JSON that may use these variables, as [`Configuration::read_with`] does for a file. Paths in it are relative to the folder
    /// that this process is in.
    ///
    /// # Errors
    ///
    /// As [`Configuration::read_with`].
    pub fn parse_with(text: &str, variables: &Variables) -> Result<Self, ConfigurationError> {
        Self::of(configuration_text::section(text, false)?, None, variables)
    }

    fn of(section: Section, folder: Option<&Path>, variables: &Variables) -> Result<Self, ConfigurationError> {
        let (mut servers, mut refused, mut warnings) = (BTreeMap::new(), BTreeMap::new(), Vec::new());
        for (name, entry) in section.entries {
            let mut reader = Reader::new(section.name, &name, folder, variables);
            match reader.read(entry) {
                Ok(Some(server)) => drop(servers.insert(name.clone(), Arc::new(server))),
                Ok(None) => continue,
                Err(error) => drop(refused.insert(name.clone(), Arc::new(error))),
            }
            warnings.extend(reader.into_warnings().into_iter().map(|warning| (name.clone(), warning)));
        }
        Ok(Self { servers: Arc::new(servers), refused: Arc::new(refused), warnings: Arc::new(warnings) })
    }

    /// The same configuration with this server, instead of one of the same name.
    #[must_use]
    pub fn with(mut self, name: impl Into<String>, server: impl Into<ServerConfiguration>) -> Self {
        Arc::make_mut(&mut self.servers).insert(name.into(), Arc::new(server.into()));
        self
    }

    /// The same configuration without the servers whose name `is_left_out` accepts.
    #[must_use]
    pub fn without(mut self, mut is_left_out: impl FnMut(&str) -> bool) -> Self {
        Arc::make_mut(&mut self.servers).retain(|name, _| !is_left_out(name));
        Arc::make_mut(&mut self.refused).retain(|name, _| !is_left_out(name));
        Arc::make_mut(&mut self.warnings).retain(|(name, _)| !is_left_out(name));
        self
    }

    /// The servers, in the order of their names.
    pub fn servers(&self) -> impl Iterator<Item = (&str, &Arc<ServerConfiguration>)> {
        self.servers.iter().map(|(name, server)| (name.as_str(), server))
    }

    /// The entries that are wrong, in the order of their names, and what is wrong with them.
    pub fn refused(&self) -> impl Iterator<Item = (&str, &Arc<ConfigurationError>)> {
        self.refused.iter().map(|(name, error)| (name.as_str(), error))
    }

    /// What may have been meant otherwise.
    pub fn warnings(&self) -> impl Iterator<Item = &ConfigurationWarning> {
        self.warnings.iter().map(|(_, warning)| warning)
    }

    /// The server of this name.
    #[must_use]
    pub fn server(&self, name: &str) -> Option<&Arc<ServerConfiguration>> {
        self.servers.get(name)
    }
}

/// The servers in the file at `path`.
fn section_of(path: &Path) -> Result<Section, ConfigurationError> {
    let unreadable = |source| ConfigurationError::Read { path: path.to_owned(), source };
    let mut text = String::new();
    let file = std::fs::File::open(path).map_err(unreadable)?;
    file.take(CONFIGURATION_BYTES_MAX + 1).read_to_string(&mut text).map_err(unreadable)?;
    let is_toml = path.extension().is_some_and(|extension| extension == "toml");
    configuration_text::section(&text, is_toml)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;
    use crate::error_chain::with_causes;
    use crate::mcp::server_configuration::{CommandServer, HttpServer};

    #[track_caller]
    fn check_error(text: &str, expected: &str) {
        let error = with_causes(&Configuration::parse(text).unwrap_err());
        assert!(error.starts_with(expected), "{error}");
    }

    /// The entry `a` is refused, and its neighbour is not.
    #[track_caller]
    fn check_refused(entry: &str, expected: &str) {
        let text = format!(r#"{{"mcpServers": {{"a": {entry}, "b": {{"command": "y"}}}}}}"#);
        let configuration = Configuration::parse(&text).unwrap();
        let refused: Vec<_> = configuration.refused().map(|(name, error)| (name, with_causes(&**error))).collect();
        assert_eq!(configuration.servers().map(|(name, _)| name).collect::<Vec<_>>(), ["b"], "{entry}");
        assert!(matches!(refused.as_slice(), [("a", error)] if error.starts_with(expected)), "{entry}: {refused:?}");
    }

    #[test]
    fn what_other_clients_write_is_read() {
        let text = r#"{
            "globalShortcut": "Ctrl+Space",
            "mcpServers": {
                "files": {"type": "stdio", "command": "npx", "args": ["-y", "x"], "env": {"TOKEN": "t"}, "cwd": "/srv", "autoApprove": ["read"]},
                "remote": {"type": "http", "url": "https://a.example/mcp", "headers": {"X-Key": "k"}},
                "off": {"command": "x", "disabled": true},
                "off too": {"command": 7, "enabled": false}
            }
        }"#;
        let configuration = Configuration::parse(text).unwrap();
        let mut files = CommandServer::new("npx").with_args(["-y", "x"]).with_env("TOKEN", "t");
        files.cwd = Some("/srv".into());
        let remote = HttpServer::new("https://a.example/mcp".parse().unwrap()).with_header("x-key", "k");
        let servers: Vec<_> = configuration.servers().map(|(name, server)| (name, (**server).clone())).collect();
        assert_eq!(servers, [("files", files.into()), ("remote", remote.into())]);
        assert_eq!(configuration.refused().count() + configuration.warnings().count(), 0);
        assert_eq!(Configuration::parse(r#"{"mcpServers": {}}"#).unwrap().servers().count(), 0);
    }

    #[test]
    fn a_mistake_is_named_with_its_place() {
        check_error("{", "the configuration is wrong: EOF while parsing an object at line 1 column");
        check_error(r#"{"projects": {}}"#, "the configuration has no servers: name them in `mcpServers`");
        check_error(r#"{"mcpServers": {}} x"#, "the configuration is wrong: trailing characters");
        check_error(r#"{"mcpServers": []}"#, "the configuration is wrong at `mcpServers`: invalid type: sequence");
        check_refused(
            r#"{"command": "x", "args": ["y", 3]}"#,
            "the configuration is wrong at `mcpServers.a.args[1]`: invalid type: integer `3`, expected a string",
        );
        check_refused(r#"{"command": "x", "env": {"PORT": 80}}"#, "the configuration is wrong at `mcpServers.a.env.PORT`");
        check_refused("7", "the configuration is wrong at `mcpServers.a`");
    }

    #[test]
    fn what_would_start_something_else_is_refused() {
        check_refused(r#"{"type": "sse", "url": "https://x/sse"}"#, "server `a` is reached over the older transport");
        check_refused(r#"{"url": "mcp.example.com"}"#, "`mcpServers.a.url` is no address");
        check_refused("{}", "server `a` has no `command` and no `url`");
        check_refused(r#"{"command": ""}"#, "server `a` has no `command`");
        check_refused(r#"{"command": "x", "args": ["\u0000"]}"#, "`mcpServers.a.args[0]` cannot be given");
        check_refused(r#"{"command": "x", "env": {"A=B": ""}}"#, "`mcpServers.a.env.A=B` cannot be given");
        check_refused(r#"{"openapi": "pets.yaml"}"#, "server `a` has an `openapi` document and no `url`");
        check_refused(
            r#"{"openapi": "pets.yaml", "url": "https://x", "tools": ["[a"]}"#,
            "`mcpServers.a.tools[0]` is no pattern",
        );
    }

    #[test]
    fn who_is_left_out_is_not_complained_about() {
        let text = r#"{"mcpServers": {"a": {}, "b": {"command": "y", "args": ["$NOBODY_SETS_THIS"]}}}"#;
        let configuration = Configuration::parse(text).unwrap();
        assert_eq!((configuration.refused().count(), configuration.warnings().count()), (1, 1));
        let none = configuration.without(|_| true);
        assert_eq!((none.servers().count(), none.refused().count(), none.warnings().count()), (0, 0, 0));
    }

    #[test]
    fn a_missing_file_is_named() {
        let error = Configuration::read("/nowhere/servers.json").unwrap_err();
        assert!(error.to_string().starts_with("cannot read the configuration `/nowhere/servers.json`"), "{error}");
        let large = " ".repeat(usize::try_from(CONFIGURATION_BYTES_MAX).unwrap() + 1);
        assert!(matches!(Configuration::parse(&large), Err(ConfigurationError::TooLarge)));
    }
}
