//! How large the program and its packages are, and may be.

use std::fmt::Write as _;

use anyhow::ensure;

use super::package::{Kind, Package};
use super::program::Program;

/// The program without symbols, bytes: the release build of a6067f2 and 5 %. The first one, 0ad50f2, had 95.7 million; since then came PostgreSQL, the
/// keyring, identity providers, resources and prompts, questions to users, and the mending of programs.
const PROGRAM_BYTES_MAX: u64 = 106_100_000;

/// The most bytes of a package of this kind: those of that build and 5 %, of the one for Node.js the first. What is said of the others may be as long as it has to be.
fn bytes_max(kind: Kind) -> Option<u64> {
    match kind {
        Kind::Archive | Kind::Wheel | Kind::NpmProgram => Some(40_400_000),
        Kind::NpmLibrary => Some(21_200),
        Kind::Document => None,
    }
}

/// Fails with all that is larger than its bound.
pub(super) fn hold(program: &Program, packages: &[Package]) -> anyhow::Result<()> {
    let program = std::iter::once(("the program", program.stripped.len() as u64, PROGRAM_BYTES_MAX));
    let bounded =
        packages.iter().filter_map(|package| Some((&*package.name, package.bytes.len() as u64, bytes_max(package.kind)?)));
    let broken: Vec<_> = program.chain(bounded).filter_map(|(name, bytes, bytes_max)| broken(name, bytes, bytes_max)).collect();
    ensure!(
        broken.is_empty(),
        "{}: see the largest parts above, or raise the bound in `xtask/src/release/sizes.rs` and say why",
        broken.join("; ")
    );
    Ok(())
}

fn broken(name: &str, bytes: u64, bytes_max: u64) -> Option<String> {
    (bytes > bytes_max).then(|| format!("{name} has {bytes} bytes, {bytes_max} are allowed"))
}

/// The table of the packages, and of the largest parts of the program.
pub(super) fn table(program: &Program, packages: &[Package]) -> String {
    let mut text = String::new();
    // Writing to a text cannot fail.
    let _ = writeln!(
        text,
        "{:>12}  the program as it was built, version {} for {}",
        program.built_bytes, program.version, program.target
    );
    let _ = writeln!(
        text,
        "{:>12}  without symbols and debug information, for glibc {} and later",
        program.stripped.len(),
        program.glibc
    );
    for package in packages {
        let _ = writeln!(text, "{:>12}  {}", package.bytes.len(), package.name);
    }
    let _ = writeln!(text, "The largest parts of the program as it was built:");
    for part in &program.parts {
        let _ = writeln!(text, "{:>12}  {}", part.bytes, part.name);
    }
    text.truncate(text.trim_end().len());
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bound_holds_up_to_its_last_byte() {
        assert_eq!(broken("x", 10, 10), None);
        assert_eq!(broken("x", 11, 10).as_deref(), Some("x has 11 bytes, 10 are allowed"));
    }
}
