//! Why a peer's message is not taken, and the answer that says so.

use std::borrow::Cow;

use serde::de::IgnoredAny;
use serde_json::{Value, json};

use crate::client_requests::NotTaken;

/// It is no JSON.
pub const PARSE_ERROR: i32 = -32700;
/// It is no request, or none that can be taken now.
pub const INVALID_REQUEST: i32 = -32600;
/// There is no such method.
pub const UNKNOWN_METHOD: i32 = -32601;
/// The parameters are not those of the method.
pub const INVALID_PARAMS: i32 = -32602;
/// There is too much to do. Of those that an implementation may define.
pub const BUSY: i32 = -32000;

/// The code and the message of the answer.
pub type Refusal = (i32, Cow<'static, str>);

/// The answer to the request `id`, which is JSON.
#[must_use]
pub fn error_text(id: &str, code: i32, message: &str, data: Option<&Value>) -> String {
    let mut error = json!({ "code": code, "message": message });
    if let Some(data) = data {
        error["data"] = data.clone();
    }
    format!(r#"{{"jsonrpc":"2.0","id":{id},"error":{error}}}"#)
}

/// Why `text`, which is no message, is none.
#[must_use]
pub fn no_message(text: &str) -> Refusal {
    match serde_json::from_str::<IgnoredAny>(text) {
        Ok(_) => (INVALID_REQUEST, "a message is an object, with each member once".into()),
        Err(error) => (PARSE_ERROR, format!("this is no JSON: {error}").into()),
    }
}

impl From<NotTaken> for Refusal {
    fn from(not_taken: NotTaken) -> Self {
        match not_taken {
            NotTaken::Twice => {
                (INVALID_REQUEST, "this `id` is that of a request which is not answered yet: take another one".into())
            }
            NotTaken::Busy => {
                (BUSY, "busy: too many requests of this connection are not answered yet: wait for some of them".into())
            }
        }
    }
}
