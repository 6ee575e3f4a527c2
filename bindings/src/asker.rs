//! Asking whoever made a call, while the call waits for the answer.

use std::collections::BTreeSet;
use std::fmt;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use serde_json::{Map, Value};

/// What can be asked for.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum AskKind {
    /// A form that the user fills in.
    Form,
    /// A page that the user opens.
    Url,
    /// What the client's model says.
    Sampling,
    /// The folders that the client works in.
    Roots,
}

/// One question.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq)]
pub struct Question {
    /// What whoever asks calls it, if anything.
    pub name: Option<String>,
    /// What is asked for.
    pub kind: AskKind,
    /// The parameters, as MCP has them for `elicitation/create`, `sampling/createMessage` and `roots/list`.
    pub params: Map<String, Value>,
}

impl Question {
    /// A question of this kind.
    #[must_use]
    pub fn new(kind: AskKind, params: Map<String, Value>) -> Self {
        Self { name: None, kind, params }
    }

    /// The same question under a name.
    #[must_use]
    pub fn called(self, name: Option<String>) -> Self {
        Self { name, ..self }
    }
}

/// Why a question was not answered: a sentence for whoever asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
#[expect(clippy::exhaustive_structs, reason = "a sentence is all there is to say")]
pub struct NotAnswered(pub String);

/// The answer that is waited for: a result, as MCP has it.
pub type Answering = Pin<Box<dyn Future<Output = Result<Value, NotAnswered>> + Send>>;

/// How long answers to the questions of one call or one program are waited for, together, before no further one is asked.
const WAITED_MAX: Duration = Duration::from_secs(15 * 60);

/// Asks whoever made a call. Cheap to clone; nobody can be asked by default.
///
/// ```
/// use isolet_bindings::{AskKind, Asker, Question};
///
/// let asker = Asker::new([AskKind::Form], |_| Box::pin(async { Ok(serde_json::json!({ "action": "decline" })) }));
/// assert!(asker.can(AskKind::Form) && !asker.can(AskKind::Roots) && !Asker::default().can(AskKind::Form));
/// drop(asker.ask(Question::new(AskKind::Form, serde_json::Map::new())));
/// ```
#[derive(Clone, Default)]
pub struct Asker(Option<Arc<Inner>>);

struct Inner {
    kinds: BTreeSet<AskKind>,
    ask: Box<dyn Fn(Question) -> Answering + Send + Sync>,
    clock: Mutex<Clock>,
}

/// How long somebody has been asked: questions at the same time count once.
#[derive(Default)]
struct Clock {
    open: usize,
    since: Option<Instant>,
    before: Duration,
}

impl Asker {
    /// Asks with `ask`, which is given questions of these kinds alone.
    #[must_use]
    pub fn new(kinds: impl IntoIterator<Item = AskKind>, ask: impl Fn(Question) -> Answering + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(Inner { kinds: kinds.into_iter().collect(), ask: Box::new(ask), clock: Mutex::default() })))
    }

    /// Whether there is anybody to turn to, who may still refuse each question.
    #[must_use]
    pub fn is_there(&self) -> bool {
        self.0.is_some()
    }

    /// Whether questions of this kind can be asked.
    #[must_use]
    pub fn can(&self, kind: AskKind) -> bool {
        self.0.as_ref().is_some_and(|inner| inner.kinds.contains(&kind))
    }

    /// Asks. Dropping the future takes the question back.
    ///
    /// # Errors
    ///
    /// [`NotAnswered`], also where such questions cannot be asked.
    pub async fn ask(&self, question: Question) -> Result<Value, NotAnswered> {
        let Some(inner) = self.0.as_ref().filter(|inner| inner.kinds.contains(&question.kind)) else {
            return Err(NotAnswered("the client does not answer such questions".to_owned()));
        };
        if self.waited() >= WAITED_MAX {
            return Err(NotAnswered(format!("answers have been waited for too long: {} minutes", WAITED_MAX.as_secs() / 60)));
        }
        let _open = Open::new(inner);
        (inner.ask)(question).await
    }

    /// Whether somebody is being asked.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.0.as_ref().is_some_and(|inner| inner.lock().open > 0)
    }

    /// How long somebody has been asked so far.
    #[must_use]
    pub fn waited(&self) -> Duration {
        self.0.as_ref().map_or(Duration::ZERO, |inner| {
            let clock = inner.lock();
            clock.before + clock.since.map_or(Duration::ZERO, |since| since.elapsed())
        })
    }
}

impl Inner {
    fn lock(&self) -> MutexGuard<'_, Clock> {
        self.clock.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An open question.
struct Open<'a>(&'a Inner);

impl<'a> Open<'a> {
    fn new(inner: &'a Inner) -> Self {
        let mut clock = inner.lock();
        clock.open += 1;
        clock.since.get_or_insert_with(Instant::now);
        Self(inner)
    }
}

impl Drop for Open<'_> {
    fn drop(&mut self) {
        let mut clock = self.0.lock();
        clock.open -= 1;
        if clock.open == 0
            && let Some(since) = clock.since.take()
        {
            clock.before += since.elapsed();
        }
    }
}

/// Who is asked is no part of what a call is.
impl PartialEq for Asker {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl fmt::Debug for Asker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Asker").field(&self.0.as_ref().map(|inner| &inner.kinds)).finish()
    }
}
