//! A long text without its middle: what it is about stands at its beginning, and most errors say what they are at their end.

use std::ops::Range;

/// The text without what is in `middle`, which begins and ends between characters, and how much that was.
pub(crate) fn without(text: &str, middle: Range<usize>) -> String {
    let (head, tail) = (&text[..middle.start], &text[middle.end..]);
    let (all, left_out) = (text.chars().count(), text[middle].chars().count());
    format!("{head}… {left_out} of {all} characters left out …{tail}")
}

/// The text, or three quarters of so many characters at its beginning and a quarter at its end.
pub(crate) fn within_characters(text: &str, characters_max: usize) -> String {
    let characters = text.chars().count();
    if characters <= characters_max {
        return text.to_owned();
    }
    let tail = characters_max / 4;
    let offset = |character: usize| text.char_indices().nth(character).map_or(text.len(), |(offset, _)| offset);
    without(text, offset(characters_max - tail)..offset(characters - tail))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_keeps_its_beginning_and_its_end_by_characters() {
        assert_eq!(within_characters("äöüß", 4), "äöüß");
        assert_eq!(within_characters("äöüßé", 4), "äöü… 1 of 5 characters left out …é");
        assert_eq!(within_characters("äöüß", 3), "äöü… 1 of 4 characters left out …");
        assert_eq!(within_characters("äö", 0), "… 2 of 2 characters left out …");
    }
}
