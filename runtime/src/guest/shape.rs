//! What a value is, in words, from the beginning of its JSON.

/// Names of members that are told.
const NAMES_MAX: usize = 12;
/// The longest name that is told, bytes.
const NAME_BYTES_MAX: usize = 40;

/// `an array of objects with number, title`.
pub(super) fn in_words(json: &str) -> String {
    let mut reader = Reader { bytes: json.trim_ascii_start().as_bytes(), place: 0 };
    reader.value(2)
}

/// Reads JSON that may be cut off anywhere.
struct Reader<'json> {
    bytes: &'json [u8],
    place: usize,
}

impl Reader<'_> {
    fn value(&mut self, depth: usize) -> String {
        self.space();
        match self.bytes.get(self.place) {
            Some(b'"') => {
                self.string();
                "a string (a text)".to_owned()
            }
            Some(b'{') => self.object(depth),
            Some(b'[') => self.array(depth),
            Some(b't' | b'f') => "a boolean".to_owned(),
            Some(b'n') => "null".to_owned(),
            Some(_) => "a number".to_owned(),
            None => "a value".to_owned(),
        }
    }

    fn array(&mut self, depth: usize) -> String {
        self.place += 1;
        self.space();
        match self.bytes.get(self.place) {
            Some(b']') | None => "an array that is empty".to_owned(),
            Some(_) if depth == 0 => "an array".to_owned(),
            Some(_) => format!("an array, a list: its first element is {}", self.value(depth - 1)),
        }
    }

    fn object(&mut self, depth: usize) -> String {
        let mut names = Vec::new();
        self.place += 1;
        loop {
            self.space();
            if self.bytes.get(self.place) != Some(&b'"') {
                break;
            }
            let Some(name) = self.string() else { break };
            self.space();
            if self.bytes.get(self.place) != Some(&b':') {
                break;
            }
            self.place += 1;
            self.space();
            let is_list = self.bytes.get(self.place) == Some(&b'[');
            if name.len() <= NAME_BYTES_MAX && names.len() < NAMES_MAX {
                names.push(if is_list && depth > 0 { format!("{name} (an array)") } else { name });
            }
            self.skip();
            self.space();
            if self.bytes.get(self.place) != Some(&b',') {
                break;
            }
            self.place += 1;
        }
        if names.is_empty() { "an object".to_owned() } else { format!("an object with {}", names.join(", ")) }
    }

    fn space(&mut self) {
        while self.bytes.get(self.place).is_some_and(u8::is_ascii_whitespace) {
            self.place += 1;
        }
    }

    /// A string, if it is whole, as it is written.
    fn string(&mut self) -> Option<String> {
        let start = self.place + 1;
        self.place = start;
        while let Some(byte) = self.bytes.get(self.place) {
            match byte {
                b'\\' => self.place += 1,
                b'"' => {
                    let text = String::from_utf8_lossy(&self.bytes[start..self.place]).into_owned();
                    self.place += 1;
                    return Some(text);
                }
                _ => {}
            }
            self.place += 1;
        }
        self.place = self.place.min(self.bytes.len());
        None
    }

    /// Skips one value.
    fn skip(&mut self) {
        let mut depth = 0_usize;
        while let Some(byte) = self.bytes.get(self.place) {
            match byte {
                b'"' => {
                    if self.string().is_none() {
                        return;
                    }
                    continue;
                }
                b'{' | b'[' => depth += 1,
                b'}' | b']' if depth == 0 => return,
                b'}' | b']' => depth -= 1,
                b',' if depth == 0 => return,
                _ => {}
            }
            self.place += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::in_words;

    #[test]
    fn a_value_is_told_by_its_kind_and_its_names() {
        for (json, expected) in [
            (r#""text""#, "a string (a text)"),
            ("7", "a number"),
            ("[]", "an array that is empty"),
            (r#"["a","b"]"#, "an array, a list: its first element is a string (a text)"),
            (
                r#"[{"number":12,"labels":[{"a":1}],"user":{"login":"x"}}]"#,
                "an array, a list: its first element is an object with number, labels (an array), user",
            ),
            (r#"{"object":"list","results":[{"id":"1","#, "an object with object, results (an array)"),
            (r#"{"a":"cut off"#, "an object with a"),
            (r#"{"a":1,"b"#, "an object with a"),
            ("", "a value"),
        ] {
            assert_eq!(in_words(json), expected, "{json}");
        }
    }
}
