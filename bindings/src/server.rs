//! One server of a deployment.

use std::sync::Arc;

use crate::definition::Tool;

/// One server of a catalog and its tools, in the order in which it lists them.
#[derive(Debug)]
pub(crate) struct Server {
    pub(crate) id: Arc<str>,
    /// What else it may be shown as.
    pub(crate) other_names: Vec<String>,
    pub(crate) tools: Vec<Arc<Tool>>,
    /// How many tools of its list are not among these.
    pub(crate) dropped: usize,
}
