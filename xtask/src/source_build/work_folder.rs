//! The folder that a build from source works in, and the lock that keeps two builds apart.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};

use crate::locked::LockedV8;

/// The work folder of one version and target, locked for this process.
///
/// The lock belongs to the open file: it ends with the last process that has it open, so it also holds while a
/// compiler that this process started is left behind ([`WorkFolder::lock_for_child`]).
#[derive(Debug)]
pub(crate) struct WorkFolder {
    path: PathBuf,
    lock: File,
}

impl WorkFolder {
    /// Makes the folder if need be, and locks it.
    ///
    /// # Errors
    ///
    /// When the folder cannot be made, or another build has the lock.
    pub(crate) fn open(locked: &LockedV8, cargo_home: &Path) -> anyhow::Result<Self> {
        let path = cargo_home.join(".rusty_v8").join(format!("build-{}-{}", locked.version, locked.target));
        fs::create_dir_all(&path).with_context(|| format!("`{}` cannot be made", path.display()))?;
        let lock = File::create(path.join("lock")).with_context(|| format!("`{}` cannot be written", path.display()))?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { path, lock }),
            Err(TryLockError::WouldBlock) => {
                bail!("another build of V8 works in `{}`: wait for it, or end it and call again", path.display())
            }
            Err(TryLockError::Error(error)) => Err(error).with_context(|| format!("`{}` cannot be locked", path.display())),
        }
    }

    /// The folder.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// V8's sources, once they are there.
    pub(crate) fn source(&self) -> PathBuf {
        self.path.join("source")
    }

    /// Where GN and ninja write.
    pub(crate) fn output(&self) -> PathBuf {
        self.path.join("source/out")
    }

    /// The lock in a form that a child process keeps open, as its standard input.
    pub(crate) fn lock_for_child(&self) -> io::Result<File> {
        self.lock.try_clone()
    }

    /// Removes the folder with everything in it: the archive is elsewhere by now.
    ///
    /// # Errors
    ///
    /// When something in it cannot be removed.
    pub(crate) fn remove(self) -> anyhow::Result<()> {
        fs::remove_dir_all(&self.path)
            .with_context(|| format!("`{}` cannot be removed: remove it by hand", self.path.display()))
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test stops where it fails")]

    use std::thread;
    use std::time::{Duration, Instant};

    use super::*;

    /// Opens a folder that nothing in this test has locked any more.
    ///
    /// Other tests of this program start processes, and a new process has every open file, the lock's too, until it
    /// executes its program: for that moment the folder may still be locked.
    fn open_soon(locked: &LockedV8, home: &Path) -> anyhow::Result<WorkFolder> {
        let patience = Instant::now() + Duration::from_secs(10);
        loop {
            match WorkFolder::open(locked, home) {
                Err(_) if Instant::now() < patience => thread::sleep(Duration::from_millis(5)),
                result => return result,
            }
        }
    }

    #[test]
    fn two_builds_of_one_version_are_kept_apart() {
        let home = tempfile::tempdir().unwrap();
        let locked = LockedV8::example(Path::new("."));
        let first = WorkFolder::open(&locked, home.path()).unwrap();
        let second = WorkFolder::open(&locked, home.path()).unwrap_err();
        assert!(second.to_string().starts_with("another build of V8 works in `"), "{second}");
        let other = LockedV8 { version: "152.2.0".to_owned(), ..locked.clone() };
        WorkFolder::open(&other, home.path()).unwrap();
        drop(first);
        open_soon(&locked, home.path()).unwrap();
    }

    #[test]
    fn the_lock_holds_while_a_child_has_it() {
        let home = tempfile::tempdir().unwrap();
        let locked = LockedV8::example(Path::new("."));
        let folder = WorkFolder::open(&locked, home.path()).unwrap();
        let child = folder.lock_for_child().unwrap();
        drop(folder);
        assert!(WorkFolder::open(&locked, home.path()).is_err());
        drop(child);
        open_soon(&locked, home.path()).unwrap();
    }
}
