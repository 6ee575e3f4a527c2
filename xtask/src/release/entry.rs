//! A file as it stands in a package.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use anyhow::Context as _;

/// A file: where it stands, and what is in it.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) path: String,
    pub(super) is_program: bool,
    pub(super) contents: Arc<[u8]>,
}

impl Entry {
    /// One that is read.
    pub(super) fn file(path: impl Into<String>, contents: impl Into<Arc<[u8]>>) -> Self {
        Self { path: path.into(), is_program: false, contents: contents.into() }
    }

    /// One that is started.
    pub(super) fn program(path: impl Into<String>, contents: impl Into<Arc<[u8]>>) -> Self {
        Self { path: path.into(), is_program: true, contents: contents.into() }
    }

    /// The file at `from`, to stand at `path`.
    pub(super) fn read(path: &str, from: &Path) -> anyhow::Result<Self> {
        let contents = fs::read(from).with_context(|| format!("`{}` cannot be read", from.display()))?;
        Ok(Self::file(path, contents))
    }

    /// All files below the folder `from`, to stand below `path`, in the order of their names; without what Python leaves behind.
    pub(super) fn read_all(path: &str, from: &Path) -> anyhow::Result<Vec<Self>> {
        let mut entries = Vec::new();
        let unreadable = || format!("`{}` cannot be read", from.display());
        for entry in fs::read_dir(from).with_context(unreadable)? {
            let entry = entry.with_context(unreadable)?;
            let name = entry
                .file_name()
                .into_string()
                .ok()
                .with_context(|| format!("`{}` has a name that is no text", from.display()))?;
            if name == "__pycache__" {
                continue;
            }
            let inner = format!("{path}/{name}");
            if entry.file_type()?.is_dir() {
                entries.extend(Self::read_all(&inner, &entry.path())?);
            } else {
                entries.push(Self::read(&inner, &entry.path())?);
            }
        }
        entries.sort_by(|one, other| one.path.cmp(&other.path));
        Ok(entries)
    }

    /// Its mode: who has it may read it, whatever the mask of whoever packed it.
    pub(super) fn mode(&self) -> u32 {
        if self.is_program { 0o755 } else { 0o644 }
    }

    /// The same, below a folder.
    pub(super) fn below(&self, folder: &str) -> Self {
        Self { path: format!("{folder}/{}", self.path), ..self.clone() }
    }
}
