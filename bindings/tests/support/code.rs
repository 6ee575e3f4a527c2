//! What of a generated text is code: all but comments and string literals.

/// Fails if `text` is anything but declarations: if a name of an attack is code, or something invisible is anywhere.
#[track_caller]
pub(crate) fn assert_inert(text: &str) {
    let code = code_of(text);
    let is_attack =
        |word: &&str| word.strip_prefix("PWNED_").is_some_and(|number| number.bytes().all(|byte| byte.is_ascii_digit()));
    let attack =
        code.split(|character: char| !character.is_alphanumeric() && character != '_' && character != '$').find(is_attack);
    assert_eq!(attack, None, "an attack became code");
    assert!(!code.contains("=>") && !code.contains(": any"), "only declarations without `any` are code");
    assert_eq!(code.matches('{').count(), code.matches('}').count(), "braces are balanced");
    let hidden = text.chars().find(|character| {
        character.is_control() && *character != '\n'
            || matches!(*character as u32, 0x200b..=0x200f | 0x2028..=0x202e | 0x2060..=0x206f | 0xfeff | 0xe0000..=0xe007f)
    });
    assert_eq!(hidden, None, "something invisible is in the text");
    assert!(text.lines().all(|line| line.chars().count() < 4_000), "no line is too long");
    for word in ["</script", "<!--", "-->", "@ts-"] {
        assert!(!text.to_ascii_lowercase().contains(word), "`{word}` is in the text");
    }
}

/// `text` with comments and string literals replaced by a space.
fn code_of(text: &str) -> String {
    let mut code = String::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let skipped = if rest.starts_with("/*") {
            rest.find("*/").map_or(rest.len(), |end| end + 2)
        } else if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if first == '"' {
            let mut end = 1;
            while rest.as_bytes()[end] != b'"' {
                end += if rest.as_bytes()[end] == b'\\' { 2 } else { 1 };
            }
            end + 1
        } else {
            code.push(first);
            rest = &rest[first.len_utf8()..];
            continue;
        };
        code.push(' ');
        rest = &rest[skipped..];
    }
    code
}
