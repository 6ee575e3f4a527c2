//! Arguments with integers that no number of this process holds: written with all their digits.

use std::collections::BTreeMap;

use serde::{Serialize, Serializer, ser::Error as _};
use serde_json::Value;
use serde_json::value::RawValue;

/// Integers by where they stand, as JSON pointers say it: their digits.
pub(crate) type ExactIntegers = BTreeMap<String, String>;

/// The place of the member or item `name` of what is at `pointer`.
pub(crate) fn below(pointer: &str, name: &str) -> String {
    format!("{pointer}/{}", name.replace('~', "~0").replace('/', "~1"))
}

/// A value in which some numbers are rounded, as it is written: with the digits of these.
pub(crate) struct Exact<'a> {
    pub(crate) value: &'a Value,
    pub(crate) pointer: String,
    pub(crate) integers: &'a ExactIntegers,
}

impl<'a> Exact<'a> {
    fn member(&self, name: &str, value: &'a Value) -> Self {
        Self { value, pointer: below(&self.pointer, name), integers: self.integers }
    }
}

impl Serialize for Exact<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.value {
            Value::Object(members) => {
                serializer.collect_map(members.iter().map(|(name, value)| (name, self.member(name, value))))
            }
            Value::Array(items) => {
                serializer.collect_seq(items.iter().enumerate().map(|(place, item)| self.member(&place.to_string(), item)))
            }
            value => match self.integers.get(&self.pointer) {
                Some(digits) => RawValue::from_string(digits.clone()).map_err(S::Error::custom)?.serialize(serializer),
                None => value.serialize(serializer),
            },
        }
    }
}
