//! A reply, read once: no tree is made of it, and of its values nothing stays.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::place::{DEPTH_MAX, Kind, Place};
use crate::wide_integer::SAFE_INTEGER_MAX;

/// Numbers from here on are texts for programs, if they are integers.
const SAFE_NUMBER_END: f64 = 9_007_199_254_740_992.0;

/// What a JSON text is like, in at most `places_max` places.
pub(super) fn read(json: &str, places_max: usize) -> Result<Place, serde_json::Error> {
    let mut place = Place::default();
    let mut places_left = places_max;
    let mut text = serde_json::Deserializer::from_str(json);
    Reader { place: &mut place, depth: 0, places_left: &mut places_left }.deserialize(&mut text)?;
    text.end()?;
    Ok(place)
}

/// Adds one value to its place.
struct Reader<'a> {
    place: &'a mut Place,
    depth: usize,
    places_left: &'a mut usize,
}

impl<'de> DeserializeSeed<'de> for Reader<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, value: D) -> Result<(), D::Error> {
        if self.place.is_unknown {
            return value.deserialize_ignored_any(IgnoredAny).map(drop);
        }
        value.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Reader<'_> {
    type Value = ();

    fn expecting(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str("a JSON value")
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        self.place.add(Kind::Null);
        Ok(())
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<(), E> {
        self.place.add(Kind::Boolean);
        Ok(())
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<(), E> {
        self.place.add(Kind::Number);
        if number > SAFE_INTEGER_MAX {
            self.place.add(Kind::String);
        }
        Ok(())
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<(), E> {
        self.visit_u64(number.unsigned_abs())
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<(), E> {
        self.place.add(Kind::Number);
        if number.abs() >= SAFE_NUMBER_END {
            self.place.add(Kind::String);
        }
        Ok(())
    }

    fn visit_str<E: Error>(self, _: &str) -> Result<(), E> {
        self.place.add(Kind::String);
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<(), A::Error> {
        let Self { place, depth, places_left } = self;
        if depth >= DEPTH_MAX || (place.items.is_none() && *places_left == 0) {
            place.forget();
            while elements.next_element::<IgnoredAny>()?.is_some() {}
            return Ok(());
        }
        *places_left -= usize::from(place.items.is_none());
        let items = place.items.get_or_insert_default();
        while elements.next_element_seed(Reader { place: items, depth: depth + 1, places_left })?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<(), A::Error> {
        let Self { place, depth, places_left } = self;
        if depth >= DEPTH_MAX {
            place.forget();
            while entries.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
            return Ok(());
        }
        let members = place.members.get_or_insert_default();
        members.objects += 1;
        while let Some(key) = entries.next_key::<String>()? {
            let place = members.place_of(key, places_left);
            entries.next_value_seed(Reader { place, depth: depth + 1, places_left })?;
        }
        Ok(())
    }
}
