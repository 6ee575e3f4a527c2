//! Everything that is inside an isolate, and the V8 start-up snapshots made of it.
//!
//! * [`ops`]: every operation that JavaScript can reach, the attack surface of the host side of an isolate;
//! * `js/`: the bootstrap JavaScript, in the order in which it runs ([`bootstrap`]);
//! * [`door`]: the trait behind the ops, implemented by the guest process;
//! * [`maker`]: what makes a snapshot, in a process of its own; [`base`]: the one without bindings, made at build time;
//! * [`identity`]: what a snapshot depends on;
//! * [`flags`]: the V8 flags, which makers and users of snapshots must agree on;
//! * [`stack`]: where in the guest's program something happened.
//!
//! Only this crate and the guest side of the runtime name `deno_core` or `v8`.

pub mod base;
pub mod bootstrap;
pub mod door;
pub mod flags;
pub mod globals;
pub mod identity;
mod json_text;
pub mod maker;
pub mod ops;
pub mod stack;
