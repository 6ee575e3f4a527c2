//! placeholder
mod frame;
#[allow(unsafe_code)]
mod guest;
/// init
pub fn init() { guest::become_guest_if_asked() }
