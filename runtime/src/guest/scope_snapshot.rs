//! Scope snapshots in a guest process: the maker of one, and a spawned run that boots from it.
//!
//! A snapshot is native code's equal: V8 does not check what it reads. So it comes from the host alone, as a descriptor of memory
//! that nobody can write to any more, and is used only by the build that made it (SECURITY.md S-80 to S-83).

use std::os::fd::OwnedFd;

use isolet_snapshots::maker::{MakeError, Maker};
use rustix::mm::{MapFlags, ProtFlags};

use super::channel::Channel;
use super::exit::exit;
use super::occupant::Occupant;
use super::{jail, single_thread};
use crate::contract::boot::{BUILD, Boot};
use crate::contract::codec::HostMaxima;
use crate::contract::guest_process::{EXIT_DONE, EXIT_HOST_GONE};
use crate::contract::maker::FromMaker;
use crate::contract::run::ToRun;

/// The most private memory of a maker, bytes: for a scope of 5,000 tools it takes a tenth.
const DATA_BYTES_MAX: u64 = 1 << 30;

/// Makes one snapshot and ends: the process that was started for it.
pub(super) fn make(mut channel: Channel) -> ! {
    // First, and before V8 starts: the host may have this snapshot on disk, and hangs up then.
    channel.send(&FromMaker::Build { build: *BUILD });
    let Ok(ToRun::Boot(boot)) = channel.receive(&HostMaxima) else { exit(EXIT_HOST_GONE) };
    let made = match boot.mismatch().or_else(single_thread::refusal) {
        Some(reason) => FromMaker::Refused { reason },
        None => match made(&boot, &mut channel) {
            Ok(snapshot) => FromMaker::Made { snapshot: snapshot.into() },
            Err(error) => FromMaker::Refused { reason: error.to_string() },
        },
    };
    channel.send(&made);
    exit(EXIT_DONE)
}

fn made(boot: &Boot, channel: &mut Channel) -> Result<Box<[u8]>, MakeError> {
    let mut walls = jail::before_v8();
    let mut maker = Maker::start(boot.jit.v8_flags())?;
    // As a run, before the first name of a tool is read.
    jail::close(boot, Occupant::Run, &mut walls);
    jail::close_run(boot, &mut walls);
    jail::limit_data(DATA_BYTES_MAX);
    let Ok(ToRun::Install { manifest }) = channel.receive(&HostMaxima) else { exit(EXIT_HOST_GONE) };
    maker.install(&manifest)?;
    Ok(maker.finish())
}

/// The snapshot that came with the boot, mapped for the rest of the process. `None` if there is none, or if another build made it:
/// the file of an executable may have been replaced while its host runs.
pub(super) fn received(boot: &Boot, file: Option<OwnedFd>) -> Option<&'static [u8]> {
    let made_by = boot.scope_snapshot_of?;
    let file = file?;
    if made_by != *BUILD {
        return None;
    }
    let bytes = usize::try_from(rustix::fs::fstat(&file).ok()?.st_size).ok()?;
    // SAFETY: the mapping is new, it is never unmapped, and the host gives out files only that can neither be written nor cut.
    unsafe {
        let start = rustix::mm::mmap(std::ptr::null_mut(), bytes, ProtFlags::READ, MapFlags::PRIVATE, &file, 0).ok()?;
        Some(std::slice::from_raw_parts(start.cast::<u8>(), bytes))
    }
}
