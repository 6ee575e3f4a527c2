//! `${NAME}` in a configuration: replaced once, from a list of what may be, and refused otherwise.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use super::configuration_error::ConfigurationError;

/// Says the value of a variable.
type Lookup = dyn Fn(&str) -> Option<String> + Send + Sync;

/// The variables of the environment that a configuration may use. None by default, but those that an entry names in its own `env`.
#[derive(Clone)]
pub struct Variables {
    allowed: BTreeSet<String>,
    value: Arc<Lookup>,
    way: Way,
}

/// How the variable with this name is allowed, for messages.
type Way = fn(&str) -> String;

impl Variables {
    /// Those of this process's environment that have one of these names.
    #[must_use]
    pub fn allowing<S: Into<String>>(names: impl IntoIterator<Item = S>) -> Self {
        Self { allowed: names.into_iter().map(Into::into).collect(), ..Self::default() }
    }

    /// The same with the values of `environment` instead of this process's.
    #[must_use]
    pub fn with_environment(mut self, environment: BTreeMap<String, String>) -> Self {
        self.value = Arc::new(move |name| environment.get(name).cloned());
        self
    }

    /// The same, where whoever wants to allow a variable does so in another way than with `--env NAME`: in messages `way` says which, for a name.
    #[must_use]
    pub fn allowed_by(mut self, way: fn(&str) -> String) -> Self {
        self.way = way;
        self
    }

    /// How `name` is allowed, in a message.
    pub(super) fn way(&self, name: &str) -> String {
        (self.way)(name)
    }

    /// The value of `name`, whether it is allowed or not: for what an entry names itself.
    pub(super) fn value(&self, name: &str) -> Option<String> {
        (self.value)(name)
    }

    /// `text` with its variables replaced, and whether there were any. `own`: what the entry names itself, and its value.
    pub(super) fn expand(
        &self,
        text: &str,
        at: &str,
        own: impl Fn(&str) -> Option<Option<String>>,
    ) -> Result<(String, bool), ConfigurationError> {
        let (mut expanded, mut rest, mut is_changed) = (String::new(), text, false);
        while let Some((before, after)) = rest.split_once("${") {
            expanded.push_str(before);
            let Some((inner, after)) = after.split_once('}') else {
                expanded.push_str("${");
                rest = after;
                continue;
            };
            rest = after;
            let Some(reference) = Reference::of(inner) else {
                expanded.push_str(&format!("${{{inner}}}"));
                continue;
            };
            is_changed = true;
            expanded.push_str(&self.resolve(&reference, inner, at, &own)?);
        }
        expanded.push_str(rest);
        Ok((expanded, is_changed))
    }

    fn resolve(
        &self,
        reference: &Reference<'_>,
        inner: &str,
        at: &str,
        own: &impl Fn(&str) -> Option<Option<String>>,
    ) -> Result<String, ConfigurationError> {
        let at = at.to_owned();
        let Reference::Environment { name, default } = reference else {
            let (value, way) = (format!("${{{inner}}}"), self.way("NAME"));
            return Err(ConfigurationError::ClientVariable { at, value, way });
        };
        let value = match own(name) {
            Some(value) => value,
            None if self.allowed.contains(*name) => self.value(name),
            None => return Err(ConfigurationError::Variable { at, name: (*name).to_owned(), way: self.way(name) }),
        };
        let value = value.filter(|value| !value.is_empty() || default.is_none()).or(default.map(str::to_owned));
        value.ok_or_else(|| ConfigurationError::NotSet { at, name: (*name).to_owned() })
    }
}

impl Default for Variables {
    fn default() -> Self {
        let value = Arc::new(|name: &str| std::env::var(name).ok());
        Self { allowed: BTreeSet::new(), value, way: |name| format!("`--env {name}`") }
    }
}

impl fmt::Debug for Variables {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Variables").field("allowed", &self.allowed).finish_non_exhaustive()
    }
}

/// What stands between the braces.
enum Reference<'text> {
    /// `NAME`, `env:NAME`, `NAME:-default`.
    Environment { name: &'text str, default: Option<&'text str> },
    /// What only a client has: `input:...`, `workspaceFolder`, ...
    Client,
}

impl<'text> Reference<'text> {
    fn of(inner: &'text str) -> Option<Self> {
        let (name, default) = match inner.split_once(":-") {
            Some((name, default)) => (name, Some(default)),
            None => (inner, None),
        };
        if let Some((kind, name)) = name.split_once(':') {
            return match kind {
                "env" if is_name(name) => Some(Self::Environment { name, default }),
                kind => is_name(kind).then_some(Self::Client),
            };
        }
        const CLIENTS: [&str; 6] =
            ["workspaceFolder", "workspaceFolderBasename", "workspaceRoot", "userHome", "pathSeparator", "cwd"];
        match name {
            name if CLIENTS.contains(&name) => Some(Self::Client),
            name => is_name(name).then_some(Self::Environment { name, default }),
        }
    }
}

/// The names in `text` that stand after a `$` without braces.
pub(super) fn bare_names(text: &str) -> impl Iterator<Item = &str> {
    text.match_indices('$').filter_map(|(at, _)| {
        let rest = &text[at + 1..];
        let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(rest.len());
        let name = &rest[..end];
        (name.len() > 1 && is_name(name) && !name.contains(|c: char| c.is_ascii_lowercase())).then_some(name)
    })
}

fn is_name(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &str) {
        let environment = [("A", "1"), ("B", "${A}"), ("EMPTY", ""), ("SECRET", "canary")];
        let environment = environment.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        let variables = Variables::allowing(["A", "B", "EMPTY", "MISSING"]).with_environment(environment);
        let own = |name: &str| (name == "OWN").then(|| Some("own".to_owned()));
        let said = match variables.expand(text, "here", own) {
            Ok((text, _)) => text,
            Err(error) => error.to_string(),
        };
        assert!(said.starts_with(expected), "{text}: {said}");
        assert!(!said.contains("canary"), "{said}");
    }

    #[test]
    fn what_is_allowed_is_replaced_once() {
        check("x${A}y${env:A}z", "x1y1z");
        check("${B}", "${A}");
        check("${MISSING:-d}${EMPTY:-e}${A:-f}${EMPTY}", "de1");
        check("${OWN}", "own");
    }

    #[test]
    fn what_is_not_allowed_is_refused_default_or_not() {
        for text in ["${SECRET}", "${SECRET:-x}", "a${env:SECRET}b", "${env:SECRET:-x}"] {
            check(text, "`here` has the variable `SECRET`, which is not allowed: allow it with `--env SECRET`");
        }
        let deployment = Variables::default().allowed_by(|name| format!("`env = [\"{name}\"]` of `[upstream]`"));
        let said = deployment.expand("${SECRET}", "here", |_| None).map_err(|error| error.to_string());
        assert!(said.is_err_and(|said| said.contains("allow it with `env = [\"SECRET\"]` of") && !said.contains("--env")));
        check("${MISSING}", "`here` has the variable `MISSING`, which is not set: set it, or write `${MISSING:-default}`");
        check("${input:token}", "`here` has `${input:token}`, which only its own client can fill in");
        check("${workspaceFolder}/x", "`here` has `${workspaceFolder}`");
    }

    #[test]
    fn what_is_no_variable_stays() {
        for text in ["${}", "${a b}", "${A", "$A", "a$", "${1}", "$${", "{A}"] {
            check(text, text);
        }
    }

    #[test]
    fn a_name_without_braces_is_seen_and_a_password_is_none() {
        for (text, seen) in [
            ("$HOME/x", &["HOME"][..]),
            ("a$API_KEY:$USER", &["API_KEY", "USER"]),
            ("pa$sword", &[]),
            ("$5", &[]),
            ("$", &[]),
            ("US$A", &[]),
        ] {
            assert_eq!(bare_names(text).collect::<Vec<_>>(), seen, "{text}");
        }
    }
}
