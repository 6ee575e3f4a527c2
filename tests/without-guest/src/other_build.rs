//! Plays an executable of another build: between a host and the program `isolet`, it changes the contract that the host names in its first frame.

use std::io::{Read as _, Write as _};
use std::net::Shutdown;
use std::os::fd::{AsFd as _, OwnedFd};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The first argument of this process where it plays one; the kind of guest follows.
pub(crate) const ARGUMENT: &str = "--other-build";

/// How the contract is written in the first frame.
const CONTRACT: &[u8] = br#""contract":["#;

/// A script that starts this process, with its socket as standard input.
pub(crate) fn executable(folder: &Path) -> anyhow::Result<PathBuf> {
    let path = folder.join("isolet-of-another-build");
    let this = std::env::current_exe()?;
    std::fs::write(&path, format!("#!/bin/sh\nexec '{}' {ARGUMENT} \"$2\" <&3\n", this.display()))?;
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755))?;
    Ok(path)
}

/// Passes the first frame on, changed, and the first answer back.
pub(crate) fn play(program: &Path) {
    // What fails here ends this process: the check sees that there is no answer.
    let _ = pass_on(program);
}

fn pass_on(program: &Path) -> std::io::Result<()> {
    let mut host = UnixStream::from(std::io::stdin().as_fd().try_clone_to_owned()?);
    let mut frame = vec![0; 5];
    host.read_exact(&mut frame)?;
    let length = u32::from_le_bytes([frame[0], frame[1], frame[2], frame[3]]) as usize;
    frame.resize(5 + length, 0);
    host.read_exact(&mut frame[5..])?;
    let number = frame.windows(CONTRACT.len()).position(|window| window == CONTRACT).map(|start| start + CONTRACT.len());
    if let Some(digit) = number.and_then(|number| frame.get_mut(number)) {
        *digit = if *digit == b'1' { b'2' } else { b'1' };
    }
    let (mut here, there) = UnixStream::pair()?;
    let kind = std::env::args().nth(2).unwrap_or_default();
    let script = r#"exec "$0" --isolet-guest "$1" 3<&0"#;
    // The command goes with its end of the socket: the guest's is the last one.
    let mut guest =
        Command::new("/bin/sh").args(["-c", script]).arg(program).arg(kind).stdin(Stdio::from(OwnedFd::from(there))).spawn()?;
    here.write_all(&frame)?;
    here.shutdown(Shutdown::Write)?;
    let mut answer = Vec::new();
    here.read_to_end(&mut answer)?;
    host.write_all(&answer)?;
    guest.wait().map(drop)
}
