//! The credentials of one entry of a configuration: what goes out to its server, whoever uses it, and as whom users are asked.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use isolet_bindings::visible;
use serde::Deserialize;
use serde_json::Value;

use super::configuration_error::ConfigurationError;
use super::entry_oauth::{self, WrittenOAuth};
use super::entry_surroundings::{Surroundings, secret};
use super::keyring::KeyringEntry;
use super::oauth_settings::OAuthSettings;
use super::secret_value::SecretValue;

/// The credentials of one server.
#[non_exhaustive]
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct EntryCredentials {
    /// Header fields with credentials, by their names in lower case, for a server that is called over HTTP.
    pub headers: BTreeMap<String, SecretValue>,
    /// Variables with credentials, for a server that is started.
    pub env: BTreeMap<String, SecretValue>,
    /// How each user is asked. Default: not at all, but for a server over HTTP of which nothing else is said.
    pub oauth: Option<OAuthSettings>,
    /// No user is asked, whatever the server says.
    pub asks_nobody: bool,
}

impl EntryCredentials {
    /// `Authorization: Bearer` and this token.
    #[must_use]
    pub fn with_bearer(self, token: SecretValue) -> Self {
        self.with_header("authorization", token.into_bearer())
    }

    /// The same with a header field.
    #[must_use]
    pub fn with_header(mut self, name: impl AsRef<str>, value: SecretValue) -> Self {
        self.headers.insert(name.as_ref().to_ascii_lowercase(), value);
        self
    }

    /// The same with a variable.
    #[must_use]
    pub fn with_env(mut self, name: impl Into<String>, value: SecretValue) -> Self {
        self.env.insert(name.into(), value);
        self
    }

    /// The same, where each user is asked as `settings` say.
    #[must_use]
    pub fn with_oauth(mut self, settings: OAuthSettings) -> Self {
        self.oauth = Some(settings);
        self
    }

    /// Whether they say nothing.
    pub(super) fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Written {
    bearer: Option<WrittenValue>,
    headers: Option<BTreeMap<String, WrittenValue>>,
    env: Option<BTreeMap<String, WrittenValue>>,
    oauth: Option<WrittenOAuth>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum WrittenValue {
    Text(String),
    From(WrittenSource),
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
enum WrittenSource {
    Env(String),
    File(PathBuf),
    Command(Vec<String>),
    Keyring(String),
}

/// Reads the member `credentials` of an entry: `"none"`, or an object.
///
/// # Errors
///
/// Says where something is wrong, and never its value.
pub(super) fn read(written: Value, around: &mut impl Surroundings) -> Result<EntryCredentials, ConfigurationError> {
    if written == "none" {
        return Ok(EntryCredentials { asks_nobody: true, ..EntryCredentials::default() });
    }
    let written: Written = serde_path_to_error::deserialize(written).map_err(|error| {
        let within = error.path().to_string();
        let member = if within == "." { "credentials".to_owned() } else { format!("credentials.{within}") };
        ConfigurationError::Malformed { at: around.at(&member), source: error.into_inner() }
    })?;
    let mut credentials = EntryCredentials::default();
    if let Some(bearer) = written.bearer {
        credentials = credentials.with_bearer(value("credentials.bearer", bearer, around)?);
    }
    for (name, header) in written.headers.into_iter().flatten() {
        let member = format!("credentials.headers.{}", visible::line(&name));
        credentials = credentials.with_header(name, value(&member, header, around)?);
    }
    for (name, variable) in written.env.into_iter().flatten() {
        let member = format!("credentials.env.{}", visible::line(&name));
        if name.is_empty() || name.contains(['=', '\0']) {
            return Err(ConfigurationError::NotForProcess { at: around.at(&member) });
        }
        credentials = credentials.with_env(name, value(&member, variable, around)?);
    }
    if let Some(oauth) = written.oauth {
        credentials.oauth = Some(entry_oauth::settings(oauth, around)?);
    }
    Ok(credentials)
}

fn value(member: &str, written: WrittenValue, around: &mut impl Surroundings) -> Result<SecretValue, ConfigurationError> {
    Ok(match written {
        WrittenValue::Text(text) => SecretValue::new(secret(member, around.expand(member, &text)?, around)?),
        WrittenValue::From(WrittenSource::Env(name)) => {
            let missing = || ConfigurationError::NotSet { at: around.at(member), name: name.clone() };
            let value = around.variable(&name).ok_or_else(missing)?;
            SecretValue::new(secret(member, value, around)?)
        }
        WrittenValue::From(WrittenSource::File(path)) => {
            let path = around.expand(member, &path.to_string_lossy())?;
            SecretValue::file(around.file(Path::new(&path)))
        }
        WrittenValue::From(WrittenSource::Keyring(name)) => {
            SecretValue::keyring(KeyringEntry::new(around.expand(member, &name)?))
        }
        WrittenValue::From(WrittenSource::Command(words)) => {
            let [program, ..] = words.as_slice() else {
                return Err(ConfigurationError::NoCredential { at: around.at(member), problem: "the command is empty" });
            };
            let program =
                if program.contains('/') { around.file(Path::new(program)).display().to_string() } else { program.clone() };
            SecretValue::command(std::iter::once(program).chain(words.iter().skip(1).cloned()))
        }
    })
}
