//! What a tool says while it works, and who hears it.

use std::fmt;
use std::sync::Arc;

/// Something that a tool says before its reply. Of no importance to the call: whoever hears it may miss some.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq)]
pub enum CallNews {
    /// How far it is.
    Progress {
        /// What is done, in whatever unit. It grows.
        done: f64,
        /// How much there is to do, if that is known.
        total: Option<f64>,
        /// A word for people.
        message: Option<String>,
    },
    /// A line of its log.
    Log {
        /// How grave it is, in the words of the protocol: `debug`, `info`, `notice`, `warning`, `error`, `critical`, `alert`, `emergency`.
        level: String,
        /// What of the server says it.
        logger: Option<String>,
        /// What it says: any JSON value, mostly a string.
        data: serde_json::Value,
    },
}

/// Hears the news of one call. Cheap to clone; nobody listens by default. Telling it never waits.
///
/// ```
/// use isolet_bindings::{CallNews, Listener};
///
/// let (sender, heard) = std::sync::mpsc::channel();
/// let listener = Listener::new(move |news| drop(sender.send(news)));
/// listener.tell(CallNews::Progress { done: 1.0, total: Some(2.0), message: None });
/// assert!(matches!(heard.recv(), Ok(CallNews::Progress { done: 1.0, .. })));
/// Listener::default().tell(CallNews::Progress { done: 1.0, total: None, message: None });
/// ```
#[derive(Clone, Default)]
pub struct Listener(Option<Arc<dyn Fn(CallNews) + Send + Sync>>);

impl Listener {
    /// Hears with `hear`, which must not wait.
    #[must_use]
    pub fn new(hear: impl Fn(CallNews) + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(hear)))
    }

    /// Whether anybody listens.
    #[must_use]
    pub fn is_there(&self) -> bool {
        self.0.is_some()
    }

    /// Tells it, if anybody listens.
    pub fn tell(&self, news: CallNews) {
        if let Some(hear) = &self.0 {
            hear(news);
        }
    }
}

/// Who listens is no part of what a call is.
impl PartialEq for Listener {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl fmt::Debug for Listener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Listener").field(&self.is_there()).finish()
    }
}
