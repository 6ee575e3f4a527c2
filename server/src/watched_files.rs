//! Files that are looked at again and again: whether one of them is another than it was.
//!
//! They are looked at, twice a second, and the system is not asked to tell: what that tells is other for each system, is lost on network folders and
//! where a link is turned to another folder (as Kubernetes changes a mounted file), and belongs to a file that editors replace. Two looks that see the
//! same say that nobody is writing; and two files that are changed together are read once.

use std::os::unix::fs::MetadataExt as _;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, anyhow};

use crate::fault::Fault;

/// Between two looks.
const PAUSE: Duration = Duration::from_millis(500);

/// The files of a configuration.
pub(crate) struct WatchedFiles {
    files: Vec<PathBuf>,
    seen: Vec<Option<Stamp>>,
    /// At the last look.
    last: Vec<Option<Stamp>>,
}

/// What tells two states of a file apart. Who may write it counts too: a file that was refused for that is read when it is put right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stamp {
    file: (u64, u64),
    bytes: u64,
    written: (i64, i64),
    changed: (i64, i64),
}

impl WatchedFiles {
    /// These files as they are now.
    pub(crate) fn new(files: Vec<PathBuf>) -> Self {
        let seen = stamps(&files);
        Self { files, last: seen.clone(), seen }
    }

    /// From now on these files. Those that were looked at before are as they were seen then.
    pub(crate) fn follow(&mut self, files: Vec<PathBuf>) {
        if self.files != files {
            *self = Self::new(files);
        }
    }

    /// Takes the files as they are now for seen.
    pub(crate) fn look(&mut self) {
        self.seen = stamps(&self.files);
    }

    /// Waits until the files are others than they were, and nobody is writing them. One that is not there is no change: it is about to be replaced.
    pub(crate) async fn changed(&mut self) {
        loop {
            tokio::time::sleep(PAUSE).await;
            let now = stamps(&self.files);
            let is_written = std::mem::replace(&mut self.last, now.clone()) == now && now.iter().all(Option::is_some);
            if is_written && now != self.seen {
                self.seen = now;
                return;
            }
        }
    }

    /// Checks that nobody else can write the files: what they say is run.
    ///
    /// # Errors
    ///
    /// [`Fault::Usage`] if others can.
    pub(crate) fn check(&self) -> Result<(), Fault> {
        let own = rustix::process::geteuid().as_raw();
        for file in &self.files {
            let shown = file.display();
            let metadata =
                std::fs::metadata(file).with_context(|| format!("`{shown}` cannot be read")).map_err(Fault::Usage)?;
            if metadata.mode() & 0o022 != 0 {
                let message = format!("others can write `{shown}`, and what it says is run: `chmod go-w` it");
                return Err(Fault::usage(anyhow!(message)));
            }
            if ![own, 0].contains(&metadata.uid()) {
                let message = format!("`{shown}` is another user's, and what it says is run: make it your own");
                return Err(Fault::usage(anyhow!(message)));
            }
        }
        Ok(())
    }
}

fn stamps(files: &[PathBuf]) -> Vec<Option<Stamp>> {
    let stamp = |file: &PathBuf| {
        let metadata = std::fs::metadata(file).ok()?;
        Some(Stamp {
            file: (metadata.dev(), metadata.ino()),
            bytes: metadata.len(),
            written: (metadata.mtime(), metadata.mtime_nsec()),
            changed: (metadata.ctime(), metadata.ctime_nsec()),
        })
    };
    files.iter().map(stamp).collect()
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[tokio::test]
    async fn a_file_that_is_written_replaced_or_given_away_has_changed_once_and_one_that_is_gone_has_not() {
        let folder = tempfile::tempdir().unwrap();
        let [one, other] = ["one", "other"].map(|name| folder.path().join(name));
        std::fs::write(&one, "1").unwrap();
        std::fs::write(&other, "1").unwrap();
        let mut files = WatchedFiles::new(vec![one.clone(), other.clone()]);
        let waits = async |files: &mut WatchedFiles| tokio::time::timeout(PAUSE * 4, files.changed()).await.is_err();
        let has_changed = async |files: &mut WatchedFiles| tokio::time::timeout(PAUSE * 100, files.changed()).await.is_ok();
        assert!(waits(&mut files).await, "nothing has changed");
        std::fs::write(&one, "22").unwrap();
        std::fs::write(&other, "22").unwrap();
        assert!(has_changed(&mut files).await && waits(&mut files).await, "both have, and are read once");
        std::fs::write(folder.path().join("next"), "3").unwrap();
        std::fs::remove_file(&one).unwrap();
        assert!(waits(&mut files).await, "one is gone");
        std::fs::rename(folder.path().join("next"), &one).unwrap();
        assert!(has_changed(&mut files).await, "another is in its place");
        std::fs::set_permissions(&one, std::fs::Permissions::from_mode(0o604)).unwrap();
        assert!(has_changed(&mut files).await, "its mode has changed");
    }

    #[test]
    fn a_file_that_others_can_write_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("servers.json");
        std::fs::write(&file, "{}").unwrap();
        let files = WatchedFiles::new(vec![file.clone()]);
        for (mode, is_refused) in [(0o600, false), (0o644, false), (0o664, true), (0o606, true)] {
            std::fs::set_permissions(&file, std::fs::Permissions::from_mode(mode)).unwrap();
            assert_eq!(files.check().is_err(), is_refused, "{mode:o}");
        }
        std::fs::remove_file(&file).unwrap();
        assert!(files.check().is_err());
    }
}
