//! What the pool knows of each scope: how busy it is, its zygote, the runs that were forked ahead. At most so many, the least recently
//! used forgotten first.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Instant;

use isolet_bindings::{ContentHash, Scope};

use crate::host::manifest::manifest_of;
use crate::host::outcome::Origin;
use crate::host::pool::claim::Claim;
use crate::host::pool::policy::{self, IDLE_MAX};
use crate::host::run_error::RunError;
use crate::host::zygote::Zygote;

/// Scopes that are remembered. One that is forgotten is cold again.
pub(crate) const SCOPES_MAX: usize = 1024;
/// Manifests of all scopes that are remembered, bytes: that of 5,000 tools has some 200,000.
pub(crate) const MANIFEST_BYTES_MAX: usize = 64 << 20;

/// What the pool knows of one scope.
pub(crate) struct Entry {
    pub(crate) manifest: Arc<str>,
    pub(crate) requests: u32,
    pub(crate) last_request: Instant,
    pub(crate) zygote: Option<Arc<Zygote>>,
    /// Runs that were forked ahead.
    ready: VecDeque<Claim>,
    /// How many runs to hold ready.
    ready_wanted: usize,
}

/// All scopes that are remembered.
#[derive(Default)]
pub(crate) struct Scopes {
    by_hash: HashMap<ContentHash, Entry>,
    /// Zygotes that are asked for nothing any more and have not ended: each has a live run, or is about to end.
    former: Vec<Arc<Zygote>>,
}

impl Scopes {
    pub(crate) fn get(&self, scope: &Scope) -> Option<&Entry> {
        self.by_hash.get(&scope.hash())
    }

    pub(crate) fn zygotes(&self) -> impl Iterator<Item = &Arc<Zygote>> {
        self.by_hash.values().filter_map(|entry| entry.zygote.as_ref())
    }

    /// Runs that were forked ahead.
    pub(crate) fn ready(&self) -> usize {
        self.by_hash.values().map(|entry| entry.ready.len()).sum()
    }

    /// The entry of a scope; makes room and one if there is none.
    pub(crate) fn entry(&mut self, scope: &Scope, ready_runs_max: usize) -> Result<&mut Entry, RunError> {
        let hash = scope.hash();
        if !self.by_hash.contains_key(&hash) {
            let entry = Entry::new(manifest_of(scope)?, ready_runs_max);
            self.make_room(entry.manifest.len());
            self.by_hash.insert(hash, entry);
        }
        self.by_hash.get_mut(&hash).ok_or_else(|| RunError::bug("an entry that was just made is not there"))
    }

    /// Forgets scopes until there is room for one more. The one that comes has its place, however large it is.
    fn make_room(&mut self, manifest_bytes: usize) {
        let held = |scopes: &Self| scopes.by_hash.values().map(|entry| entry.manifest.len()).sum::<usize>();
        while self.by_hash.len() >= SCOPES_MAX || held(self).saturating_add(manifest_bytes) > MANIFEST_BYTES_MAX {
            let Some(hash) = self.least_recent(|_| true) else { return };
            self.drop_zygote(hash);
            self.by_hash.remove(&hash);
        }
    }

    /// Makes room for one more zygote of a scope.
    pub(crate) fn retire_least_recent(&mut self, zygotes_max: usize) {
        while self.zygotes().count() >= zygotes_max.max(1) {
            let Some(hash) = self.least_recent(|entry| entry.zygote.is_some()) else { return };
            self.drop_zygote(hash);
        }
    }

    fn least_recent(&self, is_one: impl Fn(&Entry) -> bool) -> Option<ContentHash> {
        let entries = self.by_hash.iter().filter(|(_, entry)| is_one(entry));
        entries.min_by_key(|(_, entry)| entry.last_request).map(|(hash, _)| *hash)
    }

    /// Forgets the zygote of a scope and what was forked ahead from it: runs that live go on.
    fn drop_zygote(&mut self, hash: ContentHash) {
        if let Some(zygote) = self.by_hash.get_mut(&hash).and_then(Entry::take_zygote) {
            self.part_with(zygote);
        }
    }

    /// Forgets the zygote of a scope if it is gone.
    pub(crate) fn drop_lost_zygote(&mut self, scope: &Scope) {
        if self.get(scope).and_then(|entry| entry.zygote.as_ref()).is_some_and(|zygote| zygote.is_gone()) {
            self.drop_zygote(scope.hash());
        }
    }

    /// Forgets the zygotes of all scopes.
    pub(crate) fn drop_zygotes(&mut self) {
        for hash in self.by_hash.keys().copied().collect::<Vec<_>>() {
            self.drop_zygote(hash);
        }
    }

    /// Has a zygote end after its last child, and looks after it until then.
    pub(crate) fn part_with(&mut self, zygote: Arc<Zygote>) {
        zygote.retire();
        self.former.push(zygote);
    }

    /// Looks at all zygotes, and forgets what is gone or was idle for too long. The scopes that want runs forked ahead.
    pub(crate) fn look(&mut self) -> Vec<ContentHash> {
        self.former.retain(|zygote| {
            zygote.look();
            !zygote.has_ended()
        });
        for zygote in self.zygotes() {
            zygote.look();
        }
        let now = Instant::now();
        let is_over = |entry: &Entry| now.duration_since(entry.last_request) > IDLE_MAX;
        let unwanted = self
            .by_hash
            .iter()
            .filter(|(_, entry)| entry.zygote.as_ref().is_some_and(|zygote| zygote.is_gone() || is_over(entry)));
        for hash in unwanted.map(|(hash, _)| *hash).collect::<Vec<_>>() {
            self.drop_zygote(hash);
        }
        self.by_hash.retain(|_, entry| !is_over(entry));
        let mut wanting = Vec::new();
        for (hash, entry) in &mut self.by_hash {
            entry.want_less_if_idle(now);
            if entry.zygote.is_some() && entry.ready.len() < entry.ready_wanted {
                wanting.push(*hash);
            }
        }
        wanting
    }

    /// Forks one run of a scope ahead; false if no more are wanted or can be had.
    pub(crate) fn fork_ahead(&mut self, hash: ContentHash, ready_total_max: usize) -> bool {
        let ready_total = self.ready();
        let Some(entry) = self.by_hash.get_mut(&hash) else { return false };
        let has_room = policy::forks_ahead(entry.ready.len(), entry.ready_wanted, ready_total, ready_total_max);
        let Some(zygote) = entry.zygote.as_ref().filter(|zygote| has_room && zygote.is_ready()) else { return false };
        let Ok(claim) = Claim::fork(zygote, Origin::Ready, Vec::new()) else { return false };
        entry.ready.push_back(claim);
        true
    }
}

impl Entry {
    fn new(manifest: String, ready_runs_max: usize) -> Self {
        Self {
            manifest: manifest.into(),
            requests: 0,
            last_request: Instant::now(),
            zygote: None,
            ready: VecDeque::new(),
            ready_wanted: policy::ready_wanted_at_first(ready_runs_max),
        }
    }

    /// The first run that was forked ahead and is still there.
    pub(crate) fn pop_ready(&mut self) -> Option<Claim> {
        std::iter::from_fn(|| self.ready.pop_front()).find(|claim| !claim.process.is_over())
    }

    /// Whether there is none left that was forked ahead.
    pub(crate) fn is_out_of_ready(&self) -> bool {
        self.ready.is_empty()
    }

    /// Has more runs held ready: there were too few.
    pub(crate) fn want_more(&mut self, ready_runs_max: usize) {
        self.ready_wanted = policy::ready_wanted_after_miss(self.ready_wanted, ready_runs_max);
    }

    fn want_less_if_idle(&mut self, now: Instant) {
        let wanted = policy::ready_wanted_after(now.duration_since(self.last_request), self.ready_wanted);
        if wanted < self.ready_wanted {
            self.ready_wanted = wanted;
            self.ready.truncate(wanted);
        }
    }

    fn take_zygote(&mut self) -> Option<Arc<Zygote>> {
        self.ready.clear();
        self.zygote.take()
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test stops where it fails")]

    use isolet_bindings::{Catalog, Grants};

    use super::*;

    /// Scopes of one tool each.
    fn scopes(count: usize) -> Vec<Scope> {
        let tools: Vec<_> =
            (0..count).map(|id| serde_json::json!({ "name": format!("t{id}"), "inputSchema": { "type": "object" } })).collect();
        let catalog = Catalog::load([("s", tools)]).unwrap();
        (0..count).map(|id| catalog.scope(&Grants::new().allow(format!("s.t{id}"))).unwrap()).collect()
    }

    #[test]
    fn scopes_have_a_maximum_and_the_least_recently_used_is_forgotten() {
        let scopes_of_users = scopes(SCOPES_MAX + 1);
        let mut known = Scopes::default();
        for scope in &scopes_of_users[..SCOPES_MAX] {
            known.entry(scope, 4).unwrap().last_request = Instant::now();
        }
        known.entry(&scopes_of_users[0], 4).unwrap().last_request = Instant::now();
        known.entry(&scopes_of_users[SCOPES_MAX], 4).unwrap();
        assert_eq!(known.by_hash.len(), SCOPES_MAX);
        assert!(known.get(&scopes_of_users[0]).is_some(), "it was used again");
        assert!(known.get(&scopes_of_users[1]).is_none(), "it is the least recently used");
        assert!(known.get(&scopes_of_users[SCOPES_MAX]).is_some());
    }

    #[test]
    fn manifests_have_a_maximum_and_one_beyond_it_has_its_place_alone() {
        let scopes_of_users = scopes(3);
        let mut known = Scopes::default();
        for scope in &scopes_of_users[..2] {
            known.entry(scope, 4).unwrap().manifest = "x".repeat(MANIFEST_BYTES_MAX / 2).into();
        }
        known.entry(&scopes_of_users[2], 4).unwrap();
        assert_eq!(known.by_hash.len(), 2, "one was forgotten");
        known.make_room(MANIFEST_BYTES_MAX + 1);
        assert_eq!(known.by_hash.len(), 0);
    }
}
