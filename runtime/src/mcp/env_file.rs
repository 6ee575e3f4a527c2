//! A file of variables, as `envFile` names one: lines as `NAME=value`, in quotes or not, with nothing replaced in them.

use std::collections::BTreeMap;
use std::io::{self, Read as _};
use std::path::Path;

/// The most bytes of such a file.
const BYTES_MAX: u64 = 1 << 20;

/// The variables in the file `path`.
///
/// # Errors
///
/// The file cannot be read, is too large, or has another line in it.
pub(super) fn read(path: &Path) -> io::Result<BTreeMap<String, String>> {
    let mut text = String::new();
    std::fs::File::open(path)?.take(BYTES_MAX + 1).read_to_string(&mut text)?;
    if text.len() as u64 > BYTES_MAX {
        return Err(io::Error::other(format!("it has more than {BYTES_MAX} bytes")));
    }
    parse(&text).map_err(|line| io::Error::other(format!("line {line} is no variable")))
}

/// The variables in `text`, or the number of the first line that is none.
fn parse(text: &str) -> Result<BTreeMap<String, String>, usize> {
    let mut variables = BTreeMap::new();
    for (place, line) in text.lines().enumerate() {
        let line = line.trim();
        let line = line.strip_prefix("export ").unwrap_or(line);
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let (name, value) = line.split_once('=').ok_or(place + 1)?;
        variables.insert(name.trim().to_owned(), bare(value.trim()).to_owned());
    }
    Ok(variables)
}

/// A value without its quotes, or without the comment after it.
fn bare(value: &str) -> &str {
    for quote in ['"', '\''] {
        if let Some((quoted, _)) = value.strip_prefix(quote).and_then(|rest| rest.split_once(quote)) {
            return quoted;
        }
    }
    value.split_once(" #").map_or(value, |(value, _)| value.trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_variables_or_comments() {
        let text = "# mine\nA=1\n\nexport B = \"two words\" # x\nC='#3'\r\nD=a#b # c\nE=\n";
        let expected = [("A", "1"), ("B", "two words"), ("C", "#3"), ("D", "a#b"), ("E", "")];
        assert_eq!(parse(text), Ok(expected.map(|(name, value)| (name.to_owned(), value.to_owned())).into()));
        assert_eq!(parse("A=1\nnonsense\n"), Err(2));
    }
}
