//! Where installed clients have the servers of this user.

use std::path::{Path, PathBuf};

/// A client's file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ClientFile {
    /// What people call the client, or the path of a file that was named.
    pub(super) client: String,
    pub(super) path: PathBuf,
}

/// The clients, what tells their servers from others of the same name, and their files: below the home folder, and below that of settings.
const CLIENTS: [(&str, &str, Place); 7] = [
    ("Claude Desktop", "claude", Place::Settings("Claude/claude_desktop_config.json")),
    ("Claude Code", "claude_code", Place::Home(".claude.json")),
    ("Cursor", "cursor", Place::Home(".cursor/mcp.json")),
    ("Windsurf", "windsurf", Place::Home(".codeium/windsurf/mcp_config.json")),
    ("VS Code", "vscode", Place::Settings("Code/User/mcp.json")),
    ("Codex", "codex", Place::Home(".codex/config.toml")),
    ("Zed", "zed", Place::Home(".config/zed/settings.json")),
];

#[derive(Clone, Copy)]
enum Place {
    Home(&'static str),
    /// Where each system has settings.
    Settings(&'static str),
}

/// The files of the user whose home this is, whether they are there or not.
pub(super) fn files(home: &Path) -> Vec<ClientFile> {
    let settings = if cfg!(target_os = "macos") { "Library/Application Support" } else { ".config" };
    let path = |place: Place| match place {
        Place::Home(path) => home.join(path),
        Place::Settings(path) => home.join(settings).join(path),
    };
    CLIENTS.iter().map(|(client, _, place)| ClientFile { client: (*client).to_owned(), path: path(*place) }).collect()
}

impl ClientFile {
    /// A file that was named.
    pub(super) fn named(path: &Path) -> Self {
        Self { client: path.display().to_string(), path: path.to_owned() }
    }

    /// What tells its servers from others of the same name.
    pub(super) fn suffix(&self) -> &str {
        let known = CLIENTS.iter().find(|(client, ..)| *client == self.client);
        known.map_or("other", |(_, suffix, _)| suffix)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_client_has_one_file_and_a_suffix_of_its_own() {
        let files = files(Path::new("/home/ada"));
        let cursor = files.iter().find(|file| file.client == "Cursor");
        assert!(cursor.is_some_and(|file| file.path == Path::new("/home/ada/.cursor/mcp.json") && file.suffix() == "cursor"));
        let suffixes: std::collections::BTreeSet<&str> = files.iter().map(ClientFile::suffix).collect();
        assert_eq!(suffixes.len(), files.len());
        assert_eq!(ClientFile::named(Path::new("a.json")).suffix(), "other");
    }
}
