//! The users of a file: what their roles and they themselves bring, as one list of rules.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use isolet::{Grants, LowerLimits};
use serde_json::Value;
use toml::Spanned;

use super::file::{File, Role, RunLimits};
use super::mistake::{Mistake, Text, nearest};
use super::rule::{Rule, What};

/// What means something else in a pattern than itself.
const WILDCARDS: [char; 7] = ['*', '?', '[', ']', '{', '}', '\\'];

/// A user, with all that decides what they may do.
#[derive(Clone, Default)]
pub(crate) struct User {
    pub(crate) roles: Vec<String>,
    pub(crate) rules: Arc<Vec<Rule>>,
    /// The lowest of their roles'.
    pub(crate) limits: LowerLimits,
    /// Each limit that a role brings, as it is written, and its line.
    pub(crate) limits_said: Vec<(String, usize)>,
}

impl User {
    /// What they may call.
    pub(crate) fn grants(&self) -> Grants {
        self.rules.iter().fold(Grants::new(), |grants, rule| rule.applied_to(grants))
    }

    /// Whether there is anything that they may call.
    pub(crate) fn may_call(&self) -> bool {
        self.rules.iter().any(|rule| matches!(rule.what, What::Allow(_)))
    }

    /// Who has the roles of both.
    #[must_use]
    pub(crate) fn and(mut self, other: &Self) -> Self {
        let (held, said) = (&mut self.limits, &other.limits);
        least(&mut held.wall_max, said.wall_max);
        least(&mut held.cpu_max, said.cpu_max);
        least(&mut held.heap_bytes_max, said.heap_bytes_max);
        least(&mut held.calls_max, said.calls_max);
        Arc::make_mut(&mut self.rules).extend(other.rules.iter().cloned());
        self.roles.extend(other.roles.iter().cloned());
        self
    }
}

/// The users of `file`, whose servers are called `servers`.
pub(super) fn users(text: &Text, file: &File, servers: &[String], mistakes: &mut Vec<Mistake>) -> BTreeMap<String, User> {
    let mut roles = BTreeMap::new();
    for (name, role) in &file.roles {
        let rules = rules_of_role(text, name, role);
        check_rules(text, &rules, servers, mistakes);
        roles.insert(name.as_str(), (rules, role));
        check_limits(text, &role.limits, &file.limits, mistakes);
    }
    let mut users = BTreeMap::new();
    for (name, user) in &file.users {
        let mut merged = User::default();
        let mut own: Vec<Rule> = patterns(text, &user.allow, None, What::Allow).collect();
        own.extend(patterns(text, &user.deny, None, What::Deny));
        check_rules(text, &own, servers, mistakes);
        let mut rules = own;
        for role in &user.roles {
            match roles.get(role.get_ref().as_str()) {
                Some((of_role, role_file)) => {
                    check_contradictions(text, &format!("user `{name}`"), &rules, of_role, mistakes);
                    rules.extend(of_role.iter().cloned());
                    merged.lower(text, &role_file.limits);
                    merged.roles.push(role.get_ref().clone());
                }
                None => mistakes.push(text.no_role(role, file.roles.keys())),
            }
        }
        if !rules.iter().any(|rule| matches!(rule.what, What::Allow(_))) {
            mistakes.push(Mistake::of_file(
                text.path(),
                format!("user `{name}` may call nothing: give them a role that allows something, or `allow`"),
            ));
        }
        merged.rules = Arc::new(rules);
        users.insert(name.clone(), merged);
    }
    users
}

impl User {
    /// A role's limits hold too.
    fn lower(&mut self, text: &Text, limits: &RunLimits) {
        let RunLimits { wall_seconds_max, cpu_seconds_max, heap_mib_max, calls_max } = limits;
        let seconds = |seconds: &Spanned<u64>| Duration::from_secs(*seconds.get_ref());
        least(&mut self.limits.wall_max, wall_seconds_max.as_ref().map(seconds));
        least(&mut self.limits.cpu_max, cpu_seconds_max.as_ref().map(seconds));
        least(&mut self.limits.heap_bytes_max, heap_mib_max.as_ref().map(|mib| mib.get_ref().saturating_mul(1 << 20)));
        least(&mut self.limits.calls_max, calls_max.as_ref().map(|calls| *calls.get_ref()));
        let said =
            limits_of(limits).into_iter().map(|(name, value, offset)| (format!("{name} = {value}"), text.line_of(offset)));
        self.limits_said.extend(said);
    }
}

/// The lower one holds.
fn least<T: Ord + Copy>(held: &mut Option<T>, said: Option<T>) {
    *held = (*held).into_iter().chain(said).min();
}

/// What each role brings, as that of a user who has no other.
pub(super) fn roles(text: &Text, file: &File) -> BTreeMap<String, User> {
    let role = |(name, role): (&String, &Role)| {
        let rules = Arc::new(rules_of_role(text, name, role));
        let mut user = User { roles: vec![name.clone()], rules, ..User::default() };
        user.lower(text, &role.limits);
        (name.clone(), user)
    };
    file.roles.iter().map(role).collect()
}

/// Name, value and place of each limit.
fn limits_of(limits: &RunLimits) -> Vec<(&'static str, u64, usize)> {
    let RunLimits { wall_seconds_max, cpu_seconds_max, heap_mib_max, calls_max } = limits;
    let one = |name, limit: &Option<Spanned<u64>>| limit.as_ref().map(|limit| (name, *limit.get_ref(), limit.span().start));
    let heap = heap_mib_max.as_ref().map(|mib| ("heap_mib_max", *mib.get_ref() as u64, mib.span().start));
    let calls = calls_max.as_ref().map(|calls| ("calls_max", u64::from(*calls.get_ref()), calls.span().start));
    let seconds = [one("wall_seconds_max", wall_seconds_max), one("cpu_seconds_max", cpu_seconds_max)];
    seconds.into_iter().chain([heap, calls]).flatten().collect()
}

/// A role has no more than all have.
fn check_limits(text: &Text, of_role: &RunLimits, of_all: &RunLimits, mistakes: &mut Vec<Mistake>) {
    let default = isolet::Limits::default();
    let defaults = [
        ("wall_seconds_max", default.wall_max.as_secs()),
        ("cpu_seconds_max", default.cpu_max.as_secs()),
        ("heap_mib_max", (default.heap_bytes_max >> 20) as u64),
        ("calls_max", u64::from(default.calls_max)),
    ];
    let said = limits_of(of_all);
    for (name, value, offset) in limits_of(of_role) {
        let of_all = said.iter().find(|(other, ..)| *other == name).map(|(_, value, _)| *value);
        let most = of_all.or_else(|| defaults.iter().find(|(other, _)| *other == name).map(|(_, value)| *value));
        if let Some(most) = most.filter(|most| value > *most) {
            let message = format!("`{name}` is {value}, beyond the {most} of all runs: lower it, or raise it in `[limits]`");
            mistakes.push(text.mistake(offset, message));
        }
    }
}

/// What a role brings.
fn rules_of_role(text: &Text, name: &str, role: &Role) -> Vec<Rule> {
    let mut rules: Vec<Rule> = patterns(text, &role.allow, Some(name), What::Allow).collect();
    rules.extend(patterns(text, &role.deny, Some(name), What::Deny));
    rules.extend(patterns(text, &role.read_only, Some(name), What::ReadOnly));
    let mut add = |what, offset| rules.push(Rule { what, role: Some(name.to_owned()), line: Some(text.line_of(offset)) });
    for (tool, to) in &role.rename {
        add(What::Rename { tool: tool.clone(), name: to.get_ref().clone() }, to.span().start);
    }
    for (tool, words) in &role.describe {
        add(What::Describe { tool: tool.clone(), text: words.get_ref().clone() }, words.span().start);
    }
    for (tool, arguments) in &role.pin {
        for (argument, value) in arguments {
            let pinned = serde_json::to_value(value.get_ref()).unwrap_or(Value::Null);
            add(What::Pin { tool: tool.clone(), argument: argument.clone(), value: pinned }, value.span().start);
        }
    }
    rules
}

fn patterns<'t>(
    text: &'t Text,
    patterns: &'t [Spanned<String>],
    role: Option<&'t str>,
    what: fn(String) -> What,
) -> impl Iterator<Item = Rule> + 't {
    patterns.iter().map(move |pattern| Rule {
        what: what(pattern.get_ref().clone()),
        role: role.map(str::to_owned),
        line: Some(text.line_of(pattern.span().start)),
    })
}

/// What can be seen of rules without any server: each is about a server that there is, and none takes back another.
fn check_rules(text: &Text, rules: &[Rule], servers: &[String], mistakes: &mut Vec<Mistake>) {
    for (place, rule) in rules.iter().enumerate() {
        if let Some(other) = rules[..place].iter().find(|other| other.contradicts(rule)) {
            let line = rule.line.unwrap_or_default();
            let message = format!("{rule}, but {other} at line {}: remove one of them", other.line.unwrap_or_default());
            mistakes.push(Mistake::of_line(text.path(), line, message));
        }
        let Some((server, _)) = rule.pattern().split_once('.') else { continue };
        let is_named = |name: &String| is_name_of(server, name);
        if !server.contains(WILDCARDS) && !servers.iter().any(is_named) {
            let hint = nearest(server, servers.iter().map(String::as_str));
            let message = format!("`{}` is about a server `{server}` that is not there: {hint}", rule.pattern());
            mistakes.push(Mistake::of_line(text.path(), rule.line.unwrap_or_default(), message));
        }
    }
}

/// Whether programs may know the server `name` as `said`: as it is, or with `_` for what no identifier has, and a suffix.
fn is_name_of(said: &str, name: &str) -> bool {
    let identifier: String = name
        .chars()
        .map(|character| if character.is_ascii_alphanumeric() || character == '$' { character } else { '_' })
        .collect();
    said == name || said.strip_prefix(&identifier).is_some_and(|suffix| suffix.is_empty() || suffix.starts_with('_'))
}

/// Two roles of one user must not say different things of one tool.
pub(super) fn check_contradictions(text: &Text, whom: &str, rules: &[Rule], others: &[Rule], mistakes: &mut Vec<Mistake>) {
    for other in others {
        if let Some(rule) = rules.iter().find(|rule| rule.contradicts(other)) {
            let message = format!(
                "for {whom} {other}, but {rule} at line {}: give them one of both roles, or say the same in both",
                rule.line.unwrap_or_default()
            );
            mistakes.push(Mistake::of_line(text.path(), other.line.unwrap_or_default(), message));
        }
    }
}
