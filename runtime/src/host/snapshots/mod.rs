//! The scope snapshots of a runtime: those in memory, the process that makes one, and those on disk.

pub(crate) mod file;
pub(crate) mod folder;
mod maker;
pub(crate) mod memory;
pub(crate) mod privacy;
