//! The shapes of all principals, bounded.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use isolet_bindings::{ContentHash, ReplyShape};

/// Shapes that are kept, of all principals and tools. Those used longest ago go first.
pub const SHAPES_MAX: usize = 20_000;
/// Principals whose shapes of one tool are kept.
pub const SHAPES_OF_TOOL_MAX: usize = 256;
/// As many principals' replies had what others are shown of a shared server.
pub const PRINCIPALS_MIN: usize = 3;

/// How many go at a time where there is no room: finding them is a walk through all.
const LET_GO: usize = SHAPES_MAX / 8;

/// Whose shape, and of which tool: of which definition of it, so that a tool that has changed begins anew.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Key {
    pub(crate) principal: Arc<str>,
    pub(crate) tool: ContentHash,
}

/// The servers of which names are published.
pub(crate) type Shared = HashSet<String>;

/// The shapes.
#[derive(Debug, Default)]
pub(crate) struct Records {
    tools: HashMap<ContentHash, OfTool>,
    count: usize,
    /// The number of the last use.
    uses: u64,
}

/// The shapes of one tool.
#[derive(Debug, Default)]
struct OfTool {
    of: HashMap<Arc<str>, Record>,
    /// What everybody is shown, of a shared server.
    published: Option<Arc<ReplyShape>>,
}

#[derive(Debug)]
struct Record {
    shape: Arc<ReplyShape>,
    used: u64,
}

impl Records {
    /// Adds what a reply was like. Whether that is worth to be kept anew: more was seen than before, or twice as much.
    pub(crate) fn observe(&mut self, key: &Key, shape: &ReplyShape, is_shared: bool) -> bool {
        let used = self.next_use();
        let tool = self.tools.entry(key.tool).or_default();
        let is_wider = match tool.of.get_mut(&key.principal) {
            Some(record) => {
                record.used = used;
                Arc::make_mut(&mut record.shape).absorb(shape)
            }
            None => {
                self.count += 1;
                let mut first = ReplyShape::default();
                first.absorb(shape);
                tool.of.insert(Arc::clone(&key.principal), Record { shape: Arc::new(first), used });
                true
            }
        };
        let replies = tool.of.get(&key.principal).map_or(0, |record| record.shape.replies());
        if is_wider && is_shared {
            tool.publish();
        }
        if tool.of.len() > SHAPES_OF_TOOL_MAX {
            self.count -= tool.let_go();
        }
        if self.count > SHAPES_MAX {
            self.let_go();
        }
        is_wider || replies.is_power_of_two()
    }

    /// What the principal may be shown.
    pub(crate) fn seen(&mut self, key: &Key, is_shared: bool) -> Option<Arc<ReplyShape>> {
        let used = self.next_use();
        let tool = self.tools.get_mut(&key.tool)?;
        let own = tool.of.get_mut(&key.principal).map(|record| {
            record.used = used;
            Arc::clone(&record.shape)
        });
        if is_shared && tool.published.is_none() {
            tool.publish();
        }
        let published = tool.published.as_ref().filter(|_| is_shared).cloned();
        match (own, published) {
            (Some(own), Some(published)) => Some(Arc::new(own.or(&published))),
            (own, published) => own.or(published),
        }
    }

    /// The principal's own.
    pub(crate) fn own(&self, key: &Key) -> Option<Arc<ReplyShape>> {
        Some(Arc::clone(&self.tools.get(&key.tool)?.of.get(&key.principal)?.shape))
    }

    fn next_use(&mut self) -> u64 {
        self.uses += 1;
        self.uses
    }

    /// Lets those go that were used longest ago.
    fn let_go(&mut self) {
        let mut uses: Vec<u64> = self.tools.values().flat_map(|tool| tool.of.values()).map(|record| record.used).collect();
        let place = LET_GO.min(uses.len().saturating_sub(1));
        let (_, oldest_kept, _) = uses.select_nth_unstable(place);
        let oldest_kept = *oldest_kept;
        for tool in self.tools.values_mut() {
            tool.of.retain(|_, record| record.used >= oldest_kept);
        }
        self.tools.retain(|_, tool| !tool.of.is_empty());
        self.count = self.tools.values().map(|tool| tool.of.len()).sum();
    }
}

impl OfTool {
    /// Finds out what is common. What was published stays.
    fn publish(&mut self) {
        if self.of.len() < PRINCIPALS_MIN {
            return;
        }
        let common = ReplyShape::agreed(self.of.values().map(|record| &*record.shape), PRINCIPALS_MIN);
        let published = match &self.published {
            Some(before) => before.or(&common),
            None => common,
        };
        self.published = Some(Arc::new(published));
    }

    /// Lets the one go that was used longest ago. How many went.
    fn let_go(&mut self) -> usize {
        let oldest = self.of.iter().min_by_key(|(_, record)| record.used).map(|(principal, _)| Arc::clone(principal));
        usize::from(oldest.and_then(|oldest| self.of.remove(&oldest)).is_some())
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use isolet_bindings::{Catalog, Grants};
    use serde_json::json;

    use super::*;

    fn tool(name: &str) -> ContentHash {
        let tools = vec![json!({"name": name, "inputSchema": {"type": "object"}})];
        Catalog::load([("s", tools)]).unwrap().scope(&Grants::new().allow("*")).unwrap().tools()[0].definition().hash()
    }

    fn key(principal: &str, tool: ContentHash) -> Key {
        Key { principal: Arc::from(principal), tool }
    }

    fn shape(json: &str) -> ReplyShape {
        ReplyShape::of(json).unwrap()
    }

    #[test]
    fn what_was_used_longest_ago_goes_first_and_no_more_is_kept_than_there_is_room() {
        let (mut records, tool) = (Records::default(), tool("a"));
        for principal in 0..SHAPES_OF_TOOL_MAX {
            records.observe(&key(&principal.to_string(), tool), &shape("1"), false);
        }
        assert!(records.seen(&key("0", tool), false).is_some());
        records.observe(&key("new", tool), &shape("1"), false);
        assert!(records.own(&key("0", tool)).is_some() && records.own(&key("1", tool)).is_none());
        assert_eq!(records.count, SHAPES_OF_TOOL_MAX);
        let one = shape("1");
        for number in 0..SHAPES_MAX / SHAPES_OF_TOOL_MAX + 1 {
            let tool = super::tests::tool(&format!("t{number}"));
            for principal in 0..SHAPES_OF_TOOL_MAX {
                records.observe(&key(&principal.to_string(), tool), &one, false);
            }
        }
        let kept: usize = records.tools.values().map(|tool| tool.of.len()).sum();
        assert!((SHAPES_MAX - 2 * LET_GO..=SHAPES_MAX).contains(&kept) && kept == records.count, "{kept}");
        assert!(records.own(&key("0", tool)).is_none());
    }

    #[test]
    fn it_is_kept_anew_where_more_was_seen_or_twice_as_much() {
        let (mut records, key) = (Records::default(), key("ada", tool("a")));
        let mut observe = |json: &str| records.observe(&key, &shape(json), false);
        assert_eq!(["1", "1", "1", "1", "1", r#""x""#, "1"].map(&mut observe), [true, true, false, true, false, true, false]);
    }

    #[test]
    fn what_is_published_needs_three_and_stays() {
        let (mut records, tool) = (Records::default(), tool("a"));
        let reply = shape(r#"{"id": 1}"#);
        for principal in ["ada", "bob"] {
            records.observe(&key(principal, tool), &reply, true);
        }
        assert_eq!(records.seen(&key("eve", tool), true), None);
        records.observe(&key("cay", tool), &shape(r#"{"id": 1, "secret": 1}"#), true);
        let seen = records.seen(&key("eve", tool), true).unwrap();
        assert!(seen.to_json().contains("\"id\"") && !seen.to_json().contains("secret"), "{seen:?}");
        // Where a server is not shared any more, nothing of it is shown.
        assert_eq!(records.seen(&key("eve", tool), false), None);
    }
}
