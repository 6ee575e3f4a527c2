//! What the examples share: the issue tracker whose tools they call, and the demo.

#![allow(clippy::exhaustive_enums, clippy::exhaustive_structs, reason = "nobody depends on the examples")]

pub mod backend;
pub mod comparison;
pub mod demo;
pub mod tracker;
pub mod tracker_host;
