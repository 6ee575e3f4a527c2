//! Integers of replies that JavaScript would round: as texts of their digits.

/// As many digits as no integer has that JavaScript holds to the last digit, less one.
const DIGITS: usize = 16;
/// The largest integer up to which every one is a number of JavaScript.
const SAFE_INTEGER_MAX: &str = "9007199254740991";

/// The JSON with integers beyond 2^53 as strings; `None` if there are none.
///
/// Most replies have no run of so many digits, which is found out by a look at each sixteenth byte.
pub(super) fn with_texts(json: &str) -> Option<String> {
    let bytes = json.as_bytes();
    let is_digit = |place: usize| bytes.get(place).is_some_and(u8::is_ascii_digit);
    let has_run = (0..bytes.len()).step_by(DIGITS).any(|place| {
        if !is_digit(place) {
            return false;
        }
        let before = (0..place).rev().take_while(|place| is_digit(*place)).take(DIGITS).count();
        let after = (place..bytes.len()).take_while(|place| is_digit(*place)).take(DIGITS).count();
        before + after >= DIGITS
    });
    if has_run { replaced(json) } else { None }
}

fn replaced(json: &str) -> Option<String> {
    let bytes = json.as_bytes();
    let (mut text, mut kept, mut place) = (String::new(), 0, 0);
    let mut in_string = false;
    while let Some(byte) = bytes.get(place) {
        match byte {
            b'\\' if in_string => place += 1,
            b'"' => in_string = !in_string,
            b'-' | b'0'..=b'9' if !in_string => {
                let end = place
                    + bytes[place..]
                        .iter()
                        .take_while(|byte| matches!(byte, b'0'..=b'9' | b'-' | b'+' | b'.' | b'e' | b'E'))
                        .count();
                let number = &json[place..end];
                if is_beyond(number) {
                    text.push_str(&json[kept..place]);
                    text.push('"');
                    text.push_str(number);
                    text.push('"');
                    kept = end;
                }
                place = end;
                continue;
            }
            _ => {}
        }
        place += 1;
    }
    (kept > 0).then(|| text + &json[kept..])
}

/// Whether a number in digits alone is beyond those that JavaScript holds.
fn is_beyond(number: &str) -> bool {
    let digits = number.strip_prefix('-').unwrap_or(number);
    digits.bytes().all(|byte| byte.is_ascii_digit())
        && (digits.len() > DIGITS || (digits.len() == DIGITS && digits > SAFE_INTEGER_MAX))
}

#[cfg(test)]
mod tests {
    use super::with_texts;

    #[test]
    fn integers_beyond_two_to_the_53rd_are_texts_and_nothing_else_changes() {
        for (json, expected) in [
            (r#"{"a":9007199254740992}"#, Some(r#"{"a":"9007199254740992"}"#)),
            (r#"[-9007199254740993,1]"#, Some(r#"["-9007199254740993",1]"#)),
            ("18446744073709551615", Some(r#""18446744073709551615""#)),
            ("9007199254740991", None),
            (r#"{"a":"9007199254740993","9007199254740993":1}"#, None),
            (r#"["\"9007199254740993",1]"#, None),
            (r#"[9007199254740993.5,9007199254740993e3,1234567890123456e0]"#, None),
        ] {
            assert_eq!(with_texts(json).as_deref(), expected, "{json}");
        }
    }

    #[test]
    fn a_run_of_digits_is_found_wherever_it_stands() {
        for offset in 0..40 {
            let json = format!("[{}9007199254740993]", " ".repeat(offset));
            assert_eq!(with_texts(&json), Some(format!("[{}\"9007199254740993\"]", " ".repeat(offset))));
        }
    }
}
