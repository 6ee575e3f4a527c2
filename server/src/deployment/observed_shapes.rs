//! What `isolet.toml` says of what results are like that no server declares.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::file::File;
use super::mistake::{Mistake, Text, nearest};

/// Where it is kept, and of which servers users share it.
pub(crate) struct ObservedShapes {
    /// None: in memory.
    pub(crate) file: Option<PathBuf>,
    /// Of these, users are shown what the replies of three of them had.
    pub(crate) shared_servers: BTreeSet<String>,
}

/// Reads the table, where there are the servers `names`.
pub(super) fn observed_shapes(
    text: &Text,
    file: &File,
    names: &[String],
    mistakes: &mut Vec<Mistake>,
) -> Option<ObservedShapes> {
    let table = file.observed_shapes.as_ref()?;
    let folder = text.path().parent().unwrap_or(Path::new("."));
    let mut shared_servers = BTreeSet::new();
    for server in &table.shared_servers {
        if names.contains(server.get_ref()) {
            shared_servers.insert(server.get_ref().clone());
        } else {
            let hint = nearest(server.get_ref(), names.iter().map(String::as_str));
            let message = format!("`shared_servers` names `{}`, and there is no such server: {hint}", server.get_ref());
            mistakes.push(text.mistake(server.span().start, message));
        }
    }
    Some(ObservedShapes { file: table.file.as_ref().map(|file| folder.join(file)), shared_servers })
}
