//! What the examples share: the issue tracker whose tools they call.

pub mod tracker;
pub mod tracker_host;
