//! Requests of clients since 2026-07-28 that wait for answers of these: each is found by the state that its client was given, once, and by whom it was
//! given to alone.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rmcp::model::InputResponses;
use rmcp::service::RequestContext;
use rmcp::{ErrorData, RoleServer};

use super::answer::is_modern;
use super::client_capabilities::kinds;
use super::ongoing::{Ongoing, Reached, Wish};
use crate::host::principal::PrincipalKey;

/// Requests that wait, of one owner.
const OF_OWNER_MAX: usize = 16;
/// Requests that wait, of all.
const ALL_MAX: usize = 1024;

/// The requests that wait for answers of their clients, which may come back over another connection: clones have the same ones.
///
/// Where connections are of several users, each is served with [`OpenCalls::of`] its own.
#[derive(Clone, Default)]
pub struct OpenCalls {
    kept: Arc<Mutex<HashMap<String, Kept>>>,
    owner: Option<PrincipalKey>,
}

struct Kept {
    owner: Option<PrincipalKey>,
    call: Ongoing,
}

/// What a request brings that comes again.
pub(super) struct Brought {
    pub(super) state: Option<String>,
    pub(super) answers: Option<InputResponses>,
}

impl Brought {
    /// Whether the client of this request is asked by what it is answered: one that says what it answers, or brings answers.
    pub(super) fn is_of_asked(&self, context: &RequestContext<RoleServer>) -> bool {
        let answers_any = || !kinds(&context.client_capabilities().unwrap_or_default()).is_empty();
        is_modern(context) && (self.state.is_some() || answers_any())
    }
}

impl OpenCalls {
    /// The same ones, of which those of `owner` alone are seen.
    #[must_use]
    pub fn of(&self, owner: PrincipalKey) -> Self {
        Self { kept: Arc::clone(&self.kept), owner: Some(owner) }
    }

    /// What the request of `context` is answered: what `work` comes to, or the questions before that. One that brings a state goes on where that was given.
    pub(super) async fn answer<Work>(
        &self,
        wish: Wish,
        brought: Brought,
        context: &RequestContext<RoleServer>,
        work: impl FnOnce(RequestContext<RoleServer>) -> Work,
    ) -> Result<Arc<str>, ErrorData>
    where
        Work: Future<Output = Result<Arc<str>, ErrorData>> + Send + 'static,
    {
        let Brought { state, answers } = brought;
        let mut call = match state {
            Some(state) => self.take(&state, &wish)?,
            None => Ongoing::begin(wish, context, work),
        };
        let mut answers = answers.unwrap_or_default();
        loop {
            match call.go_on(std::mem::take(&mut answers), context).await {
                Reached::End(end) => return end,
                Reached::Questions(asking) => match self.keep(*asking)? {
                    Ok(questions) => return Ok(questions),
                    Err(mut refused) => {
                        refused.refuse("too many requests wait for answers of their clients already");
                        call = *refused;
                    }
                },
            }
        }
    }

    /// Keeps a call that waits; what its client is answered.
    fn keep(&self, call: Ongoing) -> Result<Result<Arc<str>, Box<Ongoing>>, ErrorData> {
        let mut bytes = [0_u8; 32];
        let no_state = |_| ErrorData::internal_error("the system has no random numbers", None);
        getrandom::fill(&mut bytes).map_err(no_state)?;
        let state: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        let (questions, waited_for) = (call.questions(&state), call.waited_for());
        {
            let mut kept = self.kept();
            let of_owner = kept.values().filter(|kept| kept.owner == self.owner).count();
            if of_owner >= OF_OWNER_MAX || kept.len() >= ALL_MAX {
                return Ok(Err(Box::new(call)));
            }
            kept.insert(state.clone(), Kept { owner: self.owner.clone(), call });
        }
        let kept = Arc::downgrade(&self.kept);
        tokio::spawn(async move {
            for question in waited_for {
                question.cancelled().await;
            }
            let Some(kept) = kept.upgrade() else { return };
            let gone = kept.lock().unwrap_or_else(PoisonError::into_inner).remove(&state);
            // Ended where nobody is kept waiting by it.
            drop(gone);
        });
        Ok(Ok(questions))
    }

    /// The call that `state` was given for.
    fn take(&self, state: &str, wish: &Wish) -> Result<Ongoing, ErrorData> {
        let mut kept = self.kept();
        let is_theirs = kept.get(state).is_some_and(|kept| kept.owner == self.owner && kept.call.wish().is(wish));
        let taken = if is_theirs { kept.remove(state) } else { None };
        let unknown = "`requestState` is none that was given for this request, or was used already, or is too old: send the request without it";
        taken.map(|kept| kept.call).ok_or_else(|| ErrorData::invalid_params(unknown, None))
    }

    fn kept(&self) -> MutexGuard<'_, HashMap<String, Kept>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for OpenCalls {
    fn fmt(&self, to: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Never a state: whoever has one goes on with its call.
        to.debug_struct("OpenCalls").field("kept", &self.kept().len()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use isolet_bindings::{AskKind, Question};
    use serde_json::{Map, Value};
    use tokio::sync::{mpsc, oneshot};
    use tokio_util::sync::CancellationToken;

    use super::*;
    use crate::host::principal::Principal;
    use crate::mcp::audience::Audience;
    use crate::mcp::client_asker::Open;

    /// A call that asks something, and what says that nobody waits for the answer any more.
    fn call() -> (Ongoing, CancellationToken) {
        let work = tokio::spawn(std::future::pending());
        let mut call =
            Ongoing::started(wish(), work, mpsc::unbounded_channel().1, Audience::default(), CancellationToken::new());
        let given_up = CancellationToken::new();
        let question = Question::new(AskKind::Form, Map::new());
        call.put(Open { question, answer: oneshot::channel().0, given_up: given_up.clone() });
        (call, given_up)
    }

    fn wish() -> Wish {
        Wish::new("tools/call", "a", "{}")
    }

    /// The state that is given for a call, if it is kept.
    fn keep(calls: &OpenCalls, call: Ongoing) -> Option<String> {
        let answer: Value = serde_json::from_str(&calls.keep(call).unwrap().ok()?).unwrap();
        Some(answer["requestState"].as_str().unwrap().to_owned())
    }

    #[tokio::test]
    async fn a_state_is_its_owners_for_its_request_and_once() {
        let all = OpenCalls::default();
        let (ada, bob) = (all.of(Principal::new("ada").key()), all.of(Principal::new("bob").key()));
        let state = keep(&ada, call().0).unwrap();
        assert!(bob.take(&state, &wish()).is_err() && all.take(&state, &wish()).is_err());
        assert!(ada.take(&state, &Wish::new("tools/call", "b", "{}")).is_err());
        assert!(ada.take(&format!("{state}0"), &wish()).is_err());
        assert!(ada.take(&state, &wish()).is_ok());
        assert!(ada.take(&state, &wish()).is_err(), "it was used");
        assert_ne!(keep(&ada, call().0), keep(&ada, call().0));
        assert!(!format!("{ada:?}").contains(&keep(&ada, call().0).unwrap()));
    }

    #[tokio::test]
    async fn no_more_requests_wait_than_there_may_be_and_none_that_nobody_waits_for() {
        let all = OpenCalls::default();
        let (ada, bob) = (all.of(Principal::new("ada").key()), all.of(Principal::new("bob").key()));
        let (last, given_up) = call();
        for _ in 1..OF_OWNER_MAX {
            assert!(keep(&ada, call().0).is_some());
        }
        let state = keep(&ada, last).unwrap();
        assert!(keep(&ada, call().0).is_none());
        assert!(keep(&bob, call().0).is_some(), "another user");
        given_up.cancel();
        while ada.kept().contains_key(&state) {
            tokio::task::yield_now().await;
        }
        assert!(keep(&ada, call().0).is_some());
    }
}
