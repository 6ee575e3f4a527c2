//! The end of a server: requests that are under way are let finish, and after a while cut off.

use tokio_util::sync::CancellationToken;

/// Tells a router and its server that the end is near; cheap to clone, and all clones are one.
#[derive(Clone, Debug, Default)]
pub struct Ending {
    begun: CancellationToken,
    cut: CancellationToken,
}

impl Ending {
    /// Begins to end: [`crate::serve`] accepts nothing more, `/readyz` says so, and what is under way goes on.
    pub fn begin(&self) {
        self.begun.cancel();
    }

    /// Cuts off what is still under way: it is answered that the server ends, and its runs end.
    pub fn cut(&self) {
        self.begun.cancel();
        self.cut.cancel();
    }

    /// Whether the end has begun.
    #[must_use]
    pub fn has_begun(&self) -> bool {
        self.begun.is_cancelled()
    }

    /// Waits until the end begins.
    pub async fn begun(&self) {
        self.begun.cancelled().await;
    }

    /// Waits until what is under way is cut off.
    pub(crate) async fn is_cut(&self) {
        self.cut.cancelled().await;
    }
}
