//! Members of objects, and items of arrays.

use std::collections::HashSet;

use serde_json::{Map, Value};

use super::canonical;
use super::evaluation::{Evaluation, LOOKUP_STEPS, NOTE_STEPS, Seen, Truth};
use super::meter::{Exhausted, steps};
use super::rules::{Members, NEVER, NodeId, Range, Rule};
use super::violation::{self, Report, Way};

/// The most members that one message names.
const NAMES_MAX: usize = 4;

impl<'r> Evaluation<'r> {
    pub(super) fn check_object<'v>(
        &mut self,
        rule: &'r Rule,
        object: &'v Map<String, Value>,
        value: &'v Value,
        way: &Way<'_>,
        seen: Option<&mut Seen<'v>>,
        report: &mut Report,
    ) -> Result<Truth, Exhausted> {
        match rule {
            Rule::MemberCount(range) => self.check_count(*range, steps(object.len()), "properties", way, report),
            Rule::Required(names) => self.check_required(names, object, way, report),
            Rule::Presumed(names) => {
                for name in names {
                    self.meter.spend(LOOKUP_STEPS + steps(name.len()))?;
                    if !object.contains_key(&**name) {
                        // It is there once its server has put its default in, which is not seen from here.
                        return Ok(Truth::Maybe);
                    }
                }
                Ok(Truth::Yes)
            }
            Rule::Dependent(dependencies) => {
                let mut truth = Truth::Yes;
                for (name, names) in dependencies {
                    self.meter.spend(LOOKUP_STEPS)?;
                    if object.contains_key(&**name) {
                        truth = truth.min(self.check_required(names, object, way, report)?);
                    }
                }
                Ok(truth)
            }
            Rule::DependentSchemas(schemas) => {
                let mut truth = Truth::Yes;
                let mut seen = seen;
                for (name, node) in schemas {
                    self.meter.spend(LOOKUP_STEPS)?;
                    if object.contains_key(&**name) {
                        truth = truth.min(self.check(*node, value, way, seen.as_deref_mut(), report)?);
                    }
                }
                Ok(truth)
            }
            Rule::Names(node) => {
                let mut truth = Truth::Yes;
                for name in object.keys() {
                    self.meter.spend(LOOKUP_STEPS + steps(name.len()))?;
                    let text = Value::String(name.clone());
                    truth = truth.min(self.check(*node, &text, &Way::Member(way, name), None, report)?);
                    if truth == Truth::No && report.is_full() {
                        break;
                    }
                }
                Ok(truth)
            }
            Rule::Members(members) => self.check_members(members, object, way, seen, report),
            Rule::OtherMembers(node) => self.check_other_members(*node, object, way, seen, report),
            _ => Ok(Truth::Yes),
        }
    }

    fn check_required(
        &mut self,
        names: &[Box<str>],
        object: &Map<String, Value>,
        way: &Way<'_>,
        report: &mut Report,
    ) -> Result<Truth, Exhausted> {
        let mut truth = Truth::Yes;
        for name in names {
            self.meter.spend(LOOKUP_STEPS + steps(name.len()))?;
            if !object.contains_key(&**name) {
                truth = self.violated(way, report, || violation::missing(name, object))?;
                if report.is_full() {
                    break;
                }
            }
        }
        Ok(truth)
    }

    fn check_members<'v>(
        &mut self,
        members: &'r Members,
        object: &'v Map<String, Value>,
        way: &Way<'_>,
        mut seen: Option<&mut Seen<'v>>,
        report: &mut Report,
    ) -> Result<Truth, Exhausted> {
        let mut truth = Truth::Yes;
        if !report.is_wanted() {
            for (name, node) in &members.telling {
                self.meter.spend(LOOKUP_STEPS + steps(name.len()))?;
                if let Some(member) = object.get(&**name)
                    && self.check(*node, member, &Way::Member(way, name), None, report)? == Truth::No
                {
                    return Ok(Truth::No);
                }
            }
        }
        let mut unexpected = Vec::new();
        for (name, member) in object {
            self.meter.spend(LOOKUP_STEPS + steps(name.len()))?;
            let way = Way::Member(way, name);
            let mut is_known = false;
            if let Some(node) = members.named.get(name) {
                is_known = true;
                truth = truth.min(self.check(*node, member, &way, None, report)?);
            }
            for (matcher, node) in &members.patterns {
                if self.is_match(*matcher, name)? {
                    is_known = true;
                    truth = truth.min(self.check(*node, member, &way, None, report)?);
                }
            }
            match members.others {
                Some(others) if !is_known && members.is_unsure => {
                    // It may be one of those of the pattern that is not checked.
                    let said = self.check(others, member, &way, None, &mut Report::unwanted())?;
                    truth = truth.min(said.max(Truth::Maybe));
                }
                Some(NEVER) if !is_known => {
                    truth = Truth::No;
                    unexpected.push(name.as_str());
                }
                Some(others) if !is_known => truth = truth.min(self.check(others, member, &way, None, report)?),
                _ => {}
            }
            if let Some(seen) = &mut seen
                && (is_known || members.others.is_some())
            {
                self.meter.spend(NOTE_STEPS)?;
                seen.names.insert(name);
            }
            if truth == Truth::No && (report.is_full() || unexpected.len() == NAMES_MAX) {
                break;
            }
        }
        if let Some(seen) = seen {
            seen.is_unsure |= members.is_unsure;
        }
        if unexpected.is_empty() {
            return Ok(truth);
        }
        let absent = members.named.texts().filter(|name| !object.contains_key(*name));
        self.violated(way, report, || violation::unexpected(&unexpected, absent))
    }

    fn check_other_members<'v>(
        &mut self,
        node: NodeId,
        object: &'v Map<String, Value>,
        way: &Way<'_>,
        seen: Option<&mut Seen<'v>>,
        report: &mut Report,
    ) -> Result<Truth, Exhausted> {
        let mut truth = Truth::Yes;
        let Some(seen) = seen else { return Ok(truth) };
        let mut unexpected = Vec::new();
        for (name, member) in object {
            self.meter.spend(LOOKUP_STEPS + steps(name.len()))?;
            if !seen.names.insert(name) {
                continue;
            }
            let way = Way::Member(way, name);
            if seen.is_unsure {
                truth = truth.min(self.check(node, member, &way, None, &mut Report::unwanted())?.max(Truth::Maybe));
            } else if node == NEVER {
                truth = Truth::No;
                unexpected.push(name.as_str());
            } else {
                truth = truth.min(self.check(node, member, &way, None, report)?);
            }
            if truth == Truth::No && (report.is_full() || unexpected.len() == NAMES_MAX) {
                break;
            }
        }
        if unexpected.is_empty() {
            Ok(truth)
        } else {
            self.violated(way, report, || violation::unexpected(&unexpected, std::iter::empty()))
        }
    }

    pub(super) fn check_items<'v>(
        &mut self,
        rule: &'r Rule,
        items: &'v [Value],
        way: &Way<'_>,
        seen: Option<&mut Seen<'v>>,
        report: &mut Report,
    ) -> Result<Truth, Exhausted> {
        match rule {
            Rule::ItemCount(range) => self.check_count(*range, steps(items.len()), "items", way, report),
            Rule::UniqueItems => self.check_unique(items, way, report),
            Rule::Items { first, rest } => {
                let mut truth = Truth::Yes;
                for (place, item) in items.iter().enumerate() {
                    let Some(node) = first.get(place).copied().or(*rest) else { break };
                    truth = truth.min(self.check(node, item, &Way::Item(way, place), None, report)?);
                    if truth == Truth::No && report.is_full() {
                        break;
                    }
                }
                if let Some(seen) = seen {
                    let count = if rest.is_some() { items.len() } else { first.len() };
                    seen.item_count = seen.item_count.max(count);
                }
                Ok(truth)
            }
            Rule::Contains(node, range) => self.check_contains(*node, *range, items, way, seen, report),
            Rule::OtherItems(node) => {
                let mut truth = Truth::Yes;
                let Some(seen) = seen else { return Ok(truth) };
                for (place, item) in items.iter().enumerate().skip(seen.item_count) {
                    self.meter.spend(LOOKUP_STEPS)?;
                    if seen.items.contains(&place) {
                        continue;
                    }
                    let way = Way::Item(way, place);
                    let said = if seen.is_unsure {
                        self.check(*node, item, &way, None, &mut Report::unwanted())?.max(Truth::Maybe)
                    } else {
                        self.check(*node, item, &way, None, report)?
                    };
                    truth = truth.min(said);
                    if truth == Truth::No && report.is_full() {
                        break;
                    }
                }
                seen.item_count = items.len();
                Ok(truth)
            }
            _ => Ok(Truth::Yes),
        }
    }

    fn check_unique(&mut self, items: &[Value], way: &Way<'_>, report: &mut Report) -> Result<Truth, Exhausted> {
        let mut texts = HashSet::new();
        for (place, item) in items.iter().enumerate() {
            let text = canonical::text(item, &mut self.meter)?;
            self.meter.spend(NOTE_STEPS + steps(text.len()))?;
            if !texts.insert(text) {
                let message = || format!("expected no item twice, came {} again", violation::excerpt(item));
                return self.violated(&Way::Item(way, place), report, message);
            }
        }
        Ok(Truth::Yes)
    }

    fn check_contains<'v>(
        &mut self,
        node: NodeId,
        range: Range,
        items: &'v [Value],
        way: &Way<'_>,
        mut seen: Option<&mut Seen<'v>>,
        report: &mut Report,
    ) -> Result<Truth, Exhausted> {
        let (mut sure, mut possible) = (0, 0);
        for (place, item) in items.iter().enumerate() {
            let truth = self.check(node, item, &Way::Item(way, place), None, &mut Report::unwanted())?;
            sure += u64::from(truth == Truth::Yes);
            possible += u64::from(truth != Truth::No);
            match &mut seen {
                Some(seen) if truth == Truth::Yes => {
                    self.meter.spend(NOTE_STEPS)?;
                    seen.items.insert(place);
                }
                Some(seen) => seen.is_unsure |= truth == Truth::Maybe,
                None if sure >= range.least && range.most == u64::MAX => return Ok(Truth::Yes),
                _ => {}
            }
        }
        if sure > range.most || possible < range.least {
            let came = if sure > range.most { sure } else { possible };
            return self.violated(way, report, || {
                violation::wrong_count(range.least, range.most, "items of the form that `contains` has", came)
            });
        }
        Ok(if sure >= range.least && possible <= range.most { Truth::Yes } else { Truth::Maybe })
    }
}
