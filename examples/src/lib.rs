//! What the examples share: the issue tracker whose tools they call, and the demo.

pub mod demo;
pub mod tracker;
pub mod tracker_host;
