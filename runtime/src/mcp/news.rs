//! What a server says of a call that is under way: progress, and lines of its log. Of no importance, so what cannot be read is not missed.

use isolet_bindings::CallNews;
use isolet_rpc::envelope::{number_in, object};
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

/// The longest news, bytes: those become a tree.
const NEWS_BYTES_MAX: usize = 64 << 10;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Progress<'text> {
    #[serde(borrow)]
    progress_token: &'text RawValue,
    progress: f64,
    #[serde(default)]
    total: Option<f64>,
    #[serde(default)]
    message: Option<String>,
}

#[derive(Deserialize)]
struct Log {
    level: String,
    #[serde(default)]
    logger: Option<String>,
    #[serde(default)]
    data: Value,
}

/// What the parameters of `notifications/progress` say, and of which request: by the token that it was sent with.
pub(super) fn progress(params: &RawValue) -> Option<(i64, CallNews)> {
    let Progress { progress_token, progress, total, message } = object(within(params)?).ok()?;
    Some((number_in(progress_token)?, CallNews::Progress { done: progress, total, message }))
}

/// What the parameters of `notifications/message` say.
pub(super) fn log(params: &RawValue) -> Option<CallNews> {
    let Log { level, logger, data } = object(within(params)?).ok()?;
    Some(CallNews::Log { level, logger, data })
}

fn within(params: &RawValue) -> Option<&str> {
    Some(params.get()).filter(|text| text.len() <= NEWS_BYTES_MAX)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use serde_json::json;
    use serde_json::value::to_raw_value;

    use super::*;

    #[test]
    fn what_can_be_read_is_told_and_what_cannot_is_not() {
        let of = |value: Value| to_raw_value(&value).unwrap();
        let said = progress(&of(json!({ "progressToken": "7", "progress": 1, "total": 2, "x": 1 }))).unwrap();
        assert_eq!(said, (7, CallNews::Progress { done: 1.0, total: Some(2.0), message: None }));
        for wrong in
            [json!({ "progressToken": 1 }), json!({ "progress": 1 }), json!([]), json!({ "progressToken": {}, "progress": 1 })]
        {
            assert!(progress(&of(wrong.clone())).is_none(), "{wrong}");
        }
        let said = log(&of(json!({ "level": "info", "data": { "a": 1 } }))).unwrap();
        assert_eq!(said, CallNews::Log { level: "info".to_owned(), logger: None, data: json!({ "a": 1 }) });
        assert!(log(&of(json!({ "level": "info", "data": "x".repeat(NEWS_BYTES_MAX) }))).is_none());
    }
}
