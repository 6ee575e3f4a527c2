//! What a value is, in words, from the beginning of its JSON.

/// Names of members that are told.
const NAMES_MAX: usize = 12;
/// The longest name that is told, bytes.
const NAME_BYTES_MAX: usize = 40;

/// The most members that are known of an object.
const MEMBERS_MAX: usize = 64;

/// `an array of objects with number, title`.
pub(super) fn in_words(json: &str) -> String {
    Reader::of(json).value(2)
}

/// What kind a value is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Text,
    Object,
    Array,
    Boolean,
    Null,
    Number,
    /// It is cut off.
    Unknown,
}

/// What a value is, one level deep.
#[derive(Debug)]
pub(super) struct Shape {
    pub(super) kind: Kind,
    /// Of an object: its first members.
    pub(super) members: Vec<(String, Kind)>,
    /// Of an array: its first element.
    pub(super) first: Option<Kind>,
}

impl Shape {
    /// Of a value by the beginning of its JSON.
    pub(super) fn of(json: &str) -> Self {
        let mut reader = Reader::of(json);
        let kind = reader.kind();
        let members = if kind == Kind::Object { reader.members() } else { Vec::new() };
        let first = (kind == Kind::Array).then(|| {
            reader.place += 1;
            reader.kind()
        });
        Self { kind, members, first }
    }

    /// The kind of a member.
    pub(super) fn member(&self, name: &str) -> Option<Kind> {
        self.members.iter().find(|(member, _)| member == name).map(|(_, kind)| *kind)
    }

    /// The one member of a kind, if there is one and its name can stand after a dot.
    pub(super) fn only(&self, kind: Kind) -> Option<&str> {
        let mut members = self.members.iter().filter(|(_, member)| *member == kind);
        let (Some((name, _)), None) = (members.next(), members.next()) else { return None };
        is_name(name).then_some(name.as_str())
    }
}

fn is_name(text: &str) -> bool {
    text.chars().all(|character| character.is_ascii_alphanumeric() || matches!(character, '_' | '$'))
        && text.starts_with(|first: char| !first.is_ascii_digit())
}

/// Reads JSON that may be cut off anywhere.
struct Reader<'json> {
    bytes: &'json [u8],
    place: usize,
}

impl<'json> Reader<'json> {
    fn of(json: &'json str) -> Self {
        Self { bytes: json.trim_ascii_start().as_bytes(), place: 0 }
    }

    /// The kind of the value that begins here.
    fn kind(&mut self) -> Kind {
        self.space();
        match self.bytes.get(self.place) {
            Some(b'"') => Kind::Text,
            Some(b'{') => Kind::Object,
            Some(b'[') => Kind::Array,
            Some(b't' | b'f') => Kind::Boolean,
            Some(b'n') => Kind::Null,
            Some(b'-' | b'0'..=b'9') => Kind::Number,
            _ => Kind::Unknown,
        }
    }

    fn value(&mut self, depth: usize) -> String {
        match self.kind() {
            Kind::Text => {
                self.string();
                "a string (a text)".to_owned()
            }
            Kind::Object => self.object(depth),
            Kind::Array => self.array(depth),
            Kind::Boolean => "a boolean".to_owned(),
            Kind::Null => "null".to_owned(),
            Kind::Number => "a number".to_owned(),
            Kind::Unknown => "a value".to_owned(),
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
        let members = self.members().into_iter().filter(|(name, _)| name.len() <= NAME_BYTES_MAX).take(NAMES_MAX);
        let named = |(name, kind)| if kind == Kind::Array && depth > 0 { format!("{name} (an array)") } else { name };
        let names: Vec<String> = members.map(named).collect();
        if names.is_empty() { "an object".to_owned() } else { format!("an object with {}", names.join(", ")) }
    }

    /// The first members of the object that begins here.
    fn members(&mut self) -> Vec<(String, Kind)> {
        let mut members = Vec::new();
        self.place += 1;
        while members.len() < MEMBERS_MAX {
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
            let kind = self.kind();
            members.push((name, kind));
            self.skip();
            self.space();
            if self.bytes.get(self.place) != Some(&b',') {
                break;
            }
            self.place += 1;
        }
        members
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
