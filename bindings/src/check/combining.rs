//! Schemas that speak about the same value: `allOf`, `anyOf`, `oneOf`, `if`.

use serde_json::Value;

use super::evaluation::{Evaluation, Seen, Truth};
use super::meter::Exhausted;
use super::rules::NodeId;
use super::violation::{Report, Violation, Way, came};

/// The most forms that are looked at for the nearest.
const FORMS_MAX: usize = 32;

impl<'r> Evaluation<'r> {
    pub(super) fn check_all<'v>(
        &mut self,
        nodes: &'r [NodeId],
        value: &'v Value,
        way: &Way<'_>,
        mut seen: Option<&mut Seen<'v>>,
        report: &mut Report,
    ) -> Result<Truth, Exhausted> {
        let mut truth = Truth::Yes;
        for node in nodes {
            truth = truth.min(self.check(*node, value, way, seen.as_deref_mut(), report)?);
            if truth == Truth::No && report.is_full() {
                break;
            }
        }
        Ok(truth)
    }

    pub(super) fn check_any<'v>(
        &mut self,
        nodes: &'r [NodeId],
        value: &'v Value,
        way: &Way<'_>,
        mut seen: Option<&mut Seen<'v>>,
        report: &mut Report,
    ) -> Result<Truth, Exhausted> {
        let mut truth = Truth::No;
        for node in nodes {
            truth = truth.max(self.check_form(*node, value, way, seen.as_deref_mut())?);
            if truth == Truth::Yes && seen.is_none() {
                break;
            }
        }
        if truth == Truth::No { self.none_of(nodes, value, way, report) } else { Ok(truth) }
    }

    pub(super) fn check_one<'v>(
        &mut self,
        nodes: &'r [NodeId],
        value: &'v Value,
        way: &Way<'_>,
        mut seen: Option<&mut Seen<'v>>,
        report: &mut Report,
    ) -> Result<Truth, Exhausted> {
        let (mut matching, mut unsure) = (0, 0);
        for node in nodes {
            match self.check_form(*node, value, way, seen.as_deref_mut())? {
                Truth::Yes => matching += 1,
                Truth::Maybe => unsure += 1,
                Truth::No => {}
            }
            if matching > 1 {
                return self.violated(way, report, || format!("matches more than one of its forms, {}", came(value)));
            }
        }
        match (matching, unsure) {
            (1, 0) => Ok(Truth::Yes),
            (0, 0) => self.none_of(nodes, value, way, report),
            _ => Ok(Truth::Maybe),
        }
    }

    pub(super) fn check_if<'v>(
        &mut self,
        [condition, then, otherwise]: [NodeId; 3],
        value: &'v Value,
        way: &Way<'_>,
        mut seen: Option<&mut Seen<'v>>,
        report: &mut Report,
    ) -> Result<Truth, Exhausted> {
        match self.check_form(condition, value, way, seen.as_deref_mut())? {
            Truth::Yes => self.check(then, value, way, seen, report),
            Truth::No => self.check(otherwise, value, way, seen, report),
            Truth::Maybe => {
                // Neither is sure to have spoken of anything; what looks at `seen` knows that from the condition.
                let then = self.check_form(then, value, way, None)?;
                let otherwise = self.check_form(otherwise, value, way, None)?;
                if then == Truth::No && otherwise == Truth::No {
                    return self.violated(way, report, || format!("matches neither `then` nor `else`, {}", came(value)));
                }
                Ok(if then == otherwise { then } else { Truth::Maybe })
            }
        }
    }

    /// Whether `value` has a form that it need not have. What a form that it does not have speaks of is not seen.
    fn check_form<'v>(
        &mut self,
        node: NodeId,
        value: &'v Value,
        way: &Way<'_>,
        seen: Option<&mut Seen<'v>>,
    ) -> Result<Truth, Exhausted> {
        let mut own = seen.is_some().then(Seen::default);
        let truth = self.check(node, value, way, own.as_mut(), &mut Report::unwanted())?;
        if let (Some(seen), Some(own)) = (seen, own) {
            self.note(&own)?;
            seen.take(own, truth);
        }
        Ok(truth)
    }

    /// `value` has none of these forms: what the nearest one wants.
    fn none_of(&mut self, nodes: &'r [NodeId], value: &Value, way: &Way<'_>, report: &mut Report) -> Result<Truth, Exhausted> {
        if report.is_full() {
            return Ok(Truth::No);
        }
        let nearest = self.nearest(nodes, value, way);
        let rest = nearest.as_ref().map(|_| ()).map_err(|exhausted| *exhausted);
        let said = self.violated(way, report, || match nearest {
            Ok(Some(nearest)) => format!("none of its forms matches, {}; the nearest wants at {nearest}", came(value)),
            _ => format!("none of its forms matches, {}", came(value)),
        });
        rest.and(said)
    }

    /// What the form with the fewest violations wants first.
    fn nearest(&mut self, nodes: &'r [NodeId], value: &Value, way: &Way<'_>) -> Result<Option<Violation>, Exhausted> {
        let mut nearest: Option<Vec<Violation>> = None;
        for node in nodes.iter().take(FORMS_MAX) {
            let mut report = Report::wanted();
            self.check(*node, value, way, None, &mut report)?;
            let violations = report.into_violations();
            if nearest.as_ref().is_none_or(|nearest| violations.len() < nearest.len()) {
                nearest = Some(violations);
            }
        }
        Ok(nearest.and_then(|violations| violations.into_iter().next()))
    }
}
