//! The requests of a line that wait for their answers: whose what is that comes back over it.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use isolet_rpc::client_id::{SUBSCRIPTION, id_of_request_in};
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};
use tokio::sync::{mpsc, oneshot};

use super::unasked::Unasked;

/// Progress that waits for a slow client; it misses what is beyond.
const PROGRESS_WAITING: usize = 256;

/// The code of the answer to a question that nobody was asked.
const NOT_ASKED: i32 = -32000;

/// The requests that wait.
#[derive(Default)]
pub(super) struct Waiting {
    requests: Mutex<Requests>,
    unasked: Unasked,
}

#[derive(Default)]
struct Requests {
    last_number: u64,
    by_number: HashMap<u64, Request>,
    /// Nothing comes back any more.
    is_closed: bool,
}

struct Request {
    id: Box<RawValue>,
    progress_token: Option<Value>,
    progress: mpsc::Sender<String>,
    answer: oneshot::Sender<Said>,
    /// The ids of what its client was asked for it.
    questions: Vec<u64>,
}

/// An answer as it goes out, under the id that its client gave.
pub(super) struct Said {
    pub(super) text: String,
    /// The code, if it is an error.
    pub(super) error: Option<i64>,
}

/// What comes back for one request.
pub(super) struct Opened {
    pub(super) number: u64,
    pub(super) progress: mpsc::Receiver<String>,
    pub(super) answer: oneshot::Receiver<Said>,
}

/// Why a request does not wait.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum NotOpened {
    /// Its id is that of another one that waits.
    Twice,
    /// Nothing comes back any more.
    Closed,
}

/// A message that comes back.
#[derive(Deserialize)]
struct Reply<'text> {
    #[serde(default)]
    id: Option<u64>,
    #[serde(borrow, default)]
    method: Option<Cow<'text, str>>,
    #[serde(borrow, default)]
    result: Option<&'text RawValue>,
    #[serde(borrow, default)]
    error: Option<&'text RawValue>,
    #[serde(borrow, default)]
    params: Option<&'text RawValue>,
}

#[derive(Deserialize)]
struct ErrorCode {
    code: i64,
}

#[derive(Deserialize)]
struct Progress {
    #[serde(rename = "progressToken")]
    token: Value,
}

/// Where a message says which subscription it belongs to.
#[derive(Deserialize)]
struct Subscribed {
    #[serde(rename = "_meta")]
    meta: SubscribedMeta,
}

#[derive(Deserialize)]
struct SubscribedMeta {
    #[serde(rename = "io.modelcontextprotocol/subscriptionId")]
    id: u64,
}

/// Where a question says for which request it is.
#[derive(Deserialize)]
struct Question {
    #[serde(rename = "_meta")]
    meta: QuestionMeta,
}

#[derive(Deserialize)]
struct QuestionMeta {
    #[serde(rename = "io.isolet/request")]
    request: u64,
}

/// What takes a question back.
#[derive(Deserialize)]
struct Cancelled {
    #[serde(rename = "requestId")]
    id: u64,
}

impl Subscribed {
    /// The number of the request that began it.
    fn of(part: &RawValue) -> Option<u64> {
        // A result may be large, and says so at most at its beginning or its end: whatever does not name it is not read.
        part.get()
            .contains(SUBSCRIPTION)
            .then(|| serde_json::from_str::<Self>(part.get()).ok().map(|part| part.meta.id))
            .flatten()
    }
}

/// The message or result `text`, with the client's id for the request that it belongs to.
fn of_client(text: &str, id: &RawValue) -> Option<String> {
    let mut message: Value = serde_json::from_str(text).ok()?;
    *id_of_request_in(&mut message)? = serde_json::from_str(id.get()).ok()?;
    serde_json::to_string(&message).ok()
}

impl Waiting {
    /// A request begins to wait.
    pub(super) fn open(&self, id: &RawValue, progress_token: Option<&Value>) -> Result<Opened, NotOpened> {
        let mut requests = self.requests();
        if requests.is_closed {
            return Err(NotOpened::Closed);
        }
        if requests.by_number.values().any(|request| request.id.get() == id.get()) {
            return Err(NotOpened::Twice);
        }
        requests.last_number += 1;
        let number = requests.last_number;
        let (progress_sender, progress) = mpsc::channel(PROGRESS_WAITING);
        let (answer_sender, answer) = oneshot::channel();
        let request = Request {
            id: id.to_owned(),
            progress_token: progress_token.cloned(),
            progress: progress_sender,
            answer: answer_sender,
            questions: Vec::new(),
        };
        requests.by_number.insert(number, request);
        Ok(Opened { number, progress, answer })
    }

    /// A request waits no more; whether it did.
    pub(super) fn close(&self, number: u64) -> bool {
        self.requests().by_number.remove(&number).is_some()
    }

    /// The number of the request that its client called `id`.
    pub(super) fn number_of(&self, id: &RawValue) -> Option<u64> {
        let requests = self.requests();
        requests.by_number.iter().find(|(_, request)| request.id.get() == id.get()).map(|(number, _)| *number)
    }

    /// Whether nobody waits.
    pub(super) fn is_idle(&self) -> bool {
        self.requests().by_number.is_empty()
    }

    /// Gives what has come back to whom it is for; what the face is to be answered, if it asks something and nobody is there to be asked.
    pub(super) fn take(&self, line: &str) -> Option<String> {
        let Ok(reply) = serde_json::from_str::<Reply<'_>>(line) else {
            tracing::warn!("a face said what is no message");
            return None;
        };
        if reply.result.is_some() || reply.error.is_some() {
            self.take_answer(&reply);
            return None;
        }
        match (reply.method.as_deref()?, reply.id) {
            (_, Some(id)) => return self.take_question(line, id, reply.params),
            ("notifications/cancelled", _) => self.take_back(line, reply.params),
            ("notifications/message", _) => self.take_log(line),
            ("notifications/progress", _) => self.take_progress(line, reply.params),
            _ => self.take_news(line, reply.params),
        }
        None
    }

    fn take_answer(&self, reply: &Reply<'_>) {
        let Some(request) = reply.id.and_then(|number| self.requests().by_number.remove(&number)) else { return };
        let error = reply.error.map(|error| serde_json::from_str::<ErrorCode>(error.get()).map_or(0, |error| error.code));
        let (name, value) = match (reply.result, reply.error) {
            (Some(result), _) => ("result", result),
            (None, Some(error)) => ("error", error),
            (None, None) => return,
        };
        let own = Subscribed::of(value).and_then(|_| of_client(value.get(), &request.id));
        let value = own.as_deref().unwrap_or_else(|| value.get());
        let text = format!(r#"{{"jsonrpc":"2.0","id":{},"{name}":{value}}}"#, request.id);
        // A client that is gone does not wait any more.
        let _ = request.answer.send(Said { text, error });
    }

    fn take_progress(&self, line: &str, params: Option<&RawValue>) {
        let Some(progress) = params.and_then(|params| serde_json::from_str::<Progress>(params.get()).ok()) else { return };
        let requests = self.requests();
        let request = requests.by_number.values().find(|request| request.progress_token.as_ref() == Some(&progress.token));
        if let Some(request) = request {
            let _ = request.progress.try_send(line.to_owned());
        }
    }

    /// What belongs to a subscription is for who asked for that, who gave it an id; all else is for whoever hears.
    fn take_news(&self, line: &str, params: Option<&RawValue>) {
        let Some(number) = params.and_then(Subscribed::of) else { return self.unasked.say(line) };
        let requests = self.requests();
        if let Some(request) = requests.by_number.get(&number)
            && let Some(line) = of_client(line, &request.id)
        {
            let _ = request.progress.try_send(line);
        }
    }

    /// A question is for the client of the request that it is asked for, which hears it with the progress of that.
    fn take_question(&self, line: &str, id: u64, params: Option<&RawValue>) -> Option<String> {
        let number =
            params.and_then(|params| serde_json::from_str::<Question>(params.get()).ok()).map(|asked| asked.meta.request);
        let mut requests = self.requests();
        let asked = number.and_then(|number| requests.by_number.get_mut(&number)).and_then(|request| {
            request.progress.try_send(of_client(line, &request.id)?).ok()?;
            request.questions.push(id);
            Some(())
        });
        let why = "the client does not hear questions: it has to take `text/event-stream`";
        let refused = json!({ "jsonrpc": "2.0", "id": id, "error": { "code": NOT_ASKED, "message": why } });
        asked.is_none().then(|| refused.to_string())
    }

    /// A question is taken back from whom it was put to.
    fn take_back(&self, line: &str, params: Option<&RawValue>) {
        let Some(Cancelled { id }) = params.and_then(|params| serde_json::from_str(params.get()).ok()) else { return };
        let requests = self.requests();
        if let Some(request) = requests.by_number.values().find(|request| request.questions.contains(&id)) {
            let _ = request.progress.try_send(line.to_owned());
        }
    }

    /// What is said that answers nothing.
    pub(super) fn unasked(&self) -> &Unasked {
        &self.unasked
    }

    /// A line of a server's log names no request: who waits longest hears it.
    fn take_log(&self, line: &str) {
        let requests = self.requests();
        if let Some((_, request)) = requests.by_number.iter().min_by_key(|(number, _)| **number) {
            let _ = request.progress.try_send(line.to_owned());
        }
    }

    /// Nothing comes back any more: nobody waits in vain.
    pub(super) fn end(&self) {
        self.unasked.end();
        let mut requests = self.requests();
        requests.is_closed = true;
        requests.by_number.clear();
    }

    fn requests(&self) -> MutexGuard<'_, Requests> {
        self.requests.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use isolet_rpc::client_id::ASKED_FOR;
    use serde_json::value::to_raw_value;

    use super::*;

    #[test]
    fn each_gets_its_own_answer_under_its_own_id() {
        let waiting = Waiting::default();
        let mut texts = Vec::new();
        for id in ["\"\\u0041\"", "1.0", "-7"] {
            let id: Box<RawValue> = serde_json::from_str(id).unwrap();
            let mut opened = waiting.open(&id, None).unwrap();
            assert_eq!(waiting.open(&id, None).err(), Some(NotOpened::Twice));
            assert_eq!(waiting.number_of(&id), Some(opened.number));
            waiting.take(&format!(r#"{{"jsonrpc":"2.0","id":{},"result":{{"n": 1.00}}}}"#, opened.number));
            texts.push(opened.answer.try_recv().ok().unwrap().text);
        }
        let expected = |id: &str| format!(r#"{{"jsonrpc":"2.0","id":{id},"result":{{"n": 1.00}}}}"#);
        assert_eq!(texts, ["\"\\u0041\"", "1.0", "-7"].map(expected));
        assert!(waiting.is_idle());
    }

    #[test]
    fn a_question_and_its_end_are_for_whom_it_is_asked_for() {
        let waiting = Waiting::default();
        let [one, other] = [1, 2].map(|id| to_raw_value(&id).unwrap());
        let mut first = waiting.open(&one, None).unwrap();
        let mut second = waiting.open(&other, None).unwrap();
        let question = |number: u64| {
            json!({ "jsonrpc": "2.0", "id": 7, "method": "roots/list", "params": { "_meta": { ASKED_FOR: number } } })
                .to_string()
        };
        assert_eq!(waiting.take(&question(second.number)), None);
        let heard: Value = serde_json::from_str(&second.progress.try_recv().unwrap()).unwrap();
        assert_eq!((&heard["id"], &heard["params"]["_meta"][ASKED_FOR]), (&json!(7), &json!(2)));
        let end = r#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":7}}"#;
        assert_eq!(waiting.take(end), None);
        assert_eq!(second.progress.try_recv().as_deref(), Ok(end));
        assert!(first.progress.try_recv().is_err(), "it was not asked");
        second.progress.close();
        for nobody in [question(second.number), question(99), r#"{"jsonrpc":"2.0","id":7,"method":"roots/list"}"#.to_owned()] {
            let refused: Value = serde_json::from_str(&waiting.take(&nobody).unwrap()).unwrap();
            assert_eq!((&refused["id"], &refused["error"]["code"]), (&json!(7), &json!(NOT_ASKED)), "{nobody}");
        }
    }

    #[test]
    fn progress_is_for_whom_it_names_and_an_end_is_for_all() {
        let waiting = Waiting::default();
        let [one, other] = [1, 2].map(|id| to_raw_value(&id).unwrap());
        let mut first = waiting.open(&one, Some(&json!("a"))).unwrap();
        let mut second = waiting.open(&other, Some(&json!(1))).unwrap();
        let line = r#"{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":"a","progress":1}}"#;
        waiting.take(line);
        assert_eq!(first.progress.try_recv().as_deref(), Ok(line));
        assert!(second.progress.try_recv().is_err());
        let log = r#"{"jsonrpc":"2.0","method":"notifications/message","params":{"level":"info","data":1}}"#;
        waiting.take(log);
        assert_eq!(first.progress.try_recv().as_deref(), Ok(log));
        assert!(second.progress.try_recv().is_err());
        let news = |id: u64| {
            format!(
                r#"{{"jsonrpc":"2.0","method":"notifications/resources/updated","params":{{"uri":"a:b","_meta":{{"{SUBSCRIPTION}":{id}}}}}}}"#
            )
        };
        waiting.take(&news(second.number));
        let told: Value = serde_json::from_str(&second.progress.try_recv().unwrap()).unwrap();
        assert_eq!((&told["params"]["_meta"][SUBSCRIPTION], &told["params"]["uri"]), (&json!(2), &json!("a:b")));
        waiting.take(&news(99));
        let updated = r#"{"jsonrpc":"2.0","method":"notifications/resources/updated","params":{"uri":"a:b"}}"#;
        waiting.take(updated);
        assert_eq!(waiting.unasked().hear().try_recv().as_deref(), Ok(updated));
        waiting.take("nonsense");
        waiting.take(r#"{"jsonrpc":"2.0","id":99,"result":{}}"#);
        waiting.take(&format!(r#"{{"id":{},"error":{{"code":-32601,"message":"no"}}}}"#, first.number));
        assert_eq!(first.answer.try_recv().ok().unwrap().error, Some(-32601));
        waiting.end();
        assert!(second.answer.try_recv().is_err());
        assert_eq!(waiting.open(&one, None).err(), Some(NotOpened::Closed));
    }
}
