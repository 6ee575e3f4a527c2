//! What came out, as Markdown.

use std::fmt::Write as _;
use std::time::Duration;

use super::baseline::Baseline;
use super::check::Status;
use super::outcome::{Outcome, Scenario, Verdict};

/// A scenario that takes longer is named, for something was waited for.
const SHORT: Duration = Duration::from_secs(5);

/// A table of the sets, then the scenarios that are not required, the exceptions with their reasons, and the deviations.
#[must_use]
pub fn table(outcomes: &[Outcome], baseline: &Baseline) -> String {
    let mut text = String::from(
        "| requirement set | side | required scenarios | other scenarios | checks passed | failed | warnings | seconds |\n\
         |---|---|---|---|---|---|---|---|\n",
    );
    // Writing to a string does not fail.
    for outcome in outcomes {
        let ((required, of_required), (other, of_other)) = (outcome.green(true), outcome.green(false));
        let [passed, failed, warnings] =
            [Status::Success, Status::Failure, Status::Warning].map(|status| outcome.count(status));
        let (revision, role, seconds) = (outcome.revision, outcome.role, outcome.duration.as_secs_f64());
        let _ = writeln!(
            text,
            "| {revision} | {role} | {required} of {of_required} | {other} of {of_other} | {passed} | {failed} | {warnings} | {seconds:.1} |"
        );
    }
    for outcome in outcomes {
        let _ = writeln!(text, "\n{}, {}:\n", outcome.revision, outcome.role);
        for scenario in &outcome.scenarios {
            if let Some(line) = line(scenario) {
                let _ = writeln!(text, "* {line}");
            }
        }
        for (exception, reason) in baseline.exceptions(outcome.role, outcome.revision) {
            let _ = writeln!(text, "* exception `{exception}`: {reason}");
        }
        for deviation in baseline.deviations(outcome) {
            let _ = writeln!(text, "* **deviation**: {deviation}");
        }
    }
    text
}

/// What there is to say of a scenario: nothing, if it is required, green and short.
fn line(scenario: &Scenario) -> Option<String> {
    let verdict = match scenario.verdict() {
        Verdict::Green => "green",
        Verdict::Red => "red",
        Verdict::Empty => "checks nothing",
    };
    let time = scenario.duration.filter(|duration| *duration > SHORT);
    let time = time.map(|duration| format!(", {:.0} s", duration.as_secs_f64())).unwrap_or_default();
    match &scenario.unscored {
        Some(reason) => Some(format!("`{}` ({reason}, not required): {verdict}{time}", scenario.name)),
        None if verdict == "green" && time.is_empty() => None,
        None => Some(format!("`{}`: {verdict}{time}", scenario.name)),
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test stops where it fails")]

    use serde_json::json;

    use super::super::requirements::{Revision, Role};
    use super::*;

    #[test]
    fn the_table_says_what_is_required_what_else_ran_and_what_deviates() {
        let scenario = |name: &str, unscored: Option<&str>, status: &str| Scenario {
            name: name.to_owned(),
            unscored: unscored.map(str::to_owned),
            checks: Some(serde_json::from_value(json!([{ "id": "x", "status": status, "errorMessage": "no" }])).unwrap()),
            duration: Some(Duration::from_secs(if name == "server-sse-polling" { 21 } else { 5 })),
        };
        let outcome = Outcome {
            role: Role::Server,
            revision: Revision::Of2025_11_25,
            scenarios: vec![
                scenario("ping", None, "SUCCESS"),
                scenario("tools-list", None, "FAILURE"),
                scenario("caching", None, "WARNING"),
                scenario("server-sse-polling", Some("pending"), "SKIPPED"),
            ],
            duration: Duration::from_millis(1250),
        };
        let baseline = r#"{ "server": { "2025-11-25": { "caching": "lists differ by user" } } }"#.parse().unwrap();
        let expected = "\
            | requirement set | side | required scenarios | other scenarios | checks passed | failed | warnings | seconds |\n\
            |---|---|---|---|---|---|---|---|\n\
            | 2025-11-25 | server | 1 of 3 | 0 of 1 | 1 | 1 | 1 | 1.2 |\n\
            \n2025-11-25, server:\n\n\
            * `tools-list`: red\n\
            * `caching`: red\n\
            * `server-sse-polling` (pending, not required): checks nothing, 21 s\n\
            * exception `caching`: lists differ by user\n\
            * **deviation**: `tools-list:x` is bad: no\n";
        assert_eq!(table(&[outcome], &baseline), expected);
    }
}
