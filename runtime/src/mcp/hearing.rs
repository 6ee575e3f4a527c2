//! What a client hears of a call that goes on: what its tool says, where the client asked for that; and progress that says nothing but that it goes on,
//! for clients that would give up.

#![expect(deprecated, reason = "logging is on its way out of the protocol, and still in it")]

use std::time::Duration;

use isolet_bindings::{CallNews, Listener};
use rmcp::RoleServer;
use rmcp::model::{LoggingLevel, LoggingMessageNotificationParam, ProgressNotificationParam};
use rmcp::service::RequestContext;
use serde_json::Value;
use tokio::sync::mpsc;

use super::audience::{Audience, Hearer};

/// How long a client may take to take one, before the work goes on.
const TAKEN_MAX: Duration = Duration::from_secs(1);

/// News that wait for a slow client; it misses what is beyond.
const NEWS_WAITING: usize = 256;

/// The levels of a log, the least grave first.
const LEVELS: [&str; 8] = ["debug", "info", "notice", "warning", "error", "critical", "alert", "emergency"];

/// Where a request of the era without sessions says which lines of the log it wants.
const LEVEL_META: &str = "io.modelcontextprotocol/logLevel";

/// How grave a line must be: its place among the levels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Gravity(usize);

impl Gravity {
    /// That of a level of the protocol.
    pub(super) fn of(level: &str) -> Option<Self> {
        LEVELS.iter().position(|other| *other == level).map(Self)
    }

    /// What this request wants of the log, if it is of the era where each says that itself.
    pub(super) fn asked_by(context: &RequestContext<RoleServer>) -> Option<Self> {
        context.meta.0.0.get(LEVEL_META).and_then(Value::as_str).and_then(Self::of)
    }
}

/// What the client of one call hears.
pub(super) struct Hearing {
    news: mpsc::Receiver<CallNews>,
    audience: Audience,
    gravity: Option<Gravity>,
    /// The last progress that it was told.
    told: Option<f64>,
    heartbeats: u32,
    /// It did not take the last in time: it misses the next ones, since the work waits meanwhile.
    is_slow: bool,
}

impl Hearing {
    /// What the client of `context` asked for, lines of the log from `gravity` on; and who is told of the call, if anything of it is wanted.
    pub(super) fn of(context: &RequestContext<RoleServer>, gravity: Option<Gravity>) -> (Self, Listener) {
        let audience = Audience::of(context);
        let (sender, news) = mpsc::channel(NEWS_WAITING);
        let listener = if context.meta.get_progress_token().is_some() || gravity.is_some() {
            Listener::new(move |said| drop(sender.try_send(said)))
        } else {
            Listener::default()
        };
        (Self { news, audience, gravity, told: None, heartbeats: 0, is_slow: false }, listener)
    }

    /// What `work` comes to. Where the client asked for progress, no silence is longer than `every`.
    pub(super) async fn during<T>(mut self, work: impl Future<Output = T>, every: Duration) -> T {
        tokio::pin!(work);
        loop {
            tokio::select! {
                biased;
                done = &mut work => {
                    // What was said before the result comes before it.
                    while let Ok(said) = self.news.try_recv() {
                        self.tell(said).await;
                    }
                    return done;
                }
                Some(said) = self.news.recv() => self.tell(said).await,
                () = tokio::time::sleep(every) => self.beat().await,
            }
        }
    }

    async fn beat(&mut self) {
        if self.audience.now().is_none_or(|hearer| hearer.token.is_none()) {
            return;
        }
        self.heartbeats += 1;
        // So often it is tried again.
        self.is_slow = false;
        // It grows, whatever the tool has said, and by nothing that anybody sees where that means something.
        let done = self.told.map_or_else(|| f64::from(self.heartbeats), f64::next_up);
        self.tell_progress(done, None, Some("the call goes on".to_owned())).await;
        if self.told.is_some() {
            self.told = Some(done);
        }
    }

    async fn tell(&mut self, said: CallNews) {
        match said {
            CallNews::Progress { done, total, message } => {
                let before =
                    self.told.unwrap_or(if self.heartbeats == 0 { f64::NEG_INFINITY } else { f64::from(self.heartbeats) });
                if done > before {
                    self.told = Some(done);
                    self.tell_progress(done, total, message).await;
                }
            }
            CallNews::Log { level, logger, data } => {
                let is_wanted = self.gravity.is_some_and(|wanted| Gravity::of(&level).is_some_and(|gravity| gravity >= wanted));
                if let (Some(level), Some(hearer)) = (level_of(&level).filter(|_| is_wanted), self.audience.now()) {
                    let mut line = LoggingMessageNotificationParam::new(level, data);
                    line.logger = logger;
                    self.pass_on(hearer.client.notify_logging_message(line)).await;
                }
            }
            _ => {}
        }
    }

    async fn tell_progress(&mut self, done: f64, total: Option<f64>, message: Option<String>) {
        let Some(Hearer { client, token: Some(token) }) = self.audience.now() else { return };
        let mut progress = ProgressNotificationParam::new(token, done);
        (progress.total, progress.message) = (total, message);
        self.pass_on(client.notify_progress(progress)).await;
    }

    /// Whoever takes none is not waited for.
    async fn pass_on<T>(&mut self, told: impl Future<Output = T>) {
        if !self.is_slow {
            self.is_slow = tokio::time::timeout(TAKEN_MAX, told).await.is_err();
        }
    }
}

fn level_of(level: &str) -> Option<LoggingLevel> {
    serde_json::from_value(level.into()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_levels_are_those_of_the_protocol_in_their_order() {
        assert!(LEVELS.iter().all(|level| level_of(level).is_some()));
        assert!(Gravity::of("debug") < Gravity::of("info") && Gravity::of("error") < Gravity::of("emergency"));
        assert_eq!(Gravity::of("fatal"), None);
    }
}
