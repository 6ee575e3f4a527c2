//! Text of programs and servers on a terminal: shown, never obeyed.

/// `text` with its control characters, other than line feed and tab, made visible: a terminal would take them for commands.
pub(crate) fn visible(text: &str) -> String {
    let mut visible = String::with_capacity(text.len());
    for character in text.chars() {
        if character.is_control() && !matches!(character, '\n' | '\t') {
            visible.extend(character.escape_default());
        } else {
            visible.push(character);
        }
    }
    visible
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_for_the_terminal_becomes_text() {
        assert_eq!(visible("a\tb\nc"), "a\tb\nc");
        assert_eq!(visible("\u{1b}[2J\r\u{9b}"), "\\u{1b}[2J\\r\\u{9b}");
        assert_eq!(visible("é😀"), "é😀");
    }
}
