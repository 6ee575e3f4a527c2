//! The declarations of one server in one scope: its named types, and each of its tools in full and as a signature.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::comment;
use crate::render::{Form, Writer};
use crate::reply_shape::ReplyShape;
use crate::scoped_tool::ScopedTool;
use crate::shape::{Alternative, ValueType};
use crate::vocabulary::{Signature, Vocabulary};

/// The most bytes of the declaration of one tool, or of one named type; what is longer is shown with less.
pub const TOOL_TEXT_BYTES_MAX: usize = 48 << 10;

/// The most characters of a tool's description.
const DESCRIPTION_LENGTH_MAX: usize = 4_000;

/// The most characters of the one line beside a signature.
const SUMMARY_LENGTH_MAX: usize = 120;

/// The most characters of a server's name for a tool.
const NAME_LENGTH_MAX: usize = 80;

/// A piece of declarations, and the named types that it uses.
#[derive(Clone, Debug, Default)]
pub(crate) struct Piece {
    pub(crate) text: String,
    pub(crate) uses: BTreeSet<usize>,
}

/// The declarations of one server.
#[derive(Debug)]
pub(crate) struct ServerDeclarations {
    pub(crate) namespace: Arc<str>,
    /// The line that begins the namespace.
    pub(crate) opening: String,
    vocabulary: Vocabulary,
    types: Vec<Piece>,
    shapes: Vec<Signature>,
    /// The index of the server's first tool in its scope.
    pub(crate) first: usize,
}

impl ServerDeclarations {
    /// The declarations of `tools`, which are all tools of one server in a scope, in order.
    pub(crate) fn of(tools: &[ScopedTool]) -> Self {
        let namespace: Arc<str> = Arc::from(tools[0].namespace());
        let (vocabulary, shapes) = Vocabulary::of(tools);
        let types = (0..vocabulary.len()).map(|place| type_piece(&vocabulary, place)).collect();
        let server = tools[0].server();
        let origin = if *namespace == *server { String::new() } else { format!(" // {}", comment::line(server, 80)) };
        let opening = format!("declare namespace {namespace} {{{origin}\n");
        Self { namespace, opening, vocabulary, types, shapes, first: tools[0].index() as usize }
    }

    /// The full declaration of `tool`.
    pub(crate) fn full(&self, tool: &ScopedTool) -> Piece {
        let description =
            comment::block(tool.description().or(tool.definition().title()).unwrap_or_default(), DESCRIPTION_LENGTH_MAX);
        let description = with_mapped_name(tool, description);
        let mut text = if description.is_empty() { String::new() } else { format!("/** {description} */\n") };
        let function = [Form::FULL, Form::BARE, Form::OUTLINE]
            .into_iter()
            .map(|form| self.function(tool.identifier(), tool, form, None))
            .find(|piece| piece.text.len() <= TOOL_TEXT_BYTES_MAX)
            .unwrap_or_else(|| Piece {
                text: format!("{}(args?: Record<string, unknown>): Promise<unknown>", tool.identifier()),
                uses: BTreeSet::new(),
            });
        text.push_str("function ");
        text.push_str(&function.text);
        text.push_str(";\n");
        Piece { text, uses: function.uses }
    }

    /// The declaration of `tool` on one line, with the beginning of its description.
    pub(crate) fn compact(&self, tool: &ScopedTool) -> Piece {
        let Piece { text, uses } = self.function(tool.identifier(), tool, Form::COMPACT, None);
        let summary = with_mapped_name(tool, summary(tool));
        let remark = if summary.is_empty() { String::new() } else { format!(" // {summary}") };
        Piece { text: format!("function {text};{remark}\n"), uses }
    }

    /// What a guest writes to call `tool`, with types: `github.create_issue(args: { ... }): Promise<...>`; and the declarations of the
    /// recursive types in it. It has no words of other tools, so those of its server need not be made for it. `seen`: what it gives, if it does not
    /// say so itself.
    pub(crate) fn alone(tool: &ScopedTool, form: Form, seen: Option<&ReplyShape>) -> (String, String) {
        let server = Self::of(std::slice::from_ref(tool));
        let Piece { text, uses } = server.function(tool.path(), tool, form, seen);
        let named = server.types_for(uses).into_iter().filter(|place| *place != Vocabulary::INTEGER);
        (text, named.map(|place| server.type_text(place)).collect())
    }

    fn function(&self, name: &str, tool: &ScopedTool, form: Form, seen: Option<&ReplyShape>) -> Piece {
        let shape = &self.shapes[tool.index() as usize - self.first];
        let mut writer = Writer::new(&self.vocabulary, form);
        writer.push(name);
        writer.push(if needs_arguments(&shape.input, &self.vocabulary) { "(args: " } else { "(args?: " });
        writer.write(&shape.input);
        writer.push("): Promise<");
        match (&shape.output, seen) {
            (Some(output), _) => writer.write(output),
            (None, Some(seen)) => writer.write(&seen.value_type()),
            (None, None) => writer.push("unknown"),
        }
        writer.push(">");
        let (text, uses) = writer.finish();
        Piece { text, uses }
    }

    /// The named types that `pieces` need, those that these need among them, in the order of the vocabulary.
    pub(crate) fn types_for(&self, uses: impl IntoIterator<Item = usize>) -> BTreeSet<usize> {
        let mut needed = BTreeSet::new();
        let mut waiting: Vec<usize> = uses.into_iter().collect();
        while let Some(place) = waiting.pop() {
            if needed.insert(place) {
                waiting.extend(&self.types[place].uses);
            }
        }
        needed
    }

    /// The declaration of the named type `place`.
    pub(crate) fn type_text(&self, place: usize) -> &str {
        &self.types[place].text
    }

    /// The namespace with `pieces` and the types that they need.
    pub(crate) fn assemble(&self, pieces: &[Piece]) -> String {
        let mut text = self.opening.clone();
        for place in self.types_for(pieces.iter().flat_map(|piece| piece.uses.iter().copied())) {
            text.push_str(self.type_text(place));
        }
        for piece in pieces {
            text.push_str(&piece.text);
        }
        text.push_str("}\n");
        text
    }
}

/// The first sentence of what `tool` says it does.
pub(crate) fn summary(tool: &ScopedTool) -> String {
    comment::first_sentence(tool.description().or(tool.definition().title()).unwrap_or_default(), SUMMARY_LENGTH_MAX)
}

/// `words` after what the server calls `tool`, where that is no identifier: grants and records have that name.
fn with_mapped_name(tool: &ScopedTool, words: String) -> String {
    match tool.mapped_name().map(|name| comment::line(name, NAME_LENGTH_MAX)) {
        Some(name) if !name.is_empty() && words.is_empty() => name,
        Some(name) if !name.is_empty() => format!("{name}: {words}"),
        _ => words,
    }
}

fn type_piece(vocabulary: &Vocabulary, place: usize) -> Piece {
    let name = vocabulary.name(place);
    for form in [Form::FULL, Form::BARE, Form::OUTLINE] {
        let mut writer = Writer::new(vocabulary, form);
        writer.write_declaration(name, vocabulary.value(place));
        let (text, uses) = writer.finish();
        if text.len() <= TOOL_TEXT_BYTES_MAX {
            return Piece { text: text + "\n", uses };
        }
    }
    Piece { text: format!("type {name} = unknown;\n"), uses: BTreeSet::new() }
}

/// Whether a call without arguments would not match `input`.
fn needs_arguments(input: &ValueType, vocabulary: &Vocabulary) -> bool {
    input.alternatives().iter().all(|alternative| match alternative {
        Alternative::Object(shape) => shape.properties.iter().any(|property| property.is_required),
        Alternative::All(parts) => parts.iter().any(|part| needs_arguments(part, vocabulary)),
        Alternative::Named(place) => match vocabulary.value(*place).alternatives() {
            [Alternative::Object(shape)] => shape.properties.iter().any(|property| property.is_required),
            _ => true,
        },
        _ => true,
    })
}
