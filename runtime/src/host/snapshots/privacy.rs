//! Whether a file or a folder is this user's alone.

use std::path::{Path, PathBuf};

use rustix::fs::Stat;

/// Somebody else has, or could give himself, rights to what only this user may write.
#[non_exhaustive]
#[derive(Debug, thiserror::Error)]
pub enum Exposure {
    /// It belongs to somebody else.
    #[error("`{}` belongs to user {owner}, and this process to user {user}: make one of your own", path.display())]
    Owner {
        /// What.
        path: PathBuf,
        /// Whose it is.
        owner: u32,
        /// Who this process is.
        user: u32,
    },
    /// Others have rights to it.
    #[error("`{0}` has mode {mode:04o}, which gives rights to others: `chmod go= {0}`, if nobody has used them", path.display())]
    Mode {
        /// What.
        path: PathBuf,
        /// Its mode.
        mode: u32,
    },
}

/// Whether what has this status belongs to this user, and to nobody else in any way.
pub(super) fn check_private(path: &Path, status: &Stat) -> Result<(), Exposure> {
    let user = rustix::process::geteuid().as_raw();
    #[cfg_attr(target_os = "linux", expect(clippy::useless_conversion, reason = "macOS has narrower modes"))]
    let mode = u32::from(status.st_mode) & 0o7777;
    if status.st_uid != user {
        Err(Exposure::Owner { path: path.to_owned(), owner: status.st_uid, user })
    } else if mode & 0o077 != 0 {
        Err(Exposure::Mode { path: path.to_owned(), mode })
    } else {
        Ok(())
    }
}
