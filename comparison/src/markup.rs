//! Text as HTML.

/// Text as HTML: names of servers and words of tools are other people's.
pub(crate) fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
