//! What the examples share: the issue tracker whose tools they call, and the demo.

pub mod backend;
pub mod comparison;
pub mod demo;
pub mod tracker;
pub mod tracker_host;
