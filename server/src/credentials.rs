//! Where credentials are kept, and by whom users are asked: the one of a command line, and those of a deployment.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use isolet::mcp::Policy;
use isolet_identity::{
    Asking, DatabaseAddress, KeyFile, MemoryStore, OAuth, OAuthOptions, PostgresStore, SqliteStore, SubjectTokens,
};

use crate::deployment::Deployment;
use crate::fault::Fault;
use crate::terminal;

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

/// The credentials of a deployment's users, who are asked as `asking` says. They are kept in the database that the file names, else in the folder that the file names, else in one beside it, else,
/// where that cannot be written, as long as the process lives.
///
/// # Errors
///
/// [`Fault::Usage`] when what the file names cannot be used.
pub(crate) async fn of_deployment(deployment: &Deployment, asking: Asking, subjects: &SubjectTokens) -> Result<OAuth, Fault> {
    let mut options = options_of(deployment, asking);
    options.subjects = subjects.clone();
    if let Some(database) = &deployment.authorization.database {
        return OAuth::new(shared(deployment, database).await?, options).map_err(Fault::host);
    }
    let oauth = match (&deployment.authorization.folder, open(&deployment.credentials_folder())) {
        (_, Ok(store)) => OAuth::new(store, options),
        (Some(_), Err(fault)) => return Err(fault),
        (None, Err(fault)) => {
            terminal::say(&format!("{fault}: what users authorize is forgotten when this process ends"));
            OAuth::new(MemoryStore::new(), options)
        }
    };
    oauth.map_err(Fault::host)
}

/// The same for whoever only looks: what is there is read, and nothing is written.
///
/// # Errors
///
/// [`Fault::Usage`] when it is there and cannot be read.
pub(crate) async fn known_of_deployment(deployment: &Deployment, asking: Asking) -> Result<OAuth, Fault> {
    let (folder, options) = (deployment.credentials_folder(), options_of(deployment, asking));
    if let Some(database) = &deployment.authorization.database {
        return OAuth::new(shared(deployment, database).await?, options).map_err(Fault::host);
    }
    let oauth = match folder.join(STORE).exists() {
        true => OAuth::new(open(&folder)?, options),
        false => OAuth::new(MemoryStore::new(), options),
    };
    oauth.map_err(Fault::host)
}

fn options_of(deployment: &Deployment, asking: Asking) -> OAuthOptions {
    let mut options = OAuthOptions::default();
    options.asking = asking;
    options.policy = deployment.upstream.policy.clone();
    if let Some(name) = &deployment.authorization.client_name {
        options.client_name.clone_from(name);
    }
    options
}

fn open(folder: &Path) -> Result<SqliteStore, Fault> {
    SqliteStore::open(folder.join(STORE), keys_in(folder)?).map_err(Fault::usage)
}

/// The database that replicas share; the keys that seal it are in the folder of each.
async fn shared(deployment: &Deployment, database: &DatabaseAddress) -> Result<PostgresStore, Fault> {
    PostgresStore::open(database, keys_in(&deployment.credentials_folder())?).await.map_err(Fault::usage)
}

/// The keys, in a folder that is made, of mode 0700.
fn keys_in(folder: &Path) -> Result<KeyFile, Fault> {
    use std::os::unix::fs::DirBuilderExt as _;

    let made = std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder);
    made.with_context(|| format!("the folder `{}` for credentials cannot be made", folder.display())).map_err(Fault::Usage)?;
    KeyFile::open(folder.join(KEY)).map_err(Fault::usage)
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
