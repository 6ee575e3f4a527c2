//! Types that refer to themselves: each has a name, and stands for a value in the end.

use crate::shape::{Alternative, ValueType};

/// A recursive type.
#[derive(Debug)]
pub(crate) struct RecursiveType {
    /// What its schema is called; not an identifier, not unique.
    pub(crate) name: String,
    pub(crate) value: ValueType,
}

/// The value of the definition `place`, in which it must not stand for itself.
pub(super) fn without_itself(value: ValueType, place: usize) -> ValueType {
    let ValueType::Union(alternatives) = value else { return ValueType::Unknown };
    let mut others = Vec::new();
    for alternative in alternatives {
        match alternative {
            Alternative::Named(other) if other == place => {}
            Alternative::All(parts) => {
                let itself = ValueType::one(Alternative::Named(place));
                let rest: Vec<ValueType> = parts.iter().filter(|part| **part != itself).cloned().collect();
                match rest.as_slice() {
                    [] => return ValueType::Unknown,
                    [one] => others.push(one.clone()),
                    _ if rest.iter().any(|part| {
                        part.alternatives().iter().any(|inner| matches!(inner, Alternative::Named(_) | Alternative::All(_)))
                    }) =>
                    {
                        return ValueType::Unknown;
                    }
                    _ => others.push(ValueType::one(Alternative::All(rest.into()))),
                }
            }
            other => others.push(ValueType::one(other)),
        }
    }
    let value = ValueType::any_of(others);
    if value.is_never() { ValueType::Unknown } else { value }
}

/// Makes definitions `unknown` that stand for one another without an object or array between, which TypeScript refuses.
pub(super) fn break_circles(definitions: &mut [RecursiveType]) {
    fn stand_for(value: &ValueType, places: &mut Vec<usize>) {
        for alternative in value.alternatives() {
            match alternative {
                Alternative::Named(place) => places.push(*place),
                Alternative::All(parts) => parts.iter().for_each(|part| stand_for(part, places)),
                _ => {}
            }
        }
    }
    for place in 0..definitions.len() {
        let mut seen = Vec::new();
        let mut waiting = Vec::new();
        stand_for(&definitions[place].value, &mut waiting);
        while let Some(next) = waiting.pop() {
            if next == place {
                definitions[place].value = ValueType::Unknown;
                break;
            }
            if !seen.contains(&next) {
                seen.push(next);
                stand_for(&definitions[next].value, &mut waiting);
            }
        }
    }
}
