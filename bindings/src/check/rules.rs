//! A schema as a check goes through it: a graph of nodes, each with the rules for one value.
//!
//! All dialects are one here: see [`super::reading`]. Rules are sorted, those first that cost little.

use serde_json::{Number, Value};

use super::canonical;
use super::matcher::Matcher;
use super::meter::Meter;

/// The place of a node in [`RuleTable::nodes`].
pub(super) type NodeId = usize;

/// The node that admits any value.
pub(super) const ANY: NodeId = 0;

/// The node that admits none.
pub(super) const NEVER: NodeId = 1;

/// The most options of an `enum` that a message shows, and one more to know that there are more.
pub(super) const SHOWN_OPTIONS_MAX: usize = 12;

/// A schema.
#[derive(Debug)]
pub(super) struct RuleTable {
    pub(super) nodes: Vec<Vec<Rule>>,
    pub(super) matchers: Vec<Matcher>,
    pub(super) root: NodeId,
}

/// What one keyword, or a few that belong together, say about a value.
#[derive(Debug)]
pub(super) enum Rule {
    /// `type`.
    Kinds(Vec<&'static str>),
    /// `enum`, `const`.
    Literals(Box<Literals>),
    /// `required`.
    Required(Vec<Box<str>>),
    /// `required` of properties that may be left out all the same: see [`crate::defaults`].
    Presumed(Vec<Box<str>>),
    /// `minimum`, `exclusiveMinimum`.
    Least(Number, Bound),
    /// `maximum`, `exclusiveMaximum`.
    Most(Number, Bound),
    MultipleOf(Number),
    /// `minLength`, `maxLength`.
    Length(Range),
    /// `minItems`, `maxItems`.
    ItemCount(Range),
    /// `minProperties`, `maxProperties`.
    MemberCount(Range),
    /// `dependentRequired`.
    Dependent(Vec<(Box<str>, Vec<Box<str>>)>),
    /// `pattern`: the place of its matcher, and its text.
    Pattern(usize, Box<str>),
    UniqueItems,
    /// `properties`, `patternProperties`, `additionalProperties`.
    Members(Box<Members>),
    /// `propertyNames`.
    Names(NodeId),
    /// `prefixItems`, `items`.
    Items {
        first: Vec<NodeId>,
        rest: Option<NodeId>,
    },
    /// `contains`, `minContains`, `maxContains`.
    Contains(NodeId, Range),
    /// `allOf`.
    All(Vec<NodeId>),
    /// `$ref`.
    Reference(NodeId),
    If {
        condition: NodeId,
        then: NodeId,
        otherwise: NodeId,
    },
    Not(NodeId),
    AnyOf(Vec<NodeId>),
    OneOf(Vec<NodeId>),
    /// `dependentSchemas`.
    DependentSchemas(Vec<(Box<str>, NodeId)>),
    /// `unevaluatedProperties`.
    OtherMembers(NodeId),
    /// `unevaluatedItems`.
    OtherItems(NodeId),
    /// A keyword that is not checked: the value may match it or not, and it may speak of any member and item.
    Unchecked,
}

/// Whether a bound itself is admitted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Bound {
    Inclusive,
    Exclusive,
}

/// How many of something there may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Range {
    pub(super) least: u64,
    pub(super) most: u64,
}

/// Values of which a value must be one.
#[derive(Debug)]
pub(super) struct Literals {
    strings: Table<()>,
    /// The canonical texts of those that are no strings.
    others: Table<()>,
    /// Whether any is an array or an object.
    has_containers: bool,
    /// The first ones, for messages.
    pub(super) shown: Vec<Value>,
    /// Whether this is a `const`.
    pub(super) is_const: bool,
}

/// Values by text: few as a rule, so that looking through a sorted list is the fastest way, and no text makes it slow.
#[derive(Debug)]
pub(super) struct Table<T>(Vec<(Box<str>, T)>);

/// What is said about the members of an object.
#[derive(Debug, Default)]
pub(super) struct Members {
    pub(super) named: Table<NodeId>,
    /// Those of `named` that are literals: they tell forms apart, so they are looked at first.
    pub(super) telling: Vec<(Box<str>, NodeId)>,
    /// Matchers by their places, and nodes.
    pub(super) patterns: Vec<(usize, NodeId)>,
    pub(super) others: Option<NodeId>,
    /// Whether a pattern is not checked, so that any other member may be one of its.
    pub(super) is_unsure: bool,
}

impl<T> Default for Table<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T> Table<T> {
    pub(super) fn of(mut entries: Vec<(Box<str>, T)>) -> Self {
        entries.sort_by(|(one, _), (other, _)| one.cmp(other));
        Self(entries)
    }

    /// The texts, sorted.
    pub(super) fn texts(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(text, _)| &**text)
    }

    pub(super) fn get(&self, text: &str) -> Option<&T> {
        let place = self.0.binary_search_by(|(known, _)| (**known).cmp(text)).ok()?;
        Some(&self.0[place].1)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Literals {
    pub(super) fn new(options: &[Value], is_const: bool) -> Self {
        let mut strings = Vec::new();
        let mut others = Vec::new();
        for option in options {
            match option {
                Value::String(text) => strings.push((text.as_str().into(), ())),
                // Definitions have their own maximum.
                other => others.extend(canonical::text(other, &mut Meter::new(u64::MAX)).map(|text| (text.into(), ()))),
            }
        }
        Self {
            strings: Table::of(strings),
            others: Table::of(others),
            has_containers: options.iter().any(|option| option.is_array() || option.is_object()),
            shown: options.iter().take(SHOWN_OPTIONS_MAX + 1).cloned().collect(),
            is_const,
        }
    }

    /// The options that are strings.
    pub(super) fn strings(&self) -> impl Iterator<Item = &str> {
        self.strings.0.iter().map(|(text, ())| &**text)
    }

    pub(super) fn contains_string(&self, text: &str) -> bool {
        self.strings.get(text).is_some()
    }

    /// Whether the canonical text of `value` must be known to know whether it is among these.
    pub(super) fn needs_text(&self, value: &Value) -> bool {
        match value {
            Value::String(_) => false,
            Value::Array(_) | Value::Object(_) => self.has_containers,
            _ => true,
        }
    }

    /// Whether a value with this canonical text, which is no string, is among these.
    pub(super) fn contains_text(&self, text: &str) -> bool {
        self.others.get(text).is_some()
    }
}

impl Rule {
    /// Where this rule stands among those of its node.
    pub(super) fn rank(&self) -> usize {
        match self {
            Self::Kinds(_) => 0,
            Self::Literals(_) => 1,
            Self::Required(_) | Self::Presumed(_) => 2,
            Self::Least(..)
            | Self::Most(..)
            | Self::MultipleOf(_)
            | Self::Length(_)
            | Self::ItemCount(_)
            | Self::MemberCount(_) => 3,
            Self::Dependent(_) => 4,
            Self::Members(_) | Self::Names(_) | Self::Items { .. } => 5,
            Self::Pattern(..) | Self::UniqueItems | Self::Contains(..) => 6,
            Self::All(_) | Self::Reference(_) | Self::If { .. } | Self::Not(_) | Self::DependentSchemas(_) => 7,
            Self::AnyOf(_) | Self::OneOf(_) => 8,
            // These look at what the others have spoken of.
            Self::Unchecked => 9,
            Self::OtherMembers(_) | Self::OtherItems(_) => 10,
        }
    }

    /// The keyword of a rule that holds nodes for the same value.
    pub(super) fn keyword(&self) -> &'static str {
        match self {
            Self::All(_) => "allOf",
            Self::AnyOf(_) => "anyOf",
            Self::OneOf(_) => "oneOf",
            Self::Not(_) => "not",
            Self::If { .. } => "if",
            Self::DependentSchemas(_) => "dependentSchemas",
            _ => "$ref",
        }
    }

    /// The nodes that speak about the same value as this rule.
    pub(super) fn beside(&self) -> Vec<NodeId> {
        match self {
            Self::All(nodes) | Self::AnyOf(nodes) | Self::OneOf(nodes) => nodes.clone(),
            Self::Not(node) | Self::Reference(node) => vec![*node],
            Self::If { condition, then, otherwise } => vec![*condition, *then, *otherwise],
            Self::DependentSchemas(schemas) => schemas.iter().map(|(_, node)| *node).collect(),
            _ => Vec::new(),
        }
    }
}

impl RuleTable {
    /// Whether a node looks at what its other rules have spoken of.
    pub(super) fn is_tracking(&self, node: NodeId) -> bool {
        matches!(self.nodes[node].last(), Some(Rule::OtherMembers(_) | Rule::OtherItems(_)))
    }
}
