//! `SHA256SUMS`: `sha256sum --check` reads it.

use std::fmt::Write as _;

use sha2::{Digest as _, Sha256};

use super::package::{Kind, Package};

/// The checksums of these packages.
pub(super) fn of(packages: &[Package]) -> Package {
    let mut lines: Vec<_> =
        packages.iter().map(|package| format!("{}  {}\n", hexadecimal(&package.bytes), package.name)).collect();
    lines.sort_by(|one, other| one.split("  ").nth(1).cmp(&other.split("  ").nth(1)));
    Package { name: "SHA256SUMS".to_owned(), bytes: lines.concat().into_bytes(), kind: Kind::Document }
}

fn hexadecimal(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().fold(String::new(), |mut text, byte| {
        // Writing to a text cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_package_has_a_line_as_sha256sum_writes_it() {
        let package = |name: &str| Package { name: name.to_owned(), bytes: b"abc".to_vec(), kind: Kind::Document };
        let sum = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        let expected = format!("{sum}  a\n{sum}  b\n");
        assert_eq!(of(&[package("b"), package("a")]).bytes, expected.into_bytes());
    }
}
