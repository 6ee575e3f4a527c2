//! What a server lists, as text: its definitions byte for byte, whatever they are. `isolet-bindings` judges them, one by one.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use isolet_bindings::SERVER_TOOLS_MAX;
use isolet_rpc::envelope::object;
use serde::Deserialize;
use serde_json::value::RawValue;

/// How long a list is used when its server does not say: servers of the older era never do.
const LIFE_DEFAULT: Duration = Duration::from_secs(300);

/// The longest that a list is used, whatever its server says.
const LIFE_MAX: Duration = Duration::from_secs(24 * 3600);

/// The longest name of a tool that a catalog takes, bytes: 128 characters.
const NAME_BYTES_MAX: usize = 512;

/// All pages of one `tools/list`.
#[derive(Debug)]
pub(super) struct ToolList {
    /// The definitions, joined by commas.
    definitions: String,
    wrapping: Arc<Wrapping>,
    is_private: bool,
    made: Instant,
    life: Option<Duration>,
}

/// One page of a `tools/list` result.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Page<'text> {
    #[serde(borrow)]
    tools: Vec<&'text RawValue>,
    #[serde(borrow, default)]
    next_cursor: Option<&'text RawValue>,
    #[serde(borrow, default)]
    ttl_ms: Option<&'text RawValue>,
    #[serde(borrow, default)]
    cache_scope: Option<&'text RawValue>,
}

/// The tools of a server whose results are wrapped: see [`isolet_bindings::Tool::unwraps_result`]. All that is kept of a list while its server runs.
#[derive(Clone, Debug, Default)]
pub(super) struct Wrapping(HashSet<String>);

impl Wrapping {
    /// Whether the results of `tool` are wrapped.
    pub(super) fn has(&self, tool: &str) -> bool {
        self.0.contains(tool)
    }
}

/// Any tool.
#[derive(Deserialize)]
struct NamedTool {
    name: String,
}

/// A tool whose output is wrapped.
#[derive(Deserialize)]
struct WrappingTool {
    name: String,
    #[serde(rename = "outputSchema")]
    output_schema: WrappingSchema,
}

#[derive(Deserialize)]
struct WrappingSchema {
    #[serde(rename = "x-fastmcp-wrap-result")]
    is_wrapped: bool,
}

impl<'text> Page<'text> {
    /// Where the next page begins, as the server wrote it; none after the last one. An empty text is a cursor as any other.
    pub(super) fn next_cursor(&self) -> Option<&'text RawValue> {
        self.next_cursor
    }
}

impl Default for ToolList {
    fn default() -> Self {
        Self { definitions: String::new(), wrapping: Arc::default(), is_private: false, made: Instant::now(), life: None }
    }
}

impl ToolList {
    /// Appends the definitions of `page`.
    pub(super) fn add(&mut self, page: &Page<'_>) {
        for tool in &page.tools {
            if !self.definitions.is_empty() {
                self.definitions.push(',');
            }
            self.definitions.push_str(tool.get());
            if let Ok(WrappingTool { name, output_schema: WrappingSchema { is_wrapped: true } }) = object(tool.get())
                && name.len() <= NAME_BYTES_MAX
                && self.wrapping.0.len() < SERVER_TOOLS_MAX
            {
                Arc::make_mut(&mut self.wrapping).0.insert(name);
            }
        }
        self.is_private |= page.cache_scope.is_some_and(|scope| scope.get() == "\"private\"");
        if let Some(life_ms) = page.ttl_ms.and_then(|life| life.get().parse().ok()) {
            let life = Duration::from_millis(life_ms).min(LIFE_MAX);
            self.life = Some(self.life.map_or(life, |other| other.min(life)));
        }
    }

    /// Whether the last definitions are those of `page`.
    pub(super) fn ends_with(&self, page: &Page<'_>) -> bool {
        let mut rest = self.definitions.as_str();
        page.tools.iter().rev().enumerate().all(|(place, tool)| {
            let before = if place == 0 { Some(rest) } else { rest.strip_suffix(',') };
            before.and_then(|before| before.strip_suffix(tool.get())).is_some_and(|before| {
                rest = before;
                true
            })
        })
    }

    /// Whether a tool of this name is among them.
    pub(super) fn has(&self, name: &str) -> bool {
        let list = self.json();
        let tools: Vec<&RawValue> = serde_json::from_str(&list).unwrap_or_default();
        tools.iter().any(|tool| object::<NamedTool>(tool.get()).is_ok_and(|tool| tool.name == name))
    }

    /// The definitions as the text of a JSON array.
    pub(super) fn json(&self) -> String {
        format!("[{}]", self.definitions)
    }

    /// The length of the definitions.
    pub(super) fn bytes(&self) -> usize {
        self.definitions.len()
    }

    /// The tools whose results are wrapped.
    pub(super) fn wrapping(&self) -> &Arc<Wrapping> {
        &self.wrapping
    }

    /// Whether the server says that the list is for this user only.
    pub(super) fn is_private(&self) -> bool {
        self.is_private
    }

    /// Whether the list is still to be used.
    pub(super) fn is_fresh(&self) -> bool {
        self.made.elapsed() < self.life.unwrap_or(LIFE_DEFAULT)
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    fn list(pages: &[&str]) -> ToolList {
        let mut list = ToolList::default();
        for page in pages {
            list.add(&object(page).unwrap());
        }
        list
    }

    #[test]
    fn definitions_are_kept_byte_for_byte_across_pages() {
        assert_eq!(list(&[]).json(), "[]");
        let pages = [
            r#"{"tools": [{"name": "\ud800"}, 7], "nextCursor": "2"}"#,
            r#"{"tools": []}"#,
            r#"{"tools": [{ "name" : "b" }]}"#,
        ];
        assert_eq!(list(&pages).json(), r#"[{"name": "\ud800"},7,{ "name" : "b" }]"#);
    }

    #[test]
    fn a_cursor_is_whatever_its_server_wrote_and_none_is_none() {
        let cursor = |page: &str| object::<Page<'_>>(page).unwrap().next_cursor().map(|cursor| cursor.get().to_owned());
        assert_eq!(cursor(r#"{"tools": [], "nextCursor": "x"}"#).as_deref(), Some("\"x\""));
        assert_eq!(cursor(r#"{"tools": [], "nextCursor": ""}"#).as_deref(), Some("\"\""));
        assert_eq!(cursor(r#"{"tools": [], "nextCursor": 1}"#).as_deref(), Some("1"));
        assert_eq!(cursor(r#"{"tools": [], "nextCursor": null}"#), None);
        assert_eq!(cursor(r#"{"tools": []}"#), None);
    }

    #[test]
    fn a_page_that_is_there_already_is_known() {
        let pages = [
            r#"{"tools": [{"name": "a"}, 7]}"#,
            r#"{"tools": [7]}"#,
            r#"{"tools": [17]}"#,
            r#"{"tools": []}"#,
            r#"{"tools": [[7]]}"#,
        ];
        let listed = list(&pages[..1]);
        let is_known = pages.map(|page| listed.ends_with(&object(page).unwrap()));
        assert_eq!(is_known, [true, true, false, true, false]);
    }

    #[test]
    fn the_tools_that_wrap_their_results_are_known() {
        let list = list(&[
            r#"{"tools": [{"name": "a", "outputSchema": {"x-fastmcp-wrap-result": true}}, {"name": "b", "outputSchema": {"x-fastmcp-wrap-result": 1}}, {"name": "c"}]}"#,
        ]);
        assert_eq!(["a", "b", "c"].map(|tool| list.wrapping().has(tool)), [true, false, false]);
    }

    #[test]
    fn a_list_lives_as_its_server_says_within_bounds() {
        assert!(list(&[r#"{"tools": [], "ttlMs": 60000}"#]).is_fresh());
        assert!(!list(&[r#"{"tools": [], "ttlMs": 0}"#]).is_fresh());
        assert!(list(&[r#"{"tools": [], "ttlMs": -1}"#, r#"{"tools": [], "ttlMs": "soon"}"#]).is_fresh());
        assert!(list(&[r#"{"tools": [], "cacheScope": "private"}"#, r#"{"tools": []}"#]).is_private());
        assert!(!list(&[r#"{"tools": [], "cacheScope": "public"}"#]).is_private());
    }
}
