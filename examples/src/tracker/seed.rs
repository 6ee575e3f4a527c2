//! The rows that every tracker starts with: made from a fixed random seed, so that they are the same each time.
//!
//! They are uneven on purpose, as real ones are: old issues that nobody touches, urgent ones without an assignee, some
//! filed twice in other words, one person with too much to do, milestones that are late.

mod vocabulary;

use fastrand::Rng;
use jiff::{SignedDuration, Timestamp, civil::Date, tz::TimeZone};

use self::vocabulary::{
    COMMENTS, CONDITIONS, CONSEQUENCES, LABELS, LEFT, NOTES, PROJECTS, REASONS, STATIONS, USERS, Vocabulary,
};
use super::{
    role::Role,
    row::{
        Change, CloseReason, Comment, Event, Issue, IssueId, Kind, Label, Link, Milestone, MilestoneState, Priority, Project,
        Relation, State, User, Visibility,
    },
    store::Store,
};

/// The present time of a new tracker.
const NOW: &str = "2026-11-20T09:00:00Z";
/// How far back the oldest issues go.
const AGE_DAYS_MAX: i64 = 420;
/// Of a hundred bugs, how many are filed a second time in other words.
const DUPLICATES_PERCENT: u32 = 9;

/// A store full of rows.
pub(crate) fn store() -> Store {
    let now = NOW.parse().unwrap_or(Timestamp::UNIX_EPOCH);
    let mut seeder = Seeder { store: Store::empty(now), random: Rng::with_seed(20_261_120), comments: Vec::new() };
    seeder.users();
    seeder.labels();
    for (place, vocabulary) in (0_i64..).zip(PROJECTS) {
        seeder.project(vocabulary, place);
    }
    seeder.finish()
}

struct Seeder {
    store: Store,
    random: Rng,
    /// Comments of all issues, numbered when all are known.
    comments: Vec<Comment>,
}

/// What an issue is about, before it has a number and a history.
struct Matter {
    kind: Kind,
    title: String,
    body: String,
    labels: Vec<String>,
    /// If it is filed already: the place of the first filing.
    again: Option<usize>,
}

impl Seeder {
    fn users(&mut self) {
        for (handle, name, role, team, joined_on) in USERS {
            let role = match role {
                'a' => Role::Admin,
                'm' => Role::Member,
                _ => Role::Viewer,
            };
            let user = User {
                handle: (*handle).to_owned(),
                name: (*name).to_owned(),
                email: format!("{handle}@fernhill-cycles.example"),
                role,
                team: (*team).to_owned(),
                active: *handle != LEFT,
                joined_on: joined_on.parse().unwrap_or(Date::ZERO),
            };
            self.store.users.insert(user.handle.clone(), user);
        }
    }

    fn labels(&mut self) {
        for (name, description, color) in LABELS {
            let label = Label { name: (*name).to_owned(), description: (*description).to_owned(), color: (*color).to_owned() };
            self.store.labels.insert(label.name.clone(), label);
        }
    }

    /// `place`: which project it is, counted from 0; it moves the due days, so that some milestones are late.
    fn project(&mut self, vocabulary: &Vocabulary, place: i64) {
        let project = Project {
            key: vocabulary.key.to_owned(),
            name: vocabulary.name.to_owned(),
            description: vocabulary.description.to_owned(),
            lead: vocabulary.lead.to_owned(),
            visibility: if vocabulary.key == "SEC" { Visibility::Restricted } else { Visibility::Public },
            archived: false,
            created_at: self.days_ago(AGE_DAYS_MAX + 200 - place * 20),
        };
        self.store.projects.insert(project.key.clone(), project);
        self.milestones(vocabulary, 13 * place - 20);
        let matters = self.matters(vocabulary);
        let mut ages: Vec<i64> = matters.iter().map(|_| self.random.i64(0..AGE_DAYS_MAX)).collect();
        ages.sort_unstable_by(|a, b| b.cmp(a));
        let mut number = 0;
        for (matter, age_days) in matters.into_iter().zip(ages) {
            number += 1;
            self.issue(vocabulary, matter, number, age_days);
        }
        self.store.last_numbers.insert(vocabulary.key.to_owned(), number);
        self.relations(vocabulary.key, number);
    }

    /// One milestone for each release, four months apart; the last is due `last_due_days` from now.
    fn milestones(&mut self, vocabulary: &Vocabulary, last_due_days: i64) {
        for (number, title) in vocabulary.releases.iter().enumerate() {
            let releases_after = i64::try_from(vocabulary.releases.len() - number - 1).unwrap_or(0);
            let due_days = last_due_days - 120 * releases_after;
            let milestone = Milestone {
                id: format!("{}-M{}", vocabulary.key, number + 1),
                project: vocabulary.key.to_owned(),
                title: (*title).to_owned(),
                due_on: self.days_ago(-due_days).to_zoned(TimeZone::UTC).date(),
                state: if releases_after > 0 { MilestoneState::Closed } else { MilestoneState::Open },
            };
            self.store.milestones.insert(milestone.id.clone(), milestone);
        }
    }

    /// What the issues of a project are about, each thing once but for the duplicates.
    fn matters(&mut self, vocabulary: &Vocabulary) -> Vec<Matter> {
        let mut matters: Vec<Matter> = Vec::new();
        let mut wishes: Vec<&str> = vocabulary.wishes.to_vec();
        let mut chores: Vec<&str> = vocabulary.chores.to_vec();
        self.random.shuffle(&mut wishes);
        self.random.shuffle(&mut chores);
        for _ in 0..vocabulary.issues {
            let matter = match self.random.u32(0..100) {
                0..15 if !wishes.is_empty() => self.wish(wishes.pop().unwrap_or_default()),
                15..27 if !chores.is_empty() => self.chore(chores.pop().unwrap_or_default()),
                _ => self.bug(vocabulary, &matters),
            };
            matters.push(matter);
        }
        self.file_some_again(matters)
    }

    /// Adds second filings of some bugs, each some places after the first.
    fn file_some_again(&mut self, matters: Vec<Matter>) -> Vec<Matter> {
        let mut order: Vec<(usize, usize, Matter)> = Vec::new();
        for (place, matter) in matters.into_iter().enumerate() {
            if matter.kind == Kind::Bug && self.chance(DUPLICATES_PERCENT) {
                let again = self.second_filing(&matter, place);
                order.push((place + self.random.usize(1..15), usize::MAX, again));
            }
            order.push((place, place, matter));
        }
        order.sort_by_key(|(place, of_first, _)| (*place, *of_first));
        let firsts: Vec<usize> = order.iter().map(|(_, of_first, _)| *of_first).collect();
        let now_at = |place: usize| firsts.iter().position(|of_first| *of_first == place);
        order.into_iter().map(|(_, _, matter)| Matter { again: matter.again.and_then(now_at), ..matter }).collect()
    }

    fn bug(&mut self, vocabulary: &Vocabulary, others: &[Matter]) -> Matter {
        let title = loop {
            let subject = self.pick(vocabulary.subjects);
            let problem = self.pick(vocabulary.problems);
            let title = format!("{subject} {problem} {}", self.pick(CONDITIONS));
            if others.iter().all(|other| other.title != title) {
                break title;
            }
        };
        let body = format!(
            "Seen at {}. {title}.\n\nExpected: it works as everywhere else.\n\n{}",
            self.pick(STATIONS),
            self.pick(CONSEQUENCES)
        );
        let mut labels = Vec::new();
        for (label, percent) in [("customer-report", 35), ("regression", 20), ("hardware", 8), ("good-first-issue", 6)] {
            if self.chance(percent) {
                labels.push(label.to_owned());
            }
        }
        for (word, label) in [
            ("slow", "performance"),
            ("battery", "performance"),
            ("longer", "performance"),
            ("French", "translation"),
            ("language", "translation"),
            ("Accessibility", "accessibility"),
        ] {
            if title.contains(word) {
                labels.push(label.to_owned());
            }
        }
        Matter { kind: Kind::Bug, title, body, labels: sorted(labels), again: None }
    }

    fn wish(&mut self, title: &str) -> Matter {
        let body =
            format!("{}\n\nA first version may be simple, as long as it can be tried at one station.", self.pick(REASONS));
        let labels = if self.chance(30) { vec!["customer-report".to_owned()] } else { Vec::new() };
        Matter { kind: Kind::Feature, title: title.to_owned(), body, labels, again: None }
    }

    fn chore(&mut self, title: &str) -> Matter {
        let mut labels = Vec::new();
        for (label, percent) in [("good-first-issue", 45), ("waiting", 25), ("legal", 15)] {
            if self.chance(percent) {
                labels.push(label.to_owned());
            }
        }
        Matter {
            kind: Kind::Task,
            title: title.to_owned(),
            body: self.pick(NOTES).to_owned(),
            labels: sorted(labels),
            again: None,
        }
    }

    /// The same bug in the words of somebody who did not look whether it is known.
    fn second_filing(&mut self, first: &Matter, place: usize) -> Matter {
        let condition = CONDITIONS.iter().find(|condition| first.title.ends_with(*condition)).copied().unwrap_or_default();
        let what = first.title.trim_end_matches(condition).trim_end();
        let title = format!("{}: {}", capitalised(condition), what.to_lowercase());
        let body = format!("A customer at {} showed me this. {}", self.pick(STATIONS), self.pick(CONSEQUENCES));
        Matter { kind: Kind::Bug, title, body, labels: vec!["customer-report".to_owned()], again: Some(place) }
    }

    fn issue(&mut self, vocabulary: &Vocabulary, matter: Matter, number: u32, age_days: i64) {
        let id = IssueId { project: vocabulary.key.to_owned(), number };
        let created_at = self.within_day(age_days);
        let everybody: Vec<&str> = USERS.iter().map(|(handle, ..)| *handle).collect();
        let reporter = self.person(created_at, &everybody);
        let assignee = self.chance(if age_days < 45 { 60 } else { 82 }).then(|| self.worker(created_at, vocabulary.team));
        let closed_at = self.closing_time(created_at, age_days);
        let state = match (closed_at, &assignee) {
            (Some(_), _) => State::Closed,
            (None, Some(_)) if self.chance(35) => State::InProgress,
            _ => State::Open,
        };
        let issue = Issue {
            id: id.clone(),
            project: vocabulary.key.to_owned(),
            title: matter.title,
            body: matter.body,
            kind: matter.kind,
            state,
            priority: self.priority(),
            labels: matter.labels,
            assignee,
            reporter,
            milestone: self.milestone_for(vocabulary.key, closed_at),
            estimate_hours: self.chance(60).then(|| self.pick(&[1.0, 2.0, 4.0, 8.0, 16.0, 24.0, 40.0])),
            created_at,
            updated_at: created_at,
            closed_at,
            close_reason: closed_at.map(|_| if self.chance(82) { CloseReason::Completed } else { CloseReason::NotPlanned }),
            comment_count: 0,
            links: Vec::new(),
        };
        self.store.issues.insert(id.clone(), issue);
        self.history(&id, vocabulary.team);
        if let Some(first) = matter.again.and_then(|place| u32::try_from(place + 1).ok()) {
            self.maybe_close_as_duplicate(&id, IssueId { number: first, ..id.clone() });
        }
    }

    /// Old issues are mostly closed, young ones mostly not.
    fn closing_time(&mut self, created_at: Timestamp, age_days: i64) -> Option<Timestamp> {
        let closed_percent = match age_days {
            200.. => 84,
            60..200 => 62,
            7..60 => 45,
            _ => 20,
        };
        if !self.chance(closed_percent) || age_days < 1 {
            return None;
        }
        let minutes = self.random.i64(120..age_days.min(70) * 24 * 60);
        Some(created_at.saturating_add(SignedDuration::from_mins(minutes)).unwrap_or(created_at).min(self.store.now))
    }

    /// Events and comments between creation and closing, or until the issue was forgotten.
    fn history(&mut self, id: &IssueId, team: &[&str]) {
        let Some(issue) = self.store.issues.get(id).cloned() else { return };
        let mut happen = vec![(issue.created_at, issue.reporter.clone(), Change::Created)];
        let end = match issue.closed_at {
            Some(closed_at) => closed_at,
            // Some are talked about until today, others rest since soon after they were filed.
            None if self.chance(55) => self.between(issue.created_at, self.store.now),
            None => self.between(
                issue.created_at,
                issue.created_at.saturating_add(SignedDuration::from_hours(30 * 24)).unwrap_or(self.store.now),
            ),
        };
        for _ in 0..self.random.u32(0..5) {
            let created_at = self.between(issue.created_at, end);
            let author = if self.chance(30) { issue.reporter.clone() } else { self.person(created_at, team) };
            let body = self.pick(COMMENTS).replace("{station}", self.pick(STATIONS));
            self.comments.push(Comment { id: 0, issue: id.clone(), author, body, created_at });
        }
        if let Some(assignee) = &issue.assignee {
            let at = self.between(issue.created_at, end);
            happen.push((at, assignee.clone(), Change::Assigned { from: None, to: Some(assignee.clone()) }));
            if issue.state == State::InProgress {
                let at = self.between(at, end.max(at));
                happen.push((at, assignee.clone(), Change::StateChanged { from: State::Open, to: State::InProgress }));
            }
        }
        if let Some(closed_at) = issue.closed_at {
            let actor = issue.assignee.clone().unwrap_or_else(|| issue.reporter.clone());
            happen.push((closed_at, actor, Change::StateChanged { from: State::Open, to: State::Closed }));
        }
        for (at, actor, change) in happen {
            self.store.events.push(Event { issue: id.clone(), at, actor, change });
        }
    }

    /// Somebody noticed, for some of those that are filed twice.
    fn maybe_close_as_duplicate(&mut self, id: &IssueId, first: IssueId) {
        if self.store.issues.get(id).is_some_and(|issue| issue.closed_at.is_some()) {
            self.link(id, Relation::Duplicates, &first);
            if let Some(issue) = self.store.issues.get_mut(id) {
                issue.close_reason = Some(CloseReason::Duplicate);
            }
        }
    }

    /// Here and there an issue blocks a later one, or has to do with it.
    fn relations(&mut self, project: &str, last_number: u32) {
        for number in 1..last_number {
            if self.chance(8) {
                let relation = self.pick(&[Relation::Blocks, Relation::RelatesTo]);
                let later = self.random.u32(number + 1..=last_number);
                let id = |number| IssueId { project: project.to_owned(), number };
                self.link(&id(number), relation, &id(later));
            }
        }
    }

    fn link(&mut self, one: &IssueId, relation: Relation, two: &IssueId) {
        for (from, relation, to) in [(one, relation, two), (two, relation.inverse(), one)] {
            if let Some(issue) = self.store.issues.get_mut(from) {
                issue.links.push(Link { relation, issue: to.clone() });
                issue.links.sort();
                issue.links.dedup();
            }
        }
    }

    /// Numbers the comments and brings all rows into the order of their times.
    fn finish(mut self) -> Store {
        self.comments.sort_by_key(|comment| comment.created_at);
        for (id, comment) in (1..).zip(self.comments) {
            let Comment { issue, author, body, created_at, .. } = comment;
            let change = Change::Commented { comment: id };
            self.store.events.push(Event { issue: issue.clone(), at: created_at, actor: author.clone(), change });
            if let Some(issue) = self.store.issues.get_mut(&issue) {
                issue.comment_count += 1;
            }
            self.store.comments.insert(id, Comment { id, issue, author, body, created_at });
            self.store.last_comment = id;
        }
        self.store.events.sort_by_key(|event| event.at);
        for event in &self.store.events {
            if let Some(issue) = self.store.issues.get_mut(&event.issue) {
                issue.updated_at = event.at;
            }
        }
        self.store
    }

    fn priority(&mut self) -> Priority {
        match self.random.u32(0..100) {
            0..9 => Priority::Urgent,
            9..27 => Priority::High,
            27..72 => Priority::Medium,
            _ => Priority::Low,
        }
    }

    /// The release that was next when the issue was closed; for issues that are not closed the one to come.
    fn milestone_for(&mut self, project: &str, closed_at: Option<Timestamp>) -> Option<String> {
        if !self.chance(55) {
            return None;
        }
        let closed_on = closed_at.map(|time| time.to_zoned(TimeZone::UTC).date());
        let of_project = || self.store.milestones.values().filter(|milestone| milestone.project == project);
        closed_on
            .and_then(|day| of_project().find(|milestone| milestone.due_on >= day))
            .or_else(|| of_project().find(|milestone| milestone.state == MilestoneState::Open))
            .map(|milestone| milestone.id.clone())
    }

    /// Somebody of `handles` who had joined by then and, for recent times, has not left.
    fn person(&mut self, time: Timestamp, handles: &[&str]) -> String {
        let day = time.to_zoned(TimeZone::UTC).date();
        let recent = time > self.days_ago(120);
        let there: Vec<&str> = handles
            .iter()
            .copied()
            .filter(|handle| {
                self.store.users.get(*handle).is_some_and(|user| user.joined_on <= day && (user.active || !recent))
            })
            .collect();
        self.random.choice(there).unwrap_or(PROJECTS[0].lead).to_owned()
    }

    /// Somebody of a team; the one named first has most to do.
    fn worker(&mut self, time: Timestamp, team: &[&str]) -> String {
        if self.chance(22) { self.person(time, &team[..1]) } else { self.person(time, team) }
    }

    fn chance(&mut self, percent: u32) -> bool {
        self.random.u32(0..100) < percent
    }

    fn pick<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.random.usize(0..choices.len())]
    }

    fn days_ago(&self, days: i64) -> Timestamp {
        self.store.now.saturating_sub(SignedDuration::from_hours(24 * days)).unwrap_or(self.store.now)
    }

    /// A time in the working hours of a day, `days` and a few hours ago.
    fn within_day(&mut self, days: i64) -> Timestamp {
        let morning = self.days_ago(days + 1);
        morning.saturating_add(SignedDuration::from_mins(self.random.i64(0..540))).unwrap_or(morning)
    }

    /// A full minute between two times.
    fn between(&mut self, from: Timestamp, to: Timestamp) -> Timestamp {
        let minutes = from.duration_until(to.min(self.store.now)).as_mins().max(0);
        from.saturating_add(SignedDuration::from_mins(self.random.i64(0..=minutes))).unwrap_or(from)
    }
}

fn sorted(mut labels: Vec<String>) -> Vec<String> {
    labels.sort();
    labels.dedup();
    labels
}

fn capitalised(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}
