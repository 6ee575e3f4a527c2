//! The numbers of the kinds of frames: each is one meaning, in whatever direction it travels.

pub(super) const BOOT: u8 = 1;
pub(super) const INSTALL: u8 = 2;
pub(super) const START: u8 = 3;
pub(super) const ANSWER: u8 = 4;
pub(super) const FORK: u8 = 5;
pub(super) const SCOPE: u8 = 6;
pub(super) const RETIRE: u8 = 7;
pub(super) const KILL: u8 = 8;
pub(super) const LOWER: u8 = 9;
pub(super) const SAY: u8 = 16;
pub(super) const CALL: u8 = 17;
pub(super) const END: u8 = 18;
pub(super) const REFUSED: u8 = 19;
pub(super) const JAILED: u8 = 20;
pub(super) const NOTE: u8 = 21;
pub(super) const READY: u8 = 32;
pub(super) const FORKED: u8 = 33;
pub(super) const NOT_FORKED: u8 = 34;
pub(super) const EXITED: u8 = 35;
pub(super) const STOPPED: u8 = 36;
pub(super) const BUILD: u8 = 48;
pub(super) const MADE: u8 = 49;
