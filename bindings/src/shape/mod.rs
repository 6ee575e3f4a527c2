//! Types in a normal form: a union of alternatives, one kind of JSON value each.
//!
//! JSON Schema constrains each kind of value by itself (`properties` says nothing about strings), so `allOf`, `$ref` with siblings and
//! `anyOf` beside `properties` become exact here: two unions meet alternative by alternative, objects property by property.
//!
//! Every type admits at least what its schema admits: what cannot be said is wider, never narrower. Sizes are bounded as types are
//! made, so that everything that walks one terminates soon: see [`WEIGHT_MAX`].

mod meet;

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

/// The most nodes of a type, counted as if it were written out; what goes beyond becomes `unknown`.
pub(crate) const WEIGHT_MAX: usize = 8_000;

/// The most alternatives of a union.
const ALTERNATIVES_MAX: usize = 512;

/// The values that a schema admits, or more.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum ValueType {
    /// Any value.
    Unknown,
    /// A value of one of these; of none if there are none.
    Union(Vec<Alternative>),
}

/// Values of one kind.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Alternative {
    Null,
    Boolean,
    Number,
    Integer,
    String,
    /// One boolean, number or string, or a template of strings, as TypeScript writes it.
    Literal(LiteralKind, Arc<str>),
    Array(Arc<ArrayShape>),
    Object(Arc<ObjectShape>),
    /// A recursive type of this tool, by its index in [`crate::schema::ToolTypes::definitions`].
    Named(usize),
    /// Values of all of these: where one is recursive and cannot be met by its parts.
    All(Arc<[ValueType]>),
}

/// The kinds that have literals.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum LiteralKind {
    Boolean,
    Integer,
    Number,
    String,
}

/// Arrays: the first items one by one, then any number of others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ArrayShape {
    /// Of all the rest: types are hashed and compared often, and deep.
    hash: u64,
    pub(crate) prefix: Vec<ValueType>,
    /// How many of `prefix` must be there.
    pub(crate) required: usize,
    /// The items after `prefix`; there are none if this admits nothing.
    pub(crate) rest: ValueType,
    weight: usize,
}

/// Objects: the declared properties, then others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ObjectShape {
    /// Of all the rest, as in [`ArrayShape`].
    hash: u64,
    pub(crate) properties: Vec<Property>,
    pub(crate) rest: Rest,
    weight: usize,
}

/// What an object has beside its declared properties.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Rest {
    /// Nothing is said: a caller should not add any.
    Unsaid,
    /// There are none.
    Closed,
    /// Any key, values of this type.
    Values(ValueType),
    /// Keys of these forms with values of these types, and perhaps any other key with values of the last type.
    Patterns(Vec<(KeyPattern, ValueType)>, Option<ValueType>),
}

/// Keys that consist of these texts, in this order, with anything between them: `["x-", ""]` is all that begins with `x-`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct KeyPattern(pub(crate) Vec<String>);

/// A declared property.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Property {
    pub(crate) name: Arc<str>,
    pub(crate) value: ValueType,
    pub(crate) is_required: bool,
    /// What is said about it, clean for a comment.
    pub(crate) note: Option<Arc<str>>,
}

impl KeyPattern {
    pub(crate) fn matches(&self, key: &str) -> bool {
        let [first, middle @ .., last] = self.0.as_slice() else { return self.0.iter().all(|only| only == key) };
        let Some(mut rest) = key.strip_prefix(first.as_str()).and_then(|rest| rest.strip_suffix(last.as_str())) else {
            return false;
        };
        for part in middle {
            let Some(place) = rest.find(part.as_str()) else { return false };
            rest = &rest[place + part.len()..];
        }
        true
    }
}

impl ArrayShape {
    pub(crate) fn new(mut prefix: Vec<ValueType>, required: usize, mut rest: ValueType) -> Self {
        let mut weight = 1;
        for item in prefix.iter_mut().chain([&mut rest]) {
            weight = add_within(weight, item);
        }
        let required = required.min(prefix.len());
        let hash = hash_of(&(&prefix, required, &rest));
        Self { hash, prefix, required, rest, weight }
    }
}

impl ObjectShape {
    pub(crate) fn new(mut properties: Vec<Property>, mut rest: Rest) -> Self {
        let mut weight = 1;
        for property in &mut properties {
            weight = add_within(weight, &mut property.value);
        }
        match &mut rest {
            Rest::Unsaid | Rest::Closed => {}
            Rest::Values(values) => weight = add_within(weight, values),
            Rest::Patterns(patterns, others) => {
                for values in patterns.iter_mut().map(|(_, values)| values).chain(others) {
                    weight = add_within(weight, values);
                }
            }
        }
        let hash = hash_of(&(&properties, &rest));
        Self { hash, properties, rest, weight }
    }
}

impl Hash for ArrayShape {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.hash);
    }
}

impl Hash for ObjectShape {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.hash);
    }
}

fn hash_of(value: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

/// The weight of a node so far and `part`, which becomes `unknown` where it would be too much.
fn add_within(weight: usize, part: &mut ValueType) -> usize {
    let added = weight + part.weight();
    if added <= WEIGHT_MAX {
        return added;
    }
    *part = ValueType::Unknown;
    weight + 1
}

impl Alternative {
    fn weight(&self) -> usize {
        match self {
            Self::Array(shape) => shape.weight,
            Self::Object(shape) => shape.weight,
            Self::All(types) => types.iter().map(ValueType::weight).sum(),
            Self::Literal(_, text) => 1 + text.len() / 64,
            _ => 1,
        }
    }

    /// The kind of a scalar alternative that has literals.
    fn kind(&self) -> Option<LiteralKind> {
        match self {
            Self::Boolean => Some(LiteralKind::Boolean),
            Self::Integer => Some(LiteralKind::Integer),
            Self::Number => Some(LiteralKind::Number),
            Self::String => Some(LiteralKind::String),
            Self::Literal(kind, _) => Some(*kind),
            _ => None,
        }
    }

    /// Whether this alternative admits all that `other` admits, as far as that is easily seen.
    pub(super) fn includes(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Number, _) => matches!(other.kind(), Some(LiteralKind::Integer | LiteralKind::Number)),
            (Self::Boolean | Self::Integer | Self::String, _) => self.kind() == other.kind(),
            _ => self == other,
        }
    }
}

impl ValueType {
    /// No value.
    pub(crate) const NEVER: Self = Self::Union(Vec::new());

    /// The type with this single alternative.
    pub(crate) fn one(alternative: Alternative) -> Self {
        Self::Union(vec![alternative])
    }

    pub(crate) fn object(properties: Vec<Property>, rest: Rest) -> Self {
        Self::one(Alternative::Object(Arc::new(ObjectShape::new(properties, rest))))
    }

    pub(crate) fn is_never(&self) -> bool {
        matches!(self, Self::Union(alternatives) if alternatives.is_empty())
    }

    /// Its alternatives; none for `unknown`.
    pub(crate) fn alternatives(&self) -> &[Alternative] {
        match self {
            Self::Unknown => &[],
            Self::Union(alternatives) => alternatives,
        }
    }

    pub(crate) fn weight(&self) -> usize {
        1 + self.alternatives().iter().map(Alternative::weight).sum::<usize>()
    }

    /// The type with literals widened to their kinds.
    pub(crate) fn with_kinds_for_literals(&self) -> Self {
        match self {
            Self::Unknown => Self::Unknown,
            Self::Union(alternatives) => Self::any_of(widened(alternatives.clone()).into_iter().map(Self::one)),
        }
    }

    /// The types that it directly consists of.
    pub(crate) fn parts(&self) -> impl Iterator<Item = &Self> {
        self.alternatives().iter().flat_map(|alternative| {
            let parts: Vec<&Self> = match alternative {
                Alternative::Array(shape) => shape.prefix.iter().chain([&shape.rest]).collect(),
                Alternative::Object(shape) => {
                    shape.properties.iter().map(|property| &property.value).chain(shape.rest.parts()).collect()
                }
                Alternative::All(parts) => parts.iter().collect(),
                _ => Vec::new(),
            };
            parts
        })
    }

    /// Whether a recursive type is mentioned anywhere in it.
    pub(crate) fn mentions_named(&self) -> bool {
        self.alternatives().iter().any(|alternative| matches!(alternative, Alternative::Named(_)))
            || self.parts().any(Self::mentions_named)
    }

    /// The type with each recursive type `place` replaced by `places[place]`.
    pub(crate) fn renumbered(&self, places: &[usize]) -> Self {
        let Self::Union(alternatives) = self else { return Self::Unknown };
        let renumber = |alternative: &Alternative| match alternative {
            Alternative::Named(place) => Alternative::Named(places[*place]),
            Alternative::All(parts) => Alternative::All(parts.iter().map(|part| part.renumbered(places)).collect()),
            Alternative::Array(shape) => {
                let prefix = shape.prefix.iter().map(|item| item.renumbered(places)).collect();
                Alternative::Array(Arc::new(ArrayShape::new(prefix, shape.required, shape.rest.renumbered(places))))
            }
            Alternative::Object(shape) => {
                let renumber = |property: &Property| Property { value: property.value.renumbered(places), ..property.clone() };
                let rest = match &shape.rest {
                    Rest::Values(values) => Rest::Values(values.renumbered(places)),
                    Rest::Patterns(patterns, others) => {
                        let patterns = patterns.iter().map(|(pattern, values)| (pattern.clone(), values.renumbered(places)));
                        Rest::Patterns(patterns.collect(), others.as_ref().map(|values| values.renumbered(places)))
                    }
                    rest => rest.clone(),
                };
                Alternative::Object(Arc::new(ObjectShape::new(shape.properties.iter().map(renumber).collect(), rest)))
            }
            scalar => scalar.clone(),
        };
        Self::Union(alternatives.iter().map(renumber).collect())
    }

    /// The values of either type.
    pub(crate) fn or(self, other: Self) -> Self {
        Self::any_of([self, other])
    }

    /// The values of any of `types`.
    pub(crate) fn any_of(types: impl IntoIterator<Item = Self>) -> Self {
        let mut union: Vec<Alternative> = Vec::new();
        let mut literals = std::collections::HashSet::new();
        let mut weight = 0;
        for one in types {
            let Self::Union(alternatives) = one else { return Self::Unknown };
            for alternative in alternatives {
                let is_known = match &alternative {
                    Alternative::Literal(_, text) => !literals.insert(Arc::clone(text)),
                    _ => false,
                };
                if is_known
                    || union.iter().any(|known| !matches!(known, Alternative::Literal(..)) && known.includes(&alternative))
                {
                    continue;
                }
                if matches!(
                    alternative,
                    Alternative::Boolean | Alternative::Integer | Alternative::Number | Alternative::String
                ) {
                    union.retain(|known| !alternative.includes(known));
                }
                weight += alternative.weight();
                union.push(alternative);
                if union.len() > ALTERNATIVES_MAX || weight > WEIGHT_MAX {
                    union = widened(union);
                    weight = union.iter().map(Alternative::weight).sum();
                    if union.len() > ALTERNATIVES_MAX || weight > WEIGHT_MAX {
                        return Self::Unknown;
                    }
                }
            }
        }
        let is_boolean_literal = |known: &Alternative| matches!(known, Alternative::Literal(LiteralKind::Boolean, _));
        if union.iter().filter(|known| is_boolean_literal(known)).count() == 2 {
            let place = union.iter().position(is_boolean_literal).unwrap_or_default();
            union[place] = Alternative::Boolean;
            union.retain(|known| !is_boolean_literal(known));
        }
        Self::Union(union)
    }
}

/// A union that became too long, with its literals widened to their kinds.
fn widened(union: Vec<Alternative>) -> Vec<Alternative> {
    let mut wide = Vec::new();
    for alternative in union {
        let alternative = match alternative {
            Alternative::Literal(LiteralKind::Boolean, _) => Alternative::Boolean,
            Alternative::Literal(LiteralKind::Integer, _) => Alternative::Integer,
            Alternative::Literal(LiteralKind::Number, _) => Alternative::Number,
            Alternative::Literal(LiteralKind::String, _) => Alternative::String,
            other => other,
        };
        if !wide.contains(&alternative) {
            wide.push(alternative);
        }
    }
    wide
}

impl Rest {
    /// What a property that is not declared may be.
    pub(crate) fn value_of(&self, key: &str) -> ValueType {
        match self {
            Self::Unsaid => ValueType::Unknown,
            Self::Closed => ValueType::NEVER,
            Self::Values(values) => values.clone(),
            Self::Patterns(patterns, others) => {
                let matching = patterns.iter().find(|(pattern, _)| pattern.matches(key)).map(|(_, values)| values);
                matching.or(others.as_ref()).cloned().unwrap_or(ValueType::Unknown)
            }
        }
    }

    pub(crate) fn parts(&self) -> Vec<&ValueType> {
        match self {
            Self::Unsaid | Self::Closed => Vec::new(),
            Self::Values(values) => vec![values],
            Self::Patterns(patterns, others) => patterns.iter().map(|(_, values)| values).chain(others).collect(),
        }
    }
}
