//! The requests to one server that are not answered yet: as many as calls that wait for them, and each gone with its call.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use isolet_bindings::{AskKind, Asker, CallNews, Listener};
use rmcp::model::ClientRequest;
use tokio_util::sync::CancellationToken;

/// What a request asked for: it says how its result is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Asked {
    Initialize,
    Discover,
    /// Anything else.
    Other,
}

impl Asked {
    /// What `request` asks for.
    pub(super) fn by(request: &ClientRequest) -> Self {
        match request {
            ClientRequest::InitializeRequest(_) => Self::Initialize,
            ClientRequest::DiscoverRequest(_) => Self::Discover,
            _ => Self::Other,
        }
    }
}

/// The requests, by number.
#[derive(Default)]
pub(super) struct Pending(Mutex<HashMap<i64, Request>>);

struct Request {
    asked: Asked,
    is_written: bool,
    given_up: CancellationToken,
    /// Who hears what is said before its answer, and by which token it is named there.
    listener: Option<(i64, Listener)>,
    /// Whom the server asks before it answers, and for what there is an answer.
    asker: Option<(Asker, BTreeSet<AskKind>)>,
    /// Held once more by each question that is put to them.
    questions: Arc<()>,
}

/// Who is asked now, until the request is given up or answered that they are asked for.
pub(super) struct Turn {
    pub(super) asker: Asker,
    /// Cancelled with that request.
    pub(super) given_up: CancellationToken,
    /// That request, where it can be no other.
    pub(super) of: Option<i64>,
    _question: Arc<()>,
}

impl Pending {
    /// Notes a request; what is returned is cancelled when it is given up before it was written.
    pub(super) fn add(&self, id: i64, asked: Asked) -> CancellationToken {
        let given_up = CancellationToken::new();
        let (listener, asker, questions) = (None, None, Arc::default());
        self.lock().insert(id, Request { asked, is_written: false, given_up: given_up.clone(), listener, asker, questions });
        given_up
    }

    /// Notes who hears what is said of the request `id` under this token.
    pub(super) fn listen(&self, id: i64, token: i64, listener: Listener) {
        if let Some(request) = self.lock().get_mut(&id) {
            request.listener = Some((token, listener));
        }
    }

    /// Notes whom the server asks before it answers the request `id`, and for what there is an answer.
    pub(super) fn let_ask(&self, id: i64, asker: Asker, kinds: BTreeSet<AskKind>) {
        if let Some(request) = self.lock().get_mut(&id) {
            request.asker = Some((asker, kinds));
        }
    }

    /// Whose turn it is to be asked for `kind` by the server. A question that came with the answer to a request, `of`, is for that; else it names none, and is put
    /// to one that can be asked, the one that waits longest of those that are asked least.
    pub(super) fn turn(&self, of: Option<i64>, kind: AskKind) -> Option<Turn> {
        let requests = self.lock();
        let meant = requests.iter().filter(|(id, _)| of.is_none_or(|of| of == **id));
        let askers: Vec<_> = meant.filter_map(|(id, request)| Some((*id, request, request.asker.as_ref()?))).collect();
        let (id, request, (asker, _)) = askers
            .iter()
            .min_by_key(|(id, request, (_, kinds))| (!kinds.contains(&kind), Arc::strong_count(&request.questions), *id))?;
        Some(Turn {
            asker: asker.clone(),
            given_up: request.given_up.clone(),
            of: (askers.len() == 1).then_some(*id),
            _question: Arc::clone(&request.questions),
        })
    }

    /// Tells what is said under this token.
    pub(super) fn tell(&self, token: i64, news: CallNews) {
        self.tell_first(news, |other| other == token);
    }

    /// Tells what is said of no request in particular: to whoever waits longest.
    pub(super) fn tell_one(&self, news: CallNews) {
        self.tell_first(news, |_| true);
    }

    fn tell_first(&self, news: CallNews, is_meant: impl Fn(i64) -> bool) {
        let listener = {
            let requests = self.lock();
            let listening = requests.iter().filter_map(|(id, request)| {
                let (_, listener) = request.listener.as_ref().filter(|(token, _)| is_meant(*token))?;
                Some((id, listener))
            });
            listening.min_by_key(|(id, _)| **id).map(|(_, listener)| listener.clone())
        };
        // Who hears may ask for something here.
        if let Some(listener) = listener {
            listener.tell(news);
        }
    }

    /// Notes that a request is being written: from here on the server may answer, and has to be told of a cancellation. Whether it is still wanted.
    pub(super) fn begin(&self, id: i64) -> bool {
        self.lock().get_mut(&id).is_some_and(|request| {
            request.is_written = true;
            true
        })
    }

    /// Forgets a request, because it is answered or cannot be any more.
    pub(super) fn take(&self, id: i64) -> Option<Asked> {
        self.lock().remove(&id).map(|request| {
            // Nobody waits for what was asked meanwhile.
            request.given_up.cancel();
            request.asked
        })
    }

    /// Whether a request is not answered yet.
    pub(super) fn has(&self, id: i64) -> bool {
        self.lock().contains_key(&id)
    }

    /// Gives a request up: whether the server knows of it, and so has to be told.
    pub(super) fn give_up(&self, id: i64) -> bool {
        self.lock().remove(&id).is_some_and(|request| {
            request.given_up.cancel();
            request.is_written
        })
    }

    /// The one request there is, if there is one: whose answer it is that does not say so.
    pub(super) fn only(&self) -> Option<i64> {
        let requests = self.lock();
        let mut written = requests.iter().filter(|(_, request)| request.is_written).map(|(id, _)| *id);
        written.next().filter(|_| written.next().is_none())
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<i64, Request>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use isolet_bindings::Question;
    use serde_json::Map;

    use super::*;

    #[test]
    fn news_are_for_the_request_that_they_name_and_else_for_the_oldest() {
        let pending = Pending::default();
        let heard: Arc<Mutex<Vec<(i64, f64)>>> = Arc::default();
        for id in 1..=3 {
            pending.add(id, Asked::Other);
            let heard = Arc::clone(&heard);
            let listener = Listener::new(move |news| {
                if let CallNews::Progress { done, .. } = news {
                    heard.lock().unwrap_or_else(PoisonError::into_inner).push((id, done));
                }
            });
            if id > 1 {
                pending.listen(id, id * 10, listener);
            }
        }
        let news = |done| CallNews::Progress { done, total: None, message: None };
        pending.tell(30, news(1.0));
        pending.tell(10, news(2.0));
        pending.tell_one(news(3.0));
        pending.take(2);
        pending.tell(20, news(4.0));
        pending.tell_one(news(5.0));
        assert_eq!(*heard.lock().unwrap_or_else(PoisonError::into_inner), [(3, 1.0), (2, 3.0), (3, 5.0)]);
    }

    #[tokio::test]
    async fn a_question_that_names_no_request_is_put_to_the_oldest_of_those_that_are_asked_least() {
        let pending = Pending::default();
        let kind = AskKind::Form;
        let asked = async |turn: Option<&Turn>| match turn {
            Some(turn) => turn.asker.ask(Question::new(kind, Map::new())).await.ok().and_then(|id| id.as_i64()),
            None => None,
        };
        pending.add(1, Asked::Other);
        assert!(pending.turn(None, kind).is_none() && pending.turn(Some(1), kind).is_none(), "nobody is asked");
        for id in 2..=4 {
            pending.add(id, Asked::Other);
            let asker = Asker::new([kind], move |_| Box::pin(async move { Ok(id.into()) }));
            // As many as ask, whether there is an answer or not: they say why there is none.
            pending.let_ask(id, asker, if id == 2 { BTreeSet::new() } else { BTreeSet::from([kind]) });
        }
        let turns: Vec<Turn> = (0..3).filter_map(|_| pending.turn(None, kind)).collect();
        for (turn, id) in turns.iter().zip([3, 4, 3]) {
            assert_eq!((asked(Some(turn)).await, turn.of), (Some(id), None));
        }
        assert_eq!(asked(pending.turn(Some(4), kind).as_ref()).await, Some(4), "it is meant");
        assert_eq!(asked(pending.turn(None, kind).as_ref()).await, Some(4), "it is asked less");
        assert_eq!(asked(pending.turn(None, AskKind::Url).as_ref()).await, Some(2), "none has an answer to that");
        pending.take(4);
        assert!(turns[1].given_up.is_cancelled() && pending.turn(Some(4), kind).is_none());
        assert_eq!(asked(pending.turn(None, kind).as_ref()).await, Some(3), "the other is answered");
        pending.give_up(3);
        let last = pending.turn(None, kind);
        assert_eq!((asked(last.as_ref()).await, last.and_then(|turn| turn.of)), (Some(2), Some(2)), "it can be no other");
    }

    #[test]
    fn a_server_is_told_only_of_requests_that_it_may_have_seen() {
        let pending = Pending::default();
        let unwritten = pending.add(1, Asked::Other);
        assert!(!pending.give_up(1) && unwritten.is_cancelled());
        pending.add(2, Asked::Other);
        assert!(pending.begin(2) && pending.give_up(2));
        assert!(!pending.begin(2) && !pending.give_up(2) && pending.take(2).is_none());
    }

    #[test]
    fn an_answer_to_the_only_request_needs_no_number() {
        let pending = Pending::default();
        assert_eq!(pending.only(), None);
        pending.add(1, Asked::Initialize);
        assert_eq!(pending.only(), None, "the server cannot know of it");
        pending.begin(1);
        assert_eq!(pending.only(), Some(1));
        pending.add(2, Asked::Other);
        pending.begin(2);
        assert_eq!(pending.only(), None);
        assert_eq!(pending.take(1), Some(Asked::Initialize));
    }
}
