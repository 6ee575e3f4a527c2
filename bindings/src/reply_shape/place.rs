//! What the values at one place of replies were like, and at the places below it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::key::is_name;

/// The most levels below a reply; deeper values are `unknown`.
pub(super) const DEPTH_MAX: usize = 10;
/// The most names of an object; one that has more is a record.
const NAMES_MAX: usize = 64;
/// The most names of an object whose values are all of one kind; one that has more is a record.
const ALIKE_MAX: usize = 24;

/// A kind of scalar.
#[derive(Clone, Copy, Debug)]
pub(super) enum Kind {
    Null = 1,
    Boolean = 2,
    Number = 4,
    String = 8,
}

impl Kind {
    pub(super) const ALL: [Self; 4] = [Self::Boolean, Self::Number, Self::String, Self::Null];
}

/// The values at one place.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Place {
    /// The scalars that there were, a bit each.
    scalars: u8,
    /// The elements of all arrays, if there was one.
    pub(super) items: Option<Box<Place>>,
    /// The objects, if there was one.
    pub(super) members: Option<Box<Members>>,
    /// Whether it may be anything.
    pub(super) is_unknown: bool,
}

/// The objects at one place.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Members {
    /// How many there were.
    pub(super) objects: u64,
    pub(super) named: BTreeMap<String, Member>,
    /// The values of all keys that are no names.
    pub(super) rest: Option<Place>,
    /// Whether no key is a name here.
    pub(super) is_record: bool,
}

/// The values of one name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Member {
    /// In how many objects it was.
    pub(super) objects: u64,
    pub(super) place: Place,
    /// The number of the last object that had it, while a reply is read: one that has it twice is one.
    #[serde(skip)]
    last: u64,
}

impl Place {
    pub(super) fn unknown() -> Self {
        Self { is_unknown: true, ..Self::default() }
    }

    /// From now on it may be anything.
    pub(super) fn forget(&mut self) {
        *self = Self::unknown();
    }

    pub(super) fn add(&mut self, kind: Kind) {
        self.scalars |= kind as u8;
    }

    pub(super) fn has(&self, kind: Kind) -> bool {
        self.scalars & kind as u8 != 0
    }

    /// Adds what `other` had. Whether more is admitted now.
    pub(super) fn absorb(&mut self, other: &Self) -> bool {
        if self.is_unknown {
            return false;
        }
        if other.is_unknown {
            self.forget();
            return true;
        }
        let mut is_wider = self.scalars | other.scalars != self.scalars;
        self.scalars |= other.scalars;
        if let Some(items) = &other.items {
            is_wider |= self.items.is_none();
            is_wider |= self.items.get_or_insert_default().absorb(items);
        }
        if let Some(members) = &other.members {
            is_wider |= self.members.is_none();
            is_wider |= self.members.get_or_insert_default().absorb(members);
        }
        is_wider
    }

    /// Brings it within its bounds: `places_max` places at the most, and names only where they are some.
    pub(super) fn settle(&mut self, places_max: usize) {
        self.cut(DEPTH_MAX);
        self.settle_records();
        for depth in (1..DEPTH_MAX).rev() {
            if self.places() <= places_max {
                return;
            }
            self.cut(depth);
        }
    }

    fn settle_records(&mut self) {
        if let Some(items) = &mut self.items {
            items.settle_records();
        }
        if let Some(members) = &mut self.members {
            for member in members.named.values_mut() {
                member.last = 0;
                member.place.settle_records();
            }
            members.rest.iter_mut().for_each(Self::settle_records);
            if !members.is_record && members.are_keys_alike() {
                members.fold();
                members.rest.iter_mut().for_each(Self::settle_records);
            }
        }
    }

    /// What is deeper than so many levels may be anything.
    fn cut(&mut self, depth: usize) {
        if depth == 0 && (self.items.is_some() || self.members.is_some()) {
            self.forget();
        }
        self.children().for_each(|child| child.cut(depth.saturating_sub(1)));
    }

    /// Keys that are no names become those of a record.
    pub(super) fn forget_keys(&mut self) {
        if let Some(members) = &mut self.members
            && members.named.keys().any(|key| !is_name(key))
        {
            members.fold();
        }
        self.children().for_each(Self::forget_keys);
    }

    /// How many places there are, this one included.
    pub(super) fn places(&self) -> usize {
        let of_members = |members: &Members| {
            let named = members.named.values().map(|member| member.place.places()).sum::<usize>();
            named + members.rest.as_ref().map_or(0, Self::places)
        };
        1 + self.items.as_ref().map_or(0, |items| items.places())
            + self.members.as_ref().map_or(0, |members| of_members(members))
    }

    fn children(&mut self) -> impl Iterator<Item = &mut Self> {
        let of_members = self.members.iter_mut().flat_map(|members| {
            let Members { named, rest, .. } = &mut **members;
            named.values_mut().map(|member| &mut member.place).chain(rest)
        });
        self.items.iter_mut().map(|items| &mut **items).chain(of_members)
    }

    /// The one kind of its values, null aside: `None` if there are several, or none.
    fn only_kind(&self) -> Option<u8> {
        const ARRAY: u8 = 16;
        const OBJECT: u8 = 32;
        let mut kinds = self.scalars & !(Kind::Null as u8);
        kinds |= if self.items.is_some() { ARRAY } else { 0 };
        kinds |= if self.members.is_some() { OBJECT } else { 0 };
        (kinds.count_ones() == 1 && !self.is_unknown).then_some(kinds)
    }

    /// Whether it admits a value, as a program gets it.
    #[cfg(test)]
    pub(super) fn admits(&self, value: &serde_json::Value) -> bool {
        use serde_json::Value;
        if self.is_unknown {
            return true;
        }
        match value {
            Value::Null => self.has(Kind::Null),
            Value::Bool(_) => self.has(Kind::Boolean),
            Value::Number(_) => self.has(Kind::Number),
            Value::String(_) => self.has(Kind::String),
            Value::Array(elements) => {
                self.items.as_ref().is_some_and(|items| elements.iter().all(|element| items.admits(element)))
            }
            Value::Object(object) => self.members.as_ref().is_some_and(|members| {
                let is_whole =
                    members.named.iter().all(|(name, member)| member.objects < members.objects || object.contains_key(name));
                is_whole
                    && object.iter().all(|(key, value)| match members.named.get(key) {
                        Some(member) => member.place.admits(value),
                        None => members.rest.as_ref().is_some_and(|rest| rest.admits(value)),
                    })
            }),
        }
    }
}

impl Member {
    pub(super) fn new(objects: u64, place: Place) -> Self {
        Self { objects, place, last: 0 }
    }
}

impl Members {
    /// The place of the values of `key` in one more object, or once more in the last one. `places_left`: how many places there may still be.
    pub(super) fn place_of(&mut self, key: String, places_left: &mut usize) -> &mut Place {
        let is_known = self.named.contains_key(&key);
        if !self.is_record && is_name(&key) && (is_known || *places_left > 0) {
            if is_known || self.named.len() < NAMES_MAX {
                *places_left -= usize::from(!is_known);
                let member = self.named.entry(key).or_default();
                member.objects += u64::from(member.last != self.objects);
                member.last = self.objects;
                return &mut member.place;
            }
            self.fold();
        }
        let has_room = self.rest.is_some() || *places_left > 0;
        *places_left -= usize::from(self.rest.is_none() && has_room);
        self.rest.get_or_insert_with(|| if has_room { Place::default() } else { Place::unknown() })
    }

    fn absorb(&mut self, other: &Self) -> bool {
        let before = (self.is_record, self.optional(), self.named.len(), self.rest.is_some());
        let mut is_wider = false;
        self.objects = self.objects.saturating_add(other.objects);
        if other.is_record {
            self.fold();
        }
        for (name, member) in &other.named {
            let is_known = self.named.contains_key(name);
            if !is_known && self.named.len() >= NAMES_MAX {
                self.fold();
            }
            if self.is_record {
                is_wider |= self.rest.get_or_insert_default().absorb(&member.place);
            } else {
                let known = self.named.entry(name.clone()).or_default();
                known.objects = known.objects.saturating_add(member.objects);
                is_wider |= known.place.absorb(&member.place);
            }
        }
        if let Some(rest) = &other.rest {
            is_wider |= self.rest.get_or_insert_default().absorb(rest);
        }
        is_wider || before != (self.is_record, self.optional(), self.named.len(), self.rest.is_some())
    }

    /// How many names are not in every object.
    fn optional(&self) -> usize {
        self.named.values().filter(|member| member.objects < self.objects).count()
    }

    /// All keys become those of a record.
    pub(super) fn fold(&mut self) {
        self.is_record = true;
        for member in std::mem::take(&mut self.named).into_values() {
            self.rest.get_or_insert_default().absorb(&member.place);
        }
    }

    /// Whether the keys are those of a record: no names, or many or strange ones whose values are all of one kind.
    fn are_keys_alike(&self) -> bool {
        if self.named.is_empty() {
            return self.rest.is_some();
        }
        if self.named.len() <= ALIKE_MAX && self.rest.is_none() {
            return false;
        }
        let mut kinds = self.named.values().map(|member| &member.place).chain(&self.rest).map(Place::only_kind);
        let first = kinds.next().flatten();
        first.is_some() && kinds.all(|kind| kind == first)
    }
}
