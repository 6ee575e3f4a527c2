//! The keyring of the kernel, as a source of credentials and as the home of the keys that seal what users grant; and commands, which may ask another one.

use std::future::Future;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use isolet::Principal;
use isolet::mcp::{KeyringEntry, KeyringError, Secret, Url};
use isolet_identity::{GrantKey, KeyFile, SqliteStore, Store as _, StoreError};
use serde_json::{Value, json};

use crate::http_server::{Answer, Asked, HttpServer, result, status, usual};
use crate::upstream::Test;
use crate::{patience, program, required};

/// What a test waits for at the very most.
const PATIENCE: Duration = Duration::from_secs(60);

const TOKEN: &str = "canary-of-the-keyring";

/// Every test of this module.
pub(crate) const TESTS: &[Test] = &[
    ("keyring::a_credential_of_the_keyring_goes_out_and_one_that_is_not_there_says_so", || block_on(a_credential())),
    ("keyring::the_keys_of_the_store_are_in_the_keyring_alone", || block_on(the_keys_of_the_store())),
    ("keyring::a_command_finds_the_keyring_of_the_users_session_and_says_so_if_there_is_none", || block_on(a_command())),
];

fn block_on(test: impl Future<Output = Result<()>>) -> Result<()> {
    patience::within(PATIENCE, test)
}

/// Puts `secret` into the keyring, if the kernel has one for us.
fn is_put(name: &str, secret: &str) -> Result<bool> {
    match KeyringEntry::new(name).write(&Secret::new(secret)?) {
        Ok(()) => Ok(true),
        Err(KeyringError::Unusable { .. }) => required::is_there("keyring of the kernel", false),
        Err(error) => Err(error.into()),
    }
}

/// A server that knows one token.
fn knows_one(asked: &Asked) -> Answer {
    match asked.header("authorization") {
        Some(sent) if sent.strip_prefix("Bearer ") == Some(TOKEN) => {
            usual(asked).unwrap_or_else(|| result(asked, &json!({"content": []})))
        }
        _ => status(401),
    }
}

/// What `isolet tools` says of such a server, whose token is what `bearer` says, in a session whose bus is at `bus`.
async fn tools(folder: &Path, server: &HttpServer, bearer: Value, bus: &str) -> Result<Output> {
    let config = folder.join("servers.json");
    let entry = json!({"url": server.url()?, "credentials": {"bearer": bearer}});
    std::fs::write(&config, json!({"mcpServers": {"scripted": entry}}).to_string())?;
    let mut command = Command::new(std::env::current_exe()?);
    command.args([program::ARGUMENT, "tools", "--config"]).arg(config);
    command.stdin(Stdio::null()).env("DBUS_SESSION_BUS_ADDRESS", bus);
    Ok(tokio::task::spawn_blocking(move || command.output()).await??)
}

async fn a_credential() -> Result<()> {
    if !is_put("isolet-test-credential", TOKEN)? {
        return Ok(());
    }
    let (server, folder) = (HttpServer::start(knows_one).await?, tempfile::tempdir()?);
    let listed = tools(folder.path(), &server, json!({"keyring": "isolet-test-credential"}), "").await?;
    let text = String::from_utf8_lossy(&listed.stdout);
    ensure!(listed.status.success() && text.contains("echo"), "{listed:?}");
    ensure!(!text.contains(TOKEN) && !String::from_utf8_lossy(&listed.stderr).contains(TOKEN), "{listed:?}");
    let before = server.asked().len();
    let lacking = tools(folder.path(), &server, json!({"keyring": "isolet-test-nothing"}), "").await?;
    let said = String::from_utf8_lossy(&lacking.stderr);
    ensure!(said.contains("the keyring has no credential `isolet-test-nothing`") && said.contains("keyctl padd"), "{said}");
    ensure!(server.asked().len() == before, "nobody is asked without the credential");
    Ok(())
}

async fn a_command() -> Result<()> {
    let (server, folder) = (HttpServer::start(knows_one).await?, tempfile::tempdir()?);
    // What `secret-tool lookup` does: it has what it says from whom the address leads to.
    let script = "case $DBUS_SESSION_BUS_ADDRESS in unix:*) echo canary-of-the-keyring;; *) exit 1;; esac";
    let bearer = json!({"command": ["sh", "-c", script]});
    let listed = tools(folder.path(), &server, bearer.clone(), "unix:path=/run/user/0/bus").await?;
    ensure!(listed.status.success() && String::from_utf8_lossy(&listed.stdout).contains("echo"), "{listed:?}");
    let before = server.asked().len();
    let lacking = tools(folder.path(), &server, bearer, "").await?;
    let said = String::from_utf8_lossy(&lacking.stderr);
    ensure!(said.contains("gave no credential: it ended with exit status: 1: run it by hand to see why"), "{said}");
    ensure!(server.asked().len() == before, "nobody is asked without the credential");
    Ok(())
}

async fn the_keys_of_the_store() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let own = folder.path().join("own.key");
    drop(KeyFile::open(&own)?);
    let lines = std::fs::read_to_string(&own)?;
    if !is_put("isolet-test-keys", &lines)? {
        return Ok(());
    }
    let file = |name: &str, entry: &str| -> Result<std::path::PathBuf> {
        let path = folder.path().join(name);
        std::fs::write(&path, format!("keyring {entry}\n"))?;
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600))?;
        Ok(path)
    };
    let path = file("credentials.key", "isolet-test-keys")?;
    let store = |keys: KeyFile| SqliteStore::open(folder.path().join("credentials.db"), keys);
    let ada = GrantKey::new(&Principal::new("ada").key(), "a", &Url::parse("https://a.example/mcp")?);
    store(KeyFile::open(&path)?)?.save(&ada, zeroize::Zeroizing::new(b"of ada".to_vec())).await?;
    // Whoever has the same entry, or those lines in a file, opens it; whoever has the folder alone does not.
    let load = async |keys: KeyFile| store(keys)?.load(&ada).await;
    for keys in [KeyFile::open(&path)?, KeyFile::open(&own)?] {
        ensure!(load(keys).await?.context("it is kept")?.grant.as_slice() == b"of ada");
    }
    ensure!(matches!(load(KeyFile::open(folder.path().join("new.key"))?).await, Err(StoreError::Sealed { .. })));
    ensure!(std::fs::read_to_string(&path)? == "keyring isolet-test-keys\n");
    // A new key is put there as well, and the old one opens what it has sealed.
    let rotated = KeyFile::open(&path)?.rotate()?;
    ensure!(load(rotated).await?.context("it is kept")?.grant.as_slice() == b"of ada");
    ensure!(std::fs::read_to_string(&path)? == "keyring isolet-test-keys\n");
    // None is made where there is none: the keyring forgets, and what is kept would be lost.
    let error = KeyFile::open(file("other.key", "isolet-test-none")?).err().context("there is none")?;
    ensure!(error.to_string().contains("the keyring has no `isolet-test-none`"), "{error}");
    Ok(())
}
