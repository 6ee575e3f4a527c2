//! An answer becomes a value, or an error that says what the server said.

use std::time::{Duration, SystemTime};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use isolet_outbound::Answer;
use isolet_outbound::header::{CONTENT_TYPE, HeaderName, RETRY_AFTER, WWW_AUTHENTICATE};
use serde_json::{Value, json};

use crate::error::CallError;
use crate::parameter::is_json;
use crate::read::json_values;

/// The most characters of a server's message.
const MESSAGE_LENGTH_MAX: usize = 500;

/// The most values of an answer: one of JSON's takes up to a hundred times the memory of its text.
const VALUES_MAX: usize = 1_000_000;

/// The most bytes of an error's body that are kept.
const BODY_BYTES_MAX: usize = 64 << 10;

/// The longest wait that is believed.
const WAIT_MAX: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// The value of `answer`: JSON as it is, text as a string, nothing as `null`, other bytes as `{ base64, mediaType }`.
pub(crate) fn value(answer: &Answer) -> Result<Value, CallError> {
    if !answer.status.is_success() {
        return Err(failure(answer));
    }
    if answer.body.is_empty() {
        return Ok(Value::Null);
    }
    let media = header(answer, &CONTENT_TYPE).unwrap_or_default();
    let is_readable = json_values(&answer.body) <= VALUES_MAX;
    if is_json(&media) {
        if !is_readable {
            return Err(CallError::Answer { what: format!("it has more than {VALUES_MAX} values") });
        }
        let wrong = |error: serde_json::Error| CallError::Answer { what: format!("it says it is JSON and is not: {error}") };
        return serde_json::from_slice(&answer.body).map_err(wrong);
    }
    match std::str::from_utf8(&answer.body) {
        Ok(text) if media.is_empty() && is_readable => Ok(serde_json::from_str(text).unwrap_or_else(|_| text.into())),
        Ok(text) if media.is_empty() || is_text(&media) => Ok(text.into()),
        _ => Ok(json!({ "base64": STANDARD.encode(&answer.body), "mediaType": media })),
    }
}

fn is_text(media: &str) -> bool {
    let essence = media.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    const TEXTS: [&str; 7] = ["xml", "yaml", "x-yaml", "javascript", "x-ndjson", "jsonl", "x-www-form-urlencoded"];
    essence.starts_with("text/")
        || essence.ends_with("+xml")
        || essence.ends_with("+yaml")
        || essence.strip_prefix("application/").is_some_and(|kind| TEXTS.contains(&kind))
}

fn failure(answer: &Answer) -> CallError {
    let body: Option<Value> = (answer.body.len() <= BODY_BYTES_MAX)
        .then(|| serde_json::from_slice(&answer.body).ok())
        .flatten()
        .filter(|body: &Value| !body.is_null());
    let message = message(answer, body.as_ref());
    let retry_after = header(answer, &RETRY_AFTER).and_then(|text| wait(&text, SystemTime::now()));
    let challenge = header(answer, &WWW_AUTHENTICATE);
    match answer.status.as_u16() {
        401 => CallError::Unauthorised { message, challenge },
        403 => CallError::Forbidden { message, challenge, retry_after },
        429 => CallError::RateLimited { message, retry_after },
        status => CallError::Failed { status, message, body: body.map(Box::new), retry_after },
    }
}

/// What the server says, in a line: the texts of a problem (RFC 9457), of what others write instead, or the beginning of the body.
fn message(answer: &Answer, body: Option<&Value>) -> String {
    let text = |pointer: &str| {
        body.and_then(|body| body.pointer(pointer)).and_then(Value::as_str).filter(|text| !text.trim().is_empty())
    };
    let said = match (text("/title"), text("/detail")) {
        (Some(title), Some(detail)) if title != detail => Some(format!("{title}: {detail}")),
        (title, detail) => title.or(detail).map(str::to_owned),
    };
    const ELSEWHERE: [&str; 9] = [
        "/message",
        "/error/message",
        "/error_description",
        "/error",
        "/errors/0/message",
        "/errors/0/detail",
        "/errors/0",
        "/detail/0/msg",
        "/reason",
    ];
    let said = said.or_else(|| ELSEWHERE.into_iter().find_map(text).map(str::to_owned)).unwrap_or_else(|| match body {
        Some(body) => body.to_string(),
        None => String::from_utf8_lossy(answer.body.get(..4 * MESSAGE_LENGTH_MAX).unwrap_or(&answer.body)).into_owned(),
    });
    let words: Vec<&str> = said.split(|c: char| c.is_whitespace() || c.is_control()).filter(|word| !word.is_empty()).collect();
    let line: String = words.join(" ").chars().take(MESSAGE_LENGTH_MAX).collect();
    if line.is_empty() { answer.status.canonical_reason().unwrap_or("it says nothing").to_owned() } else { line }
}

/// `Retry-After`, in seconds or as a date.
fn wait(text: &str, now: SystemTime) -> Option<Duration> {
    let text = text.trim();
    let wait = match text.parse() {
        Ok(seconds) => Duration::from_secs(seconds),
        Err(_) => httpdate::parse_http_date(text).ok()?.duration_since(now).unwrap_or(Duration::ZERO),
    };
    Some(wait.min(WAIT_MAX))
}

fn header(answer: &Answer, name: &HeaderName) -> Option<String> {
    let value = answer.headers.get(name)?.to_str().ok()?;
    Some(value.chars().take(MESSAGE_LENGTH_MAX).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_is_seconds_or_a_date_and_never_for_ever() {
        let now = httpdate::parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT").unwrap_or(SystemTime::UNIX_EPOCH);
        assert_eq!(wait("120", now), Some(Duration::from_secs(120)));
        assert_eq!(wait(" 0 ", now), Some(Duration::ZERO));
        assert_eq!(wait("Sun, 06 Nov 1994 08:50:37 GMT", now), Some(Duration::from_secs(60)));
        assert_eq!(wait("Sun, 06 Nov 1994 08:48:37 GMT", now), Some(Duration::ZERO));
        assert_eq!(wait("99999999999", now), Some(WAIT_MAX));
        for text in ["", "soon", "-1", "1.5"] {
            assert_eq!(wait(text, now), None, "{text}");
        }
    }
}
