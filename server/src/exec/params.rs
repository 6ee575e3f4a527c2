//! The parameters of the caller's requests. What is not known is refused: a misspelt option must not look as if it held.

use std::collections::BTreeMap;

use isolet::DefinitionList;
use isolet_rpc::envelope::object;
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::failure::Failure;
use super::limits::NamedLimits;
use crate::tier::Tier;

/// `initialize`
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Initialize {
    pub(super) protocol: u64,
    /// Who calls, for the log.
    #[serde(default)]
    pub(super) client: Option<Client>,
    #[serde(default)]
    pub(super) limits: NamedLimits,
    #[serde(default)]
    pub(super) strict: bool,
    /// The walls without which nothing runs; `strict` is the same as the strictest.
    #[serde(default)]
    pub(super) isolation: Option<Tier>,
    #[serde(default)]
    pub(super) live_runs_max: Option<usize>,
}

/// Who calls.
#[derive(Debug, Deserialize)]
pub(super) struct Client {
    pub(super) name: String,
    pub(super) version: String,
}

/// `scope/open`
#[derive(Deserialize)]
#[serde(deny_unknown_fields, default)]
#[derive(Default)]
pub(super) struct OpenScope {
    /// Definitions of tools that the caller itself answers, by server.
    pub(super) tools: BTreeMap<String, DefinitionList>,
    /// Servers that are started or called: what a configuration file has.
    pub(super) configuration: Option<Box<RawValue>>,
    /// The variables of the environment that the configuration may use and its servers get.
    pub(super) environment: Vec<String>,
    /// Where servers may be that are called over HTTP.
    pub(super) addresses: Vec<String>,
    /// All, if there are none.
    pub(super) allow: Vec<String>,
    pub(super) deny: Vec<String>,
    pub(super) pins: BTreeMap<String, Map<String, Value>>,
    pub(super) rename: BTreeMap<String, String>,
    pub(super) describe: BTreeMap<String, String>,
}

/// `types`
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Types {
    pub(super) scope: String,
    /// Tokens.
    #[serde(default)]
    pub(super) budget: Option<usize>,
}

/// `run`
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Run {
    pub(super) scope: String,
    pub(super) program: String,
    #[serde(default)]
    pub(super) limits: NamedLimits,
    #[serde(default)]
    pub(super) seed: Option<[u32; 4]>,
    #[serde(default)]
    pub(super) clock_ms: Option<u64>,
    /// Whether to tell what happens, as it happens.
    #[serde(default)]
    pub(super) events: bool,
}

/// `cancel`
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Cancel {
    pub(super) request: Box<RawValue>,
}

/// `scope/close`
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CloseScope {
    pub(super) scope: String,
}

/// `shutdown`
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Nothing {}

/// The parameters of a request.
pub(super) fn read<'text, T: Deserialize<'text>>(method: &str, params: Option<&'text RawValue>) -> Result<T, Failure> {
    let params = params.map_or("{}", RawValue::get);
    object(params).map_err(|error| Failure::params(format!("the parameters of `{method}` cannot be read: {error}")))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    fn fault<T: for<'text> Deserialize<'text>>(params: &str) -> Option<String> {
        let params = RawValue::from_string(params.to_owned()).unwrap();
        read::<T>("m", Some(&params)).err().map(|failure| failure.answer("1"))
    }

    #[test]
    fn what_is_not_known_missing_or_too_deep_is_refused_with_its_name() {
        assert_eq!(fault::<OpenScope>("{}"), None);
        assert!(fault::<Run>(r#"{"scope":"s","program":"p","wall":1}"#).unwrap().contains("unknown field `wall`"));
        assert!(fault::<Run>(r#"{"scope":"s"}"#).unwrap().contains("missing field `program`"));
        assert!(fault::<Run>("[\"s\",\"p\"]").unwrap().contains("expected a JSON object"));
        let deep = format!(r#"{{"pins":{{"a.b":{{"x":{}{}}}}}}}"#, "[".repeat(1000), "]".repeat(1000));
        assert!(fault::<OpenScope>(&deep).unwrap().contains("recursion limit"));
    }
}
