//! The keys that seal what is kept: a file of this user's alone, whose first line is the key in use, and whose others open what older ones sealed; or which
//! says that the keyring of the operating system has those lines.

use std::fs::{File, OpenOptions};
use std::io::{Read as _, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use isolet::mcp::{KeyringEntry, KeyringError};
use isolet_outbound::Secret;
use zeroize::Zeroizing;

/// The bytes of a key.
pub(crate) const KEY_BYTES: usize = 32;

/// What a file says before the name of the entry that has its lines.
const KEYRING: &str = "keyring ";

/// The most bytes of the file.
const FILE_BYTES_MAX: u64 = 64 << 10;

/// A key and its name.
pub(crate) struct Key {
    pub(crate) id: String,
    pub(crate) bytes: Zeroizing<[u8; KEY_BYTES]>,
}

/// The keys of a store. The lines of the file are a name and 32 bytes in base64; to change the key, a new line is put before the others
/// ([`KeyFile::rotate`]), and those below are needed until everything is sealed anew.
///
/// A file that says `keyring NAME` instead has its lines in that entry of the keyring of the operating system, where whoever starts the machine puts them.
pub struct KeyFile {
    path: PathBuf,
    /// Where the lines are, if not in the file.
    entry: Option<KeyringEntry>,
    keys: Vec<Key>,
}

/// Why a file of keys cannot be used.
#[non_exhaustive]
#[derive(Debug, thiserror::Error)]
pub enum KeyFileError {
    /// It cannot be read or written.
    #[error("cannot use the key file `{}`: it has to be this user's alone (`chmod 600`)", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The keyring that it names cannot be used.
    #[error("cannot use the keys that `{}` says are in the keyring", path.display())]
    Keyring {
        /// Which file.
        path: PathBuf,
        /// Why.
        #[source]
        source: KeyringError,
    },
    /// The keyring that it names does not have them. None is made: a keyring forgets.
    #[error("the keyring has no `{name}`, which `{}` says are the keys: put their lines there (`keyctl padd user isolet:{name} @u`)", path.display())]
    NotInKeyring {
        /// Which file.
        path: PathBuf,
        /// What it says.
        name: String,
    },
    /// Something else is in it.
    #[error("line {line} of the key file `{}` is no key: a line is a name and 32 bytes in base64", path.display())]
    Line {
        /// Which.
        path: PathBuf,
        /// Which line, from 1.
        line: usize,
    },
    /// Nothing is in it.
    #[error("the key file `{}` is empty: remove it, and a key is made", path.display())]
    Empty {
        /// Which.
        path: PathBuf,
    },
}

impl KeyFile {
    /// Reads the file; makes one with a new key, of mode 0600, where there is none.
    ///
    /// # Errors
    ///
    /// [`KeyFileError`]: others may read it, or it has no keys.
    pub fn open(path: impl Into<PathBuf>) -> Result<Self, KeyFileError> {
        let path = path.into();
        match Self::read(&path) {
            Err(KeyFileError::File { source, .. }) if source.kind() == std::io::ErrorKind::NotFound => {}
            read => return read,
        }
        let made = new_line(&path)?;
        let failed = |source| KeyFileError::File { path: path.clone(), source };
        let made = write_new(&path, &made);
        match made {
            // Another process was quicker: its key is as good.
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
            made => made.map_err(failed)?,
        }
        Self::read(&path)
    }

    /// Puts a new key before the others. What is kept is sealed with it when it is written next.
    ///
    /// # Errors
    ///
    /// [`KeyFileError::File`].
    pub fn rotate(&self) -> Result<Self, KeyFileError> {
        let failed = |source| KeyFileError::File { path: self.path.clone(), source };
        let mut lines = new_line(&self.path)?;
        for key in &self.keys {
            lines.push_str(&line(key));
        }
        if let Some(entry) = &self.entry {
            let refused = |source| KeyFileError::Keyring { path: self.path.clone(), source };
            let lines = Secret::new(lines.as_str()).map_err(|source| refused(KeyringError::NoSecret { source }))?;
            entry.write(&lines).map_err(refused)?;
            return Self::read(&self.path);
        }
        let mut beside = self.path.clone().into_os_string();
        beside.push(".new");
        let beside = PathBuf::from(beside);
        let _ = std::fs::remove_file(&beside);
        write_new(&beside, &lines).map_err(failed)?;
        std::fs::rename(&beside, &self.path).map_err(failed)?;
        Self::read(&self.path)
    }

    /// The key in use.
    pub(crate) fn current(&self) -> Option<&Key> {
        self.keys.first()
    }

    /// The key of this name.
    pub(crate) fn key(&self, id: &str) -> Option<&Key> {
        self.keys.iter().find(|key| key.id == id)
    }

    fn read(path: &Path) -> Result<Self, KeyFileError> {
        let failed = |source| KeyFileError::File { path: path.to_owned(), source };
        let file = File::open(path).map_err(failed)?;
        let facts = file.metadata().map_err(failed)?;
        if !facts.is_file() || facts.uid() != rustix::process::geteuid().as_raw() || facts.mode() & 0o077 != 0 {
            return Err(failed(std::io::ErrorKind::PermissionDenied.into()));
        }
        let mut text = Zeroizing::new(String::new());
        file.take(FILE_BYTES_MAX).read_to_string(&mut text).map_err(failed)?;
        let Some(name) = text.trim().strip_prefix(KEYRING) else {
            return Ok(Self { path: path.to_owned(), keys: keys_of(&text, path)?, entry: None });
        };
        let entry = KeyringEntry::new(name.trim());
        let lines = entry.read().map_err(|source| KeyFileError::Keyring { path: path.to_owned(), source })?;
        let lines = lines.ok_or_else(|| KeyFileError::NotInKeyring { path: path.to_owned(), name: entry.name().to_owned() })?;
        Ok(Self { path: path.to_owned(), keys: keys_of(lines.expose(), path)?, entry: Some(entry) })
    }
}

/// The keys of these lines.
fn keys_of(text: &str, path: &Path) -> Result<Vec<Key>, KeyFileError> {
    let mut keys = Vec::new();
    for (place, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let wrong = || KeyFileError::Line { path: path.to_owned(), line: place + 1 };
        let (id, encoded) = line.trim().split_once(' ').ok_or_else(wrong)?;
        let bytes = Zeroizing::new(STANDARD.decode(encoded.trim()).map_err(|_| wrong())?);
        let bytes = Zeroizing::new(<[u8; KEY_BYTES]>::try_from(bytes.as_slice()).map_err(|_| wrong())?);
        keys.push(Key { id: id.to_owned(), bytes });
    }
    if keys.is_empty() {
        return Err(KeyFileError::Empty { path: path.to_owned() });
    }
    Ok(keys)
}

/// A line with a new key.
fn new_line(path: &Path) -> Result<Zeroizing<String>, KeyFileError> {
    let mut random = Zeroizing::new([0; KEY_BYTES + 6]);
    let failed = |error: getrandom::Error| KeyFileError::File { path: path.to_owned(), source: error.into() };
    getrandom::fill(&mut *random).map_err(failed)?;
    let (bytes, id) = random.split_at(KEY_BYTES);
    let id: String = id.iter().map(|byte| format!("{byte:02x}")).collect();
    let bytes = <[u8; KEY_BYTES]>::try_from(bytes).unwrap_or_default();
    Ok(line(&Key { id, bytes: Zeroizing::new(bytes) }))
}

fn line(key: &Key) -> Zeroizing<String> {
    Zeroizing::new(format!("{} {}\n", key.id, *Zeroizing::new(STANDARD.encode(*key.bytes))))
}

/// Writes a file that was not there, of mode 0600.
fn write_new(path: &Path, text: &str) -> std::io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn a_key_is_made_once_and_only_this_user_reads_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        let id = |file: &KeyFile| file.current().unwrap().id.clone();
        let first = KeyFile::open(&path).unwrap();
        assert_eq!(id(&KeyFile::open(&path).unwrap()), id(&first));
        let rotated = first.rotate().unwrap();
        assert_ne!(id(&rotated), id(&first));
        assert!(rotated.key(&id(&first)).is_some_and(|key| *key.bytes == *first.current().unwrap().bytes));
        assert_eq!(path.metadata().unwrap().mode() & 0o777, 0o600);
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
        assert!(KeyFile::open(&path).is_err_and(|error| error.to_string().contains("chmod 600")));
    }

    #[test]
    fn what_is_no_key_is_refused_with_its_line() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        let read = |text: &str| {
            let _ = std::fs::remove_file(&path);
            write_new(&path, text).unwrap();
            KeyFile::open(&path).err().map(|error| error.to_string()).unwrap_or_default()
        };
        assert!(read("").contains("is empty"));
        assert!(read("\na c2hvcnQ=\n").starts_with("line 2 of the key file"));
        assert!(read("only-a-name").starts_with("line 1 of the key file"));
    }
}
