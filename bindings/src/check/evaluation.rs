//! A value against the rules of its schema, step by step.
//!
//! What is not checked may match or not, so the answer has three values (Kleene's logic): a `not` or a `oneOf` around it is not decided by
//! it. Members and items that keywords have spoken of are noted where an `unevaluated*` asks for them.

use std::collections::{HashMap, HashSet};

use serde_json::{Number, Value};

use super::canonical;
use super::matcher::Machine;
use super::meter::{Exhausted, Meter, steps};
use super::number;
use super::rules::{ANY, Bound, Literals, NEVER, NodeId, Range, Rule, RuleTable};
use super::violation::{self, Report, Way};

/// The most levels of rules within rules, the value's levels included: each takes stack.
const LEVELS_MAX: usize = 400;

/// What things cost, in steps (measured in release builds, with room).
const NODE_STEPS: u64 = 30;
const RULE_STEPS: u64 = 10;
pub(super) const LOOKUP_STEPS: u64 = 60;
pub(super) const NOTE_STEPS: u64 = 80;
const NUMBER_STEPS: u64 = 300;
const VIOLATION_STEPS: u64 = 20_000;

/// Whether a value matches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Truth {
    No,
    /// It depends on what is not checked.
    Maybe,
    Yes,
}

impl From<bool> for Truth {
    fn from(is_true: bool) -> Self {
        if is_true { Self::Yes } else { Self::No }
    }
}

impl Truth {
    pub(super) fn negated(self) -> Self {
        match self {
            Self::No => Self::Yes,
            Self::Maybe => Self::Maybe,
            Self::Yes => Self::No,
        }
    }
}

/// The members and items of one value that keywords have spoken of.
#[derive(Default)]
pub(super) struct Seen<'v> {
    pub(super) names: HashSet<&'v str>,
    pub(super) items: HashSet<usize>,
    /// The first items, all of which are seen without being in `items`.
    pub(super) item_count: usize,
    /// Whether more may have been spoken of.
    pub(super) is_unsure: bool,
}

/// One check.
pub(super) struct Evaluation<'r> {
    pub(super) rules: &'r RuleTable,
    pub(super) meter: Meter,
    levels: usize,
    machines: HashMap<usize, Machine>,
}

impl<'v> Seen<'v> {
    /// Takes what a schema beside has spoken of, which matches or not.
    pub(super) fn take(&mut self, other: Self, truth: Truth) {
        match truth {
            Truth::Yes => {
                self.names.extend(other.names);
                self.items.extend(other.items);
                self.item_count = self.item_count.max(other.item_count);
                self.is_unsure |= other.is_unsure;
            }
            // Whether it was spoken of depends on whether that matches.
            Truth::Maybe => self.is_unsure = true,
            Truth::No => {}
        }
    }
}

impl<'r> Evaluation<'r> {
    pub(super) fn new(rules: &'r RuleTable, steps_max: u64) -> Self {
        Self { rules, meter: Meter::new(steps_max), levels: 0, machines: HashMap::new() }
    }

    /// The steps that were taken.
    pub(super) fn spent(&self) -> u64 {
        self.meter.spent()
    }

    /// Whether `value` matches; `report` gets what it violates, also where the check is given up afterwards.
    pub(super) fn run(&mut self, value: &Value, report: &mut Report) -> Result<Truth, Exhausted> {
        self.check(self.rules.root, value, &Way::Root, None, report)
    }

    pub(super) fn check<'v>(
        &mut self,
        node: NodeId,
        value: &'v Value,
        way: &Way<'_>,
        mut seen: Option<&mut Seen<'v>>,
        report: &mut Report,
    ) -> Result<Truth, Exhausted> {
        if node == ANY {
            return Ok(Truth::Yes);
        }
        self.meter.spend(NODE_STEPS)?;
        if node == NEVER {
            return self
                .violated(way, report, || format!("expected nothing here, came {}: remove it", violation::excerpt(value)));
        }
        if self.levels == LEVELS_MAX {
            return Err(Exhausted);
        }
        self.levels += 1;
        let rules = self.rules;
        let mut own = rules.is_tracking(node).then(Seen::default);
        let mut truth = Truth::Yes;
        for rule in &rules.nodes[node] {
            let noted = if let Some(own) = &mut own { Some(own) } else { seen.as_deref_mut() };
            let said = self.check_rule(rule, value, way, noted, report)?;
            truth = truth.min(said);
            // What is said about another kind of value is of no use to anybody.
            if said == Truth::No && (report.is_full() || matches!(rule, Rule::Kinds(_))) {
                break;
            }
        }
        self.levels -= 1;
        if let (Some(own), Some(seen)) = (own, seen) {
            self.note(&own)?;
            seen.take(own, truth);
        }
        Ok(truth)
    }

    fn check_rule<'v>(
        &mut self,
        rule: &'r Rule,
        value: &'v Value,
        way: &Way<'_>,
        seen: Option<&mut Seen<'v>>,
        report: &mut Report,
    ) -> Result<Truth, Exhausted> {
        self.meter.spend(RULE_STEPS)?;
        match (rule, value) {
            (Rule::Kinds(kinds), value) => {
                if is_of(value, kinds) {
                    return Ok(Truth::Yes);
                }
                self.violated(way, report, || violation::wrong_kind(kinds, value))
            }
            (Rule::Literals(literals), value) => self.check_literals(literals, value, way, report),
            (Rule::All(nodes), value) => self.check_all(nodes, value, way, seen, report),
            (Rule::Reference(node), value) => self.check(*node, value, way, seen, report),
            (Rule::AnyOf(nodes), value) => self.check_any(nodes, value, way, seen, report),
            (Rule::OneOf(nodes), value) => self.check_one(nodes, value, way, seen, report),
            (Rule::Not(node), value) => {
                let truth = self.check(*node, value, way, None, &mut Report::unwanted())?.negated();
                if truth == Truth::No {
                    return self.violated(way, report, || format!("is what its schema excludes, {}", violation::came(value)));
                }
                Ok(truth)
            }
            (Rule::If { condition, then, otherwise }, value) => {
                self.check_if([*condition, *then, *otherwise], value, way, seen, report)
            }
            (Rule::Unchecked, _) => {
                if let Some(seen) = seen {
                    seen.is_unsure = true;
                }
                Ok(Truth::Maybe)
            }
            (rule, Value::Number(number)) => self.check_number(rule, number, way, report),
            (rule, Value::String(text)) => self.check_text(rule, text, way, report),
            (rule, Value::Array(items)) => self.check_items(rule, items, way, seen, report),
            (rule, Value::Object(members)) => self.check_object(rule, members, value, way, seen, report),
            _ => Ok(Truth::Yes),
        }
    }

    /// Notes a violation, if violations are wanted.
    pub(super) fn violated(
        &mut self,
        way: &Way<'_>,
        report: &mut Report,
        message: impl FnOnce() -> String,
    ) -> Result<Truth, Exhausted> {
        if !report.is_full() {
            // It is known now, and said even where it cannot be paid for.
            let paid = self.meter.spend(VIOLATION_STEPS);
            report.add(way, message);
            paid?;
        }
        Ok(Truth::No)
    }

    fn check_literals(
        &mut self,
        literals: &Literals,
        value: &Value,
        way: &Way<'_>,
        report: &mut Report,
    ) -> Result<Truth, Exhausted> {
        let is_among = match value {
            Value::String(text) => {
                self.meter.spend(LOOKUP_STEPS + steps(text.len()))?;
                literals.contains_string(text)
            }
            value if literals.needs_text(value) => literals.contains_text(&canonical::text(value, &mut self.meter)?),
            _ => false,
        };
        if is_among { Ok(Truth::Yes) } else { self.violated(way, report, || violation::not_among(literals, value)) }
    }

    fn check_number(&mut self, rule: &Rule, came: &Number, way: &Way<'_>, report: &mut Report) -> Result<Truth, Exhausted> {
        self.meter.spend(NUMBER_STEPS)?;
        let (is_right, words, bound) = match rule {
            Rule::Least(bound, Bound::Inclusive) => (number::compare(came, bound).is_ge(), "at least", bound),
            Rule::Least(bound, Bound::Exclusive) => (number::compare(came, bound).is_gt(), "more than", bound),
            Rule::Most(bound, Bound::Inclusive) => (number::compare(came, bound).is_le(), "at most", bound),
            Rule::Most(bound, Bound::Exclusive) => (number::compare(came, bound).is_lt(), "less than", bound),
            Rule::MultipleOf(step) => (number::is_multiple(came, step), "a multiple of", step),
            _ => return Ok(Truth::Yes),
        };
        if is_right {
            return Ok(Truth::Yes);
        }
        let is_reachable = matches!(rule, Rule::Least(_, Bound::Inclusive) | Rule::Most(_, Bound::Inclusive));
        let message = || {
            if is_reachable { violation::beyond(words, bound, came) } else { format!("expected {words} {bound}, came {came}") }
        };
        self.violated(way, report, message)
    }

    fn check_text(&mut self, rule: &Rule, text: &str, way: &Way<'_>, report: &mut Report) -> Result<Truth, Exhausted> {
        match rule {
            Rule::Length(range) => {
                self.meter.spend(steps(text.len()))?;
                self.check_count(*range, steps(text.chars().count()), "characters", way, report)
            }
            Rule::Pattern(matcher, pattern) => {
                if self.is_match(*matcher, text)? {
                    return Ok(Truth::Yes);
                }
                self.violated(way, report, || {
                    let pattern: String = pattern.chars().take(100).collect();
                    let came = violation::excerpt(&Value::String(text.chars().take(100).collect()));
                    format!("expected text that matches /{pattern}/, came {came}")
                })
            }
            _ => Ok(Truth::Yes),
        }
    }

    pub(super) fn check_count(
        &mut self,
        range: Range,
        count: u64,
        unit: &str,
        way: &Way<'_>,
        report: &mut Report,
    ) -> Result<Truth, Exhausted> {
        if (range.least..=range.most).contains(&count) {
            return Ok(Truth::Yes);
        }
        self.violated(way, report, || violation::wrong_count(range.least, range.most, unit, count))
    }

    pub(super) fn is_match(&mut self, matcher: usize, text: &str) -> Result<bool, Exhausted> {
        let machine = self.machines.entry(matcher).or_default();
        self.rules.matchers[matcher].is_match(text, machine, &mut self.meter)
    }

    /// Pays for noting what is seen elsewhere too.
    pub(super) fn note(&mut self, seen: &Seen<'_>) -> Result<(), Exhausted> {
        self.meter.spend(NOTE_STEPS * steps(seen.names.len() + seen.items.len()))
    }
}

/// Whether `value` is of one of `kinds`.
fn is_of(value: &Value, kinds: &[&str]) -> bool {
    let kind = violation::kind_of(value);
    kinds.iter().any(|said| *said == kind || (*said == "integer" && value.as_number().is_some_and(number::is_whole)))
}
