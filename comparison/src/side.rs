//! What a task cost on one face.

use std::ops::AddAssign;

use serde::Serialize;

use crate::client::{Answer, Size};

/// What a task cost on one face.
#[non_exhaustive]
#[derive(Clone, Debug, Default, Serialize)]
pub struct Side {
    /// How often the model is asked to go on after a call: lookups, retries and what they were for.
    pub round_trips: usize,
    /// Of these, searches and questions for types.
    pub lookups: usize,
    /// Of these, searches after one that did not find what was needed, and programs that were mended.
    pub retries: usize,
    /// Tokens of the definitions that are in the context all the time.
    pub definition_tokens: usize,
    /// Tokens that the model writes: names and arguments.
    pub written_tokens: usize,
    /// Tokens of results that the model reads.
    pub read_tokens: usize,
    /// Bytes of results that the model reads.
    pub read_bytes: usize,
    /// Time at the host, milliseconds: without the model's.
    pub host_ms: f64,
}

impl AddAssign<&Side> for Side {
    fn add_assign(&mut self, other: &Side) {
        self.round_trips += other.round_trips;
        self.lookups += other.lookups;
        self.retries += other.retries;
        self.definition_tokens += other.definition_tokens;
        self.written_tokens += other.written_tokens;
        self.read_tokens += other.read_tokens;
        self.read_bytes += other.read_bytes;
        self.host_ms += other.host_ms;
    }
}

impl Side {
    /// Everything that has been in the context at the end.
    #[must_use]
    pub fn tokens(&self) -> usize {
        self.definition_tokens + self.written_tokens + self.read_tokens
    }

    /// What it cost after `before`, the definitions left out.
    pub(crate) fn after(self, before: &Self) -> Self {
        Self {
            round_trips: self.round_trips - before.round_trips,
            lookups: self.lookups - before.lookups,
            retries: self.retries - before.retries,
            definition_tokens: 0,
            written_tokens: self.written_tokens - before.written_tokens,
            read_tokens: self.read_tokens - before.read_tokens,
            read_bytes: self.read_bytes - before.read_bytes,
            host_ms: self.host_ms - before.host_ms,
        }
    }

    pub(crate) fn begin(definitions: Size) -> Self {
        Self { definition_tokens: definitions.tokens, ..Self::default() }
    }

    pub(crate) fn add(&mut self, answer: &Answer) {
        self.round_trips += 1;
        self.written_tokens += answer.written.tokens;
        self.read_tokens += answer.read.tokens;
        self.read_bytes += answer.read.bytes;
        self.host_ms += answer.duration.as_secs_f64() * 1000.0;
    }
}
