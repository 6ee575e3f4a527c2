//! A path with names in it, and what it becomes when they are filled in: always a path below the one that the document has.

use percent_encoding::percent_decode_str;

use crate::fault::OperationError;

/// The most bytes of a path.
const PATH_BYTES_MAX: usize = 2_000;

/// How often a path may have been encoded before it is no longer believed to be one.
const ENCODED_MAX: usize = 5;

/// `/pets/{id}`, and the query that some documents write behind it: `/messages?beta=true`.
#[derive(Clone, Debug)]
pub(crate) struct PathTemplate {
    text: String,
    /// The path alone.
    path: String,
    query: Option<String>,
    parts: Vec<Part>,
}

#[derive(Clone, Debug)]
enum Part {
    Text(String),
    Name(String),
}

impl PathTemplate {
    /// Reads a path of a document.
    pub(crate) fn parse(text: &str) -> Result<Self, OperationError> {
        let wrong = |what: &str| Err(OperationError::Path { what: what.to_owned() });
        let (path, query) = text.split_once('?').map_or((text, None), |(path, query)| (path, Some(query)));
        if !path.starts_with('/') {
            return wrong("it does not begin with a slash");
        }
        if text.len() > PATH_BYTES_MAX {
            return wrong("it is too long");
        }
        if text.contains(|c: char| c.is_control() || "#\\".contains(c)) {
            return wrong("it has a fragment or a character that no path has");
        }
        if query.is_some_and(|query| query.contains(|c: char| c.is_whitespace() || "{}".contains(c))) {
            return wrong("its query is not a fixed one");
        }
        let mut parts = Vec::new();
        let mut rest = path;
        while let Some((before, after)) = rest.split_once('{') {
            let Some((name, after)) = after.split_once('}') else { return wrong("a brace is not closed") };
            if name.is_empty() || name.contains('{') || before.contains('}') {
                return wrong("its braces do not match");
            }
            parts.push(Part::Text(before.to_owned()));
            parts.push(Part::Name(name.to_owned()));
            rest = after;
        }
        if rest.contains('}') {
            return wrong("its braces do not match");
        }
        parts.push(Part::Text(rest.to_owned()));
        if path.split('/').any(is_dots) {
            return wrong("it leaves itself with `..`");
        }
        let query = query.filter(|query| !query.is_empty()).map(str::to_owned);
        Ok(Self { text: text.to_owned(), path: path.to_owned(), query, parts })
    }

    /// As the document has it.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// The query that belongs to it.
    pub(crate) fn query(&self) -> Option<&str> {
        self.query.as_deref()
    }

    /// The names in it.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.parts.iter().filter_map(|part| match part {
            Part::Name(name) => Some(name.as_str()),
            Part::Text(_) => None,
        })
    }

    /// The path with each name replaced by what `fill` gives for it, which is encoded already.
    ///
    /// `None` if that would be another path than the document has: `..` is one level up, whoever wrote it, and so is nothing at all.
    pub(crate) fn filled(&self, fill: impl Fn(&str) -> String) -> Option<String> {
        let mut path = String::new();
        for part in &self.parts {
            match part {
                Part::Text(text) => path.push_str(text),
                Part::Name(name) => path.push_str(&fill(name)),
            }
        }
        let is_same_depth = path.matches('/').count() == self.path.matches('/').count();
        let has_lost =
            path.split('/').zip(self.path.split('/')).any(|(filled, template)| filled.is_empty() && !template.is_empty());
        (is_same_depth && !has_lost && !path.split('/').any(is_dots)).then_some(path)
    }
}

/// Whether anybody on the way takes `segment`, or a part of it, for "here" or "one level up": proxies decode `%2F` before they look, some
/// twice; to some `\` is a slash; and Java servers cut a segment at its `;`.
fn is_dots(segment: &str) -> bool {
    let mut text = segment.to_owned();
    for _ in 0..ENCODED_MAX {
        if text.split(['/', '\\']).any(|part| matches!(part.split(';').next(), Some("." | ".."))) {
            return true;
        }
        let decoded = percent_decode_str(&text).decode_utf8_lossy().into_owned();
        if decoded == text {
            return false;
        }
        text = decoded;
    }
    true
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test stops where it fails")]
    use super::*;

    #[test]
    fn names_are_found_and_filled_in() {
        let path = PathTemplate::parse("/a/{b}/c.{d}-{b}").unwrap();
        assert_eq!(path.names().collect::<Vec<_>>(), ["b", "d", "b"]);
        assert_eq!(path.filled(|name| name.to_uppercase()).as_deref(), Some("/a/B/c.D-B"));
        assert_eq!(PathTemplate::parse("/").unwrap().filled(|_| String::new()).as_deref(), Some("/"));
        assert_eq!(PathTemplate::parse("/a//b/").unwrap().filled(|_| String::new()).as_deref(), Some("/a//b/"));
    }

    #[test]
    fn a_fixed_query_belongs_to_the_path() {
        let path = PathTemplate::parse("/a/{b}?c=d&e").unwrap();
        assert_eq!((path.text(), path.query()), ("/a/{b}?c=d&e", Some("c=d&e")));
        assert_eq!(path.filled(|_| "x".to_owned()).as_deref(), Some("/a/x"));
        assert_eq!(PathTemplate::parse("/a?").unwrap().query(), None);
    }

    #[test]
    fn no_value_leads_out_of_the_path() {
        let path = PathTemplate::parse("/users/{id}/keys").unwrap();
        for value in
            ["..", ".", "%2e%2e", "%2E.", ".%2e", "", "a/b", "/", "a%2F..", "..%5Ca", "%252e%252E%252fa", "..;a", "a%2F.%3B"]
        {
            assert_eq!(path.filled(|_| value.to_owned()), None, "{value:?}");
        }
        for value in ["...", "a..b", "..a", "%2F", "a%2Fb", "a;..", "%2525", "%"] {
            assert!(path.filled(|_| value.to_owned()).is_some(), "{value:?}");
        }
        assert_eq!(PathTemplate::parse("/{a}.{b}").unwrap().filled(|_| String::new()), None);
    }

    #[test]
    fn what_is_no_path_is_refused() {
        for text in [
            "",
            "a",
            "https://e.x/",
            "/a?b={c}",
            "/a?b c",
            "?a",
            "/a#b",
            "/a\\b",
            "/{a",
            "/a}",
            "/{}",
            "/{a{b}}",
            "/a/../b",
            "/%2e%2E/b",
            "/a/..%2fb",
            "/a/..;/b",
            "/a\nb",
        ] {
            assert!(matches!(PathTemplate::parse(text), Err(OperationError::Path { .. })), "{text:?}");
        }
        assert!(PathTemplate::parse(&format!("/{}", "a".repeat(3000))).is_err());
    }
}
