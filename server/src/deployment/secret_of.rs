//! A secret that the file does not have itself: in a variable of the environment, or in a file that nobody else may read.

use std::io::Read as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use isolet::mcp::Secret;
use toml::Spanned;

use super::mistake::Text;

/// The most bytes of a file with a secret.
const SECRET_BYTES_MAX: u64 = 64 << 10;

/// The secret in the variable, or in the file, and where it is named. None if there is neither.
pub(super) fn secret_of(
    text: &Text,
    variable: Option<&Spanned<String>>,
    path: Option<&Spanned<PathBuf>>,
) -> Option<(usize, Result<Secret, String>)> {
    let (offset, read) = match (variable, path) {
        (None, None) => return None,
        (Some(name), None) => {
            let missing = format!("the variable `{}` is not set: set it to the secret", name.get_ref());
            (name.span().start, std::env::var(name.get_ref()).map_err(|_| missing))
        }
        (None, Some(path)) => {
            let folder = text.path().parent().unwrap_or(Path::new(""));
            (path.span().start, secret_in(&folder.join(path.get_ref())))
        }
        (Some(name), Some(_)) => {
            (name.span().start, Err("a secret is named in a variable and in a file: write one of them".to_owned()))
        }
    };
    Some((offset, read.and_then(|read| Secret::new(read).map_err(|short| short.to_string()))))
}

/// What is in a file that nobody else may read, without the line feed at its end.
fn secret_in(path: &Path) -> Result<String, String> {
    let unusable = |why: &str| format!("the file `{}` with the secret cannot be used: {why}", path.display());
    let file = std::fs::File::open(path).map_err(|error| unusable(&error.to_string()))?;
    let facts = file.metadata().map_err(|error| unusable(&error.to_string()))?;
    if !facts.is_file() || facts.mode() & 0o077 != 0 {
        return Err(unusable("others can read it: `chmod 600` it"));
    }
    let mut text = String::new();
    file.take(SECRET_BYTES_MAX).read_to_string(&mut text).map_err(|error| unusable(&error.to_string()))?;
    Ok(text.trim_end_matches(['\r', '\n']).to_owned())
}
