//! The `id` of a message that is too long to be read, so that its sender can be told: it stands at the beginning or at the end, as libraries write it.

use std::fmt;

use serde::de::{DeserializeSeed, IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use crate::client_id::ClientId;
use crate::envelope::object;

/// The `id` in the beginning of a message.
pub fn in_beginning(beginning: &str) -> Option<ClientId> {
    let mut found = None;
    // It breaks off somewhere, always.
    let _ = Finder(&mut found).deserialize(&mut serde_json::Deserializer::from_str(beginning));
    found
}

/// The `id` in the end of a message: what follows it is the rest of one object, and of no more.
pub fn in_end(end: &str) -> Option<ClientId> {
    #[derive(Deserialize)]
    struct Rest<'text> {
        #[serde(borrow)]
        id: &'text RawValue,
    }

    end.rmatch_indices("\"id\"").filter(|(place, _)| !end[..*place].ends_with('\\')).find_map(|(place, _)| {
        let rest = format!("{{{}", &end[place..]);
        ClientId::of(object::<Rest<'_>>(&rest).ok()?.id)
    })
}

/// Reads an object as far as it goes, and puts its `id` here.
struct Finder<'found>(&'found mut Option<ClientId>);

impl<'de> Visitor<'de> for Finder<'_> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a message")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut message: A) -> Result<(), A::Error> {
        let mut read = None;
        while let Some(name) = message.next_key::<String>()? {
            // Something follows it, so it is whole.
            *self.0 = read.take().or(self.0.take());
            if name == "id" {
                read = ClientId::of(message.next_value()?);
            } else {
                message.next_value::<IgnoredAny>()?;
            }
        }
        Ok(())
    }
}

impl<'de> DeserializeSeed<'de> for Finder<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json(id: Option<ClientId>) -> Option<String> {
        id.map(|id| id.as_json().to_owned())
    }

    #[test]
    fn an_id_is_found_in_the_beginning_of_a_message() {
        let found = |text: &str| json(in_beginning(text));
        assert_eq!(found("{\"jsonrpc\":\"2.0\",\"id\":\"a\",\"params\":{\"x\":\"yyy").as_deref(), Some("\"a\""));
        assert_eq!(found("{\"params\":{\"id\":1},\"id\":7,\"x\":[").as_deref(), Some("7"));
        for text in ["{\"params\":{\"id\":7", "{\"id\":7", "{\"id\":7,", "[{\"id\":7}", "\"id\":7", "{\"id\":[7],"] {
            assert_eq!(found(text), None, "{text}");
        }
    }

    #[test]
    fn an_id_is_found_in_the_end_of_a_message() {
        let found = |text: &str| json(in_end(text));
        assert_eq!(found("xx\"}},\"jsonrpc\":\"2.0\",\"id\":7}").as_deref(), Some("7"));
        assert_eq!(found("\"params\":{\"id\":1}, \"id\" : \"a\" , \"jsonrpc\":\"2.0\" }").as_deref(), Some("\"a\""));
        for text in [
            // Of something in it, a name within a text, no whole message, in an array of messages.
            "\"params\":{\"id\":7}}",
            "{\"a\\\"id\":7}",
            "\"id\":7",
            "\"id\":7}]",
            "\"id\":[7]}",
            "é\"id",
        ] {
            assert_eq!(found(text), None, "{text}");
        }
    }
}
