//! Why a client's message is not taken, and the answer that says so.

use std::borrow::Cow;

use serde_json::{Value, json};

pub(super) const PARSE_ERROR: i32 = -32700;
pub(super) const INVALID_REQUEST: i32 = -32600;
pub(super) const INVALID_PARAMS: i32 = -32602;
/// Of those that an implementation may define.
pub(super) const BUSY: i32 = -32000;

/// The code and the message of the answer.
pub(super) type Refusal = (i32, Cow<'static, str>);

/// The answer to the request `id`, which is JSON.
pub(super) fn error_text(id: &str, code: i32, message: &str, data: Option<&Value>) -> String {
    let mut error = json!({ "code": code, "message": message });
    if let Some(data) = data {
        error["data"] = data.clone();
    }
    format!(r#"{{"jsonrpc":"2.0","id":{id},"error":{error}}}"#)
}
