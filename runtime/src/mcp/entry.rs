//! One server as a client's file has it, made a configuration: what is meant, whatever the client calls it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use isolet_bindings::{AskKind, visible};
use isolet_outbound::Url;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use super::configuration_error::{ConfigurationError, ConfigurationWarning};
use super::entry_credentials::{self, EntryCredentials};
use super::entry_surroundings::Surroundings;
use super::env_file;
use super::server_configuration::{CommandServer, Document, HttpServer, OpenApiServer, ServerConfiguration};
use super::variables::{Variables, bare_names};

/// The members that matter; any other is the client's own.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Entry {
    command: Option<Command>,
    args: Option<Vec<String>>,
    env: Option<BTreeMap<String, Option<String>>>,
    env_file: Option<PathBuf>,
    cwd: Option<PathBuf>,
    #[serde(alias = "serverUrl", alias = "httpUrl")]
    url: Option<String>,
    #[serde(alias = "http_headers")]
    headers: Option<BTreeMap<String, String>>,
    #[serde(rename = "type", alias = "transport")]
    kind: Option<String>,
    openapi: Option<String>,
    tools: Option<Vec<String>>,
    credentials: Option<Value>,
    ask: Option<Vec<Ask>>,
    protocol: Option<Protocol>,
    /// Codex: variables that are passed on, and those that become header fields.
    #[serde(rename = "env_vars")]
    env_vars: Option<Vec<String>>,
    #[serde(rename = "bearer_token_env_var")]
    bearer_token_env_var: Option<String>,
    #[serde(rename = "env_http_headers")]
    env_http_headers: Option<BTreeMap<String, String>>,
}

/// What a server may ask for, as it is written.
#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Ask {
    Elicitation,
    Sampling,
    Roots,
}

/// The newest version of the protocol that a server knows, as it is written.
#[derive(Clone, Copy, Default, PartialEq, Eq, Deserialize)]
enum Protocol {
    #[default]
    #[serde(rename = "2025-11-25")]
    Sessions,
    #[serde(rename = "2026-07-28")]
    Stateless,
}

impl Entry {
    fn asks(&self) -> BTreeSet<AskKind> {
        let kinds = |ask: &Ask| match ask {
            Ask::Elicitation => [AskKind::Form, AskKind::Url],
            Ask::Sampling => [AskKind::Sampling; 2],
            Ask::Roots => [AskKind::Roots; 2],
        };
        self.ask.iter().flatten().flat_map(kinds).collect()
    }

    fn is_stateless(&self) -> bool {
        self.protocol == Some(Protocol::Stateless)
    }
}

/// A command by itself, or with what belongs to it, as older files of Zed have it.
enum Command {
    Name(String),
    Whole(WholeCommand),
}

#[derive(Deserialize)]
struct WholeCommand {
    path: String,
    args: Option<Vec<String>>,
    env: Option<BTreeMap<String, Option<String>>>,
}

impl<'de> Deserialize<'de> for Command {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let wrong = |value: &Value| D::Error::custom(format_args!("{value} is no command: write a text"));
        match Value::deserialize(deserializer)? {
            Value::String(name) => Ok(Self::Name(name)),
            value @ Value::Object(_) => WholeCommand::deserialize(&value).map(Self::Whole).map_err(|_| wrong(&value)),
            value => Err(wrong(&value)),
        }
    }
}

/// Reads one entry.
pub(super) struct Reader<'a> {
    /// As `mcpServers.github`.
    at: String,
    server: &'a str,
    folder: Option<&'a Path>,
    variables: &'a Variables,
    env: BTreeMap<String, String>,
    warnings: Vec<ConfigurationWarning>,
}

impl<'a> Reader<'a> {
    /// A reader of the entry `server` of `section`, in a file of `folder`.
    pub(super) fn new(section: &str, server: &'a str, folder: Option<&'a Path>, variables: &'a Variables) -> Self {
        let at = format!("{section}.{}", visible::line(server));
        Self { at, server, folder, variables, env: BTreeMap::new(), warnings: Vec::new() }
    }

    /// What may have been meant otherwise.
    pub(super) fn into_warnings(self) -> Vec<ConfigurationWarning> {
        self.warnings
    }

    /// The server, if it is switched on.
    pub(super) fn read(&mut self, entry: Value) -> Result<Option<ServerConfiguration>, ConfigurationError> {
        let says = |name: &str, value: bool| entry.get(name).and_then(Value::as_bool) == Some(value);
        if says("disabled", true) || says("enabled", false) {
            return Ok(None);
        }
        let mut entry: Entry = serde_path_to_error::deserialize(entry).map_err(|error| {
            let within = error.path().to_string();
            let at = if within == "." { self.at.clone() } else { format!("{}.{within}", self.at) };
            ConfigurationError::Malformed { at, source: error.into_inner() }
        })?;
        let (command, args) = match entry.command.take() {
            Some(Command::Whole(WholeCommand { path, args, env })) => {
                entry.env = entry.env.or(env);
                (Some(path), entry.args.take().or(args))
            }
            Some(Command::Name(name)) => (Some(name), entry.args.take()),
            None => (None, entry.args.take()),
        };
        self.read_env(&mut entry)?;
        let credentials = match entry.credentials.take() {
            Some(credentials) => entry_credentials::read(credentials, self)?,
            None => EntryCredentials::default(),
        };
        let url = entry.url.as_deref().map(|url| self.address("url", url)).transpose()?;
        if let Some(document) = &entry.openapi {
            let Some(url) = url else { return Err(ConfigurationError::NoBase { server: self.server.to_owned() }) };
            return self.open_api(document, url, &entry, credentials).map(Some);
        }
        match (url, command.filter(|command| !command.is_empty())) {
            (Some(url), _) => {
                if entry.kind.as_deref() == Some("sse") {
                    return Err(ConfigurationError::OlderTransport { server: self.server.to_owned() });
                }
                let mut server = HttpServer::new(url);
                server.headers = self.headers(&entry)?;
                server.credentials = self.for_http(credentials)?;
                (server.asks, server.is_stateless) = (entry.asks(), entry.is_stateless());
                Ok(Some(server.into()))
            }
            (None, Some(command)) => {
                let mut server = self.command(&command, args.unwrap_or_default(), entry.cwd.take(), credentials)?;
                (server.asks, server.is_stateless) = (entry.asks(), entry.is_stateless());
                Ok(Some(server.into()))
            }
            (None, None) => Err(ConfigurationError::NoCommand { server: self.server.to_owned() }),
        }
    }

    fn command(
        &mut self,
        command: &str,
        args: Vec<String>,
        cwd: Option<PathBuf>,
        credentials: EntryCredentials,
    ) -> Result<CommandServer, ConfigurationError> {
        if !credentials.headers.is_empty() || credentials.oauth.is_some() {
            let problem = "a server that is started takes credentials in `env`";
            return Err(ConfigurationError::NoCredential { at: self.at("credentials"), problem });
        }
        let command = self.value("command", command)?;
        let command = if command.contains('/') { self.in_folder(Path::new(&command)).display().to_string() } else { command };
        let mut expanded = Vec::new();
        for (index, argument) in args.iter().enumerate() {
            expanded.push(self.visible_value(&format!("args[{index}]"), argument)?);
        }
        let mut server = CommandServer::new(command).with_args(expanded);
        server.cwd = match cwd {
            Some(cwd) => Some(self.path("cwd", &cwd.to_string_lossy())?),
            None => None,
        };
        server.env = std::mem::take(&mut self.env);
        server.credentials = credentials;
        Ok(server)
    }

    /// Credentials of a server that is called.
    fn for_http(&self, credentials: EntryCredentials) -> Result<EntryCredentials, ConfigurationError> {
        if credentials.env.is_empty() {
            return Ok(credentials);
        }
        let problem = "a server that is called takes credentials in `headers`";
        Err(ConfigurationError::NoCredential { at: self.at("credentials.env"), problem })
    }

    fn open_api(
        &mut self,
        document: &str,
        url: Url,
        entry: &Entry,
        credentials: EntryCredentials,
    ) -> Result<ServerConfiguration, ConfigurationError> {
        let document = self.value("openapi", document)?;
        let document = match document.starts_with("https://") || document.starts_with("http://") {
            true => Document::Url(self.address("openapi", &document)?),
            false => Document::File(self.in_folder(Path::new(&document))),
        };
        let mut server = OpenApiServer::new(document, url);
        server.headers = self.headers(entry)?;
        server.credentials = self.for_http(credentials)?;
        for (index, pattern) in entry.tools.iter().flatten().enumerate() {
            let wrong = |_| ConfigurationError::Pattern { at: format!("{}.tools[{index}]", self.at) };
            globset::Glob::new(pattern).map_err(wrong)?;
            server.tools.push(pattern.clone());
        }
        Ok(server.into())
    }

    /// What the entry says of variables, with those of its file; what it says itself wins.
    fn read_env(&mut self, entry: &mut Entry) -> Result<(), ConfigurationError> {
        let written: BTreeMap<String, String> =
            entry.env.take().into_iter().flatten().filter_map(|(name, value)| Some((name, value?))).collect();
        let mut env = BTreeMap::new();
        if let Some(file) = entry.env_file.take() {
            let path = self.path("envFile", &file.to_string_lossy())?;
            let unreadable =
                |source| ConfigurationError::EnvFile { server: self.server.to_owned(), path: path.clone(), source };
            env = env_file::read(&path).map_err(unreadable)?;
        }
        for name in entry.env_vars.take().into_iter().flatten() {
            if let Some(value) = self.variables.value(&name) {
                env.insert(name, value);
            }
        }
        for (name, value) in &written {
            let at = format!("{}.env.{}", self.at, visible::line(name));
            // An entry that names a variable in its own `env` asks for that one.
            let own = |other: &str| written.contains_key(other).then(|| self.variables.value(other));
            self.judge_bare_names(&at, value)?;
            let (value, _) = self.variables.expand(value, &at, own)?;
            env.insert(name.clone(), value);
        }
        for (name, value) in &env {
            let at = || format!("{}.env.{}", self.at, visible::line(name));
            if name.is_empty() || name.contains(['=', '\0']) || value.contains('\0') {
                return Err(ConfigurationError::NotForProcess { at: at() });
            }
        }
        self.env = env;
        Ok(())
    }

    fn headers(&mut self, entry: &Entry) -> Result<BTreeMap<String, String>, ConfigurationError> {
        let mut headers = BTreeMap::new();
        for (name, value) in entry.headers.iter().flatten() {
            headers.insert(name.to_ascii_lowercase(), self.value(&format!("headers.{}", visible::line(name)), value)?);
        }
        let named = |member: &str, name: &str| {
            let missing = || ConfigurationError::NotSet { at: format!("{}.{member}", self.at), name: name.to_owned() };
            self.variables.value(name).ok_or_else(missing)
        };
        for (header, name) in entry.env_http_headers.iter().flatten() {
            headers.insert(header.to_ascii_lowercase(), named("env_http_headers", name)?);
        }
        if let Some(name) = &entry.bearer_token_env_var {
            headers.insert("authorization".to_owned(), format!("Bearer {}", named("bearer_token_env_var", name)?));
        }
        Ok(headers)
    }

    fn address(&mut self, member: &str, text: &str) -> Result<Url, ConfigurationError> {
        let text = self.visible_value(member, text)?;
        let url = Url::parse(&text).ok().filter(|url| url.has_host());
        url.ok_or_else(|| ConfigurationError::Address { at: format!("{}.{member}", self.at) })
    }

    /// A value that others can see.
    fn visible_value(&mut self, member: &str, text: &str) -> Result<String, ConfigurationError> {
        let (value, is_expanded) = self.expanded(member, text)?;
        if is_expanded {
            self.warnings.push(ConfigurationWarning::Visible { at: format!("{}.{member}", self.at) });
        }
        Ok(value)
    }

    fn value(&mut self, member: &str, text: &str) -> Result<String, ConfigurationError> {
        self.expanded(member, text).map(|(value, _)| value)
    }

    fn expanded(&mut self, member: &str, text: &str) -> Result<(String, bool), ConfigurationError> {
        let at = format!("{}.{member}", self.at);
        self.judge_bare_names(&at, text)?;
        let own = |name: &str| self.env.get(name).cloned().map(Some);
        let (value, is_expanded) = self.variables.expand(text, &at, own)?;
        if value.contains('\0') {
            return Err(ConfigurationError::NotForProcess { at });
        }
        Ok((value, is_expanded))
    }

    /// A name without braces that the environment has is meant as a variable; another may be a part of a password.
    fn judge_bare_names(&mut self, at: &str, written: &str) -> Result<(), ConfigurationError> {
        let names: Vec<&str> = bare_names(written).collect();
        if let Some(name) = names.iter().find(|name| self.variables.value(name).is_some()) {
            let (at, name, way) = (at.to_owned(), (*name).to_owned(), self.variables.way(name));
            return Err(ConfigurationError::WithoutBraces { at, name, way });
        }
        if !names.is_empty() {
            self.warnings.push(ConfigurationWarning::NotExpanded { at: at.to_owned() });
        }
        Ok(())
    }

    fn path(&mut self, member: &str, text: &str) -> Result<PathBuf, ConfigurationError> {
        let path = self.value(member, text)?;
        Ok(self.in_folder(Path::new(&path)))
    }

    /// A path as the file means it.
    fn in_folder(&self, path: &Path) -> PathBuf {
        self.folder.map_or_else(|| path.to_owned(), |folder| folder.join(path))
    }
}

impl Surroundings for Reader<'_> {
    fn expand(&mut self, member: &str, text: &str) -> Result<String, ConfigurationError> {
        self.value(member, text)
    }

    fn variable(&self, name: &str) -> Option<String> {
        self.variables.value(name)
    }

    fn file(&self, path: &Path) -> PathBuf {
        self.in_folder(path)
    }

    fn at(&self, member: &str) -> String {
        format!("{}.{member}", self.at)
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use isolet_outbound::Secret;
    use serde_json::json;

    use super::*;
    use crate::mcp::keyring::KeyringEntry;
    use crate::mcp::oauth_settings::OAuthSettings;
    use crate::mcp::secret_value::SecretValue;

    /// The entry as it is read in the folder `/srv/conf`, with `KEY` in the environment and nothing allowed; and how many warnings there are.
    fn read(entry: Value) -> (ServerConfiguration, usize) {
        let environment =
            [("KEY", "canary"), ("LONG", "canary-7f3a9c")].map(|(name, value)| (name.to_owned(), value.to_owned()));
        let environment = BTreeMap::from(environment);
        let variables = Variables::default().with_environment(environment);
        let mut reader = Reader::new("servers", "a", Some(Path::new("/srv/conf")), &variables);
        let server = reader.read(entry).unwrap().unwrap();
        (server, reader.into_warnings().len())
    }

    fn command(entry: Value) -> CommandServer {
        match read(entry).0 {
            ServerConfiguration::Command(command) => command,
            other => panic!("{other:?}"),
        }
    }

    fn headers(entry: Value) -> BTreeMap<String, String> {
        match read(entry).0 {
            ServerConfiguration::Http(http) => http.headers,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn paths_are_relative_to_the_file() {
        let server = command(json!({"command": "./bin/x", "cwd": "data", "env": null}));
        assert_eq!((server.command.as_str(), server.cwd), ("/srv/conf/./bin/x", Some("/srv/conf/data".into())));
        assert_eq!(command(json!({"command": "npx"})).command, "npx");
        assert_eq!(command(json!({"command": "/bin/x"})).command, "/bin/x");
    }

    #[test]
    fn an_entry_may_use_what_its_own_env_names() {
        let server = command(json!({"command": "x", "env": {"KEY": "${KEY}", "NONE": null}, "args": ["--key=${KEY}"]}));
        assert_eq!(server.env, BTreeMap::from([("KEY".to_owned(), "canary".to_owned())]));
        assert_eq!(server.args, ["--key=canary"]);
        let warnings =
            read(json!({"command": "x", "env": {"KEY": "${KEY}"}, "args": ["--key=${KEY}", "$NOBODY_SETS_THIS/x"]})).1;
        assert_eq!(warnings, 2);
        let headers = headers(
            json!({"url": "https://a.example", "env": {"KEY": "${KEY}"}, "headers": {"Authorization": "Bearer ${KEY}"}}),
        );
        assert_eq!(headers["authorization"], "Bearer canary");
    }

    #[test]
    fn what_codex_and_zed_write_is_read() {
        let server =
            command(json!({"source": "custom", "command": {"path": "x", "args": ["y"], "env": {"A": "b"}}, "settings": {}}));
        assert_eq!(
            (server.command.as_str(), server.args.as_slice(), server.env["A"].as_str()),
            ("x", ["y".to_owned()].as_slice(), "b")
        );
        let server = command(json!({"command": "x", "env_vars": ["KEY", "NOT_SET"], "startup_timeout_sec": 5}));
        assert_eq!(server.env.into_iter().collect::<Vec<_>>(), [("KEY".to_owned(), "canary".to_owned())]);
        let headers = headers(json!({
            "url": "https://a.example", "bearer_token_env_var": "KEY", "http_headers": {"X-A": "b"}, "env_http_headers": {"X-K": "KEY"},
        }));
        let expected = [("authorization", "Bearer canary"), ("x-a", "b"), ("x-k", "canary")];
        assert_eq!(headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect::<Vec<_>>(), expected);
    }

    #[test]
    fn credentials_are_written_or_where_they_are() {
        let server = read(json!({
            "url": "https://a.example/mcp",
            "credentials": {"bearer": {"env": "LONG"}, "headers": {"X-Key": {"file": "key"}, "X-B": {"command": ["./b", "c"]}, "X-C": {"keyring": "github"}}},
        }));
        let ServerConfiguration::Http(http) = server.0 else { panic!("it is called") };
        let secret = |text: &str| SecretValue::new(Secret::new(text).unwrap());
        let expected = EntryCredentials::default()
            .with_bearer(secret("canary-7f3a9c"))
            .with_header("x-key", SecretValue::file("/srv/conf/key"))
            .with_header("x-b", SecretValue::command(["/srv/conf/./b", "c"]))
            .with_header("x-c", SecretValue::keyring(KeyringEntry::new("github")));
        assert!(http.credentials == expected, "{:?}", http.credentials);
        let server = command(json!({"command": "x", "credentials": {"env": {"TOKEN": "canary-7f3a9c"}}}));
        assert!(server.credentials == EntryCredentials::default().with_env("TOKEN", secret("canary-7f3a9c")));
        let entry = json!({"url": "https://a.example", "credentials": {"oauth": {"clientId": "me", "scopes": ["a"]}}});
        let ServerConfiguration::Http(http) = read(entry).0 else { panic!("it is called") };
        let mut settings = OAuthSettings::default();
        (settings.client_id, settings.scopes) = (Some("me".to_owned()), vec!["a".to_owned()]);
        assert!(http.credentials == EntryCredentials::default().with_oauth(settings));
        let ServerConfiguration::Http(http) = read(json!({"url": "https://a.example", "credentials": "none"})).0 else {
            panic!("it is called")
        };
        assert!(http.credentials.asks_nobody);
    }

    #[test]
    fn wrong_credentials_are_refused_with_their_place_and_not_shown() {
        for (credentials, at) in [
            (json!({"bearer": "canary"}), "`servers.a.credentials.bearer` is no credential: it has less than 8 bytes"),
            (json!({"headers": {"X-Key": {"env": "MISSING"}}}), "`servers.a.credentials.headers.X-Key` has the variable"),
            (json!({"bearer": {"command": []}}), "`servers.a.credentials.bearer` is no credential: the command is empty"),
            (json!({"env": {"A": "canary-7f3a9c"}}), "`servers.a.credentials.env` is no credential: a server that is called"),
            (json!({"token": "canary-7f3a9c"}), "the configuration is wrong at `servers.a.credentials"),
            (json!({"bearer": 7}), "the configuration is wrong at `servers.a.credentials.bearer`"),
            (json!({"oauth": {"clientMetadataUrl": "http://a.example/x"}}), "`servers.a.credentials.oauth.clientMetadataUrl`"),
        ] {
            let variables = Variables::default().with_environment(BTreeMap::new());
            let mut reader = Reader::new("servers", "a", None, &variables);
            let entry = json!({"url": "https://a.example", "credentials": credentials});
            let error = reader.read(entry).unwrap_err().to_string();
            assert!(error.starts_with(at) && !error.contains("canary"), "{error}");
        }
    }

    #[test]
    fn a_document_is_a_file_or_an_address() {
        let entry = |document: &str| json!({"openapi": document, "url": "https://pets.example/v1", "tools": ["list*"]});
        let file = OpenApiServer::new(Document::File("/srv/conf/pets.yaml".into()), "https://pets.example/v1".parse().unwrap());
        let mut expected = file.clone();
        expected.tools.push("list*".to_owned());
        assert_eq!(read(entry("pets.yaml")).0, expected.clone().into());
        expected.document = Document::Url("https://pets.example/openapi.json".parse().unwrap());
        assert_eq!(read(entry("https://pets.example/openapi.json")).0, expected.into());
    }
}
