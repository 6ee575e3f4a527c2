//! The named types of one server in one scope: recursive ones, and those that are used more than once.
//!
//! A type that is used once is written where it is used. What several tools share (an issue, a filter, a list of countries) gets a
//! name, once for all tools of the server, where that makes the whole shorter.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use crate::name::is_identifier;
use crate::schema::RecursiveType;
use crate::scoped_tool::ScopedTool;
use crate::shape::{Alternative, ObjectShape, ValueType};

/// The fewest characters that naming a type must save.
const SAVING_MIN: usize = 24;

/// The fewest characters of a type that is worth counting.
const LENGTH_MIN: usize = 40;

/// ValueType names that the text uses with TypeScript's meaning.
const TAKEN: &[&str] = &["Array", "Promise", "Record", "integer"];

/// The named types of a server.
#[derive(Debug, Default)]
pub(crate) struct Vocabulary {
    types: Vec<NamedType>,
    by_type: HashMap<ValueType, usize>,
}

#[derive(Debug)]
struct NamedType {
    name: String,
    value: ValueType,
}

/// The arguments and the result of one tool, in the words of a vocabulary.
#[derive(Debug)]
pub(crate) struct Signature {
    pub(crate) input: ValueType,
    pub(crate) output: Option<ValueType>,
}

impl Vocabulary {
    /// The place of `integer`, a `number`.
    pub(crate) const INTEGER: usize = 0;

    /// The vocabulary of `tools`, all of one server, and what each of them takes and gives. Pinned arguments are not shown.
    pub(crate) fn of(tools: &[ScopedTool]) -> (Self, Vec<Signature>) {
        let mut vocabulary = Self::default();
        vocabulary.types.push(NamedType { name: "integer".to_owned(), value: ValueType::one(Alternative::Number) });
        let mut names = HashSet::new();
        let mut known = HashMap::new();
        let mut shapes = Vec::new();
        let mut sharing = Sharing::default();
        for tool in tools {
            let types = tool.definition().types();
            let places = vocabulary.define(&types.definitions, &mut known, &mut names);
            let placed = |value: &ValueType| if places.is_empty() { value.clone() } else { value.renumbered(&places) };
            let input = without_pinned(placed(&types.input), &vocabulary, tool);
            let output = types.output.as_ref().map(placed);
            for (value, name) in &types.names {
                sharing.names.entry(placed(value)).or_insert_with(|| name.clone());
            }
            sharing.count(&input, &format!("{}_args", tool.identifier()));
            if let Some(output) = &output {
                sharing.count(output, &format!("{}_result", tool.identifier()));
            }
            shapes.push(Signature { input, output });
        }
        let recursive: Vec<ValueType> = vocabulary.types[1..].iter().map(|named| named.value.clone()).collect();
        for (place, value) in recursive.into_iter().enumerate() {
            sharing.count_parts(&value, "part");
            vocabulary.by_type.entry(value).or_insert(place + 1);
        }
        for (value, name) in sharing.worth_naming() {
            if !vocabulary.by_type.contains_key(&value) {
                let name = unique(&name, &mut names);
                vocabulary.by_type.insert(value.clone(), vocabulary.types.len());
                vocabulary.types.push(NamedType { name, value });
            }
        }
        (vocabulary, shapes)
    }

    /// Takes the recursive types of one tool, unless an equal one of another tool is here; their places.
    fn define(
        &mut self,
        definitions: &[RecursiveType],
        known: &mut HashMap<Vec<(String, ValueType)>, usize>,
        names: &mut HashSet<String>,
    ) -> Vec<usize> {
        let mut places = Vec::with_capacity(definitions.len());
        let mut added = Vec::new();
        for place in 0..definitions.len() {
            let next = self.types.len();
            let named = *known.entry(closure(definitions, place)).or_insert(next);
            if named == next {
                let name = unique(&definitions[place].name, names);
                self.types.push(NamedType { name, value: ValueType::Unknown });
                added.push((place, named));
            }
            places.push(named);
        }
        for (place, named) in added {
            self.types[named].value = definitions[place].value.renumbered(&places);
        }
        places
    }

    /// The place of the name of `value`, if it has one.
    pub(crate) fn find(&self, value: &ValueType) -> Option<usize> {
        if self.by_type.is_empty() || !is_nameable(value) {
            return None;
        }
        self.by_type.get(value).copied()
    }

    pub(crate) fn name(&self, place: usize) -> &str {
        &self.types[place].name
    }

    pub(crate) fn value(&self, place: usize) -> &ValueType {
        &self.types[place].value
    }

    pub(crate) fn len(&self) -> usize {
        self.types.len()
    }
}

/// The definition `place` and all that it mentions, numbered in the order in which it does: equal for equal recursive types.
fn closure(definitions: &[RecursiveType], place: usize) -> Vec<(String, ValueType)> {
    let mut order = vec![place];
    let mut next = 0;
    while next < order.len() {
        let mut waiting = vec![&definitions[order[next]].value];
        while let Some(value) = waiting.pop() {
            for alternative in value.alternatives() {
                if let Alternative::Named(mentioned) = alternative
                    && !order.contains(mentioned)
                {
                    order.push(*mentioned);
                }
            }
            waiting.extend(value.parts());
        }
        next += 1;
    }
    let mut numbers = vec![0; definitions.len()];
    for (number, place) in order.iter().enumerate() {
        numbers[*place] = number;
    }
    order.into_iter().map(|place| (definitions[place].name.clone(), definitions[place].value.renumbered(&numbers))).collect()
}

/// `input` without the pinned arguments of `tool`.
fn without_pinned(input: ValueType, vocabulary: &Vocabulary, tool: &ScopedTool) -> ValueType {
    if !tool.has_pinned() {
        return input;
    }
    let strip = |alternative: &Alternative| match alternative {
        Alternative::Object(shape) => {
            let properties = shape.properties.iter().filter(|property| !tool.is_pinned(&property.name)).cloned().collect();
            Alternative::Object(Arc::new(ObjectShape::new(properties, shape.rest.clone())))
        }
        Alternative::All(parts) => {
            Alternative::All(parts.iter().map(|part| without_pinned(part.clone(), vocabulary, tool)).collect())
        }
        other => other.clone(),
    };
    let opened = match input.alternatives() {
        [Alternative::Named(place)] => vocabulary.value(*place),
        _ => &input,
    };
    match opened {
        ValueType::Unknown => ValueType::Unknown,
        ValueType::Union(alternatives) => ValueType::Union(alternatives.iter().map(strip).collect()),
    }
}

/// How often each larger type is used, and what it may be called.
#[derive(Default)]
struct Sharing {
    names: HashMap<ValueType, String>,
    /// The place of each type in `met`.
    places: HashMap<ValueType, usize>,
    /// The types in the order in which they were met.
    met: Vec<Met>,
}

/// A type that was met.
struct Met {
    value: ValueType,
    /// The shortest name of a place where it was.
    place: String,
    /// About its characters.
    length: usize,
    uses: usize,
}

impl Sharing {
    /// Counts `value` and, the first time, its parts.
    fn count(&mut self, value: &ValueType, place: &str) {
        let has_null = value.alternatives().len() > 1 && value.alternatives().contains(&Alternative::Null);
        if has_null {
            let others =
                value.alternatives().iter().filter(|alternative| **alternative != Alternative::Null).cloned().collect();
            return self.count(&ValueType::Union(others), place);
        }
        if is_nameable(value) {
            let length = length(value);
            if length >= LENGTH_MIN {
                if let Some(known) = self.places.get(value) {
                    let known = &mut self.met[*known];
                    known.uses += 1;
                    if place.len() < known.place.len() {
                        place.clone_into(&mut known.place);
                    }
                    return;
                }
                self.places.insert(value.clone(), self.met.len());
                self.met.push(Met { value: value.clone(), place: place.to_owned(), length, uses: 1 });
            }
        }
        if value.alternatives().len() > 1 {
            for alternative in value.alternatives() {
                if !matches!(alternative, Alternative::Literal(..)) {
                    self.count(&ValueType::one(alternative.clone()), place);
                }
            }
        } else {
            self.count_parts(value, place);
        }
    }

    /// Counts the types that `value` consists of.
    fn count_parts(&mut self, value: &ValueType, place: &str) {
        for alternative in value.alternatives() {
            match alternative {
                Alternative::Object(shape) => {
                    for property in &shape.properties {
                        self.count(&property.value, &property.name);
                    }
                    for part in shape.rest.parts() {
                        self.count(part, place);
                    }
                }
                Alternative::Array(shape) => {
                    let item = place.strip_suffix('s').filter(|item| item.len() > 2 && !item.ends_with('s')).unwrap_or(place);
                    shape.prefix.iter().chain([&shape.rest]).for_each(|part| self.count(part, item));
                }
                Alternative::All(parts) => parts.iter().for_each(|part| self.count(part, place)),
                _ => {}
            }
        }
    }

    /// The types that are worth a name, with their names, in the order in which they were met.
    fn worth_naming(self) -> Vec<(ValueType, String)> {
        let Self { mut names, met, .. } = self;
        let worth = |Met { value, place, length, uses }: Met| {
            let name = names.remove(&value).unwrap_or(place);
            let cost = length + name.len() * (uses + 1) + 16;
            (uses > 1 && uses * length > cost + SAVING_MIN).then_some((value, name))
        };
        met.into_iter().filter_map(worth).collect()
    }
}

/// Whether a name can stand for `value`: objects and unions, not arrays or single scalars.
fn is_nameable(value: &ValueType) -> bool {
    match value.alternatives() {
        [] => false,
        [only] => matches!(only, Alternative::Object(_) | Alternative::All(_)),
        _ => true,
    }
}

/// About how many characters `value` takes when it is written out.
fn length(value: &ValueType) -> usize {
    let scalars: usize = value
        .alternatives()
        .iter()
        .map(|alternative| match alternative {
            Alternative::Literal(_, text) => text.len() + 3,
            Alternative::Object(shape) => {
                shape
                    .properties
                    .iter()
                    .map(|property| property.name.len() + 4 + property.note.as_ref().map_or(0, |note| note.len() + 8))
                    .sum::<usize>()
                    + 4
            }
            _ => 8,
        })
        .sum();
    scalars + value.parts().map(length).sum::<usize>()
}

/// `name` as a type's name that is not in `names`, and adds it.
fn unique(name: &str, names: &mut HashSet<String>) -> String {
    let mut pascal = String::new();
    for word in name.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty()) {
        if pascal.len() + word.len() > 40 {
            break;
        }
        pascal.push_str(&word[..1].to_ascii_uppercase());
        pascal.push_str(&word[1..]);
    }
    if pascal.starts_with(|c: char| c.is_ascii_digit()) {
        pascal.insert(0, 'T');
    }
    if pascal.is_empty() || TAKEN.contains(&pascal.as_str()) || !is_identifier(&pascal) {
        pascal.push_str("Type");
    }
    let mut candidate = pascal.clone();
    let mut number = 1;
    while !names.insert(candidate.clone()) {
        number += 1;
        candidate = format!("{pascal}{number}");
    }
    candidate
}
