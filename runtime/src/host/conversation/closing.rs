//! What a run has come to: its outcome, after the checks that are left.

use isolet_bindings::visible;

use super::{Conversation, NOTE_CHARACTERS_MAX, NOTES_MAX};
use crate::host::outcome::{Cost, End, Outcome};
use crate::host::record::OpenRecord;

impl Conversation<'_> {
    /// The outcome; whatever is still under way is cancelled.
    pub(super) async fn outcome(mut self, end: End) -> Outcome {
        let cpu = self.claim.process.cpu_time().unwrap_or_default();
        self.claim.process.kill();
        // Calls in flight are cancelled at their next await.
        self.answers.abort_all();
        self.check_replies();
        // A run that was stopped is told of at once: nobody waits for what is only a warning.
        if !matches!(end, End::Stopped(_)) {
            self.finish_checks().await;
        }
        self.checks.abort_all();
        let why = if matches!(end, End::Stopped(_)) { "the run was stopped" } else { "the run has ended" };
        for record in &mut self.records {
            record.close_unchecked(why);
        }
        let calls = self.records.drain(..).map(OpenRecord::ended).collect();
        let cost = Cost {
            wall: self.assignment.requested.elapsed(),
            cpu,
            host_cpu: self.assignment.work.used(),
            heap_bytes: self.heap_bytes,
            origin: self.claim.origin,
        };
        let of_calls = self.caller.take_notes();
        self.notes.extend(of_calls.iter().map(|note| visible::line_within(note, NOTE_CHARACTERS_MAX).into_owned()));
        self.notes.truncate(NOTES_MAX);
        Outcome {
            run: self.assignment.run,
            end,
            notes: self.notes,
            console: self.console.into_lines(),
            calls,
            authorizations: self.authorizations,
            cost,
        }
    }

    /// Waits for the checks of replies, as long as the run may take.
    async fn finish_checks(&mut self) {
        let cancel = self.assignment.cancel;
        let over = async {
            tokio::select! {
                () = tokio::time::sleep_until(self.deadline) => {}
                () = cancel.cancelled() => {}
            }
        };
        tokio::pin!(over);
        while !self.checks.is_empty() && self.assignment.work.used() < self.assignment.limits.cpu_max {
            tokio::select! {
                () = &mut over => return,
                Some(checked) = self.checks.join_next() => {
                    if let Ok((record, warnings)) = checked {
                        self.records[record].close(warnings);
                    }
                }
            }
        }
    }
}
