//! Scope snapshots on disk, for those who configure a folder.
//!
//! A snapshot is native code's equal, so a file is believed only if nobody but this user could have written it *and* its MAC, under
//! a key that lies elsewhere, is right; both are checked before anything reads its contents (SECURITY.md S-81). What is not
//! believed is never an error of a run: the snapshot is made again, and takes the file's place.

use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::os::fd::OwnedFd;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use rustix::fs::{FileType, Mode, OFlags};
use rustix::io::Errno;

use super::file::{EXTENSION, FILE_BYTES_MAX, MAC_KEY_BYTES, MacKey, SnapshotKey, SnapshotMismatch, StoredSnapshot};
use super::privacy::{Exposure, check_private};
use crate::contract::boot::Build;

/// How the names of files begin that are not whole yet.
const UNFINISHED: &str = ".unfinished-";

/// A folder for scope snapshots, and the key that proves that they are ours.
///
/// The folder is made with mode 0700 where there is none, and the key file with mode 0600. Both must belong to the user of this
/// process, and nobody else may have a right to them.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SnapshotFolder {
    /// The folder. Not a symbolic link.
    pub path: PathBuf,
    /// A file with 64 random bytes, outside of the folder: whoever has both can have native code run.
    pub key_file: PathBuf,
    /// Bytes of all files together. Default 256 MiB; past it those go that were not used for the longest time.
    pub bytes_max: u64,
}

/// A file in a [`SnapshotFolder`].
#[non_exhaustive]
#[derive(Debug)]
pub struct SnapshotFile {
    /// Its name: the snapshot's key in hex, and `.snapshot`.
    pub name: String,
    /// Its length, bytes.
    pub bytes: u64,
    /// When it was last used or made.
    pub used: SystemTime,
    /// Whether it would be used.
    pub verdict: SnapshotVerdict,
}

/// Whether a snapshot file would be used.
#[expect(clippy::exhaustive_enums, reason = "a file is usable, of another build, or refused")]
#[derive(Debug)]
pub enum SnapshotVerdict {
    /// By this build of Isolet. The namespaces in it, with their numbers of tools.
    Usable(String),
    /// By another build, as which it was made: by each other one, where this has no guest side. The namespaces in it, with their numbers of tools.
    OfAnotherBuild(String),
    /// By none; why.
    Refused(SnapshotMismatch),
}

/// Why a snapshot folder cannot be used.
#[non_exhaustive]
#[derive(Debug, thiserror::Error)]
pub enum SnapshotFolderError {
    /// The system refused.
    #[error("`{}` cannot be {what}", path.display())]
    System {
        /// The folder or the key file.
        path: PathBuf,
        /// `opened`, `made`, …
        what: &'static str,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The path leads to something else.
    #[error("`{}` is no {wanted}, or a symbolic link: name the {wanted} itself", path.display())]
    Kind {
        /// The path.
        path: PathBuf,
        /// `folder` or `file`.
        wanted: &'static str,
    },
    /// Somebody else could have written there.
    #[error(transparent)]
    Exposed(#[from] Exposure),
    /// Whoever can write snapshots could write the key as well.
    #[error("the key file `{}` is in the folder of the snapshots: put it elsewhere", path.display())]
    KeyInside {
        /// The key file.
        path: PathBuf,
    },
    /// The key file holds something else.
    #[error(
        "the key file `{}` has {bytes} bytes, not {MAC_KEY_BYTES}: remove it, a new one is made, and all snapshots after it",
        path.display()
    )]
    KeyLength {
        /// The key file.
        path: PathBuf,
        /// Its length, bytes; at most one more than is right.
        bytes: usize,
    },
}

impl SnapshotFolder {
    /// A folder and its key file, with room for 256 MiB.
    pub fn new(path: impl Into<PathBuf>, key_file: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), key_file: key_file.into(), bytes_max: 256 << 20 }
    }

    /// The snapshot files, each checked as before a use, by name.
    ///
    /// # Errors
    ///
    /// [`SnapshotFolderError`] if the folder or the key file cannot be used.
    pub fn list(&self) -> Result<Vec<SnapshotFile>, SnapshotFolderError> {
        let open = OpenSnapshotFolder::open(self)?;
        let mut files = Vec::new();
        for (name, bytes, used) in open.entries()? {
            if Path::new(&name).extension().is_some_and(|extension| extension == EXTENSION) {
                let verdict = open.verdict(&name)?;
                files.push(SnapshotFile { name, bytes, used, verdict });
            }
        }
        files.sort_by(|left, right| left.name.cmp(&right.name));
        Ok(files)
    }

    /// Removes these files, and what is left of any that were never finished. How many of them were there.
    ///
    /// # Errors
    ///
    /// [`SnapshotFolderError`] if the folder or the key file cannot be used, or a file cannot be removed.
    pub fn remove(&self, files: &[SnapshotFile]) -> Result<usize, SnapshotFolderError> {
        let open = OpenSnapshotFolder::open(self)?;
        let mut removed = 0;
        for (name, ..) in open.entries()? {
            let is_wanted = files.iter().any(|file| file.name == name);
            if is_wanted || name.starts_with(UNFINISHED) {
                let path = open.path.join(&name);
                std::fs::remove_file(&path).map_err(system(&path, "removed"))?;
                removed += usize::from(is_wanted);
            }
        }
        Ok(removed)
    }
}

/// A folder that was checked, with the key in hand. The folder is checked again at each use.
pub(crate) struct OpenSnapshotFolder {
    path: PathBuf,
    bytes_max: u64,
    mac_key: MacKey,
}

impl OpenSnapshotFolder {
    /// Checks the folder and the key file, and makes them where there are none.
    pub(crate) fn open(settings: &SnapshotFolder) -> Result<Self, SnapshotFolderError> {
        // Without a slash at the end, which would lead through a symbolic link.
        let path: PathBuf = settings.path.components().collect();
        std::fs::DirBuilder::new().recursive(true).mode(0o700).create(&path).map_err(system(&path, "made"))?;
        checked_folder(&path)?;
        let mac_key = mac_key_of(&settings.key_file, &path)?;
        Ok(Self { path, bytes_max: settings.bytes_max, mac_key })
    }

    /// The snapshot with this key; `None` if it was never written.
    pub(crate) fn read(&self, key: SnapshotKey) -> Result<Option<StoredSnapshot>, SnapshotMismatch> {
        let folder = checked_folder(&self.path).map_err(|error| SnapshotMismatch::Unreadable(io::Error::other(error)))?;
        let Some((file, snapshot)) = self.read_file(&folder, &key.file_name())? else { return Ok(None) };
        // The folder forgets first what was not used for the longest time. A time that cannot be set is an old one.
        let _ = file.set_modified(SystemTime::now());
        if snapshot.key == key { Ok(Some(snapshot)) } else { Err(SnapshotMismatch::Name) }
    }

    fn read_file(&self, folder: &OwnedFd, name: &str) -> Result<Option<(File, StoredSnapshot)>, SnapshotMismatch> {
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let file = match rustix::fs::openat(folder, name, flags, Mode::empty()) {
            Ok(file) => File::from(file),
            Err(Errno::NOENT) => return Ok(None),
            Err(Errno::LOOP) => return Err(SnapshotMismatch::NotAFile),
            Err(error) => return Err(SnapshotMismatch::Unreadable(error.into())),
        };
        let status = rustix::fs::fstat(&file).map_err(|error| SnapshotMismatch::Unreadable(error.into()))?;
        if FileType::from_raw_mode(status.st_mode) != FileType::RegularFile {
            return Err(SnapshotMismatch::NotAFile);
        }
        check_private(&self.path.join(name), &status)?;
        let length = u64::try_from(status.st_size).unwrap_or(0);
        if length > FILE_BYTES_MAX as u64 {
            return Err(SnapshotMismatch::TooLong { bytes: length });
        }
        // Once, whole, and no more than that: what is checked is what is used.
        let mut bytes = Vec::new();
        (&file).take(length).read_to_end(&mut bytes).map_err(SnapshotMismatch::Unreadable)?;
        Ok(Some((file, self.mac_key.verified(bytes)?)))
    }

    /// Writes a snapshot, so that the file is there whole or not at all, and makes room.
    pub(crate) fn write(
        &self,
        key: SnapshotKey,
        build: &Build,
        contents: &str,
        snapshot: &[u8],
    ) -> Result<(), SnapshotFolderError> {
        checked_folder(&self.path)?;
        let bytes = self.mac_key.signed(key, build, contents, snapshot);
        let name = key.file_name();
        let written = || {
            // Mode 0600, under a name that nobody has; removed where something fails. Not synced: what a crash cuts has a wrong MAC.
            let mut file = tempfile::Builder::new().prefix(UNFINISHED).tempfile_in(&self.path)?;
            file.write_all(&bytes)?;
            file.persist(self.path.join(&name)).map_err(|error| error.error)
        };
        written().map_err(system(&self.path.join(&name), "written"))?;
        self.make_room(&name)
    }

    /// Removes files, the least recently used first, until the others fit. Never `kept`.
    fn make_room(&self, kept: &str) -> Result<(), SnapshotFolderError> {
        let mut files = self.entries()?;
        files.sort_by_key(|(_, _, used)| *used);
        let mut total: u64 = files.iter().map(|(_, bytes, _)| bytes).sum();
        for (name, bytes, _) in files {
            if total <= self.bytes_max {
                break;
            }
            // One that is gone already was removed by another process that makes room.
            if name != kept && std::fs::remove_file(self.path.join(&name)).is_ok() {
                total -= bytes;
            }
        }
        Ok(())
    }

    /// Name, length and last use of all that this module has put into the folder.
    fn entries(&self) -> Result<Vec<(String, u64, SystemTime)>, SnapshotFolderError> {
        let opened = system(&self.path, "listed");
        let listed = std::fs::read_dir(&self.path).map_err(opened)?;
        let ours = |entry: io::Result<std::fs::DirEntry>| {
            let entry = entry.ok()?;
            let name = entry.file_name().into_string().ok()?;
            let is_ours = name.starts_with(UNFINISHED) || name.ends_with(&format!(".{EXTENSION}"));
            // Of the entry itself: no link is followed. One that is gone meanwhile is not there.
            let metadata = entry.metadata().ok().filter(|_| is_ours)?;
            Some((name, metadata.size(), metadata.modified().unwrap_or(SystemTime::UNIX_EPOCH)))
        };
        Ok(listed.filter_map(ours).collect())
    }

    fn verdict(&self, name: &str) -> Result<SnapshotVerdict, SnapshotFolderError> {
        let folder = checked_folder(&self.path)?;
        Ok(match self.read_file(&folder, name) {
            Err(mismatch) => SnapshotVerdict::Refused(mismatch),
            Ok(None) => SnapshotVerdict::Refused(SnapshotMismatch::Unreadable(io::ErrorKind::NotFound.into())),
            Ok(Some((_, snapshot))) if snapshot.key.file_name() != name => SnapshotVerdict::Refused(SnapshotMismatch::Name),
            Ok(Some((_, snapshot))) if !is_of_this_build(&snapshot.build) => SnapshotVerdict::OfAnotherBuild(snapshot.contents),
            Ok(Some((_, snapshot))) => SnapshotVerdict::Usable(snapshot.contents),
        })
    }
}

/// Whether the guest side of this build made it, where there is one.
fn is_of_this_build(build: &Build) -> bool {
    #[cfg(feature = "guest")]
    let is = build == crate::contract::boot::BUILD;
    #[cfg(not(feature = "guest"))]
    let is = build.is_empty();
    is
}

fn system(path: &Path, what: &'static str) -> impl FnOnce(io::Error) -> SnapshotFolderError {
    let path = path.to_owned();
    move |source| SnapshotFolderError::System { path, what, source }
}

/// The folder, if nobody else can write to it.
fn checked_folder(path: &Path) -> Result<OwnedFd, SnapshotFolderError> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let folder = rustix::fs::open(path, flags, Mode::empty()).map_err(|error| match error {
        Errno::NOTDIR | Errno::LOOP => SnapshotFolderError::Kind { path: path.to_owned(), wanted: "folder" },
        error => system(path, "opened")(error.into()),
    })?;
    let status = rustix::fs::fstat(&folder).map_err(|error| system(path, "opened")(error.into()))?;
    check_private(path, &status)?;
    Ok(folder)
}

/// The key in this file, which is made where there is none.
fn mac_key_of(path: &Path, folder: &Path) -> Result<MacKey, SnapshotFolderError> {
    let parent = match path.parent() {
        Some(parent) if parent != Path::new("") => parent,
        _ => Path::new("."),
    };
    let canonical = |path: &Path| path.canonicalize().map_err(system(path, "found"));
    if canonical(parent)?.starts_with(canonical(folder)?) {
        return Err(SnapshotFolderError::KeyInside { path: path.to_owned() });
    }
    match read_key(path) {
        Err(SnapshotFolderError::System { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
            make_key(path, parent).map_err(system(path, "made"))?;
            read_key(path)
        }
        read => read,
    }
}

fn read_key(path: &Path) -> Result<MacKey, SnapshotFolderError> {
    let kind = || SnapshotFolderError::Kind { path: path.to_owned(), wanted: "file" };
    let opened = |error: Errno| if error == Errno::LOOP { kind() } else { system(path, "opened")(error.into()) };
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file = rustix::fs::open(path, flags, Mode::empty()).map_err(opened)?;
    let status = rustix::fs::fstat(&file).map_err(opened)?;
    if FileType::from_raw_mode(status.st_mode) != FileType::RegularFile {
        return Err(kind());
    }
    check_private(path, &status)?;
    let mut bytes = Vec::new();
    File::from(file).take(MAC_KEY_BYTES as u64 + 1).read_to_end(&mut bytes).map_err(system(path, "read"))?;
    <[u8; MAC_KEY_BYTES]>::try_from(bytes.as_slice())
        .map(MacKey)
        .map_err(|_| SnapshotFolderError::KeyLength { path: path.to_owned(), bytes: bytes.len() })
}

/// Makes a key file, whole. If another process was faster, its key stays.
fn make_key(path: &Path, parent: &Path) -> io::Result<()> {
    let mut key = [0; MAC_KEY_BYTES];
    getrandom::fill(&mut key).map_err(io::Error::other)?;
    let mut file = tempfile::Builder::new().prefix(UNFINISHED).tempfile_in(parent)?;
    file.write_all(&key)?;
    file.as_file().sync_all()?;
    match file.persist_noclobber(path) {
        Err(error) if error.error.kind() != io::ErrorKind::AlreadyExists => Err(error.error),
        _ => Ok(()),
    }
}
