//! The log of the program, on standard error: one line an event, visible, without colours, and so many of each kind in a time.
//!
//! What the library logs about a server it bounds itself. This is the last wall: it holds for whatever any library logs.

use std::fmt;
use std::num::NonZeroU32;

use governor::clock::DefaultClock;
use governor::state::keyed::HashMapStateStore;
use governor::{Quota, RateLimiter};
use isolet::visible;
use tracing::callsite::Identifier;
use tracing::{Event, Subscriber};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::format::{Format, Writer};
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt as _};
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt as _;

use crate::terminal;

/// The most characters of a line.
const LINE_CHARACTERS_MAX: usize = 4000;

/// Lines from one place in the code: so many at once, and then one a second.
const LINES_AT_ONCE: NonZeroU32 = NonZeroU32::new(100).expect("not zero");

/// Logs warnings, or what `ISOLET_LOG` asks for. rmcp is left out: what it warns of, a client or a server can make it say as often as it likes,
/// and below its warnings it logs whole arguments and results.
pub(crate) fn init() {
    let wanted = EnvFilter::try_from_env("ISOLET_LOG").unwrap_or_else(|_| EnvFilter::new("warn"));
    let filter = match "rmcp=off".parse() {
        Ok(directive) => wanted.add_directive(directive),
        Err(_) => EnvFilter::new("warn"),
    };
    let lines =
        tracing_subscriber::fmt::layer().with_ansi(false).event_format(OneLine(Format::default())).with_writer(terminal::log);
    tracing_subscriber::registry().with(filter).with(Rate::new()).with(lines).init();
}

/// An event on one line, whatever is in it.
struct OneLine<F>(F);

impl<S, N, F> FormatEvent<S, N> for OneLine<F>
where
    S: Subscriber + for<'span> LookupSpan<'span>,
    N: for<'writer> FormatFields<'writer> + 'static,
    F: FormatEvent<S, N>,
{
    fn format_event(&self, context: &FmtContext<'_, S, N>, mut writer: Writer<'_>, event: &Event<'_>) -> fmt::Result {
        let mut line = String::new();
        self.0.format_event(context, Writer::new(&mut line), event)?;
        writeln!(writer, "{}", visible::line_within(line.trim_end(), LINE_CHARACTERS_MAX))
    }
}

/// Lets through so many events of each place in the code.
struct Rate(RateLimiter<Identifier, HashMapStateStore<Identifier>, DefaultClock>);

impl Rate {
    fn new() -> Self {
        Self(RateLimiter::hashmap(Quota::per_second(NonZeroU32::MIN).allow_burst(LINES_AT_ONCE)))
    }
}

impl<S: Subscriber> Layer<S> for Rate {
    fn event_enabled(&self, event: &Event<'_>, _: Context<'_, S>) -> bool {
        self.0.check_key(&event.metadata().callsite()).is_ok()
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use std::sync::{Arc, Mutex};

    use super::*;

    /// What is logged by `events`.
    fn logged(events: impl FnOnce()) -> String {
        #[derive(Clone, Default)]
        struct Kept(Arc<Mutex<Vec<u8>>>);

        impl std::io::Write for Kept {
            fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
                self.0.lock().unwrap().extend_from_slice(bytes);
                Ok(bytes.len())
            }

            fn flush(&mut self) -> std::io::Result<()> {
                Ok(())
            }
        }

        let kept = Kept::default();
        let writer = kept.clone();
        let lines = tracing_subscriber::fmt::layer()
            .with_ansi(false)
            .event_format(OneLine(Format::default()))
            .with_writer(move || writer.clone());
        let subscriber = tracing_subscriber::registry().with(Rate::new()).with(lines);
        tracing::subscriber::with_default(subscriber, events);
        let bytes = std::mem::take(&mut *kept.0.lock().unwrap());
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn an_event_is_one_line_whatever_is_in_it() {
        let forged = "\u{1b}[2J\u{9b}31m\u{202e}\n2026-01-01T00:00:00Z  INFO isolet: forged";
        let text = logged(|| tracing::warn!(words = %forged, "a \n message"));
        assert!(text.ends_with('\n') && text.trim_end().chars().all(visible::is_visible), "{text:?}");
        assert!(text.contains("WARN") && text.contains(r"\u{202e}\n2026-01-01T"), "{text:?}");
    }

    #[test]
    fn an_event_is_cut_and_a_flood_of_them_stops() {
        let text = logged(|| (0..10_000).for_each(|_| tracing::warn!(words = "x".repeat(10_000), "flood")));
        let lines = text.lines().count();
        assert!((100..110).contains(&lines), "{lines} lines");
        assert!(text.lines().all(|line| line.len() <= LINE_CHARACTERS_MAX + 3));
        let others = logged(|| {
            (0..1000).for_each(|_| tracing::warn!("flood"));
            tracing::warn!("another");
        });
        assert!(others.contains("another"), "one place takes nothing from another");
    }
}
