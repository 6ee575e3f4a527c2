//! What two types have in common: the values that both admit, or more.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::{Alternative, ArrayShape, LiteralKind, ObjectShape, Rest, ValueType};

/// The most pairs of alternatives that are met one by one; beyond, everything is admitted, or what literals there are.
const PAIRS_MAX: usize = 1_024;

impl ValueType {
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
        let known: HashSet<&Alternative> = others.alternatives().iter().collect();
        let wide: Vec<&Alternative> = others.alternatives().iter().filter(|alternative| !is_literal(alternative)).collect();
        let admitted = |literal: &&Alternative| known.contains(literal) || wide.iter().any(|wide| wide.includes(literal));
        Some(Self::Union(literals.alternatives().iter().filter(admitted).cloned().collect()))
    }
}

impl Rest {
    fn and(&self, other: &Self, fuel: &mut usize) -> Self {
        match (self, other) {
            (Self::Unsaid, rest) | (rest, Self::Unsaid) => rest.clone(),
            (Self::Values(left), Self::Values(right)) => Self::Values(left.and(right, fuel)),
            (Self::Values(ValueType::Unknown), rest) | (rest, Self::Values(ValueType::Unknown)) => rest.clone(),
            (Self::Patterns(..), Self::Patterns(..)) if self == other => self.clone(),
            (Self::Patterns(..), Self::Patterns(..) | Self::Values(_)) | (Self::Values(_), Self::Patterns(..)) => {
                Self::Values(ValueType::Unknown)
            }
            (Self::Closed, _) | (_, Self::Closed) => Self::Closed,
        }
    }
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
        (Alternative::Literal(LiteralKind::String, text), Alternative::Literal(LiteralKind::String, other))
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
            Some(Alternative::All([ValueType::one(one.clone()), ValueType::one(two.clone())].into()))
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
            rest = ValueType::NEVER;
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
