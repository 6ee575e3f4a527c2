//! JSON Schema to [`RuleTable`]: drafts 4, 6 and 7, 2019-09, 2020-12 and OpenAPI's `nullable`, all at once.
//!
//! A dialect is asked for in one case only: up to draft 7 `$ref` hides what is beside it. A null is a keyword that is not there. What
//! cannot be read, or would be too much work whatever the value is, becomes [`Rule::Unchecked`] and a finding.

use std::collections::HashMap;

use serde_json::{Map, Number, Value};

use super::finding::{Finding, FindingLog, Segment, Spot};
use super::matcher::{Matcher, STATES_MAX, Unmatchable};
use super::rules::{ANY, Bound, Literals, Members, NEVER, NodeId, Range, Rule, RuleTable, Table};
use super::unchecked::UncheckedReason;
use super::weight;
use crate::defaults::Direction;
use crate::keywords::{self, Holds, Says};
use crate::reference::{References, Resource, address};
use crate::words::{TypeKeyword, kinds};

/// The most patterns of one schema.
const PATTERNS_MAX: usize = 200;

/// The most patterns of one object.
const OBJECT_PATTERNS_MAX: usize = 50;

/// What was read of a schema.
#[derive(Debug)]
pub(super) struct Reading {
    pub(super) rules: RuleTable,
    /// The first keywords that are not checked.
    pub(super) findings: Vec<Finding>,
    /// How many there are.
    pub(super) finding_count: usize,
}

/// The keywords of one schema that are there.
struct Said<'s>(Vec<(&'static str, &'s Value)>);

/// A schema that is to be read.
struct Waiting<'s> {
    node: NodeId,
    members: &'s Map<String, Value>,
    resource: Resource,
}

struct Reader<'s> {
    direction: Direction,
    references: References<'s>,
    /// Whether `$ref` hides what is beside it.
    has_lone_references: bool,
    nodes: Vec<Vec<Rule>>,
    known: HashMap<usize, NodeId>,
    waiting: Vec<Waiting<'s>>,
    matchers: Vec<Matcher>,
    patterns_max: usize,
    findings: FindingLog<'s>,
    /// Whether a keyword of the schema that is being read is not checked.
    is_unsure: bool,
}

impl Reading {
    /// Reads `schema`. `patterns_left` is how many more patterns its server may have.
    pub(super) fn of(schema: &Value, direction: Direction, patterns_left: &mut usize) -> Self {
        let dialect = schema.get("$schema").and_then(Value::as_str).unwrap_or_default();
        let mut reader = Reader {
            direction,
            references: References::of(schema),
            has_lone_references: ["draft-04", "draft-06", "draft-07"].iter().any(|draft| dialect.contains(draft)),
            nodes: Vec::new(),
            known: HashMap::new(),
            waiting: Vec::new(),
            matchers: Vec::new(),
            patterns_max: PATTERNS_MAX.min(*patterns_left),
            findings: FindingLog::default(),
            is_unsure: false,
        };
        reader.push_node(None);
        reader.push_node(None);
        let resource = reader.references.resource_at(schema, References::ROOT);
        let root = reader.node(schema, resource, None).unwrap_or(ANY);
        while let Some(waiting) = reader.waiting.pop() {
            reader.read(&waiting);
        }
        *patterns_left -= reader.matchers.len();
        for (node, keyword, reason) in weight::lighten(&mut reader.nodes) {
            reader.findings.add(Spot { node, keyword, segment: None }, reason);
        }
        let (findings, finding_count) = reader.findings.finish();
        Self { rules: RuleTable { nodes: reader.nodes, matchers: reader.matchers, root }, findings, finding_count }
    }
}

impl<'s> Said<'s> {
    /// The keywords of `members` that are checked. A null says nothing, but as a `const`.
    fn of(members: &'s Map<String, Value>) -> Self {
        let known = |(keyword, value): (&String, &'s Value)| {
            let keyword = keywords::find(keyword).filter(|keyword| keyword.says != Says::Nothing)?;
            (!value.is_null() || keyword.holds == Holds::Anything).then_some((keyword.name, value))
        };
        Self(members.iter().filter_map(known).collect())
    }

    fn get(&self, keyword: &str) -> Option<&'s Value> {
        self.0.iter().find(|(said, _)| *said == keyword).map(|(_, value)| *value)
    }
}

impl<'s> Reader<'s> {
    /// The node of `schema`, which is read later; none if it is no schema.
    fn node(&mut self, schema: &'s Value, resource: Resource, origin: Option<Spot<'s>>) -> Option<NodeId> {
        let members = match schema {
            Value::Bool(false) => return Some(NEVER),
            Value::Bool(true) | Value::Null => return Some(ANY),
            Value::Object(members) if members.is_empty() => return Some(ANY),
            Value::Object(members) => members,
            _ => return None,
        };
        if self.references.has_any
            && let Some(known) = self.known.get(&address(schema))
        {
            return Some(*known);
        }
        let node = self.push_node(origin);
        if self.references.has_any {
            self.known.insert(address(schema), node);
        }
        let resource = self.references.resource_at(schema, resource);
        self.waiting.push(Waiting { node, members, resource });
        Some(node)
    }

    fn push_node(&mut self, origin: Option<Spot<'s>>) -> NodeId {
        self.findings.push_origin(origin);
        self.nodes.push(Vec::new());
        self.nodes.len() - 1
    }

    /// The rules of one schema.
    fn read(&mut self, waiting: &Waiting<'s>) {
        let said = Said::of(waiting.members);
        self.is_unsure = false;
        let mut rules = Vec::with_capacity(said.0.len());
        if !(self.has_lone_references && said.get("$ref").is_some()) {
            self.read_kinds(&said, waiting, &mut rules);
            self.read_numbers(&said, waiting, &mut rules);
            self.read_text(&said, waiting, &mut rules);
            self.read_object(&said, waiting, &mut rules);
            self.read_array(&said, waiting, &mut rules);
            self.read_combinators(&said, waiting, &mut rules);
        }
        self.read_references(&said, waiting, &mut rules);
        if self.is_unsure {
            rules.push(Rule::Unchecked);
        }
        rules.sort_by_key(Rule::rank);
        self.nodes[waiting.node] = rules;
    }

    /// What `keyword` says, as `read` reads it; if it cannot, the keyword is not checked.
    fn said<T>(
        &mut self,
        said: &Said<'s>,
        keyword: &'static str,
        waiting: &Waiting<'s>,
        read: impl FnOnce(&'s Value) -> Option<T>,
    ) -> Option<T> {
        let value = said.get(keyword)?;
        let meaning = read(value);
        if meaning.is_none() {
            self.uncheck(waiting.node, keyword, None, UncheckedReason::Unreadable);
        }
        meaning
    }

    fn uncheck(&mut self, node: NodeId, keyword: &'static str, segment: Option<Segment<'s>>, reason: UncheckedReason) {
        self.is_unsure = true;
        self.findings.add(Spot { node, keyword, segment }, reason);
    }

    /// The node of a schema within the one that is read; what is no schema is not checked.
    fn part(
        &mut self,
        waiting: &Waiting<'s>,
        keyword: &'static str,
        segment: Option<Segment<'s>>,
        schema: &'s Value,
    ) -> Option<NodeId> {
        let node = self.node(schema, waiting.resource, Some(Spot { node: waiting.node, keyword, segment }));
        if node.is_none() {
            self.uncheck(waiting.node, keyword, segment, UncheckedReason::Unreadable);
        }
        node
    }

    /// The nodes of an array of schemas; one that is no schema admits anything.
    fn parts(&mut self, waiting: &Waiting<'s>, keyword: &'static str, schemas: &'s [Value]) -> Vec<NodeId> {
        let part = |(place, schema)| self.part(waiting, keyword, Some(Segment::Index(place)), schema).unwrap_or(ANY);
        schemas.iter().enumerate().map(part).collect()
    }

    fn read_kinds(&mut self, said: &Said<'s>, waiting: &Waiting<'s>, rules: &mut Vec<Rule>) {
        if let Some(words) = said.get("type") {
            match kinds(words, said.get("nullable")) {
                TypeKeyword::Any => {}
                TypeKeyword::Only(kinds) => rules.push(Rule::Kinds(kinds)),
                TypeKeyword::Unknown => self.uncheck(waiting.node, "type", None, UncheckedReason::Unreadable),
            }
        }
        if let Some(value) = said.get("const") {
            rules.push(Rule::Literals(Box::new(Literals::new(std::slice::from_ref(value), true))));
        }
        if let Some(options) = self.said(said, "enum", waiting, Value::as_array) {
            rules.push(Rule::Literals(Box::new(Literals::new(options, false))));
        }
    }

    fn read_numbers(&mut self, said: &Said<'s>, waiting: &Waiting<'s>, rules: &mut Vec<Rule>) {
        let least: fn(Number, Bound) -> Rule = Rule::Least;
        for (keyword, exclusive, rule) in [("minimum", "exclusiveMinimum", least), ("maximum", "exclusiveMaximum", Rule::Most)]
        {
            let bound = self.said(said, keyword, waiting, |value| value.as_number().cloned());
            // Draft 4 has a boolean here, which says what the other bound is.
            let is_exclusive = said.get(exclusive) == Some(&Value::Bool(true));
            rules.extend(bound.map(|bound| rule(bound, if is_exclusive { Bound::Exclusive } else { Bound::Inclusive })));
            if !said.get(exclusive).is_some_and(Value::is_boolean) {
                let bound = self.said(said, exclusive, waiting, |value| value.as_number().cloned());
                rules.extend(bound.map(|bound| rule(bound, Bound::Exclusive)));
            }
        }
        let is_positive = |step: &&Number| step.as_f64().is_some_and(|step| step > 0.0);
        let step = self.said(said, "multipleOf", waiting, |value| value.as_number().filter(is_positive).cloned());
        rules.extend(step.map(Rule::MultipleOf));
    }

    fn read_text(&mut self, said: &Said<'s>, waiting: &Waiting<'s>, rules: &mut Vec<Rule>) {
        rules.extend(self.range(said, ("minLength", "maxLength"), waiting).map(Rule::Length));
        if let Some(pattern) = self.said(said, "pattern", waiting, Value::as_str)
            && let Some(matcher) = self.matcher(pattern, waiting, "pattern", None)
        {
            rules.push(Rule::Pattern(matcher, pattern.into()));
        }
    }

    /// The place of the matcher of `pattern`; if it has none, the keyword is not checked.
    fn matcher(
        &mut self,
        pattern: &'s str,
        waiting: &Waiting<'s>,
        keyword: &'static str,
        segment: Option<Segment<'s>>,
    ) -> Option<usize> {
        let made = if self.matchers.len() < self.patterns_max {
            Matcher::of(pattern).map_err(|error| match error {
                Unmatchable::Unreadable => UncheckedReason::Unreadable,
                Unmatchable::NotLinear => UncheckedReason::NotLinear,
                Unmatchable::TooLarge => UncheckedReason::LargePattern,
            })
        } else {
            Err(UncheckedReason::ManyPatterns)
        };
        match made {
            Ok(matcher) => {
                self.matchers.push(matcher);
                Some(self.matchers.len() - 1)
            }
            Err(reason) => {
                self.uncheck(waiting.node, keyword, segment, reason);
                None
            }
        }
    }

    fn range(&mut self, said: &Said<'s>, (least, most): (&'static str, &'static str), waiting: &Waiting<'s>) -> Option<Range> {
        let least = self.said(said, least, waiting, count);
        let most = self.said(said, most, waiting, count);
        (least.is_some() || most.is_some()).then(|| Range { least: least.unwrap_or(0), most: most.unwrap_or(u64::MAX) })
    }

    fn read_object(&mut self, said: &Said<'s>, waiting: &Waiting<'s>, rules: &mut Vec<Rule>) {
        rules.extend(self.range(said, ("minProperties", "maxProperties"), waiting).map(Rule::MemberCount));
        if let Some(names) = self.said(said, "required", waiting, names) {
            let (presumed, required): (Vec<_>, _) = names.into_iter().partition(|name| self.may_leave_out(name, said, waiting));
            rules.push(Rule::Required(required));
            rules.extend((!presumed.is_empty()).then_some(Rule::Presumed(presumed)));
        }
        self.read_members(said, waiting, rules);
        if let Some(schema) = said.get("propertyNames")
            && let Some(node) = self.part(waiting, "propertyNames", None, schema)
        {
            rules.push(Rule::Names(node));
        }
        for keyword in ["dependentRequired", "dependentSchemas", "dependencies"] {
            let Some(dependencies) = self.said(said, keyword, waiting, Value::as_object) else { continue };
            let mut required = Vec::new();
            let mut schemas = Vec::new();
            for (name, dependency) in dependencies {
                if let (Some(names), true) = (names(dependency), keyword != "dependentSchemas") {
                    required.push((name.as_str().into(), names));
                } else if keyword == "dependentRequired" {
                    self.uncheck(waiting.node, keyword, Some(Segment::Name(name)), UncheckedReason::Unreadable);
                } else if let Some(node) = self.part(waiting, keyword, Some(Segment::Name(name)), dependency) {
                    schemas.push((name.as_str().into(), node));
                }
            }
            rules.extend((!required.is_empty()).then_some(Rule::Dependent(required)));
            rules.extend((!schemas.is_empty()).then_some(Rule::DependentSchemas(schemas)));
        }
        if let Some(schema) = said.get("unevaluatedProperties")
            && let Some(node) = self.part(waiting, "unevaluatedProperties", None, schema)
        {
            rules.push(Rule::OtherMembers(node));
        }
    }

    /// Whether the required property `name` may be left out all the same.
    fn may_leave_out(&self, name: &str, said: &Said<'s>, waiting: &Waiting<'s>) -> bool {
        let Some(schema) = said.get("properties").and_then(|schemas| schemas.get(name)) else { return false };
        let reference = schema.get("$ref").and_then(Value::as_str);
        let referred = reference.and_then(|reference| self.references.resolve(reference, waiting.resource));
        self.direction.may_leave_out(schema, referred.map(|(schema, _)| schema))
    }

    fn read_members(&mut self, said: &Said<'s>, waiting: &Waiting<'s>, rules: &mut Vec<Rule>) {
        let mut members = Members::default();
        if let Some(schemas) = self.said(said, "properties", waiting, Value::as_object) {
            let mut named = Vec::with_capacity(schemas.len());
            for (name, schema) in schemas {
                let node = self.part(waiting, "properties", Some(Segment::Name(name)), schema).unwrap_or(ANY);
                named.push((name.as_str().into(), node));
                if schema.get("const").is_some() || schema.get("enum").is_some() {
                    members.telling.push((name.as_str().into(), node));
                }
            }
            members.named = Table::of(named);
        }
        if let Some(schemas) = self.said(said, "patternProperties", waiting, Value::as_object) {
            self.read_patterns(schemas, waiting, &mut members);
        }
        if let Some(schema) = said.get("additionalProperties") {
            members.others = self.part(waiting, "additionalProperties", None, schema);
        }
        if !members.named.is_empty() || !members.patterns.is_empty() || members.others.is_some() {
            rules.push(Rule::Members(Box::new(members)));
        }
    }

    fn read_patterns(&mut self, schemas: &'s Map<String, Value>, waiting: &Waiting<'s>, members: &mut Members) {
        if schemas.len() > OBJECT_PATTERNS_MAX {
            members.is_unsure = true;
            return self.uncheck(waiting.node, "patternProperties", None, UncheckedReason::ManyPatterns);
        }
        let mut states = 0;
        for (pattern, schema) in schemas {
            let segment = Some(Segment::Name(pattern));
            let matcher = self.matcher(pattern, waiting, "patternProperties", segment);
            states += matcher.map_or(0, |matcher| self.matchers[matcher].states());
            match matcher {
                Some(_) if states > STATES_MAX => {
                    members.is_unsure = true;
                    self.uncheck(waiting.node, "patternProperties", segment, UncheckedReason::LargePattern);
                }
                Some(matcher) => {
                    let node = self.part(waiting, "patternProperties", segment, schema).unwrap_or(ANY);
                    members.patterns.push((matcher, node));
                }
                None => members.is_unsure = true,
            }
        }
    }

    fn read_array(&mut self, said: &Said<'s>, waiting: &Waiting<'s>, rules: &mut Vec<Rule>) {
        rules.extend(self.range(said, ("minItems", "maxItems"), waiting).map(Rule::ItemCount));
        if self.said(said, "uniqueItems", waiting, Value::as_bool) == Some(true) {
            rules.push(Rule::UniqueItems);
        }
        let prefix = self.said(said, "prefixItems", waiting, Value::as_array).map(|schemas| ("prefixItems", schemas));
        // Before 2020-12 an array in `items` was what `prefixItems` is now, and `additionalItems` what `items` is.
        let (prefix, rest) = match (prefix, said.get("items")) {
            (None, Some(Value::Array(schemas))) => (Some(("items", schemas)), "additionalItems"),
            (prefix, _) => (prefix, "items"),
        };
        let first = prefix.map_or_else(Vec::new, |(keyword, schemas)| self.parts(waiting, keyword, schemas));
        let rest = said.get(rest).and_then(|schema| self.part(waiting, rest, None, schema));
        if !first.is_empty() || rest.is_some() {
            rules.push(Rule::Items { first, rest });
        }
        if let Some(schema) = said.get("contains")
            && let Some(node) = self.part(waiting, "contains", None, schema)
        {
            let least = self.said(said, "minContains", waiting, count).unwrap_or(1);
            let most = self.said(said, "maxContains", waiting, count).unwrap_or(u64::MAX);
            rules.push(Rule::Contains(node, Range { least, most }));
        }
        if let Some(schema) = said.get("unevaluatedItems")
            && let Some(node) = self.part(waiting, "unevaluatedItems", None, schema)
        {
            rules.push(Rule::OtherItems(node));
        }
    }

    fn read_combinators(&mut self, said: &Said<'s>, waiting: &Waiting<'s>, rules: &mut Vec<Rule>) {
        let all: fn(Vec<NodeId>) -> Rule = Rule::All;
        for (keyword, rule) in [("allOf", all), ("anyOf", Rule::AnyOf), ("oneOf", Rule::OneOf)] {
            let schemas = self.said(said, keyword, waiting, |value| value.as_array().filter(|schemas| !schemas.is_empty()));
            if let Some(schemas) = schemas {
                rules.push(rule(self.parts(waiting, keyword, schemas)));
            }
        }
        if let Some(schema) = said.get("not")
            && let Some(node) = self.part(waiting, "not", None, schema)
        {
            rules.push(Rule::Not(node));
        }
        if let Some(schema) = said.get("if")
            && let Some(condition) = self.part(waiting, "if", None, schema)
        {
            let mut branch = |keyword| said.get(keyword).and_then(|schema| self.part(waiting, keyword, None, schema));
            let (then, otherwise) = (branch("then").unwrap_or(ANY), branch("else").unwrap_or(ANY));
            rules.push(Rule::If { condition, then, otherwise });
        }
    }

    fn read_references(&mut self, said: &Said<'s>, waiting: &Waiting<'s>, rules: &mut Vec<Rule>) {
        for keyword in ["$ref", "$recursiveRef", "$dynamicRef"] {
            let Some(reference) = self.said(said, keyword, waiting, Value::as_str) else { continue };
            if keyword == "$dynamicRef" && self.references.is_dynamic(reference) {
                self.uncheck(waiting.node, keyword, None, UncheckedReason::Dynamic);
                continue;
            }
            let Some((schema, resource)) = self.references.resolve(reference, waiting.resource) else {
                self.uncheck(waiting.node, keyword, None, UncheckedReason::Elsewhere);
                continue;
            };
            match self.node(schema, resource, Some(Spot { node: waiting.node, keyword, segment: None })) {
                Some(node) => rules.push(Rule::Reference(node)),
                None => self.uncheck(waiting.node, keyword, None, UncheckedReason::Elsewhere),
            }
        }
    }
}

/// A number of characters, items or members.
fn count(value: &Value) -> Option<u64> {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "no fraction, no sign; what is larger is as good as no bound"
    )]
    let from_double = |double: f64| (double.fract() == 0.0 && double >= 0.0).then_some(double as u64);
    value.as_u64().or_else(|| value.as_f64().and_then(from_double))
}

/// A list of names.
fn names(value: &Value) -> Option<Vec<Box<str>>> {
    value.as_array()?.iter().map(|name| name.as_str().map(Into::into)).collect()
}
