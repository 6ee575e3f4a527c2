//! Types in a normal form: a union of alternatives, one kind of JSON value each.
//!
//! JSON Schema constrains each kind of value by itself (`properties` says nothing about strings), so `allOf`, `$ref` with siblings and
//! `anyOf` beside `properties` become exact here: two unions meet alternative by alternative, objects property by property.
//!
//! Every type admits at least what its schema admits: what cannot be said is wider, never narrower. Sizes are bounded as types are
//! made, so that everything that walks one terminates soon: see [`WEIGHT_MAX`].

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

/// The most nodes of a type, counted as if it were written out; what goes beyond becomes `unknown`.
pub(crate) const WEIGHT_MAX: usize = 8_000;

/// The most alternatives of a union.
const ALTERNATIVES_MAX: usize = 512;

/// The most pairs of alternatives that are met one by one; beyond, everything is admitted, or what literals there are.
const PAIRS_MAX: usize = 1_024;

/// The values that a schema admits, or more.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Type {
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
    Literal(Kind, Arc<str>),
    Array(Arc<ArrayShape>),
    Object(Arc<ObjectShape>),
    /// A recursive type of this tool, by its place in [`crate::schema::ToolTypes::definitions`].
    Named(usize),
    /// Values of all of these: where one is recursive and cannot be met by its parts.
    All(Arc<[Type]>),
}

/// The kinds that have literals.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Kind {
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
    pub(crate) prefix: Vec<Type>,
    /// How many of `prefix` must be there.
    pub(crate) required: usize,
    /// The items after `prefix`; there are none if this admits nothing.
    pub(crate) rest: Type,
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
    Values(Type),
    /// Keys of these forms with values of these types, and perhaps any other key with values of the last type.
    Patterns(Vec<(KeyPattern, Type)>, Option<Type>),
}

/// Keys that consist of these texts, in this order, with anything between them: `["x-", ""]` is all that begins with `x-`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct KeyPattern(pub(crate) Vec<String>);

/// A declared property.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Property {
    pub(crate) name: Arc<str>,
    pub(crate) value: Type,
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
    pub(crate) fn new(mut prefix: Vec<Type>, required: usize, mut rest: Type) -> Self {
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
fn add_within(weight: usize, part: &mut Type) -> usize {
    let added = weight + part.weight();
    if added <= WEIGHT_MAX {
        return added;
    }
    *part = Type::Unknown;
    weight + 1
}

impl Alternative {
    fn weight(&self) -> usize {
        match self {
            Self::Array(shape) => shape.weight,
            Self::Object(shape) => shape.weight,
            Self::All(types) => types.iter().map(Type::weight).sum(),
            Self::Literal(_, text) => 1 + text.len() / 64,
            _ => 1,
        }
    }

    /// The kind of a scalar alternative that has literals.
    fn kind(&self) -> Option<Kind> {
        match self {
            Self::Boolean => Some(Kind::Boolean),
            Self::Integer => Some(Kind::Integer),
            Self::Number => Some(Kind::Number),
            Self::String => Some(Kind::String),
            Self::Literal(kind, _) => Some(*kind),
            _ => None,
        }
    }

    /// Whether this alternative admits all that `other` admits, as far as that is easily seen.
    fn includes(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Number, _) => matches!(other.kind(), Some(Kind::Integer | Kind::Number)),
            (Self::Boolean | Self::Integer | Self::String, _) => self.kind() == other.kind(),
            _ => self == other,
        }
    }
}

impl Type {
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
        let is_boolean_literal = |known: &Alternative| matches!(known, Alternative::Literal(Kind::Boolean, _));
        if union.iter().filter(|known| is_boolean_literal(known)).count() == 2 {
            let place = union.iter().position(is_boolean_literal).unwrap_or_default();
            union[place] = Alternative::Boolean;
            union.retain(|known| !is_boolean_literal(known));
        }
        Self::Union(union)
    }

    /// The values of both types. `fuel` bounds the work; without it everything is admitted.
    pub(crate) fn and(&self, other: &Self, fuel: &mut usize) -> Self {
        let (Self::Union(left), Self::Union(right)) = (self, other) else {
            return if *self == Self::Unknown { other.clone() } else { self.clone() };
        };
        let all_within = |wide: &[Alternative], narrow: &[Alternative]| matches!(wide, [only] if narrow.iter().all(|one| only.includes(one)));
        if all_within(left, right) {
            return other.clone();
        }
        if all_within(right, left) {
            return self.clone();
        }
        if left.len().saturating_mul(right.len()) > PAIRS_MAX {
            return self.and_literals(other).unwrap_or(Self::Unknown);
        }
        let mut met = Vec::new();
        for one in left {
            for two in right {
                let Some(rest) = fuel.checked_sub(1) else { return Self::Unknown };
                *fuel = rest;
                met.extend(meet(one, two, fuel));
            }
        }
        Self::any_of(met.into_iter().map(Self::one))
    }

    /// The literals of one type that the other admits too, where one consists of literals only.
    fn and_literals(&self, other: &Self) -> Option<Self> {
        let is_literal = |alternative: &Alternative| matches!(alternative, Alternative::Literal(..) | Alternative::Null);
        let (literals, others) = if self.alternatives().iter().all(is_literal) { (self, other) } else { (other, self) };
        if !literals.alternatives().iter().all(is_literal) {
            return None;
        }
        let known: std::collections::HashSet<&Alternative> = others.alternatives().iter().collect();
        let wide: Vec<&Alternative> = others.alternatives().iter().filter(|alternative| !is_literal(alternative)).collect();
        let admitted = |literal: &&Alternative| known.contains(literal) || wide.iter().any(|wide| wide.includes(literal));
        Some(Self::Union(literals.alternatives().iter().filter(admitted).cloned().collect()))
    }
}

/// A union that became too long, with its literals widened to their kinds.
fn widened(union: Vec<Alternative>) -> Vec<Alternative> {
    let mut wide = Vec::new();
    for alternative in union {
        let alternative = match alternative {
            Alternative::Literal(Kind::Boolean, _) => Alternative::Boolean,
            Alternative::Literal(Kind::Integer, _) => Alternative::Integer,
            Alternative::Literal(Kind::Number, _) => Alternative::Number,
            Alternative::Literal(Kind::String, _) => Alternative::String,
            other => other,
        };
        if !wide.contains(&alternative) {
            wide.push(alternative);
        }
    }
    wide
}

/// The values of both alternatives, if there can be any.
fn meet(one: &Alternative, two: &Alternative, fuel: &mut usize) -> Option<Alternative> {
    match (one, two) {
        (Alternative::Object(left), Alternative::Object(right)) => {
            meet_objects(left, right, fuel).map(|shape| Alternative::Object(Arc::new(shape)))
        }
        (Alternative::Array(left), Alternative::Array(right)) => {
            Some(Alternative::Array(Arc::new(meet_arrays(left, right, fuel))))
        }
        // A template and a string meet in what the string is, or in less.
        (Alternative::Literal(Kind::String, text), Alternative::Literal(Kind::String, other))
            if text.starts_with('`') || other.starts_with('`') =>
        {
            Some(if text.starts_with('`') { two.clone() } else { one.clone() })
        }
        _ if one.includes(two) => Some(two.clone()),
        _ if two.includes(one) => Some(one.clone()),
        (Alternative::Named(_) | Alternative::All(_), _) | (_, Alternative::Named(_) | Alternative::All(_)) => {
            if matches!(one, Alternative::All(_)) && matches!(two, Alternative::All(_)) {
                return Some(one.clone());
            }
            Some(Alternative::All([Type::one(one.clone()), Type::one(two.clone())].into()))
        }
        _ => None,
    }
}

fn meet_arrays(left: &ArrayShape, right: &ArrayShape, fuel: &mut usize) -> ArrayShape {
    let length = left.prefix.len().max(right.prefix.len());
    let item = |shape: &ArrayShape, place: usize| shape.prefix.get(place).unwrap_or(&shape.rest).clone();
    let mut prefix = Vec::new();
    let mut rest = left.rest.and(&right.rest, fuel);
    for place in 0..length {
        let met = item(left, place).and(&item(right, place), fuel);
        if met.is_never() {
            rest = Type::NEVER;
            break;
        }
        prefix.push(met);
    }
    ArrayShape::new(prefix, left.required.max(right.required), rest)
}

fn meet_objects(left: &ObjectShape, right: &ObjectShape, fuel: &mut usize) -> Option<ObjectShape> {
    *fuel = fuel.saturating_sub(left.properties.len() + right.properties.len());
    let places: HashMap<&str, usize> =
        right.properties.iter().enumerate().map(|(place, property)| (&*property.name, place)).collect();
    let mut is_met = vec![false; right.properties.len()];
    let mut properties = Vec::with_capacity(left.properties.len() + right.properties.len());
    for property in &left.properties {
        let mut met = property.clone();
        if let Some(place) = places.get(&*property.name) {
            let other = &right.properties[*place];
            is_met[*place] = true;
            met.value = property.value.and(&other.value, fuel);
            met.is_required |= other.is_required;
            met.note = property.note.clone().or_else(|| other.note.clone());
        } else {
            met.value = property.value.and(&right.rest.value_of(&property.name), fuel);
        }
        properties.push(met);
    }
    for (property, is_met) in right.properties.iter().zip(is_met) {
        if !is_met {
            let mut met = property.clone();
            met.value = property.value.and(&left.rest.value_of(&property.name), fuel);
            properties.push(met);
        }
    }
    if properties.iter().any(|property| property.is_required && property.value.is_never()) {
        return None;
    }
    let rest = left.rest.and(&right.rest, fuel);
    // A property that cannot be there need not be named where no other may be there either.
    properties.retain(|property| !property.value.is_never() || !matches!(rest, Rest::Closed));
    Some(ObjectShape::new(properties, rest))
}

impl Rest {
    /// What a property that is not declared may be.
    pub(crate) fn value_of(&self, key: &str) -> Type {
        match self {
            Self::Unsaid => Type::Unknown,
            Self::Closed => Type::NEVER,
            Self::Values(values) => values.clone(),
            Self::Patterns(patterns, others) => {
                let matching = patterns.iter().find(|(pattern, _)| pattern.matches(key)).map(|(_, values)| values);
                matching.or(others.as_ref()).cloned().unwrap_or(Type::Unknown)
            }
        }
    }

    pub(crate) fn parts(&self) -> Vec<&Type> {
        match self {
            Self::Unsaid | Self::Closed => Vec::new(),
            Self::Values(values) => vec![values],
            Self::Patterns(patterns, others) => patterns.iter().map(|(_, values)| values).chain(others).collect(),
        }
    }

    fn and(&self, other: &Self, fuel: &mut usize) -> Self {
        match (self, other) {
            (Self::Unsaid, rest) | (rest, Self::Unsaid) => rest.clone(),
            (Self::Values(left), Self::Values(right)) => Self::Values(left.and(right, fuel)),
            (Self::Values(Type::Unknown), rest) | (rest, Self::Values(Type::Unknown)) => rest.clone(),
            (Self::Patterns(..), Self::Patterns(..)) if self == other => self.clone(),
            (Self::Patterns(..), Self::Patterns(..) | Self::Values(_)) | (Self::Values(_), Self::Patterns(..)) => {
                Self::Values(Type::Unknown)
            }
            (Self::Closed, _) | (_, Self::Closed) => Self::Closed,
        }
    }
}
