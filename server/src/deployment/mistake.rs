//! What is wrong with a file: where, what, and the way out.

use std::fmt;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use toml::Spanned;

/// How near a name must be to be the one that was meant.
const NEARNESS_MIN: f64 = 0.7;

/// One mistake.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Mistake {
    file: PathBuf,
    line: Option<usize>,
    message: String,
}

impl Mistake {
    /// Of a file as a whole.
    pub(crate) fn of_file(file: &Path, message: impl Into<String>) -> Self {
        Self { file: file.to_owned(), line: None, message: message.into() }
    }

    /// Of one line.
    pub(crate) fn of_line(file: &Path, line: usize, message: impl Into<String>) -> Self {
        Self { file: file.to_owned(), line: Some(line), message: message.into() }
    }
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.file.display())?;
        if let Some(line) = self.line {
            write!(f, ":{line}")?;
        }
        write!(f, ": {}", self.message)
    }
}

/// The text of a file, in which mistakes have lines.
pub(super) struct Text {
    path: PathBuf,
    text: String,
}

impl Text {
    pub(super) fn read(path: &Path, bytes_max: u64) -> Result<Self, Mistake> {
        let mut text = String::new();
        let read = std::fs::File::open(path).and_then(|file| file.take(bytes_max + 1).read_to_string(&mut text));
        match read {
            Err(error) => Err(Mistake::of_file(path, format!("the file cannot be read: {error}"))),
            Ok(_) if text.len() as u64 > bytes_max => {
                Err(Mistake::of_file(path, format!("the file has more than {bytes_max} bytes: is it the right one?")))
            }
            Ok(_) => Ok(Self { path: path.to_owned(), text }),
        }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// What the text says.
    pub(super) fn parse<T: DeserializeOwned>(&self) -> Result<T, Mistake> {
        toml::from_str(&self.text).map_err(|error| {
            let message = with_nearest(error.message());
            match error.span() {
                Some(span) => self.mistake(span.start, message),
                None => Mistake::of_file(&self.path, message),
            }
        })
    }

    /// The line of the byte at `offset`, from 1.
    pub(super) fn line_of(&self, offset: usize) -> usize {
        self.text.as_bytes().iter().take(offset).filter(|byte| **byte == b'\n').count() + 1
    }

    pub(super) fn mistake(&self, offset: usize, message: impl Into<String>) -> Mistake {
        Mistake::of_line(&self.path, self.line_of(offset), message)
    }

    /// That of `role`, which is none of `roles`.
    pub(super) fn no_role<'n>(&self, role: &Spanned<String>, roles: impl IntoIterator<Item = &'n String>) -> Mistake {
        let hint = nearest(role.get_ref(), roles.into_iter().map(String::as_str));
        self.mistake(role.span().start, format!("there is no role `{}`: {hint}", role.get_ref()))
    }
}

/// The way out where a name is none of `names`.
pub(crate) fn nearest<'n>(wanted: &str, names: impl IntoIterator<Item = &'n str>) -> String {
    let names: Vec<&str> = names.into_iter().collect();
    let likeness = |name: &str| strsim::jaro_winkler(&name.to_lowercase(), &wanted.to_lowercase());
    let best = names.iter().copied().max_by(|one, other| likeness(one).total_cmp(&likeness(other)));
    match best {
        None => "there is none".to_owned(),
        Some(best) if likeness(best) >= NEARNESS_MIN => format!("the nearest is `{best}`"),
        Some(_) => format!("there are {}", names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")),
    }
}

/// What serde says of an unknown key, with the nearest of those that it expected.
fn with_nearest(message: &str) -> String {
    let Some(rest) = message.strip_prefix("unknown field ") else { return message.to_owned() };
    let mut names = rest.split('`').skip(1).step_by(2);
    let Some(unknown) = names.next() else { return message.to_owned() };
    format!("there is no key `{unknown}` here: {}", nearest(unknown, names))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_is_said_or_all_of_them() {
        assert_eq!(nearest("github", ["gitlab", "githib"]), "the nearest is `githib`");
        assert_eq!(nearest("zzz", ["gitlab", "slack"]), "there are `gitlab`, `slack`");
        assert_eq!(nearest("zzz", []), "there is none");
        let said = with_nearest("unknown field `adress`, expected one of `address`, `hosts`, `origins`");
        assert_eq!(said, "there is no key `adress` here: the nearest is `address`");
        assert_eq!(with_nearest("invalid type: integer"), "invalid type: integer");
    }
}
