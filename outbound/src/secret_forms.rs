//! The forms in which a server may repeat a secret: as it is, and in the encodings in which texts travel.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use zeroize::Zeroizing;

/// What is not percent-encoded in a part of an address (RFC 3986, `unreserved`).
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// What is not percent-encoded in a form.
const FORM: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'*').remove(b' ');

/// A form of a secret.
pub(crate) type Form = Zeroizing<String>;

/// The forms of `secret`, each once: raw, escaped for JSON, percent-encoded (as little as possible, as forms are, everything but letters and digits, every
/// byte), in hexadecimal, and in both alphabets of base64 at its three alignments. Letters are to be compared in either case.
pub(crate) fn forms(secret: &str) -> Vec<Form> {
    let mut forms: Vec<Form> = vec![Zeroizing::new(secret.to_owned()), escaped(secret)];
    for set in [RESERVED, FORM, NON_ALPHANUMERIC] {
        forms.push(Zeroizing::new(utf8_percent_encode(secret, set).to_string()));
    }
    forms.push(Zeroizing::new(utf8_percent_encode(secret, FORM).to_string().replace(' ', "+")));
    let hex = |separator: &str| -> Form {
        let mut text = String::with_capacity(secret.len() * (2 + separator.len()));
        for byte in secret.bytes() {
            text.push_str(separator);
            text.push_str(&format!("{byte:02x}"));
        }
        Zeroizing::new(text)
    };
    forms.extend([hex("%"), hex("")]);
    for alignment in 0..3 {
        forms.extend(in_base64(secret, alignment));
    }
    let mut distinct: Vec<Form> = Vec::new();
    for form in forms {
        if !distinct.iter().any(|known| known.eq_ignore_ascii_case(&form)) {
            distinct.push(form);
        }
    }
    distinct
}

/// As JSON writes it between quotation marks.
fn escaped(secret: &str) -> Form {
    let quoted = Zeroizing::new(serde_json::Value::from(secret).to_string());
    Zeroizing::new(quoted.get(1..quoted.len().saturating_sub(1)).unwrap_or_default().to_owned())
}

/// The characters that are those of `secret` alone where so many bytes (modulo 3) of something else are in front of it, and anything behind.
fn in_base64(secret: &str, bytes_before: usize) -> [Form; 2] {
    let bytes = Zeroizing::new([&[0; 2][..bytes_before], secret.as_bytes()].concat());
    // A character says six bits, a byte eight.
    let (first, end) = ((bytes_before * 8).div_ceil(6), bytes.len() * 8 / 6);
    [STANDARD_NO_PAD.encode(&*bytes), URL_SAFE_NO_PAD.encode(&*bytes)].map(|text| {
        let text = Zeroizing::new(text);
        Zeroizing::new(text.get(first..end).unwrap_or_default().to_owned())
    })
}

#[cfg(test)]
mod tests {
    use base64::engine::general_purpose::{STANDARD, URL_SAFE};

    use super::*;

    #[track_caller]
    fn check(secret: &str, encoded: &str) {
        let forms = forms(secret);
        assert!(forms.iter().any(|form| encoded.to_ascii_lowercase().contains(&form.to_ascii_lowercase())), "{encoded}");
    }

    #[test]
    fn every_encoding_has_a_form() {
        for secret in ["canary-7f3a9c", "12345678", "p\"ss w/rd\\+?", "größer-als-acht", "sk_live_AAAA/BBBB+CC=="] {
            check(secret, secret);
            check(secret, &serde_json::Value::from(secret).to_string());
            check(secret, &utf8_percent_encode(secret, NON_ALPHANUMERIC).to_string());
            check(secret, &secret.bytes().map(|byte| format!("%{byte:02x}")).collect::<String>());
            check(secret, &secret.bytes().map(|byte| format!("{byte:02X}")).collect::<String>());
            for before in ["", "a", "ab", "abc", "user:", "tenant/user:"] {
                for after in ["", "x", "xy", "xyz"] {
                    check(secret, &STANDARD.encode(format!("{before}{secret}{after}")));
                    check(secret, &URL_SAFE.encode(format!("{before}{secret}{after}")));
                }
            }
        }
    }

    #[test]
    fn no_form_is_so_short_that_other_texts_have_it() {
        for secret in ["12345678", "????????", "a b c d "] {
            assert!(forms(secret).iter().all(|form| form.len() >= 8), "{secret}");
        }
    }
}
