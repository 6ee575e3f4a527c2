//! What came out of one requirement set.

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use anyhow::Context as _;
use jiff::Timestamp;

use super::check::{self, Check, Status};
use super::requirements::{RequirementSet, Revision, Role};

/// The date behind the name of a scenario in the name of its folder: `-2026-11-28T10-17-51-283Z`.
const DATE_LENGTH: usize = 25;

/// A set that was run.
#[derive(Debug)]
#[non_exhaustive]
pub struct Outcome {
    /// The side that was under test.
    pub role: Role,
    /// The revision.
    pub revision: Revision,
    /// The scenarios: the required ones, then the others.
    pub scenarios: Vec<Scenario>,
    /// How long all of it took.
    pub duration: Duration,
}

/// One scenario.
#[derive(Debug)]
#[non_exhaustive]
pub struct Scenario {
    /// Its name.
    pub name: String,
    /// Why it is not required. Nothing, if it is.
    pub unscored: Option<String>,
    /// What was checked. Nothing, if the scenario did not run to its end.
    pub checks: Option<Vec<Check>>,
    /// How long it took, if it ran to its end.
    pub duration: Option<Duration>,
}

/// What is to be thought of a scenario.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "it passes, fails, or says nothing")]
pub enum Verdict {
    /// Something was checked, and nothing was bad.
    Green,
    /// Something was bad, or it did not run to its end.
    Red,
    /// Nothing was checked: a client that does nothing at all gets no failure either.
    Empty,
}

impl Scenario {
    /// Green, red or empty.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        match &self.checks {
            Some(checks) if checks.iter().any(|check| check.status.is_bad()) => Verdict::Red,
            Some(checks) if checks.iter().any(|check| check.status == Status::Success) => Verdict::Green,
            Some(_) => Verdict::Empty,
            None => Verdict::Red,
        }
    }

    /// How many checks found this.
    #[must_use]
    pub fn count(&self, status: Status) -> usize {
        self.checks.iter().flatten().filter(|check| check.status == status).count()
    }
}

impl Outcome {
    /// Reads what the suite left in `results`.
    ///
    /// # Errors
    ///
    /// When the folder cannot be read, or a scenario's checks are not what the suite writes.
    pub(super) fn read(
        role: Role,
        revision: Revision,
        set: &RequirementSet,
        results: &Path,
        duration: Duration,
    ) -> anyhow::Result<Self> {
        let required = set.required(role).iter().map(|name| (name.clone(), None));
        let unscored = set.unscored(role).map(|unscored| (unscored.scenario.clone(), Some(unscored.reason.clone())));
        let scenario = |(name, unscored): (String, Option<String>)| {
            let folder = folder(results, role, &name)?;
            let file = folder.as_ref().map(|folder| folder.join("checks.json")).filter(|file| file.exists());
            // Its folder is made when it begins, the file when it ends.
            let ended = file.as_ref().and_then(|file| file.metadata().ok()?.modified().ok());
            let began = folder.as_deref().and_then(began);
            let duration = ended.zip(began).map(|(ended, began)| ended.duration_since(began).unwrap_or_default());
            let checks = file.map(|file| check::read(&file)).transpose()?;
            anyhow::Ok(Scenario { name, unscored, checks, duration })
        };
        let scenarios = required.chain(unscored).map(scenario).collect::<anyhow::Result<_>>()?;
        Ok(Self { role, revision, scenarios, duration })
    }

    /// How many checks of all scenarios found this.
    #[must_use]
    pub fn count(&self, status: Status) -> usize {
        self.scenarios.iter().map(|scenario| scenario.count(status)).sum()
    }

    /// How many of the required scenarios are green, and of how many; or the same of the others.
    #[must_use]
    pub fn green(&self, is_required: bool) -> (usize, usize) {
        let (mut green, mut all) = (0, 0);
        for scenario in self.scenarios.iter().filter(|scenario| scenario.unscored.is_none() == is_required) {
            all += 1;
            green += usize::from(scenario.verdict() == Verdict::Green);
        }
        (green, all)
    }
}

/// The folder of a scenario, whose name ends with the time at which it began. A `/` in the scenario's name is a folder of its own.
fn folder(results: &Path, role: Role, scenario: &str) -> anyhow::Result<Option<PathBuf>> {
    let (parent, name) = match scenario.rsplit_once('/') {
        Some((parent, name)) => (results.join(parent), name.to_owned()),
        None if role == Role::Server => (results.to_owned(), format!("server-{scenario}")),
        None => (results.to_owned(), scenario.to_owned()),
    };
    if !parent.exists() {
        return Ok(None);
    }
    for entry in std::fs::read_dir(&parent).with_context(|| format!("`{}` cannot be read", parent.display()))? {
        let entry = entry?;
        let is_it = entry.file_name().to_str().is_some_and(|entry| {
            let (begin, date) = entry.split_at_checked(entry.len().saturating_sub(DATE_LENGTH)).unwrap_or_default();
            begin == name && date.starts_with("-2") && date.ends_with('Z')
        });
        if is_it {
            return Ok(Some(entry.path()));
        }
    }
    Ok(None)
}

/// When a scenario began: the date in the name of its folder.
fn began(folder: &Path) -> Option<SystemTime> {
    let name = folder.file_name()?.to_str()?;
    // What stands between the parts of a time cannot stand in names of files everywhere.
    let (day, time) = name.get(name.len().checked_sub(DATE_LENGTH)? + 1..)?.split_once('T')?;
    let mut parts = time.split('-');
    let [hour, minute, second, rest] = [parts.next()?, parts.next()?, parts.next()?, parts.next()?];
    format!("{day}T{hour}:{minute}:{second}.{rest}").parse::<Timestamp>().ok().map(SystemTime::from)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test stops where it fails")]

    use super::*;

    fn scenario(statuses: &[&str]) -> Scenario {
        let check = |status: &&str| serde_json::json!({ "id": "a", "status": status });
        let checks = serde_json::from_value(statuses.iter().map(check).collect()).unwrap();
        Scenario { name: "a".to_owned(), unscored: None, checks: Some(checks), duration: None }
    }

    #[test]
    fn one_bad_check_makes_a_scenario_red() {
        assert_eq!(scenario(&["SUCCESS", "SKIPPED", "INFO"]).verdict(), Verdict::Green);
        assert_eq!(scenario(&["SUCCESS", "WARNING"]).verdict(), Verdict::Red);
        assert_eq!(scenario(&["FAILURE", "SUCCESS"]).verdict(), Verdict::Red);
    }

    #[test]
    fn a_scenario_in_which_nothing_was_checked_is_not_green() {
        assert_eq!(scenario(&[]).verdict(), Verdict::Empty);
        assert_eq!(scenario(&["INFO", "SKIPPED"]).verdict(), Verdict::Empty);
    }

    #[test]
    fn the_folder_of_each_scenario_is_found() {
        let results = tempfile::tempdir().unwrap();
        let date = "-2026-11-28T10-17-51-283Z";
        for name in ["server-resources-list", "server-resources-list-all", "auth/dpop", "auth/dpop-nonce", "tools_call"] {
            std::fs::create_dir_all(results.path().join(format!("{name}{date}"))).unwrap();
        }
        let found = |role, scenario| folder(results.path(), role, scenario).unwrap();
        let expected = |name| Some(results.path().join(format!("{name}{date}")));
        assert_eq!(found(Role::Server, "resources-list"), expected("server-resources-list"));
        assert_eq!(found(Role::Client, "tools_call"), expected("tools_call"));
        assert_eq!(found(Role::Client, "auth/dpop"), expected("auth/dpop"));
        assert_eq!(found(Role::Client, "auth/dpop-nonce"), expected("auth/dpop-nonce"));
        assert_eq!(found(Role::Server, "resources"), None);
        assert_eq!(found(Role::Client, "elsewhere/dpop"), None);
    }

    #[test]
    fn a_scenario_takes_from_the_date_of_its_folder_to_its_results() {
        let begun = began(Path::new("results/server-caching-2026-11-29T12-36-01-134Z")).unwrap();
        assert_eq!(begun.duration_since(SystemTime::UNIX_EPOCH).unwrap(), Duration::from_millis(1_795_955_761_134));
        assert_eq!((began(Path::new("results/server-caching")), began(Path::new("x"))), (None, None));
    }

    #[test]
    fn a_scenario_without_results_is_red() {
        let results = tempfile::tempdir().unwrap();
        let set = serde_json::from_str(r#"{ "server": ["ping"], "client": [] }"#).unwrap();
        let outcome = Outcome::read(Role::Server, Revision::Of2025_11_25, &set, results.path(), Duration::ZERO).unwrap();
        assert_eq!(outcome.scenarios[0].verdict(), Verdict::Red);
        assert_eq!((outcome.green(true), outcome.green(false)), ((0, 1), (0, 0)));
    }
}
