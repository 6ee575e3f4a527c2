//! The id of a client's request in what it is told or asked for it, a subscription or a question in the middle of a call: the one that the client gave,
//! where rmcp has a number of its own.

use isolet_rpc::client_id::{ClientId, id_of_request_in};
use serde::Serialize;

/// The text of a message or of a result; if it belongs to a request, with the id that `id_of` gives for its number. None without one.
pub(super) fn text(message: &impl Serialize, id_of: impl FnOnce(i64) -> Option<ClientId>) -> Option<String> {
    let mut message = serde_json::to_value(message).ok()?;
    if let Some(number) = id_of_request_in(&mut message) {
        let id = id_of(number.as_i64()?)?;
        *number = serde_json::from_str(id.as_json()).ok()?;
    }
    serde_json::to_string(&message).ok()
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use isolet_rpc::client_id::{ASKED_FOR, SUBSCRIPTION};
    use serde_json::value::to_raw_value;
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn what_belongs_to_a_subscription_has_the_id_of_its_client() {
        let id = |number: i64| (number == 7).then(|| ClientId::of(&to_raw_value("listen").unwrap()).unwrap());
        let told = |number: i64| json!({ "method": "m", "params": { "uri": "a:b", "_meta": { SUBSCRIPTION: number } } });
        let text_of = |message: Value| text(&message, id).map(|text| serde_json::from_str::<Value>(&text).unwrap());
        assert_eq!(text_of(told(7)).unwrap()["params"]["_meta"][SUBSCRIPTION], "listen");
        assert_eq!(text_of(json!({ "_meta": { SUBSCRIPTION: 7 } })).unwrap()["_meta"][SUBSCRIPTION], "listen");
        assert_eq!(text_of(told(8)), None, "one that has ended");
        let asked = json!({ "id": 1, "method": "m", "params": { "_meta": { ASKED_FOR: 7 } } });
        assert_eq!(text_of(asked).unwrap()["params"]["_meta"][ASKED_FOR], "listen");
        let other = json!({ "method": "m", "params": { "_meta": {} } });
        assert_eq!(text_of(other.clone()), Some(other));
    }
}
