//! What one server lists beside its tools: kept for a while, as text, until the server says that it has changed.

use std::sync::Arc;
use std::time::{Duration, Instant};

use isolet_rpc::envelope::object;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::list::List;

/// How long a list is used of whose changes nothing is heard.
const LIFE: Duration = Duration::from_secs(60);

/// The most bytes of a list that are kept: thousands of resources. What is beyond is not there.
const BYTES_MAX: usize = 1 << 20;

/// The lists of one server.
#[derive(Default)]
pub(super) struct ServerOffers {
    resources: tokio::sync::Mutex<Option<Kept>>,
    templates: tokio::sync::Mutex<Option<Kept>>,
    prompts: tokio::sync::Mutex<Option<Kept>>,
}

impl ServerOffers {
    /// The place of a list. Held while the server is asked, so that it is asked once.
    pub(super) fn place(&self, list: List) -> &tokio::sync::Mutex<Option<Kept>> {
        match list {
            List::Resources => &self.resources,
            List::Templates => &self.templates,
            List::Prompts => &self.prompts,
        }
    }
}

/// A list that was asked for.
pub(super) struct Kept {
    list: Arc<str>,
    at: Instant,
    /// How often the server had said then that something has changed.
    changes: u64,
}

impl Kept {
    pub(super) fn new(list: Arc<str>, changes: u64) -> Self {
        Self { list, at: Instant::now(), changes }
    }

    /// The list, if it is still to be used where there have been so many changes.
    pub(super) fn fresh(&self, changes: u64) -> Option<Arc<str>> {
        (self.changes == changes && self.at.elapsed() < LIFE).then(|| Arc::clone(&self.list))
    }
}

/// One page of a list, whatever it lists.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Page<'text> {
    #[serde(borrow, default)]
    resources: Vec<&'text RawValue>,
    #[serde(borrow, default)]
    resource_templates: Vec<&'text RawValue>,
    #[serde(borrow, default)]
    prompts: Vec<&'text RawValue>,
    #[serde(borrow, default)]
    next_cursor: Option<&'text RawValue>,
}

impl<'text> Page<'text> {
    pub(super) fn read(text: &'text str) -> Option<Self> {
        object(text).ok()
    }

    /// Appends what the page has of `list` to `elements`, those of an array; whether there is room for all of it.
    pub(super) fn add_to(&self, list: List, elements: &mut String) -> bool {
        let items = match list {
            List::Resources => &self.resources,
            List::Templates => &self.resource_templates,
            List::Prompts => &self.prompts,
        };
        for item in items {
            if elements.len() + 1 + item.get().len() > BYTES_MAX {
                return false;
            }
            if !elements.is_empty() {
                elements.push(',');
            }
            elements.push_str(item.get());
        }
        true
    }

    /// Where the next page begins, as the server wrote it; none after the last one.
    pub(super) fn next_cursor(&self) -> Option<String> {
        self.next_cursor.map(|cursor| cursor.get().to_owned())
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    #[test]
    fn pages_are_joined_byte_for_byte() {
        let mut list = String::new();
        for page in [r#"{"prompts": [{ "name" : 1.0 }], "resources": [7], "nextCursor": ""}"#, r#"{"prompts": [2]}"#] {
            assert!(Page::read(page).unwrap().add_to(List::Prompts, &mut list));
        }
        assert_eq!(list, r#"{ "name" : 1.0 },2"#);
        assert_eq!(Page::read(r#"{"nextCursor": ""}"#).unwrap().next_cursor().as_deref(), Some("\"\""));
        assert!(Page::read("[]").is_none());
        let page = format!(r#"{{"resources": ["{}", 1]}}"#, "x".repeat(BYTES_MAX - 3));
        let mut list = String::new();
        assert!(!Page::read(&page).unwrap().add_to(List::Resources, &mut list), "the second has no room");
        assert_eq!(list.len(), BYTES_MAX - 1);
    }

    #[test]
    fn a_list_is_used_until_its_server_says_otherwise() {
        let kept = Kept::new("".into(), 3);
        assert!(kept.fresh(3).is_some() && kept.fresh(4).is_none());
    }
}
