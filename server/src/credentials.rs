//! The credentials of whoever uses the command line: where they are kept, and whom the user is asked by.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use isolet::mcp::Policy;
use isolet_identity::{Asking, KeyFile, MemoryStore, OAuth, OAuthOptions, SqliteStore};

use crate::fault::Fault;

/// The file with what was granted, and the one with the key that seals it.
const STORE: &str = "credentials.db";
const KEY: &str = "credentials.key";

/// The credentials for the servers of the configuration `config`, kept in `folder`. They are read if there are any, and nothing is written.
///
/// # Errors
///
/// [`Fault::Usage`] when they are there and cannot be read.
pub(crate) fn known(folder: Option<&Path>, config: Option<&Path>, policy: &Policy) -> Result<OAuth, Fault> {
    let folder = folder_of(folder).filter(|folder| folder.join(STORE).exists());
    let options = options(config, policy);
    let oauth = match folder {
        Some(folder) => OAuth::new(open(&folder)?, options),
        None => OAuth::new(MemoryStore::new(), options),
    };
    oauth.map_err(Fault::host)
}

/// The same, which can be written: the folder is made, of mode 0700.
///
/// # Errors
///
/// [`Fault::Usage`] when they cannot.
pub(crate) fn writable(folder: Option<&Path>, config: Option<&Path>, policy: &Policy) -> Result<OAuth, Fault> {
    let folder = folder_of(folder)
        .context("there is no home folder for credentials: name one with `--credentials`")
        .map_err(Fault::Usage)?;
    OAuth::new(open(&folder)?, options(config, policy)).map_err(Fault::host)
}

fn open(folder: &Path) -> Result<SqliteStore, Fault> {
    use std::os::unix::fs::DirBuilderExt as _;

    let made = std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder);
    made.with_context(|| format!("the folder `{}` for credentials cannot be made", folder.display())).map_err(Fault::Usage)?;
    let keys = KeyFile::open(folder.join(KEY)).map_err(Fault::usage)?;
    SqliteStore::open(folder.join(STORE), keys).map_err(Fault::usage)
}

fn folder_of(given: Option<&Path>) -> Option<PathBuf> {
    let variable = |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let data = || variable("XDG_DATA_HOME").or_else(|| Some(variable("HOME")?.join(".local/share")));
    given.map(Path::to_owned).or_else(|| Some(data()?.join("isolet")))
}

fn options(config: Option<&Path>, policy: &Policy) -> OAuthOptions {
    let mut options = OAuthOptions::default();
    options.policy = policy.clone();
    if let Some(config) = config {
        options.asking = Asking::Command(format!("isolet login {{server}} --config {}", config.display()));
    }
    options
}
