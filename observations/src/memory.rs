//! Shapes in memory: they are gone with the process.

use std::sync::{Arc, Mutex, PoisonError};

use isolet_bindings::{ObservedShapes, ReplyShape, Tool};

use crate::records::{Key, Records, Shared};

/// Keeps what replies were like in memory, at most [`SHAPES_MAX`](crate::SHAPES_MAX) shapes.
#[derive(Debug, Default)]
pub struct MemoryShapes {
    records: Mutex<Records>,
    shared: Shared,
}

impl MemoryShapes {
    /// None so far, and no server is shared.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The same, where `servers`, by the ids that the catalog has, answer all principals alike: of their replies everybody is shown what those of
    /// three principals had.
    #[must_use]
    pub fn sharing<Name: Into<String>>(mut self, servers: impl IntoIterator<Item = Name>) -> Self {
        self.shared.extend(servers.into_iter().map(Into::into));
        self
    }
}

impl ObservedShapes for MemoryShapes {
    fn observe(&self, principal: &str, tool: &Tool, shape: ReplyShape) {
        let key = Key { principal: Arc::from(principal), tool: tool.hash() };
        let mut records = self.records.lock().unwrap_or_else(PoisonError::into_inner);
        records.observe(&key, &shape, self.shared.contains(tool.server()));
    }

    fn seen(&self, principal: &str, tool: &Tool) -> Option<Arc<ReplyShape>> {
        let key = Key { principal: Arc::from(principal), tool: tool.hash() };
        let mut records = self.records.lock().unwrap_or_else(PoisonError::into_inner);
        records.seen(&key, self.shared.contains(tool.server()))
    }
}
