//! Beginnings of texts that a stranger wrote: what is long is cut without being gone through, since thousands of operations may share it.

/// The first characters of `text`.
pub(crate) fn beginning(text: &str, length_max: usize) -> &str {
    match text.char_indices().nth(length_max) {
        Some((end, _)) => text.get(..end).unwrap_or(text),
        None => text,
    }
}

/// The first characters of `text`, the last of them an ellipsis if there are more.
pub(crate) fn cut(text: &str, length_max: usize) -> String {
    let kept = beginning(text, length_max);
    if kept.len() == text.len() { kept.to_owned() } else { format!("{}…", beginning(kept, length_max.saturating_sub(1))) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_cut_between_characters() {
        assert_eq!((beginning("aüb", 2), beginning("aüb", 3), beginning("", 0)), ("aü", "aüb", ""));
        assert_eq!((cut("aüb", 3).as_str(), cut("aübc", 3).as_str()), ("aüb", "aü…"));
    }
}
