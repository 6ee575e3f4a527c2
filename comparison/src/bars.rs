//! Bars of a page: a label, a bar whose length is the value, and the value as people read it. The scale is linear and begins at nothing, so that twice as
//! long is twice as much. They are elements of the page whose lengths are parts of the width, so that they are readable at any width and have no axis whose labels
//! could meet.

use std::fmt::Write as _;

use crate::markup::escaped;

/// Whose bar it is: its colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Hue {
    Code,
    Classic,
    Other,
}

impl Hue {
    /// The class of the style sheet.
    fn class(self) -> &'static str {
        match self {
            Self::Code => "code",
            Self::Classic => "classic",
            Self::Other => "other",
        }
    }
}

/// One bar.
pub(crate) struct Bar {
    pub(crate) label: String,
    pub(crate) value: f64,
    /// The value as people read it.
    pub(crate) text: String,
    pub(crate) hue: Hue,
}

/// The bars of one comparison, under `heading`: they share a scale, whose end is the longest of `scale_of`, or of themselves.
pub(crate) fn figure(html: &mut String, heading: &str, bars: &[Bar], most: f64) {
    let heading = escaped(heading);
    // Writing to a text cannot fail.
    let _ = writeln!(html, "<figure>\n<figcaption>{heading}</figcaption>\n<dl>");
    for Bar { label, value, text, hue } in bars {
        let part = if most > 0.0 { value / most } else { 0.0 };
        let _ = writeln!(
            html,
            "<div><dt>{}</dt><dd><span class=\"bar {}\" style=\"--length: {part:.4}\"></span> <b>{}</b></dd></div>",
            escaped(label),
            hue.class(),
            escaped(text)
        );
    }
    html.push_str("</dl>\n</figure>\n");
}

/// The longest of some bars.
pub(crate) fn most_of<'bar>(bars: impl IntoIterator<Item = &'bar Bar>) -> f64 {
    bars.into_iter().map(|bar| bar.value).fold(0.0, f64::max)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bar(label: &str, value: f64) -> Bar {
        Bar { label: label.to_owned(), value, text: value.to_string(), hue: Hue::Code }
    }

    #[test]
    fn lengths_are_linear_and_nothing_is_no_length() {
        let bars = [bar("a", 5.0), bar("b", 20.0), bar("c", 0.0)];
        let mut html = String::new();
        figure(&mut html, "tokens", &bars, most_of(&bars));
        for length in ["--length: 0.2500", "--length: 1.0000", "--length: 0.0000"] {
            assert!(html.contains(length), "{html}");
        }
        let mut html = String::new();
        figure(&mut html, "nothing", &[bar("a", 0.0)], 0.0);
        assert!(html.contains("--length: 0.0000"), "{html}");
    }

    #[test]
    fn a_label_cannot_become_markup() {
        let mut html = String::new();
        figure(&mut html, "<i>", &[bar("</dt><script>alert(1)</script>", 3.0)], 3.0);
        assert!(!html.contains("<script") && !html.contains("<i>"), "{html}");
        assert!(html.contains("&lt;script&gt;"), "{html}");
    }
}
