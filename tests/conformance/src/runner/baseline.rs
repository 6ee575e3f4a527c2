//! The exceptions: what may be bad, each with its reason, in a file that is committed.
//!
//! ```json
//! { "server": { "2026-07-28": { "caching": "why the whole scenario", "server-stateless:some-check": "why this check of it" } } }
//! ```
//!
//! An exception that is not needed any more is a deviation too, so that the file never says less than the truth.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::Path;

use anyhow::{Context as _, ensure};
use serde::Deserialize;

use super::check::Status;
use super::outcome::{Outcome, Scenario, Verdict};
use super::requirements::{Revision, Role};

/// The exceptions of all sets. Default: none.
#[derive(Debug, Default, Deserialize)]
#[serde(transparent)]
pub struct Baseline(BTreeMap<Role, BTreeMap<Revision, BTreeMap<String, String>>>);

/// Where an outcome is not the expected one.
#[derive(Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Deviation {
    /// A check was bad, and no exception names it.
    Bad {
        /// The scenario.
        scenario: String,
        /// The check.
        check: String,
        /// What the suite says of it.
        message: String,
    },
    /// A scenario did not run to its end, or a required one checked nothing.
    Unchecked {
        /// The scenario.
        scenario: String,
    },
    /// An exception names what is not bad.
    NotNeeded {
        /// The scenario, or the scenario and the check.
        exception: String,
    },
    /// An exception names a scenario that is not in the set.
    Unknown {
        /// The scenario, or the scenario and the check.
        exception: String,
    },
}

impl fmt::Display for Deviation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bad { scenario, check, message } => write!(formatter, "`{scenario}:{check}` is bad: {message}"),
            Self::Unchecked { scenario } => write!(formatter, "`{scenario}` checked nothing"),
            Self::NotNeeded { exception } => write!(formatter, "`{exception}` is not bad any more: take its exception out"),
            Self::Unknown { exception } => {
                write!(formatter, "`{exception}` names no scenario of this set: take its exception out")
            }
        }
    }
}

impl Baseline {
    /// Reads a file.
    ///
    /// # Errors
    ///
    /// When it cannot be read, names a role or a revision that does not exist, or an exception has no reason.
    pub fn read(path: &Path) -> anyhow::Result<Self> {
        let text = std::fs::read_to_string(path).with_context(|| format!("`{}` cannot be read", path.display()))?;
        text.parse::<Self>().with_context(|| format!("`{}` is no baseline", path.display()))
    }

    /// The exceptions of one set, with their reasons: `scenario` or `scenario:check`.
    pub fn exceptions(&self, role: Role, revision: Revision) -> impl Iterator<Item = (&str, &str)> {
        let exceptions = self.0.get(&role).and_then(|revisions| revisions.get(&revision));
        exceptions.into_iter().flatten().map(|(exception, reason)| (exception.as_str(), reason.as_str()))
    }

    /// Where the outcome is not the expected one.
    #[must_use]
    pub fn deviations(&self, outcome: &Outcome) -> Vec<Deviation> {
        let mut exceptions: BTreeMap<&str, BTreeSet<Option<&str>>> = BTreeMap::new();
        for (exception, _) in self.exceptions(outcome.role, outcome.revision) {
            let (scenario, check) = match exception.split_once(':') {
                Some((scenario, check)) => (scenario, Some(check)),
                None => (exception, None),
            };
            exceptions.entry(scenario).or_default().insert(check);
        }
        let mut deviations = Vec::new();
        for scenario in &outcome.scenarios {
            judge(scenario, &exceptions.remove(scenario.name.as_str()).unwrap_or_default(), &mut deviations);
        }
        for (scenario, checks) in exceptions {
            deviations.extend(checks.into_iter().map(|check| Deviation::Unknown { exception: written(scenario, check) }));
        }
        deviations
    }
}

impl std::str::FromStr for Baseline {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> anyhow::Result<Self> {
        let baseline: Self = serde_json::from_str(text)?;
        for (exception, reason) in baseline.0.values().flat_map(BTreeMap::values).flatten() {
            ensure!(!reason.trim().is_empty(), "the exception `{exception}` has no reason: say why it may be");
        }
        Ok(baseline)
    }
}

/// The deviations of one scenario. An exception without a check is for all of it.
fn judge(scenario: &Scenario, exceptions: &BTreeSet<Option<&str>>, deviations: &mut Vec<Deviation>) {
    let name = &scenario.name;
    let verdict = scenario.verdict();
    let is_unchecked = scenario.checks.is_none() || (verdict == Verdict::Empty && scenario.unscored.is_none());
    if exceptions.contains(&None) {
        if verdict != Verdict::Red && !is_unchecked {
            deviations.push(Deviation::NotNeeded { exception: name.clone() });
        }
        return;
    }
    if is_unchecked {
        deviations.push(Deviation::Unchecked { scenario: name.clone() });
    }
    let checks = || scenario.checks.iter().flatten();
    let bad: BTreeSet<&str> = checks().filter(|check| check.status.is_bad()).map(|check| check.id.as_str()).collect();
    for id in bad.iter().filter(|id| !exceptions.contains(&Some(**id))) {
        let message = checks().find(|check| check.status.is_bad() && check.id == **id);
        let message =
            message.and_then(|check| check.error_message.clone()).unwrap_or_else(|| "the suite does not say why".to_owned());
        deviations.push(Deviation::Bad { scenario: name.clone(), check: (*id).to_owned(), message });
    }
    for id in exceptions.iter().flatten().filter(|id| !bad.contains(**id)) {
        // A scenario that ends at an earlier check never comes to this one.
        if checks().any(|check| check.id == **id && check.status == Status::Success) {
            deviations.push(Deviation::NotNeeded { exception: written(name, Some(id)) });
        }
    }
}

fn written(scenario: &str, check: Option<&str>) -> String {
    check.map_or_else(|| scenario.to_owned(), |check| format!("{scenario}:{check}"))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test stops where it fails")]

    use std::time::Duration;

    use serde_json::json;

    use super::*;

    /// The deviations of a scenario `s` with these checks under these exceptions, as text.
    #[track_caller]
    fn check(exceptions: &[&str], unscored: Option<&str>, checks: Option<&[(&str, &str)]>, expected: &[&str]) {
        let exceptions: BTreeMap<_, _> = exceptions.iter().map(|exception| (*exception, "a gateway must not")).collect();
        let baseline: Baseline = json!({ "server": { "2026-07-28": exceptions } }).to_string().parse().unwrap();
        let checks = checks.map(|checks| {
            let check = |(id, status): &(&str, &str)| json!({ "id": id, "status": status, "errorMessage": "why" });
            serde_json::from_value(checks.iter().map(check).collect()).unwrap()
        });
        let scenario = Scenario { name: "s".to_owned(), unscored: unscored.map(str::to_owned), checks, duration: None };
        let (role, revision) = (Role::Server, Revision::Of2026_07_28);
        let outcome = Outcome { role, revision, scenarios: vec![scenario], duration: Duration::ZERO };
        let deviations: Vec<_> = baseline.deviations(&outcome).iter().map(Deviation::to_string).collect();
        assert_eq!(deviations, expected);
    }

    const GOOD: &[(&str, &str)] = &[("a", "SUCCESS"), ("b", "SKIPPED")];
    const BAD: &[(&str, &str)] = &[("a", "SUCCESS"), ("b", "FAILURE"), ("b", "SUCCESS"), ("c", "WARNING")];

    #[test]
    fn what_is_good_deviates_nowhere() {
        check(&[], None, Some(GOOD), &[]);
        check(&["s:b"], None, Some(GOOD), &[]);
    }

    #[test]
    fn what_is_bad_needs_an_exception_for_the_check_or_for_the_scenario() {
        check(&[], None, Some(BAD), &["`s:b` is bad: why", "`s:c` is bad: why"]);
        check(&["s:b"], None, Some(BAD), &["`s:c` is bad: why"]);
        check(&["s:b", "s:c"], None, Some(BAD), &[]);
        check(&["s"], None, Some(BAD), &[]);
        check(&[], Some("extension"), Some(BAD), &["`s:b` is bad: why", "`s:c` is bad: why"]);
    }

    #[test]
    fn an_exception_that_is_not_needed_deviates() {
        check(&["s"], None, Some(GOOD), &["`s` is not bad any more: take its exception out"]);
        check(&["s:a"], None, Some(GOOD), &["`s:a` is not bad any more: take its exception out"]);
        check(&["t:a"], None, Some(GOOD), &["`t:a` names no scenario of this set: take its exception out"]);
    }

    #[test]
    fn a_required_scenario_has_to_check_something() {
        check(&[], None, None, &["`s` checked nothing"]);
        check(&[], None, Some(&[]), &["`s` checked nothing"]);
        check(&["s"], None, Some(&[]), &[]);
        check(&[], Some("extension"), Some(&[]), &[]);
        check(&[], Some("extension"), None, &["`s` checked nothing"]);
    }

    #[test]
    fn an_exception_needs_a_reason_and_a_set_that_exists() {
        let parsed = |text: &str| text.parse::<Baseline>();
        assert!(parsed(r#"{ "server": { "2026-07-28": { "s": " " } } }"#).is_err());
        assert!(parsed(r#"{ "server": { "2027-01-01": { "s": "why" } } }"#).is_err());
        assert!(parsed(r#"{ "proxy": {} }"#).is_err());
        assert!(parsed("{}").is_ok());
    }
}
