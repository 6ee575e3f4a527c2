//! Changes of a text that keep its places: parts blanked, and little inserted.

use std::iter;
use std::ops::Range;

use isolet_snapshots::stack::Position;

use super::syntax;

/// What makes another program of a text. Lines stay.
#[derive(Debug, Default)]
pub(super) struct Edits {
    /// Parts that become spaces.
    blanked: Vec<Range<usize>>,
    /// Places, in order, and what is inserted there.
    inserted: Vec<(usize, String)>,
}

impl Edits {
    pub(super) fn blank(mut self, bytes: Range<usize>) -> Self {
        self.blanked.push(bytes);
        self
    }

    pub(super) fn insert(mut self, place: usize, text: impl Into<String>) -> Self {
        self.inserted.push((place, text.into()));
        self
    }

    /// Calls the function there, and returns its value.
    pub(super) fn call(self, function: Range<usize>) -> Self {
        self.insert(function.start, "return (").insert(function.end, ")()")
    }

    /// Calls a function by its name after everything, and returns its value.
    pub(super) fn call_by_name(self, name: &str, end: usize) -> Self {
        self.insert(end, format!(";return {name}()"))
    }

    /// The text that they make of `text`.
    pub(super) fn text(&self, text: &str) -> String {
        let mut edited = String::with_capacity(text.len() + 64);
        let mut inserted = self.inserted.iter().peekable();
        for (place, character) in text.char_indices() {
            while let Some((_, added)) = inserted.next_if(|(at, _)| *at <= place) {
                edited.push_str(added);
            }
            if character != '\n' && self.blanked.iter().any(|blanked| blanked.contains(&place)) {
                edited.extend(iter::repeat_n(' ', character.len_utf16()));
            } else {
                edited.push(character);
            }
        }
        inserted.for_each(|(_, added)| edited.push_str(added));
        edited
    }

    pub(super) fn insertions(&self, text: &str) -> Vec<Insertion> {
        let insertion = |(place, added): &(usize, String)| Insertion {
            place: syntax::position_in(text, *place),
            units: u32::try_from(added.encode_utf16().count()).unwrap_or(0),
        };
        self.inserted.iter().map(insertion).collect()
    }
}

/// Text on one line that was not written.
#[derive(Clone, Copy, Debug)]
pub(super) struct Insertion {
    place: Position,
    units: u32,
}

impl Insertion {
    /// A place in the text with the insertion as one in the text without it, but for insertions after it.
    pub(super) fn undone(self, position: Position) -> Position {
        let Self { place, units } = self;
        if position.line != place.line || position.column <= place.column {
            return position;
        }
        Position { column: position.column.saturating_sub(units).max(place.column), ..position }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_those_of_the_text() {
        let text = "// 😀\nvoid 😀 f(x) // ’";
        let start = text.find("f(x)").unwrap_or_default();
        let edits = Edits::default().blank(text.find("void").unwrap_or_default()..start).call(start..start + 4);
        assert_eq!(edits.text(text), "// 😀\n        return (f(x))() // ’");
        let [before, after] = edits.insertions(text)[..] else { unreachable!("two were inserted") };
        let written = |column| after.undone(before.undone(Position { line: 2, column })).column;
        // Of `return (` the first and the last character, of `f(x)`, of `)()`, and what comes after.
        assert_eq!([9, 16, 17, 20, 21, 23, 24, 25].map(written), [9, 9, 9, 12, 13, 13, 13, 14]);
        assert_eq!(before.undone(Position { line: 1, column: 20 }), Position { line: 1, column: 20 });
    }

    #[test]
    fn lines_stay_where_they_are_blanked() {
        assert_eq!(Edits::default().blank(0..6).text("void\n f()"), "    \n f()");
        assert_eq!(Edits::default().call_by_name("f", 3).text("a()"), "a();return f()");
    }
}
