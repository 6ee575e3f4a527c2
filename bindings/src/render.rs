//! Types as TypeScript text.
//!
//! Only names that this crate made, literals from [`crate::comment::string_literal`], and comments from [`crate::comment`] are written:
//! nothing of a stranger gets here as it came.

use std::collections::BTreeSet;

use crate::comment::string_literal;
use crate::name::is_word;
use crate::pattern::key_type;
use crate::shape::{Alternative, ArrayShape, ObjectShape, Property, Rest, ValueType};
use crate::vocabulary::Vocabulary;

/// The most characters of an object on one line.
const FLAT_LENGTH_MAX: usize = 100;

/// Where a long union gets a line break.
const UNION_LINE_LENGTH: usize = 120;

/// How much of a type is written.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Form {
    /// Notes on properties, shared types by their names.
    pub(crate) is_full: bool,
    /// The levels of objects that are written out; deeper ones become `Record<string, unknown>`.
    pub(crate) depth_max: usize,
    /// The most properties that are written of an object; others are left out, optional ones first.
    pub(crate) properties_max: usize,
    /// The most characters of a union of literals; longer ones become their kind.
    pub(crate) literals_length_max: usize,
}

impl Form {
    /// Everything.
    pub(crate) const FULL: Self =
        Self { is_full: true, depth_max: usize::MAX, properties_max: usize::MAX, literals_length_max: usize::MAX };

    /// Everything but notes.
    pub(crate) const BARE: Self = Self { is_full: false, ..Self::FULL };

    /// The outermost level only.
    pub(crate) const OUTLINE: Self = Self { is_full: false, depth_max: 1, properties_max: 400, literals_length_max: 200 };

    /// What a signature shows.
    pub(crate) const COMPACT: Self = Self { is_full: false, depth_max: 1, properties_max: 16, literals_length_max: 60 };
}

/// A text that is being written.
pub(crate) struct Writer<'a> {
    vocabulary: &'a Vocabulary,
    form: Form,
    text: String,
    /// The named types that the text uses, by their places in the vocabulary.
    used: BTreeSet<usize>,
    indent: usize,
    /// Where the text must have ended for the object that is being tried on one line.
    flat_end: Option<usize>,
    /// Whether that failed.
    is_too_long: bool,
}

impl<'a> Writer<'a> {
    pub(crate) fn new(vocabulary: &'a Vocabulary, form: Form) -> Self {
        Self { vocabulary, form, text: String::new(), used: BTreeSet::new(), indent: 0, flat_end: None, is_too_long: false }
    }

    /// The text, and the named types that it uses.
    pub(crate) fn finish(self) -> (String, BTreeSet<usize>) {
        (self.text, self.used)
    }

    /// Writes `text` as it is.
    pub(crate) fn push(&mut self, text: &str) {
        self.text.push_str(text);
    }

    /// Writes the type `value`, by its name if it has one.
    pub(crate) fn write(&mut self, value: &ValueType) {
        self.write_at(value, 0);
    }

    /// Writes what the type named `place` stands for.
    pub(crate) fn write_declaration(&mut self, name: &str, value: &ValueType) {
        let object = match value.alternatives() {
            [Alternative::Object(shape)] => Some(shape),
            _ => None,
        };
        if let Some(shape) = object.filter(|shape| !shape.properties.is_empty()) {
            self.push("interface ");
            self.push(name);
            self.push(" ");
            self.write_object(shape, 0);
            return;
        }
        self.push("type ");
        self.push(name);
        self.push(" = ");
        match (value, object) {
            // The shape itself, whose name is the one that is declared.
            (_, Some(shape)) => self.write_object(shape, 0),
            (ValueType::Unknown, _) => self.push("unknown"),
            (ValueType::Union(alternatives), _) => self.write_union(alternatives, 0),
        }
        self.push(";");
    }

    fn write_at(&mut self, value: &ValueType, depth: usize) {
        if self.write_name(value) {
            return;
        }
        match value {
            ValueType::Unknown => self.push("unknown"),
            ValueType::Union(alternatives) => {
                let is_null = |alternative: &&Alternative| **alternative == Alternative::Null;
                if self.form.is_full && alternatives.len() > 2 && alternatives.iter().any(|alternative| is_null(&alternative)) {
                    let others = alternatives.iter().filter(|alternative| !is_null(alternative)).cloned().collect();
                    if self.write_name(&ValueType::Union(others)) {
                        return self.push(" | null");
                    }
                }
                self.write_union(alternatives, depth);
            }
        }
    }

    /// Writes the name of `value`, if it has one and names are written.
    fn write_name(&mut self, value: &ValueType) -> bool {
        let Some(place) = self.form.is_full.then(|| self.vocabulary.find(value)).flatten() else { return false };
        self.use_name(place);
        true
    }

    fn use_name(&mut self, place: usize) {
        self.used.insert(place);
        let name = self.vocabulary.name(place).to_owned();
        self.push(&name);
    }

    fn write_union(&mut self, alternatives: &[Alternative], depth: usize) {
        match alternatives {
            [] => return self.push("never"),
            [only] => return self.write_alternative(only, depth),
            _ => {}
        }
        let literals = |alternative: &&Alternative| matches!(alternative, Alternative::Literal(..));
        let length: usize = alternatives
            .iter()
            .map(|alternative| if let Alternative::Literal(_, text) = alternative { text.len() + 3 } else { 0 })
            .sum();
        if length > self.form.literals_length_max && alternatives.iter().filter(literals).count() > 1 {
            let widened = ValueType::Union(alternatives.to_vec()).with_kinds_for_literals();
            self.write_alternatives(widened.alternatives(), depth);
        } else {
            self.write_alternatives(alternatives, depth);
        }
    }

    fn write_alternatives(&mut self, alternatives: &[Alternative], depth: usize) {
        let (nulls, others): (Vec<&Alternative>, Vec<&Alternative>) =
            alternatives.iter().partition(|alternative| **alternative == Alternative::Null);
        let mut line_start = self.text.len();
        for (place, alternative) in others.into_iter().chain(nulls).enumerate() {
            if place > 0 {
                if self.text.len() - line_start > UNION_LINE_LENGTH && self.flat_end.is_none() {
                    self.text.push('\n');
                    line_start = self.text.len();
                    self.push("| ");
                } else {
                    self.push(" | ");
                }
            }
            if self.is_too_long {
                return;
            }
            self.write_alternative(alternative, depth);
        }
    }

    fn write_alternative(&mut self, alternative: &Alternative, depth: usize) {
        match alternative {
            Alternative::Null => self.push("null"),
            Alternative::Boolean => self.push("boolean"),
            Alternative::Number => self.push("number"),
            Alternative::Integer => self.use_name(Vocabulary::INTEGER),
            Alternative::String => self.push("string"),
            Alternative::Literal(_, text) => self.push(text),
            Alternative::Array(shape) => self.write_array(shape, depth),
            Alternative::Object(shape) => {
                if !self.write_name(&ValueType::one(alternative.clone())) {
                    self.write_object(shape, depth);
                }
            }
            Alternative::Named(_) if depth >= self.form.depth_max => self.push("unknown"),
            Alternative::Named(place) if self.form.depth_max == usize::MAX => self.use_name(*place),
            Alternative::Named(place) => {
                let value = self.vocabulary.value(*place).clone();
                self.write_at(&value, depth + 1);
            }
            Alternative::All(parts) => {
                for (place, part) in parts.iter().enumerate() {
                    if place > 0 {
                        self.push(" & ");
                    }
                    if self.is_too_long {
                        return;
                    }
                    self.write_enclosed(part, depth);
                }
            }
        }
        if self.flat_end.is_some_and(|end| self.text.len() > end) {
            self.is_too_long = true;
        }
    }

    /// Writes `value`, in parentheses where it would not stay together beside an operator.
    fn write_enclosed(&mut self, value: &ValueType, depth: usize) {
        let start = self.text.len();
        self.write_at(value, depth);
        let is_single = match value.alternatives() {
            [Alternative::All(_)] => false,
            [_] => true,
            _ => *value == ValueType::Unknown || value.is_never(),
        };
        if !is_single && !self.text[start..].bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
            self.text.insert(start, '(');
            self.push(")");
        }
    }

    fn write_array(&mut self, shape: &ArrayShape, depth: usize) {
        if shape.prefix.is_empty() {
            if shape.rest.is_never() {
                self.push("[]");
            } else {
                self.write_enclosed(&shape.rest, depth);
                self.push("[]");
            }
            return;
        }
        self.push("[");
        let mut line_start = self.text.len();
        for (place, item) in shape.prefix.iter().enumerate() {
            if place > 0 {
                let is_full = self.text.len() - line_start > UNION_LINE_LENGTH;
                self.push(if is_full { ",\n" } else { ", " });
                line_start = if is_full { self.text.len() } else { line_start };
            }
            if place < shape.required {
                self.write_at(item, depth);
            } else {
                self.write_enclosed(item, depth);
                self.push("?");
            }
        }
        if !shape.rest.is_never() {
            self.push(", ...");
            self.write_enclosed(&shape.rest, depth);
            self.push("[]");
        }
        self.push("]");
    }

    fn write_object(&mut self, shape: &ObjectShape, depth: usize) {
        if shape.properties.is_empty() {
            return self.write_map(&shape.rest, depth);
        }
        if depth >= self.form.depth_max {
            return self.push("Record<string, unknown>");
        }
        if self.flat_end.is_some() {
            return self.write_flat(shape, depth);
        }
        let start = self.text.len();
        self.flat_end = Some(start + FLAT_LENGTH_MAX);
        self.write_flat(shape, depth);
        self.flat_end = None;
        let was_too_long = std::mem::replace(&mut self.is_too_long, false);
        if was_too_long {
            self.text.truncate(start);
            self.write_lines(shape, depth);
        }
    }

    /// An object without declared properties.
    fn write_map(&mut self, rest: &Rest, depth: usize) {
        match rest {
            Rest::Unsaid | Rest::Values(ValueType::Unknown) => self.push("Record<string, unknown>"),
            Rest::Closed => self.push("Record<string, never>"),
            Rest::Values(_) if depth >= self.form.depth_max => self.push("Record<string, unknown>"),
            // `Record` of a type that it is part of would be circular.
            Rest::Values(values) if !values.mentions_named() => {
                self.push("Record<string, ");
                self.write_at(values, depth + 1);
                self.push(">");
            }
            Rest::Values(_) | Rest::Patterns(..) => {
                self.push("{ ");
                self.write_rest(&[], rest, depth);
                self.push(" }");
            }
        }
    }

    fn write_flat(&mut self, shape: &ObjectShape, depth: usize) {
        self.push("{ ");
        for (place, property) in self.shown(shape).into_iter().enumerate() {
            if self.is_too_long
                || (self.form.is_full && property.note.is_some())
                || self.flat_end.is_some_and(|end| self.text.len() > end)
            {
                self.is_too_long = true;
                return;
            }
            if place > 0 {
                self.push("; ");
            }
            self.write_property(property, depth);
        }
        if !matches!(shape.rest, Rest::Unsaid | Rest::Closed) {
            self.push("; ");
            self.write_rest(&shape.properties, &shape.rest, depth);
        }
        self.push(" }");
    }

    fn write_lines(&mut self, shape: &ObjectShape, depth: usize) {
        self.push("{\n");
        self.indent += 1;
        for property in self.shown(shape) {
            if let (true, Some(note)) = (self.form.is_full, &property.note) {
                self.write_indent();
                self.push("/** ");
                self.push(note);
                self.push(" */\n");
            }
            self.write_indent();
            self.write_property(property, depth);
            self.push(";\n");
        }
        if !matches!(shape.rest, Rest::Unsaid | Rest::Closed) {
            self.write_indent();
            self.write_rest(&shape.properties, &shape.rest, depth);
            self.push(";\n");
        }
        self.indent -= 1;
        self.write_indent();
        self.push("}");
    }

    fn write_indent(&mut self) {
        // One space a level: a model pays for each line's indentation, and a tokenizer takes one space with what is beside it.
        for _ in 0..self.indent {
            self.push(" ");
        }
    }

    /// The properties that the form shows: if it cuts, required ones first.
    fn shown<'s>(&self, shape: &'s ObjectShape) -> Vec<&'s Property> {
        if shape.properties.len() <= self.form.properties_max {
            return shape.properties.iter().collect();
        }
        let required = shape.properties.iter().filter(|property| property.is_required);
        let optional = shape.properties.iter().filter(|property| !property.is_required);
        let left =
            self.form.properties_max.saturating_sub(shape.properties.iter().filter(|property| property.is_required).count());
        required.chain(optional.take(left)).collect()
    }

    fn write_property(&mut self, property: &Property, depth: usize) {
        if is_word(&property.name) && &*property.name != "__proto__" {
            self.push(&property.name);
        } else {
            self.push(&string_literal(&property.name));
        }
        self.push(if property.is_required { ": " } else { "?: " });
        self.write_at(&property.value, depth + 1);
    }

    /// The index signatures for properties beside `properties`, whose values TypeScript wants to be among theirs.
    fn write_rest(&mut self, properties: &[Property], rest: &Rest, depth: usize) {
        match rest {
            Rest::Unsaid | Rest::Closed => {}
            Rest::Values(values) => self.write_index("string", properties.iter(), values, depth),
            Rest::Patterns(patterns, others) => {
                for (place, (pattern, values)) in patterns.iter().enumerate() {
                    if place > 0 {
                        self.push("; ");
                    }
                    let matching = properties.iter().filter(|property| pattern.matches(&property.name));
                    self.write_index(&key_type(pattern), matching, values, depth);
                }
                if let Some(others) = others {
                    let all = ValueType::any_of(patterns.iter().map(|(_, values)| values).chain([others]).cloned());
                    self.push("; ");
                    self.write_index("string", properties.iter(), &all, depth);
                }
            }
        }
    }

    fn write_index<'p>(
        &mut self,
        key: &str,
        properties: impl Iterator<Item = &'p Property> + Clone,
        values: &ValueType,
        depth: usize,
    ) {
        self.push("[key: ");
        self.push(key);
        self.push("]: ");
        let all =
            ValueType::any_of(std::iter::once(values.clone()).chain(properties.clone().map(|property| property.value.clone())));
        self.write_at(&all, depth + 1);
        if all != ValueType::Unknown && properties.into_iter().any(|property| !property.is_required) {
            self.push(" | undefined");
        }
    }
}
