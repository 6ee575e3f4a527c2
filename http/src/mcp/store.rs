//! The sessions of MCP clients before 2026-07-28, which are kept between their requests: each for the principal who began it, on the route where it
//! began. An id is no authentication: in anybody else's hands it is the id of nothing.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use isolet::PrincipalKey;
use isolet::mcp::Mode;

use super::line::Line;
use crate::keys::hexadecimal;
use crate::options::Options;
use crate::renewal::Renewal;

/// Bytes of an id's randomness.
const ID_BYTES: usize = 32;

/// The sessions that are kept.
pub(crate) struct Store {
    max: usize,
    of_principal_max: usize,
    idle_max: Duration,
    renewal: Renewal,
    kept: Mutex<HashMap<String, Kept>>,
}

struct Kept {
    principal: PrincipalKey,
    mode: Mode,
    line: Arc<Line>,
    used: Instant,
    /// How often sessions had been renewed when it began.
    renewed: u64,
}

/// Why one more is not kept.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum NotKept {
    /// All of this principal's are in use.
    OfPrincipal,
    /// There are too many of all.
    OfAll,
    /// The system has no random numbers.
    NoId,
}

impl Store {
    pub(crate) fn new(options: &Options) -> Self {
        Self {
            max: options.mcp_sessions_max,
            of_principal_max: options.mcp_sessions_of_principal_max,
            idle_max: options.mcp_session_idle_max,
            renewal: options.renewal.clone(),
            kept: Mutex::default(),
        }
    }

    /// How many are kept.
    pub(crate) fn len(&self) -> usize {
        self.swept().len()
    }

    /// Keeps one more; its id.
    pub(super) fn keep(&self, principal: &PrincipalKey, mode: Mode, line: Arc<Line>) -> Result<String, NotKept> {
        let mut bytes = [0_u8; ID_BYTES];
        getrandom::fill(&mut bytes).map_err(|_| NotKept::NoId)?;
        let id = hexadecimal(&bytes);
        let mut kept = self.swept();
        if kept.values().filter(|kept| kept.principal == *principal).count() >= self.of_principal_max {
            let idle = kept.iter().filter(|(_, kept)| kept.principal == *principal && kept.line.is_idle());
            let longest = idle.min_by_key(|(_, kept)| kept.used).map(|(id, _)| id.clone()).ok_or(NotKept::OfPrincipal)?;
            kept.remove(&longest);
        } else if kept.len() >= self.max {
            return Err(NotKept::OfAll);
        }
        kept.insert(
            id.clone(),
            Kept { principal: principal.clone(), mode, line, used: Instant::now(), renewed: self.renewal.count() },
        );
        Ok(id)
    }

    /// The line of the session with this id, if it is this principal's, on this route.
    pub(super) fn find(&self, id: &str, principal: &PrincipalKey, mode: Mode) -> Option<Arc<Line>> {
        let mut kept = self.swept();
        let found = kept.get_mut(id).filter(|kept| kept.principal == *principal && kept.mode == mode)?;
        found.used = Instant::now();
        Some(Arc::clone(&found.line))
    }

    /// Ends the session with this id, if it is this principal's, on this route; whether there was one.
    pub(super) fn end(&self, id: &str, principal: &PrincipalKey, mode: Mode) -> bool {
        let mut kept = self.swept();
        let is_theirs = kept.get(id).is_some_and(|kept| kept.principal == *principal && kept.mode == mode);
        is_theirs && kept.remove(id).is_some()
    }

    /// Ends all sessions of this principal. What is under way in them goes on.
    pub(crate) fn end_all_of(&self, principal: &PrincipalKey) {
        self.swept().retain(|_, kept| kept.principal != *principal);
    }

    /// Those that are kept, without those that were not used for too long.
    fn swept(&self) -> MutexGuard<'_, HashMap<String, Kept>> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let (now, renewed) = (Instant::now(), self.renewal.count());
        let is_used = |kept: &Kept| !kept.line.is_idle() || now.saturating_duration_since(kept.used) < self.idle_max;
        kept.retain(|_, kept| kept.renewed == renewed && is_used(kept));
        kept
    }
}
