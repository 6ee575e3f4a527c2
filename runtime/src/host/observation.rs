//! What replies are like, for scopes that observe them: taken from the reply of a server after the program has it, never from what a guest says.
//!
//! It is work of the run as the check of a reply is: a moment's is done at once, more of it aside. Nothing waits for it, and what would wait too
//! long is left out: another reply comes.

use std::sync::Arc;

use isolet_bindings::{Scope, ToolReply};
use tokio::sync::Semaphore;

use super::estimate::Work;
use super::work::HostWork;

/// Long replies of all runs that wait for their turn or have it; what comes beyond them is not observed.
static LONG_ONES: Semaphore = Semaphore::const_new(16);

/// Keeps what the reply of a tool is like, if `scope` observes it.
pub(crate) fn observe(scope: &Scope, work: &Arc<HostWork>, index: u32, reply: &ToolReply) {
    if !scope.observes(index) {
        return;
    }
    match Work::of_reading(reply.as_json().len()) {
        Work::Trifle => scope.observe(index, reply.as_json()),
        Work::Moment => work.here(|| scope.observe(index, reply.as_json())),
        Work::More => observe_aside(scope, work, index, reply),
    }
}

fn observe_aside(scope: &Scope, work: &Arc<HostWork>, index: u32, reply: &ToolReply) {
    let is_taken = reply.as_json().len() <= isolet_bindings::OBSERVED_REPLY_BYTES_MAX;
    let Some(place) = is_taken.then(|| LONG_ONES.try_acquire().ok()).flatten() else { return };
    let (scope, work, reply) = (scope.clone(), Arc::clone(work), reply.clone().without_result());
    tokio::spawn(async move {
        // No tree is made of it. A host that cannot do it leaves it.
        let _ = work.aside(0, move || scope.observe(index, reply.as_json())).await;
        drop(place);
    });
}
