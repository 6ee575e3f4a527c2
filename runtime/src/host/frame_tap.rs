//! Whoever looks at each frame that goes to a run: a test that searches them.

use std::fmt;
use std::sync::Arc;

/// Hears bytes of frames.
type Hear = dyn Fn(&[u8]) + Send + Sync;

/// Hears frames, or nothing. Cheap to clone.
#[derive(Clone, Default)]
pub(crate) struct FrameTap(Option<Arc<Hear>>);

impl FrameTap {
    pub(crate) fn new(hear: impl Fn(&[u8]) + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(hear)))
    }

    /// Says what is on its way: one or more whole frames, or the text of one whose beginning was said before.
    pub(crate) fn say(&self, bytes: &[u8]) {
        if let Some(hear) = &self.0 {
            hear(bytes);
        }
    }
}

impl fmt::Debug for FrameTap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("FrameTap").field(&self.0.is_some()).finish()
    }
}
