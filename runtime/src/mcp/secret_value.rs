//! One credential of a configuration: written there, in a file, what a command says, or in the keyring.

use std::collections::HashMap;
use std::fmt;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use isolet_bindings::visible;
use isolet_outbound::Secret;
use rustix::process::geteuid;
use tokio::io::AsyncReadExt as _;
use tokio::process::Command;

use super::credential_error::CredentialError;
use super::keyring::{KeyringEntry, KeyringError};
use super::server_environment::ENVIRONMENT_KEPT;

/// The most bytes of a credential.
const SECRET_BYTES_MAX: u64 = 64 << 10;

/// What such a command has of the environment beside that: where the user's session is, in which `secret-tool` and others find a keyring.
const ENVIRONMENT_OF_SESSION: [&str; 2] = ["DBUS_SESSION_BUS_ADDRESS", "XDG_RUNTIME_DIR"];

/// How long a command may take.
const COMMAND_MAX: Duration = Duration::from_secs(10);

/// How long what a command said is used before it is run again, and of how many commands that is kept.
const COMMAND_LIFE: Duration = Duration::from_secs(60);
const COMMANDS_MAX: usize = 256;

/// A credential, or where it is.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct SecretValue {
    prefix: &'static str,
    source: Source,
}

#[derive(Clone, PartialEq, Eq, Hash)]
enum Source {
    Written(Secret),
    File(PathBuf),
    Command(Vec<String>),
    Keyring(KeyringEntry),
}

impl SecretValue {
    /// The credential itself.
    #[must_use]
    pub fn new(secret: Secret) -> Self {
        Self { prefix: "", source: Source::Written(secret) }
    }

    /// What is in the file, without the line feed at its end. The file belongs to this user (or root) and nobody else may read it: mode 0600 or 0400.
    #[must_use]
    pub fn file(path: impl Into<PathBuf>) -> Self {
        Self { prefix: "", source: Source::File(path.into()) }
    }

    /// What the command writes to its standard output, without the line feed at its end. It is run without a shell, with the environment of
    /// [`crate::mcp::ENVIRONMENT_KEPT`] and where the user's session is (`DBUS_SESSION_BUS_ADDRESS`), at most every 60 s, and has 10 s.
    #[must_use]
    pub fn command<S: Into<String>>(words: impl IntoIterator<Item = S>) -> Self {
        Self { prefix: "", source: Source::Command(words.into_iter().map(Into::into).collect()) }
    }

    /// What the entry has in the keyring of the operating system, each time.
    #[must_use]
    pub fn keyring(entry: KeyringEntry) -> Self {
        Self { prefix: "", source: Source::Keyring(entry) }
    }

    /// The same as the value of `Authorization`: `Bearer` before it.
    #[must_use]
    pub(super) fn into_bearer(mut self) -> Self {
        self.prefix = "Bearer ";
        self
    }
}

/// Where it is, and never what it is.
impl fmt::Debug for SecretValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.source {
            Source::Written(_) => f.write_str("written"),
            Source::File(path) => write!(f, "file {}", path.display()),
            Source::Command(words) => write!(f, "command {:?}", words.first()),
            Source::Keyring(entry) => write!(f, "keyring {:?}", entry.name()),
        }
    }
}

/// Reads credentials, and keeps for a while what commands said.
#[derive(Default)]
pub(super) struct SecretValues(Mutex<HashMap<Vec<String>, (Instant, Secret)>>);

impl SecretValues {
    /// The credential.
    pub(super) async fn read(&self, value: &SecretValue) -> Result<Secret, CredentialError> {
        let secret = match &value.source {
            Source::Written(secret) => secret.clone(),
            Source::File(path) => of_file(path.clone()).await?,
            Source::Command(words) => self.of_command(words).await?,
            Source::Keyring(entry) => of_keyring(entry)?,
        };
        if value.prefix.is_empty() {
            return Ok(secret);
        }
        Secret::new(format!("{}{}", value.prefix, secret.expose())).map_err(|short| CredentialError::new(short.to_string()))
    }

    /// Has the next reading run its command again, if it has one.
    pub(super) fn forget(&self, value: &SecretValue) {
        if let Source::Command(words) = &value.source {
            self.kept().remove(words);
        }
    }

    async fn of_command(&self, words: &[String]) -> Result<Secret, CredentialError> {
        let kept = self.kept().get(words).filter(|(since, _)| since.elapsed() < COMMAND_LIFE).map(|(_, secret)| secret.clone());
        if let Some(secret) = kept {
            return Ok(secret);
        }
        let secret = said_by(words).await?;
        let mut kept = self.kept();
        if kept.len() >= COMMANDS_MAX {
            kept.retain(|_, (since, _)| since.elapsed() < COMMAND_LIFE);
        }
        if kept.len() < COMMANDS_MAX {
            kept.insert(words.to_vec(), (Instant::now(), secret.clone()));
        }
        Ok(secret)
    }

    fn kept(&self) -> std::sync::MutexGuard<'_, HashMap<Vec<String>, (Instant, Secret)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn of_file(path: PathBuf) -> Result<Secret, CredentialError> {
    let shown = path.display().to_string();
    let read = tokio::task::spawn_blocking(move || read_private(&path)).await;
    let text = read.unwrap_or_else(|_| Err(std::io::Error::other("it cannot be read")));
    let text = text.map_err(|source| {
        CredentialError::new(format!("cannot read the credential in `{shown}`: it has to be this user's alone (`chmod 600`)"))
            .caused_by(source)
    })?;
    secret_of(text, || format!("the file `{shown}`"))
}

fn read_private(path: &Path) -> std::io::Result<Vec<u8>> {
    use std::io::Read as _;

    let no_block = i32::try_from(rustix::fs::OFlags::NONBLOCK.bits()).unwrap_or_default();
    // A pipe would be waited for.
    let file = std::fs::OpenOptions::new().read(true).custom_flags(no_block).open(path)?;
    let facts = file.metadata()?;
    let is_own = facts.uid() == geteuid().as_raw() || facts.uid() == 0;
    if !facts.is_file() || !is_own || facts.mode() & 0o077 != 0 {
        return Err(std::io::Error::new(std::io::ErrorKind::PermissionDenied, "others may read or write it, or it is no file"));
    }
    let mut text = Vec::new();
    file.take(SECRET_BYTES_MAX + 1).read_to_end(&mut text)?;
    Ok(text)
}

fn of_keyring(entry: &KeyringEntry) -> Result<Secret, CredentialError> {
    let shown = visible::line(entry.name());
    let failed = |error: KeyringError| {
        CredentialError::new(format!("the credential `{shown}` of the keyring cannot be had")).caused_by(error)
    };
    let secret = entry.read().map_err(failed)?;
    let secret = secret.ok_or_else(|| {
        let message = format!(
            "the keyring has no credential `{shown}`: `keyctl padd user isolet:{shown} @u` reads one and puts it there"
        );
        CredentialError::new(message)
    })?;
    secret_of(secret.expose().into(), || format!("the entry `{shown}` of the keyring"))
}

async fn said_by(words: &[String]) -> Result<Secret, CredentialError> {
    let [program, arguments @ ..] = words else { return Err(CredentialError::new("the command for a credential is empty")) };
    let failed = |what: &str| CredentialError::new(format!("the command `{program}` gave no credential: {what}"));
    let mut command = Command::new(program);
    command.args(arguments).env_clear().kill_on_drop(true);
    let kept = ENVIRONMENT_KEPT.iter().chain(&ENVIRONMENT_OF_SESSION);
    command.envs(kept.filter_map(|name| Some((name, std::env::var_os(name)?))));
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = command.spawn().map_err(|source| failed("it cannot be started").caused_by(source))?;
    let said = async {
        let mut text = Vec::new();
        if let Some(output) = child.stdout.take() {
            output.take(SECRET_BYTES_MAX + 1).read_to_end(&mut text).await?;
        }
        if text.len() as u64 > SECRET_BYTES_MAX {
            return Ok(Ok(text));
        }
        let status = child.wait().await?;
        std::io::Result::Ok(if status.success() { Ok(text) } else { Err(status) })
    };
    let said = tokio::time::timeout(COMMAND_MAX, said).await.map_err(|_| failed("it took more than 10 s").temporary())?;
    let said = said.map_err(|source| failed("it broke off").caused_by(source))?;
    let text = said.map_err(|status| failed(&format!("it ended with {status}: run it by hand to see why")))?;
    secret_of(text, || format!("what the command `{program}` says"))
}

/// The text as a secret, without the line feed at its end.
fn secret_of(text: Vec<u8>, what: impl Fn() -> String) -> Result<Secret, CredentialError> {
    let wrong = |problem: &str| CredentialError::new(format!("{} is no credential: {problem}", what()));
    if text.len() as u64 > SECRET_BYTES_MAX {
        return Err(wrong("it is too long"));
    }
    let text = zeroize::Zeroizing::new(String::from_utf8(text).map_err(|_| wrong("it is not UTF-8"))?);
    let text = text.trim_end_matches(['\r', '\n']);
    if text.contains(['\0', '\r', '\n']) {
        return Err(wrong("it has more than one line"));
    }
    Secret::new(text).map_err(|short| wrong(&short.to_string()))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    async fn said(value: &SecretValue) -> Result<String, String> {
        let secret = SecretValues::default().read(value).await;
        secret.map(|secret| secret.expose().to_owned()).map_err(|error| error.to_string())
    }

    #[tokio::test]
    async fn a_file_is_read_if_it_is_this_users_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("token");
        std::fs::write(&path, "canary-7f3a9c\n").unwrap();
        let mode = |mode| std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        for (bits, is_read) in [(0o600, true), (0o400, true), (0o640, false), (0o604, false), (0o644, false)] {
            mode(bits);
            let said = said(&SecretValue::file(&path)).await;
            assert_eq!(said.is_ok(), is_read, "{bits:o}: {said:?}");
            assert!(said.is_err() || said.as_deref() == Ok("canary-7f3a9c"));
        }
        mode(0o600);
        for (text, problem) in [("short", "less than 8 bytes"), ("canary-1\ncanary-2", "more than one line")] {
            std::fs::write(&path, text).unwrap();
            let error = said(&SecretValue::file(&path)).await.unwrap_err();
            assert!(error.contains(problem) && !error.contains("canary"), "{error}");
        }
        assert!(said(&SecretValue::file(folder.path())).await.unwrap_err().contains("chmod 600"));
        assert!(said(&SecretValue::file("/nowhere/token")).await.is_err());
    }

    #[tokio::test]
    async fn a_command_is_bounded_and_says_why_it_gives_nothing() {
        let sh = |script: &str| SecretValue::command(["sh", "-c", script]);
        assert_eq!(said(&sh("echo canary-7f3a9c")).await.as_deref(), Ok("canary-7f3a9c"));
        assert_eq!(said(&sh("echo canary-7f3a9c").into_bearer()).await.as_deref(), Ok("Bearer canary-7f3a9c"));
        for (script, problem) in [
            ("echo canary-7f3a9c; exit 3", "it ended with exit status: 3"),
            ("yes canary-7f3a9c", "it is too long"),
            ("echo no", "less than 8 bytes"),
        ] {
            let error = said(&sh(script)).await.unwrap_err();
            assert!(error.contains(problem) && !error.contains("canary"), "{error}");
        }
        let missing = said(&SecretValue::command(["no-such-command-here"])).await.unwrap_err();
        assert!(missing.contains("`no-such-command-here`"), "{missing}");
        assert!(said(&SecretValue::command::<String>([])).await.is_err());
    }

    #[tokio::test]
    async fn what_a_command_said_is_kept_until_it_is_refused_and_no_more_of_them_than_may_be() {
        let folder = tempfile::tempdir().unwrap();
        let runs = folder.path().join("runs");
        let script = format!("echo x >> '{}'; echo canary-7f3a9c", runs.display());
        let (values, value) = (SecretValues::default(), SecretValue::command(["sh", "-c", &script]));
        let count = || std::fs::read_to_string(&runs).unwrap().lines().count();
        values.read(&value).await.unwrap();
        values.read(&value).await.unwrap();
        assert_eq!(count(), 1);
        values.forget(&value);
        values.read(&value).await.unwrap();
        assert_eq!(count(), 2);
        let now = Instant::now();
        let secret = values.read(&value).await.unwrap();
        values.kept().extend((0..COMMANDS_MAX).map(|n| (vec![n.to_string()], (now, secret.clone()))));
        let full = values.kept().len();
        values.read(&SecretValue::command(["echo", "another-canary"])).await.unwrap();
        assert_eq!(values.kept().len(), full);
    }
}
