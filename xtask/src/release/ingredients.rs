//! What all packages of a release are made from.

use flate2::Compression;

use super::entry::Entry;
use super::program::Program;
use super::stamp::Stamp;
use crate::workspace::Workspace;

/// What all packages are made from.
pub(super) struct Ingredients<'of> {
    pub(super) workspace: &'of Workspace,
    pub(super) program: &'of Program,
    pub(super) licences: Vec<Entry>,
    /// The bill of materials, if there is one.
    pub(super) sbom: Option<Entry>,
    pub(super) stamp: Stamp,
    pub(super) effort: Compression,
}
