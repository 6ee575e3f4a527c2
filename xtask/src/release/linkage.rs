//! What a program needs of the system that it is to run on: shared libraries, and the version of the C library. The tag of a wheel says it, and pip
//! believes it.

use std::collections::BTreeSet;
use std::fmt;

use anyhow::{Context as _, ensure};
use object::Endianness;
use object::elf::DT_NEEDED;
use object::read::elf::ElfFile64;

/// The libraries that every Linux with glibc has, whatever it is for (PEP 600 and the policies of `auditwheel`).
const EVERYWHERE: [&str; 7] =
    ["libc.so.6", "libm.so.6", "libdl.so.2", "libpthread.so.0", "librt.so.1", "libgcc_s.so.1", "ld-linux-x86-64.so.2"];
/// The newest version of libgcc's symbols that every system with a glibc of these years has.
const GCC_NEWEST: Version = Version(7, 0);

/// A version of a library's symbols.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Version(pub(super) u32, pub(super) u32);

impl Version {
    /// `GLIBC_2.34` and `GCC_3.3.1`, as far as it decides.
    fn of(symbol: &str, library: &str) -> Option<Self> {
        let mut numbers = symbol.strip_prefix(library)?.split('.').map(str::parse);
        Some(Self(numbers.next()?.ok()?, numbers.next()?.ok()?))
    }
}

impl fmt::Display for Version {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(to, "{}.{}", self.0, self.1)
    }
}

/// The oldest glibc that has all symbols of a program.
///
/// # Errors
///
/// When it is no 64-bit ELF file, or needs a library that not every system has.
pub(super) fn oldest_glibc(program: &[u8]) -> anyhow::Result<Version> {
    let file = ElfFile64::<Endianness>::parse(program)
        .map_err(|error| anyhow::anyhow!("the program is no 64-bit ELF file: {error}"))?;
    let (endian, data, sections) = (file.endian(), file.data(), file.elf_section_table());
    let table = sections.dynamic_table(endian, data)?;
    let mut libraries = BTreeSet::new();
    for entry in table.iter().filter(|entry| entry.tag == DT_NEEDED) {
        libraries.insert(text(table.string(entry)?)?);
    }
    let others: Vec<_> = libraries.iter().map(String::as_str).filter(|library| !EVERYWHERE.contains(library)).collect();
    ensure!(others.is_empty(), "the program needs {}, which not every system has: link it statically", others.join(", "));
    oldest_of(&versions(&file)?)
}

/// The versions of symbols that are needed, of all libraries.
fn versions(file: &ElfFile64<'_, Endianness>) -> anyhow::Result<Vec<String>> {
    let (endian, data, sections) = (file.endian(), file.data(), file.elf_section_table());
    let Some((mut needs, link)) = sections.gnu_verneed(endian, data)? else { return Ok(Vec::new()) };
    let strings = sections.strings(endian, data, link)?;
    let mut versions = Vec::new();
    while let Some((_, mut symbols)) = needs.next()? {
        while let Some(symbol) = symbols.next()? {
            versions.push(text(symbol.name(endian, strings)?)?);
        }
    }
    Ok(versions)
}

fn oldest_of(versions: &[String]) -> anyhow::Result<Version> {
    let newest_gcc = versions.iter().filter_map(|version| Version::of(version, "GCC_")).max();
    ensure!(newest_gcc <= Some(GCC_NEWEST), "the program needs symbols of a newer libgcc than {GCC_NEWEST}");
    // What only a glibc that relocates by `DT_RELR` has is no symbol's version, and needs 2.36.
    let relr = versions.iter().any(|version| version == "GLIBC_ABI_DT_RELR").then_some(Version(2, 36));
    let newest = versions.iter().filter_map(|version| Version::of(version, "GLIBC_")).chain(relr).max();
    newest.context("the program needs no symbol of glibc: wheels of static programs are not made here")
}

fn text(bytes: &[u8]) -> anyhow::Result<String> {
    String::from_utf8(bytes.to_vec()).context("a name in the program is no text")
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test stops where it fails")]

    use super::*;

    #[track_caller]
    fn check(versions: &[&str], expected: Option<Version>) {
        let versions: Vec<_> = versions.iter().map(|version| (*version).to_owned()).collect();
        assert_eq!(oldest_of(&versions).ok(), expected);
    }

    #[test]
    fn the_newest_symbol_decides_by_number_not_by_letter() {
        check(&["GLIBC_2.9", "GLIBC_2.17", "GLIBC_2.2.5", "GCC_3.3"], Some(Version(2, 17)));
        check(&["GLIBC_2.17", "GLIBC_ABI_DT_RELR"], Some(Version(2, 36)));
    }

    #[test]
    fn a_program_that_no_tag_describes_is_refused() {
        check(&["GCC_3.0"], None);
        check(&["GLIBC_2.17", "GCC_12.0.0"], None);
        check(&["GLIBC_2.17", "GCC_7.0.0"], Some(Version(2, 17)));
    }

    #[test]
    fn this_test_needs_a_glibc_that_this_machine_has() {
        let program = std::fs::read(std::env::current_exe().unwrap()).unwrap();
        let oldest = oldest_glibc(&program).unwrap();
        assert!(oldest >= Version(2, 2) && oldest < Version(3, 0), "{oldest}");
        assert!(oldest_glibc(b"#!/bin/sh\n").unwrap_err().to_string().contains("no 64-bit ELF file"));
    }
}
