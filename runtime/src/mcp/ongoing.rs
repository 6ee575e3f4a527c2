//! A request of a client since 2026-07-28 that is worked on in a task of its own. Such a client is not sent requests; what it is asked is what it is
//! answered, and it comes again with the answers. The work waits for them meanwhile, whatever asks: a tool of a server of any era, or a program.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use isolet_bindings::NotAnswered;
use rmcp::model::InputResponses;
use rmcp::service::RequestContext;
use rmcp::{ErrorData, RoleServer};
use serde_json::{Map, Value, json};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_util::sync::{CancellationToken, DropGuard};

use super::answer::Answer;
use super::audience::Audience;
use super::client_asker::{Open, Questions};
use super::question;

/// Questions that come within this time of the first are asked together.
const TOGETHER: Duration = Duration::from_millis(20);

/// The longest name of a question that stays as it is, bytes.
const NAME_BYTES_MAX: usize = 128;

/// The longest arguments that are compared as values, bytes: longer ones are the same if they are written the same.
const COMPARED_BYTES_MAX: usize = 64 << 10;

/// What is asked for: a request that comes again with answers is the same but for them.
#[derive(Clone, Debug)]
pub(super) struct Wish {
    method: &'static str,
    name: String,
    arguments: Arc<str>,
}

impl Wish {
    /// The request for `method` and `name` with `arguments`, JSON text.
    pub(super) fn new(method: &'static str, name: &str, arguments: &str) -> Self {
        Self { method, name: name.to_owned(), arguments: arguments.into() }
    }

    /// Whether both are for the same.
    pub(super) fn is(&self, other: &Self) -> bool {
        let value = |wish: &Self| serde_json::from_str::<Value>(&wish.arguments).ok();
        let is_short = self.arguments.len().max(other.arguments.len()) <= COMPARED_BYTES_MAX;
        let has_same = || is_short && value(self).is_some_and(|arguments| value(other) == Some(arguments));
        self.method == other.method && self.name == other.name && (self.arguments == other.arguments || has_same())
    }
}

/// The work of such a request. Dropping it ends that.
pub(super) struct Ongoing {
    wish: Wish,
    work: JoinHandle<Result<Arc<str>, ErrorData>>,
    questions: mpsc::UnboundedReceiver<Open>,
    open: BTreeMap<String, Open>,
    /// What was answered, by the names of the questions.
    answers: InputResponses,
    audience: Audience,
    named: u32,
    _end_when_dropped: DropGuard,
}

/// How far it has come.
pub(super) enum Reached {
    /// To its end.
    End(Result<Arc<str>, ErrorData>),
    /// To questions, which the client has to answer.
    Questions(Box<Ongoing>),
}

impl Ongoing {
    /// Begins what is wished for with the request of `context`: `work`, which is given that of its own.
    pub(super) fn begin<Work>(
        wish: Wish,
        context: &RequestContext<RoleServer>,
        work: impl FnOnce(RequestContext<RoleServer>) -> Work,
    ) -> Self
    where
        Work: Future<Output = Result<Arc<str>, ErrorData>> + Send + 'static,
    {
        let (sender, questions) = mpsc::unbounded_channel();
        let (audience, ended) = (Audience::default(), CancellationToken::new());
        let mut own = context.clone();
        own.ct = ended.clone();
        if let Some(answer) = Answer::of(context) {
            own.extensions.insert(answer.apart());
        }
        own.extensions.insert(audience.clone());
        own.extensions.insert(Questions(sender));
        // The audience is there before the work asks for it.
        audience.follow(context);
        Self::started(wish, tokio::spawn(work(own)), questions, audience, ended)
    }

    /// What `work` does, which asks these questions and ends with `ended`.
    pub(super) fn started(
        wish: Wish,
        work: JoinHandle<Result<Arc<str>, ErrorData>>,
        questions: mpsc::UnboundedReceiver<Open>,
        audience: Audience,
        ended: CancellationToken,
    ) -> Self {
        let (open, answers) = (BTreeMap::new(), InputResponses::new());
        Self { wish, work, questions, open, answers, audience, named: 0, _end_when_dropped: ended.drop_guard() }
    }

    /// What was wished for.
    pub(super) fn wish(&self) -> &Wish {
        &self.wish
    }

    /// What nobody waits for any more once all of these are cancelled.
    pub(super) fn waited_for(&self) -> Vec<CancellationToken> {
        self.open.values().map(|open| open.given_up.clone()).collect()
    }

    /// Goes on with these answers, for the request of `context`, as far as it comes.
    pub(super) async fn go_on(mut self, answers: InputResponses, context: &RequestContext<RoleServer>) -> Reached {
        self.audience.follow(context);
        self.answers = answers;
        let asked: Vec<Open> = std::mem::take(&mut self.open).into_values().collect();
        asked.into_iter().for_each(|open| self.put(open));
        loop {
            self.open.retain(|_, open| !open.given_up.is_cancelled());
            tokio::select! {
                biased;
                done = &mut self.work => {
                    return Reached::End(done.unwrap_or_else(|_| Err(ErrorData::internal_error("the request was lost", None))));
                }
                () = context.ct.cancelled() => return Reached::End(Err(ErrorData::internal_error("the request was cancelled", None))),
                Some(open) = self.questions.recv() => self.put(open),
                // Some were asked, and no others come with them.
                () = tokio::time::sleep(TOGETHER), if !self.open.is_empty() => {
                    self.audience.leave();
                    return Reached::Questions(Box::new(self));
                }
            }
        }
    }

    /// Answers a question, if its answer is there; else it is open. An answer that is no object is none.
    pub(super) fn put(&mut self, mut open: Open) {
        let name = open
            .question
            .name
            .take()
            .filter(|name| !name.is_empty() && name.len() <= NAME_BYTES_MAX && !self.open.contains_key(name));
        let name = name.unwrap_or_else(|| {
            self.named += 1;
            format!("question_{}", self.named)
        });
        match self.answers.remove(&name).filter(Value::is_object) {
            // Whoever asked may wait no more.
            Some(answer) => drop(open.answer.send(Ok(answer))),
            None => {
                open.question.name = Some(name.clone());
                self.open.insert(name, open);
            }
        }
    }

    /// What the client is answered, who comes again with `state`.
    pub(super) fn questions(&self, state: &str) -> Arc<str> {
        let requests: Map<String, Value> = self
            .open
            .iter()
            .map(|(name, Open { question, .. })| {
                (name.clone(), json!({ "method": question::method(question.kind), "params": question.params }))
            })
            .collect();
        json!({ "resultType": "input_required", "inputRequests": requests, "requestState": state }).to_string().into()
    }

    /// Says to whoever asked that nobody answers, and why.
    pub(super) fn refuse(&mut self, why: &str) {
        for (_, open) in std::mem::take(&mut self.open) {
            let _ = open.answer.send(Err(NotAnswered(why.to_owned())));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wish_is_the_same_however_its_arguments_are_written() {
        let wish = |name: &str, arguments: &str| Wish::new("tools/call", name, arguments);
        assert!(wish("a", r#"{"x":1,"y":[2]}"#).is(&wish("a", r#"{ "y": [2], "x": 1 }"#)));
        assert!(wish("a", "no JSON").is(&wish("a", "no JSON")));
        for other in [wish("b", r#"{"x":1}"#), wish("a", r#"{"x":2}"#), Wish::new("prompts/get", "a", r#"{"x":1}"#)] {
            assert!(!wish("a", r#"{"x":1}"#).is(&other), "{other:?}");
        }
    }
}
