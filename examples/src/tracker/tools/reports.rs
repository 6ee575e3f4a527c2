//! Reports: what would take a client many pages of issues to work out.

use std::collections::BTreeMap;

use jiff::{Timestamp, ToSpan, civil::Date, tz::TimeZone};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::tracker::{
    error::TrackerError,
    role::{Caller, Role},
    row::{Issue, IssueId, Milestone, Priority, State},
    store::Store,
    tool::{About, Effect, Tool, invalid},
};

/// The most weeks or months in one throughput report.
const INTERVALS_MAX: usize = 60;

pub(super) fn tools() -> Vec<Tool> {
    vec![
        Tool::structured(
            About {
                name: "issues_by_assignee_report",
                title: "Report issues by assignee",
                needs: Role::Viewer,
                effect: Effect::Reads,
                description: "For each person, and for nobody: the issues that are not closed, by state, the urgent ones, and the \
                              hours estimated for them.",
            },
            issues_by_assignee_report,
        ),
        Tool::structured(
            About {
                name: "throughput_report",
                title: "Report throughput",
                needs: Role::Viewer,
                effect: Effect::Reads,
                description: "How many issues were opened and closed in each week or month of a span of days.",
            },
            throughput_report,
        ),
        Tool::structured(
            About {
                name: "milestone_report",
                title: "Report on a milestone",
                needs: Role::Viewer,
                effect: Effect::Reads,
                description: "How far a milestone is: counts, hours left, and what is still to be done.",
            },
            milestone_report,
        ),
        Tool::text(
            About {
                name: "export_issue_markdown",
                title: "Export an issue as Markdown",
                needs: Role::Viewer,
                effect: Effect::Reads,
                description: "One issue with all its comments as a Markdown document, to paste or to print.",
            },
            export_issue_markdown,
        ),
    ]
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ByAssignee {
    /// Key of a project. Default: all that you may see.
    project: Option<String>,
}

/// The work of one person.
#[derive(Debug, Serialize, JsonSchema)]
struct Workload {
    /// Handle; null: issues that nobody works on.
    assignee: Option<String>,
    open: usize,
    in_progress: usize,
    /// How many of them are urgent.
    urgent: usize,
    /// Sum of the estimates that there are.
    estimate_hours: f64,
    /// When the one that rested longest was last changed.
    least_recently_updated_at: Timestamp,
}

#[derive(Debug, Serialize, JsonSchema)]
struct Workloads {
    /// Most issues first.
    rows: Vec<Workload>,
}

fn issues_by_assignee_report(store: &mut Store, caller: &Caller, arguments: ByAssignee) -> Result<Workloads, TrackerError> {
    if let Some(key) = &arguments.project {
        store.project(caller, key)?;
    }
    let mut by_assignee: BTreeMap<Option<String>, Vec<&Issue>> = BTreeMap::new();
    for issue in store.visible_issues(caller) {
        if issue.state != State::Closed && arguments.project.as_ref().is_none_or(|key| issue.project == *key) {
            by_assignee.entry(issue.assignee.clone()).or_default().push(issue);
        }
    }
    let mut rows: Vec<Workload> = by_assignee
        .into_iter()
        .map(|(assignee, issues)| Workload {
            assignee,
            open: issues.iter().filter(|issue| issue.state == State::Open).count(),
            in_progress: issues.iter().filter(|issue| issue.state == State::InProgress).count(),
            urgent: issues.iter().filter(|issue| issue.priority == Priority::Urgent).count(),
            estimate_hours: issues.iter().filter_map(|issue| issue.estimate_hours).sum(),
            least_recently_updated_at: issues.iter().map(|issue| issue.updated_at).min().unwrap_or(store.now),
        })
        .collect();
    rows.sort_by_key(|row| std::cmp::Reverse(row.open + row.in_progress));
    Ok(Workloads { rows })
}

/// Length of an interval.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Interval {
    Week,
    Month,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Throughput {
    /// Key of a project. Default: all that you may see.
    project: Option<String>,
    /// First day, in UTC.
    from: Date,
    /// Last day, in UTC.
    to: Date,
    interval: Interval,
}

/// What happened in one week or month; the last one may be cut short.
#[derive(Debug, Serialize, JsonSchema)]
struct IntervalRow {
    /// First day.
    from: Date,
    /// Last day.
    to: Date,
    opened: usize,
    closed: usize,
}

#[derive(Debug, Serialize, JsonSchema)]
struct ThroughputReport {
    intervals: Vec<IntervalRow>,
    opened: usize,
    closed: usize,
}

fn throughput_report(store: &mut Store, caller: &Caller, arguments: Throughput) -> Result<ThroughputReport, TrackerError> {
    let Throughput { project, from, to, interval } = arguments;
    if let Some(key) = &project {
        store.project(caller, key)?;
    }
    if to < from {
        return Err(invalid("throughput_report", format!("`to` {to} lies before `from` {from}: exchange them")));
    }
    let mut intervals = intervals(from, to, interval)?;
    for issue in store.visible_issues(caller) {
        if project.as_ref().is_none_or(|key| issue.project == *key) {
            let closed_on = issue.closed_at.map(day);
            for row in &mut intervals {
                row.opened += usize::from((row.from..=row.to).contains(&day(issue.created_at)));
                row.closed += usize::from(closed_on.is_some_and(|day| (row.from..=row.to).contains(&day)));
            }
        }
    }
    let opened = intervals.iter().map(|row| row.opened).sum();
    let closed = intervals.iter().map(|row| row.closed).sum();
    Ok(ThroughputReport { intervals, opened, closed })
}

fn intervals(from: Date, to: Date, interval: Interval) -> Result<Vec<IntervalRow>, TrackerError> {
    let too_far = || invalid("throughput_report", "the days lie outside of the calendar: choose others");
    let mut rows = Vec::new();
    let mut first = from;
    while first <= to {
        if rows.len() == INTERVALS_MAX {
            let reason = format!("more than {INTERVALS_MAX} intervals: choose a shorter span, or months");
            return Err(invalid("throughput_report", reason));
        }
        // Counted from the first day, so that months that begin on a 31st do not drift.
        let step = i64::try_from(rows.len() + 1).map_err(|_| too_far())?;
        let next = match interval {
            Interval::Week => from.checked_add(step.weeks()),
            Interval::Month => from.checked_add(step.months()),
        }
        .map_err(|_| too_far())?;
        let last = next.yesterday().map_err(|_| too_far())?.min(to);
        rows.push(IntervalRow { from: first, to: last, opened: 0, closed: 0 });
        first = next;
    }
    Ok(rows)
}

fn day(time: Timestamp) -> Date {
    time.to_zoned(TimeZone::UTC).date()
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct MilestoneArguments {
    /// Id of the milestone.
    milestone: String,
}

#[derive(Debug, Serialize, JsonSchema)]
struct MilestoneReport {
    milestone: Milestone,
    open: usize,
    in_progress: usize,
    closed: usize,
    /// Closed issues per hundred; null if the milestone is empty.
    percent_closed: Option<f64>,
    /// Sum of the estimates that there are, of issues that are not closed.
    hours_left: f64,
    /// True if it is past its due day and not finished.
    late: bool,
    /// Highest priority first.
    unfinished: Vec<Unfinished>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct Unfinished {
    issue: IssueId,
    title: String,
    priority: Priority,
    assignee: Option<String>,
}

fn milestone_report(
    store: &mut Store,
    caller: &Caller,
    arguments: MilestoneArguments,
) -> Result<MilestoneReport, TrackerError> {
    let milestone = store.milestone(caller, &arguments.milestone)?.clone();
    let issues: Vec<&Issue> = store.issues.values().filter(|issue| issue.milestone.as_ref() == Some(&milestone.id)).collect();
    let count = |state| issues.iter().filter(|issue| issue.state == state).count();
    let closed = count(State::Closed);
    let mut left: Vec<&Issue> = issues.iter().copied().filter(|issue| issue.state != State::Closed).collect();
    left.sort_by(|a, b| b.priority.cmp(&a.priority).then_with(|| a.id.cmp(&b.id)));
    Ok(MilestoneReport {
        open: count(State::Open),
        in_progress: count(State::InProgress),
        closed,
        percent_closed: percent(closed, issues.len()),
        hours_left: left.iter().filter_map(|issue| issue.estimate_hours).sum(),
        late: !left.is_empty() && milestone.due_on < day(store.now),
        unfinished: left
            .into_iter()
            .map(|issue| Unfinished {
                issue: issue.id.clone(),
                title: issue.title.clone(),
                priority: issue.priority,
                assignee: issue.assignee.clone(),
            })
            .collect(),
        milestone,
    })
}

/// `part` per hundred of `whole`, to one decimal.
fn percent(part: usize, whole: usize) -> Option<f64> {
    let (part, whole) = (u32::try_from(part).ok()?, u32::try_from(whole).ok()?);
    (whole > 0).then(|| (f64::from(part) * 1000.0 / f64::from(whole)).round() / 10.0)
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ExportIssue {
    issue: IssueId,
}

fn export_issue_markdown(store: &mut Store, caller: &Caller, arguments: ExportIssue) -> Result<String, TrackerError> {
    let issue = store.issue(caller, &arguments.issue)?;
    let assignee = issue.assignee.as_deref().unwrap_or("nobody");
    let mut text = format!(
        "# {}: {}\n\nReported by {} on {}, assigned to {assignee}.\n\n{}\n",
        issue.id,
        issue.title,
        issue.reporter,
        day(issue.created_at),
        issue.body
    );
    for comment in store.comments.values().filter(|comment| comment.issue == issue.id) {
        text.push_str(&format!("\n## {}, {}\n\n{}\n", comment.author, day(comment.created_at), comment.body));
    }
    Ok(text)
}
