//! The brackets of a text that nothing closes, as far as they can be told without a parser.

/// A bracket that nothing closes.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Open {
    /// Its byte.
    pub(super) place: usize,
    pub(super) bracket: char,
}

/// The brackets that nothing closes, in their order. Brackets in texts, templates and comments do not count.
pub(super) fn left_open(text: &str) -> Vec<Open> {
    let bytes = text.as_bytes();
    let (mut open, mut lost) = (Vec::<(usize, u8)>::new(), Vec::new());
    let mut place = 0;
    while let Some(byte) = bytes.get(place).copied() {
        let is_in_template = open.last().is_some_and(|(_, opening)| *opening == b'`');
        let next = bytes.get(place + 1).copied();
        match byte {
            b'\\' => place += 1,
            b'`' if is_in_template => drop(open.pop()),
            b'$' if is_in_template && next == Some(b'{') => {
                open.push((place, b'{'));
                place += 1;
            }
            _ if is_in_template => {}
            b'\'' | b'"' => place = end_of_quoted(bytes, place),
            b'/' if next == Some(b'/') => place += text[place..].find('\n').unwrap_or(bytes.len() - place),
            b'/' if next == Some(b'*') => place += text[place..].find("*/").unwrap_or(bytes.len() - place) + 1,
            b'`' | b'(' | b'[' | b'{' => open.push((place, byte)),
            b')' | b']' | b'}' => {
                let opening = [(b')', b'('), (b']', b'['), (b'}', b'{')].iter().find(|(closing, _)| *closing == byte);
                if let Some(at) = open.iter().rposition(|(_, known)| opening.is_some_and(|(_, opening)| opening == known)) {
                    lost.extend(open.drain(at + 1..));
                    open.pop();
                }
            }
            _ => {}
        }
        place += 1;
    }
    lost.extend(open);
    lost.sort_unstable();
    lost.into_iter().map(|(place, byte)| Open { place, bracket: char::from(byte) }).collect()
}

/// The quote that ends a text in quotes, or the end of its line.
fn end_of_quoted(bytes: &[u8], start: usize) -> usize {
    let mut place = start + 1;
    while let Some(byte) = bytes.get(place) {
        match byte {
            b'\\' => place += 1,
            b'\n' => return place,
            byte if *byte == bytes[start] => return place,
            _ => {}
        }
        place += 1;
    }
    place
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &[(usize, char)]) {
        let found: Vec<_> = left_open(text).iter().map(|open| (open.place, open.bracket)).collect();
        assert_eq!(found, expected, "{text}");
    }

    #[test]
    fn what_nothing_closes_is_found_and_texts_are_passed_over() {
        check("f({ a: [1] })", &[]);
        check("f({ a: [1 })", &[(7, '[')]);
        check("if (a) {\n  f(\")\", ')', `)${g(`}`)}`);\n", &[(7, '{')]);
        check("f( // )\n/* ) */ 'it\\'s )'", &[(1, '(')]);
        check("`a ${b", &[(0, '`'), (3, '{')]);
        check(")", &[]);
    }
}
