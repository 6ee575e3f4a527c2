//! All that host and guest process share, and the only thing: how a guest process is started and ends, the frames between the two, and what
//! both need of the kernel. No V8 and no MCP here.

pub(crate) mod boot;
pub(crate) mod codec;
pub(crate) mod guest_process;
mod kind;
pub(crate) mod maker;
pub(crate) mod parcel;
pub(crate) mod priority;
pub(crate) mod reaping;
pub(crate) mod run;
pub(crate) mod socket;
pub(crate) mod v8_flags;
pub(crate) mod zygote;
