//! What replies of tools were like whose servers do not say it: where that is kept.

use std::fmt;
use std::sync::Arc;

use crate::definition::Tool;
use crate::reply_shape::ReplyShape;

/// Keeps what replies were like, for each principal: [`Scope::observing`](crate::Scope::observing). The crate `isolet-observations` has such, in memory
/// and in a file.
///
/// Both methods are called where nothing waits for them to be quick, and by many threads at a time; neither may wait for long.
pub trait ObservedShapes: fmt::Debug + Send + Sync + 'static {
    /// Takes what one reply of `tool` to `principal` was like.
    fn observe(&self, principal: &str, tool: &Tool, shape: ReplyShape);

    /// What `principal` may be shown of the replies of `tool`: of its own, and of those of others where an operator has said that they may be shared.
    fn seen(&self, principal: &str, tool: &Tool) -> Option<Arc<ReplyShape>>;
}
