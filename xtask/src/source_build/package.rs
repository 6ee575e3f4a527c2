//! The archive as it is kept: without debug information of any source, and packed.

use std::fs::{self, File};
use std::io;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context as _, ensure};
use flate2::{Compression, write::GzEncoder};

use super::tools::Tools;
use super::work_folder::WorkFolder;
use crate::console::say;

/// Strips and packs the archive that ninja made, and gives the path of the result.
///
/// # Errors
///
/// When the strip program fails, or the disk is full.
pub(crate) fn pack(tools: &Tools, folder: &WorkFolder) -> anyhow::Result<PathBuf> {
    say("V8: packing the archive");
    let (stripped, packed) = (folder.path().join("librusty_v8.a"), folder.path().join("librusty_v8.a.gz"));
    let run = Command::new(tools.llvm("llvm-strip"))
        .arg("--strip-debug")
        .arg("-o")
        .arg(&stripped)
        .arg(folder.output().join("obj/librusty_v8.a"))
        .output()
        .context("`llvm-strip` does not start")?;
    ensure!(run.status.success(), "`llvm-strip` failed: {}", String::from_utf8_lossy(&run.stderr).trim());
    let mut source = File::open(&stripped).with_context(|| format!("`{}` cannot be read", stripped.display()))?;
    let target = File::create(&packed).with_context(|| format!("`{}` cannot be written", packed.display()))?;
    let mut packer = GzEncoder::new(target, Compression::best());
    io::copy(&mut source, &mut packer)
        .and_then(|_| packer.finish())
        .with_context(|| format!("`{}` cannot be written: see to space on the disk, and call again", packed.display()))?;
    fs::remove_file(&stripped).with_context(|| format!("`{}` cannot be removed", stripped.display()))?;
    Ok(packed)
}
