//! What servers list, kept so that a session whose tools are known starts no server: by (name, configuration), and by user where the server says `private`.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::watch;

use super::credential_source::Credentials;
use super::server_configuration::ServerConfiguration;
use super::server_key::Key;
use super::tool_list::ToolList;
use crate::host::principal::PrincipalKey;

/// The most tool lists that are kept, and their bytes together. One more is asked for again when it is needed.
const LISTS_MAX: usize = 256;
const LISTS_BYTES_MAX: usize = 128 << 20;

/// The lists that are known.
#[derive(Default)]
pub(super) struct KnownLists {
    lists: Mutex<HashMap<ListKey, Arc<ToolList>>>,
    changes: watch::Sender<()>,
}

/// Whose list it is: everyone's with this configuration if there is no user.
#[derive(Clone, PartialEq, Eq, Hash)]
struct ListKey {
    user: Option<PrincipalKey>,
    server: Arc<str>,
    configuration: Arc<ServerConfiguration>,
    given: Option<Credentials>,
}

impl ListKey {
    fn of(key: &Key, user: Option<PrincipalKey>) -> Self {
        let (server, configuration) = (Arc::clone(&key.server), Arc::clone(&key.configuration));
        Self { user, server, configuration, given: key.given.clone() }
    }
}

impl KnownLists {
    /// Sees each change of what servers list, and each server that failed.
    pub(super) fn changes(&self) -> watch::Receiver<()> {
        self.changes.subscribe()
    }

    /// Says that something is other than it was.
    pub(super) fn tell(&self) {
        self.changes.send_replace(());
    }

    /// What the server lists to this user, if it is known and still to be used.
    pub(super) fn known(&self, key: &Key) -> Option<Arc<ToolList>> {
        let lists = self.lists.lock().unwrap_or_else(PoisonError::into_inner);
        let known = [Some(key.principal.key()), None].map(|user| lists.get(&ListKey::of(key, user)));
        known.into_iter().flatten().find(|list| list.is_fresh()).cloned()
    }

    /// Keeps `list`, if there is room for it.
    pub(super) fn keep(&self, key: &Key, list: &Arc<ToolList>) {
        let mut lists = self.lists.lock().unwrap_or_else(PoisonError::into_inner);
        let is_personal = list.is_private() || key.is_personal;
        let key = ListKey::of(key, is_personal.then(|| key.principal.key()));
        let is_other = lists.remove(&key).is_none_or(|before| before.json() != list.json());
        if is_other {
            self.tell();
        }
        let has_room = |lists: &HashMap<ListKey, Arc<ToolList>>| {
            let bytes: usize = lists.values().map(|list| list.bytes()).sum();
            lists.len() < LISTS_MAX && bytes + list.bytes() <= LISTS_BYTES_MAX
        };
        if !has_room(&lists) {
            lists.retain(|_, list| list.is_fresh());
        }
        if has_room(&lists) {
            lists.insert(key, Arc::clone(list));
        }
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use isolet_rpc::envelope::object;

    use super::*;
    use crate::mcp::server_configuration::CommandServer;

    fn key(server: &str, user: &str) -> Key {
        let (principal, configuration) = (Arc::new(user.into()), Arc::new(CommandServer::new("x").into()));
        Key { principal, server: server.into(), configuration, given: None, is_personal: server == "personal" }
    }

    fn list(page: &str) -> Arc<ToolList> {
        let mut list = ToolList::default();
        list.add(&object(page).unwrap());
        Arc::new(list)
    }

    #[test]
    fn no_more_lists_are_kept_than_there_is_room_for() {
        let (lists, page) = (KnownLists::default(), format!(r#"{{"tools": ["{}"]}}"#, "x".repeat(LISTS_BYTES_MAX / 2 - 100)));
        let kept = |server: &str| {
            lists.keep(&key(server, "ada"), &list(&page));
            lists.known(&key(server, "ada")).is_some()
        };
        assert_eq!(["a", "b", "a", "c"].map(kept), [true, true, true, false]);
        let (lists, small) = (KnownLists::default(), list(r#"{"tools": []}"#));
        (0..2 * LISTS_MAX).for_each(|server| lists.keep(&key(&server.to_string(), "ada"), &small));
        assert_eq!(lists.lists.lock().unwrap().len(), LISTS_MAX);
    }

    #[test]
    fn a_private_list_is_known_to_its_user_only() {
        let lists = KnownLists::default();
        lists.keep(&key("a", "ada"), &list(r#"{"tools": [], "cacheScope": "private"}"#));
        lists.keep(&key("b", "ada"), &list(r#"{"tools": []}"#));
        lists.keep(&key("personal", "ada"), &list(r#"{"tools": []}"#));
        let asked = [("a", "ada"), ("a", "bob"), ("b", "bob"), ("personal", "ada"), ("personal", "bob")];
        let known = asked.map(|(server, user)| lists.known(&key(server, user)).is_some());
        assert_eq!(known, [true, false, true, true, false]);
    }
}
