//! The checkout that the task works on, and Cargo's own folders.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context as _;

/// A checkout of Isolet.
#[derive(Debug)]
pub(crate) struct Workspace {
    root: PathBuf,
    cargo_home: PathBuf,
}

impl Workspace {
    /// The checkout that this program was built from.
    ///
    /// # Errors
    ///
    /// When neither `CARGO_HOME` nor a home folder is set: then cargo itself has no place for what it fetches.
    pub(crate) fn find() -> anyhow::Result<Self> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().context("the folder of xtask has no parent")?;
        let cargo_home = match env::var_os("CARGO_HOME").filter(|folder| !folder.is_empty()) {
            Some(folder) => env::current_dir()?.join(folder),
            None => env::home_dir().context("there is no home folder: set `CARGO_HOME`")?.join(".cargo"),
        };
        Ok(Self { root: root.to_owned(), cargo_home })
    }

    /// The top folder of the checkout.
    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// Cargo home, where cargo keeps what all checkouts share: `CARGO_HOME`, or `.cargo` in the home folder.
    pub(crate) fn cargo_home(&self) -> &Path {
        &self.cargo_home
    }

    /// A call of the cargo that runs this task, in the top folder.
    pub(crate) fn cargo(&self) -> Command {
        let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        command.current_dir(&self.root);
        command
    }
}
