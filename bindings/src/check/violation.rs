//! How a value differs from its schema, in words: where, what was expected, what came, and the way out where it is clear.

use std::fmt;

use serde_json::{Number, Value};

use super::rules::{Literals, SHOWN_OPTIONS_MAX};
use crate::nearest::{PATH_LENGTH_MAX, is_other_word_for, nearest};

/// The most violations that are reported for one value.
const VIOLATIONS_MAX: usize = 8;

/// The most characters of a value, of a name and of a pointer in a message.
const VALUE_LENGTH_MAX: usize = 60;
const NAME_LENGTH_MAX: usize = 60;
const POINTER_LENGTH_MAX: usize = 300;

/// The most names, or texts, that one is compared with.
const COMPARED_MAX: usize = 1_000;

/// One way in which a value does not match its schema. `Display` is one line: where, what was expected and what came.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// The JSON pointer of the wrong part, empty for the whole.
    pub pointer: String,
    /// What was expected there, what came, and the way out.
    pub message: String,
}

impl Violation {
    /// Arguments that are no object.
    pub(crate) fn no_object() -> Self {
        let message = "expected an object with the arguments: write `tool({ name: value })`".to_owned();
        Self { pointer: String::new(), message }
    }

    /// A value that was too much work to check.
    pub(crate) fn excessive() -> Self {
        let message = "is too much work to check against its schema: send less, or split it over several calls".to_owned();
        Self { pointer: String::new(), message }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let pointer = if self.pointer.is_empty() { "/" } else { &self.pointer };
        write!(f, "{pointer}: {}", self.message)
    }
}

/// The way to a part of a value.
#[derive(Clone, Copy)]
pub(super) enum Way<'w> {
    Root,
    Member(&'w Way<'w>, &'w str),
    Item(&'w Way<'w>, usize),
}

impl Way<'_> {
    fn pointer(&self) -> String {
        let mut segments = Vec::new();
        let mut way = self;
        loop {
            match way {
                Way::Root => break,
                Way::Member(outer, name) => {
                    let name: String = name.chars().take(NAME_LENGTH_MAX).collect();
                    segments.push(name.replace('~', "~0").replace('/', "~1"));
                    way = outer;
                }
                Way::Item(outer, place) => {
                    segments.push(place.to_string());
                    way = outer;
                }
            }
        }
        let pointer: String = segments.iter().rev().flat_map(|segment| ["/", segment]).collect();
        pointer.chars().take(POINTER_LENGTH_MAX).collect()
    }
}

/// The violations of a check, if they are wanted: a form that need not match is only asked whether it does.
#[derive(Debug)]
pub(super) struct Report {
    violations: Vec<Violation>,
    is_wanted: bool,
}

impl Report {
    pub(super) fn wanted() -> Self {
        Self { violations: Vec::new(), is_wanted: true }
    }

    pub(super) fn unwanted() -> Self {
        Self { violations: Vec::new(), is_wanted: false }
    }

    pub(super) fn is_wanted(&self) -> bool {
        self.is_wanted
    }

    /// Whether nothing more is taken.
    pub(super) fn is_full(&self) -> bool {
        !self.is_wanted || self.violations.len() == VIOLATIONS_MAX
    }

    pub(super) fn add(&mut self, way: &Way<'_>, message: impl FnOnce() -> String) {
        if self.is_full() {
            return;
        }
        let violation = Violation { pointer: way.pointer(), message: message() };
        // Several schemas may say the same.
        if !self.violations.contains(&violation) {
            self.violations.push(violation);
        }
    }

    pub(super) fn into_violations(self) -> Vec<Violation> {
        self.violations
    }
}

/// `came string "x"`.
pub(super) fn came(value: &Value) -> String {
    match value {
        Value::Null => "came null".to_owned(),
        value => format!("came {} {}", kind_of(value), excerpt(value)),
    }
}

pub(super) fn wrong_kind(kinds: &[&str], value: &Value) -> String {
    let expected = kinds.join(" or ");
    format!("expected {expected}, {}{}", came(value), conversion(&expected, value))
}

pub(super) fn not_among(literals: &Literals, value: &Value) -> String {
    let came = excerpt(value);
    if let (true, [only, ..]) = (literals.is_const, literals.shown.as_slice()) {
        return format!("expected {}, came {came}", excerpt(only));
    }
    let listed = literals.shown.iter().take(SHOWN_OPTIONS_MAX).map(excerpt).collect::<Vec<_>>().join(", ");
    let more = if literals.shown.len() > SHOWN_OPTIONS_MAX { ", ..." } else { "" };
    let options = literals.strings().take(COMPARED_MAX);
    let nearest = value.as_str().map(|came| nearest(options, came)).unwrap_or_default();
    let hint = nearest.first().map_or_else(String::new, |nearest| format!(": write \"{nearest}\""));
    format!("expected one of {listed}{more}, came {came}{hint}")
}

pub(super) fn missing(name: &str, given: &serde_json::Map<String, Value>) -> String {
    misspelt(name, given).map_or_else(|| missing_plainly(name), |given| missing_under(name, given))
}

/// Of a property that came under no other name.
pub(super) fn missing_plainly(name: &str) -> String {
    format!("`{}` is missing: add it", short(name))
}

/// Of a property that came under another name.
pub(super) fn missing_under(name: &str, given: &str) -> String {
    let name = short(name);
    format!("`{name}` is missing: write `{name}` in place of `{}`", short(given))
}

/// `absent`: the properties that there are and that did not come.
pub(super) fn unexpected<'n>(names: &[&str], absent: impl Iterator<Item = &'n str>) -> String {
    if let [name] = names {
        let absent: Vec<&str> = absent.take(COMPARED_MAX).collect();
        let whole = || absent.iter().find(|absent| is_end_of(name, absent)).map(|absent| (*absent).to_owned());
        let other_word = || {
            let mut others = absent.iter().filter(|absent| is_other_word_for(name, absent));
            others.next().filter(|_| others.next().is_none()).map(|other| (*other).to_owned())
        };
        let nearest = nearest(absent.iter().copied(), name).into_iter().next();
        if let Some(meant) = nearest.or_else(whole).or_else(other_word) {
            return unexpected_for(name, &meant);
        }
    }
    unexpected_plainly(names)
}

/// Of a member that is the property `meant`.
pub(super) fn unexpected_for(name: &str, meant: &str) -> String {
    format!("expected no property `{}`: write `{}` in its place", short(name), short(meant))
}

/// Of members that are no property.
pub(super) fn unexpected_plainly(names: &[&str]) -> String {
    let names: Vec<String> = names.iter().map(|name| format!("`{}`", short(name))).collect();
    format!("expected no property {}: remove it", names.join(", "))
}

/// `at least 2 items`, where there are more or fewer.
pub(super) fn wrong_count(least: u64, most: u64, unit: &str, came: u64) -> String {
    let bound = if came < least { format!("at least {least}") } else { format!("at most {most}") };
    format!("expected {bound} {unit}, came {came}")
}

/// A number beyond an inclusive bound.
pub(super) fn beyond(words: &str, bound: &Number, came: &Number) -> String {
    format!("expected {words} {bound}, came {came}: write {bound}")
}

/// Whether `part` is what a name ends with, after a word of its own: `number` of `issue_number`.
fn is_end_of(part: &str, name: &str) -> bool {
    part.len() > 2 && name.strip_suffix(part).is_some_and(|rest| rest.ends_with('_'))
}

/// A property of `given` that looks like the missing `name`.
fn misspelt<'v>(name: &str, given: &'v serde_json::Map<String, Value>) -> Option<&'v str> {
    // Comparing takes as long as the product of the lengths.
    let is_comparable = |name: &str| name.len() <= PATH_LENGTH_MAX;
    let names = given.keys().map(String::as_str).take(COMPARED_MAX).filter(|given| is_comparable(given) && is_comparable(name));
    names
        .map(|given| (if is_end_of(given, name) { 0.9 } else { strsim::jaro_winkler(given, name) }, given))
        .filter(|(score, _)| *score > 0.85)
        .max_by(|one, two| one.0.total_cmp(&two.0))
        .map(|(_, given)| given)
}

/// How to turn a value into what was expected, where that is clear.
fn conversion(expected: &str, came: &Value) -> String {
    match (expected, came) {
        // A program cannot write a larger one without its being rounded.
        ("number" | "integer", Value::String(text)) if text.parse::<f64>().is_ok_and(|number| number.abs() < 9e15) => {
            format!(": write {text} without quotes")
        }
        ("string", Value::Number(number)) => format!(": write \"{number}\""),
        (_, Value::Null) => ": leave it out".to_owned(),
        ("boolean", Value::String(text)) if matches!(text.as_str(), "true" | "false") => {
            format!(": write {text} without quotes")
        }
        ("array" | "object", Value::String(text)) if is_json_of(expected, text) => {
            format!(": write `{}` without quotes", text.trim())
        }
        ("array", Value::String(_) | Value::Number(_)) if can_be_shown(&came.to_string()) => format!(": write `[{came}]`"),
        ("array", Value::String(_) | Value::Number(_)) => ": put it in an array".to_owned(),
        ("array", Value::Object(_)) => ": write `[...]` around it".to_owned(),
        ("boolean", Value::Number(number)) if matches!(number.as_u64(), Some(0 | 1)) => {
            format!(": write {}", number.as_u64() == Some(1))
        }
        _ => String::new(),
    }
}

/// Whether `text` is the JSON of an array, or of an object, that can stand in a message.
fn is_json_of(kind: &str, text: &str) -> bool {
    can_be_shown(text) && serde_json::from_str::<Value>(text).is_ok_and(|value| kind_of(&value) == kind)
}

/// Whether a text is short, on one line, and stays one in backticks.
fn can_be_shown(text: &str) -> bool {
    text.chars().count() <= VALUE_LENGTH_MAX && !text.contains(['`', '\n'])
}

/// JSON Schema's word for what `value` is.
pub(super) fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

fn short(name: &str) -> String {
    name.chars().take(NAME_LENGTH_MAX).collect()
}

/// The beginning of `value` as JSON; large ones are not serialised as a whole.
pub(super) fn excerpt(value: &Value) -> String {
    let text = match value {
        Value::String(text) => Value::String(text.chars().take(VALUE_LENGTH_MAX).collect()).to_string(),
        Value::Array(items) => return format!("[{} items]", items.len()),
        Value::Object(members) => {
            let names: Vec<String> = members.keys().take(6).map(|name| name.chars().take(24).collect()).collect();
            return format!("{{{}{}}}", names.join(", "), if members.len() > 6 { ", ..." } else { "" });
        }
        scalar => scalar.to_string(),
    };
    text.chars().take(VALUE_LENGTH_MAX + 2).collect()
}
