//! The resources of one server that somebody watches, and who is told when the server says that one of them has changed.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use isolet_rpc::envelope::object;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::host::change_signal::ChangeSignal;

/// The longest parameters that are read, bytes: those of an address, and of the addresses of a subscription.
const PARAMS_BYTES_MAX: usize = 64 << 10;

/// Who watches what.
#[derive(Default)]
pub(super) struct Watches(Mutex<HashMap<String, Vec<ChangeSignal>>>);

/// A watch. It ends when this is dropped.
pub(super) struct Watch {
    watches: Arc<Watches>,
    uri: String,
    signal: ChangeSignal,
}

#[derive(Deserialize)]
struct Updated {
    uri: String,
}

#[derive(Deserialize)]
struct Acknowledged {
    notifications: Accepted,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Accepted {
    #[serde(default)]
    resource_subscriptions: Vec<String>,
}

impl Watches {
    /// From now on `signal` is told when `uri` changes.
    pub(super) fn watch(self: &Arc<Self>, uri: &str, signal: &ChangeSignal) -> Watch {
        self.lock().entry(uri.to_owned()).or_default().push(signal.clone());
        Watch { watches: Arc::clone(self), uri: uri.to_owned(), signal: signal.clone() }
    }

    /// Whether anybody watches `uri`.
    pub(super) fn has(&self, uri: &str) -> bool {
        self.lock().contains_key(uri)
    }

    /// Hears the parameters of `notifications/resources/updated`.
    pub(super) fn updated(&self, params: &RawValue) {
        if let Some(Updated { uri }) = read(params) {
            self.tell(&uri);
        }
    }

    /// Hears those of `notifications/subscriptions/acknowledged`: from here on the server tells.
    pub(super) fn acknowledged(&self, params: &RawValue) {
        let accepted = read::<Acknowledged>(params).map(|acknowledged| acknowledged.notifications.resource_subscriptions);
        accepted.iter().flatten().for_each(|uri| self.tell(uri));
    }

    fn tell(&self, uri: &str) {
        self.lock().get(uri).into_iter().flatten().for_each(ChangeSignal::tell);
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Vec<ChangeSignal>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        let mut watches = self.watches.lock();
        if let Some(signals) = watches.get_mut(&self.uri) {
            signals.retain(|signal| !signal.is(&self.signal));
            if signals.is_empty() {
                watches.remove(&self.uri);
            }
        }
    }
}

fn read<'text, T: Deserialize<'text>>(params: &'text RawValue) -> Option<T> {
    object(Some(params.get()).filter(|text| text.len() <= PARAMS_BYTES_MAX)?).ok()
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use futures::FutureExt as _;
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn who_watches_a_resource_is_told_of_it_alone_and_nothing_is_kept_of_a_watch_that_has_ended() {
        let watches = Arc::<Watches>::default();
        let of = |value: Value| serde_json::value::to_raw_value(&value).unwrap();
        let (one, other) = (ChangeSignal::new(), ChangeSignal::new());
        let is_told = |signal: &ChangeSignal| signal.told().now_or_never().is_some();
        let first = watches.watch("a:1", &one);
        let second = watches.watch("a:1", &other);
        watches.updated(&of(json!({ "uri": "a:1" })));
        watches.updated(&of(json!({ "uri": "a:1" })));
        assert!(is_told(&one) && !is_told(&one) && is_told(&other), "however often it is said, once");
        for wrong in [json!({ "uri": "a:2" }), json!([]), json!({ "uri": 7 }), json!({ "x": "x".repeat(PARAMS_BYTES_MAX) })] {
            watches.updated(&of(wrong));
        }
        assert!(!is_told(&one));
        watches.acknowledged(&of(json!({ "notifications": { "resourceSubscriptions": ["a:1", "b"] } })));
        watches.acknowledged(&of(json!({ "notifications": 7 })));
        assert!(is_told(&one) && is_told(&other));
        drop(first);
        assert!(watches.has("a:1"));
        drop(second);
        assert!(!watches.has("a:1") && watches.lock().is_empty());
    }
}
