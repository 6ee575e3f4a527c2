//! The V8 archive: where the `v8` crate's build script looks for it, what is there, and whether it fits the lock file.
//!
//! The build script looks, in this order, at `RUSTY_V8_ARCHIVE` (a file or an address), at the file in Cargo home that
//! [`Wanted::path`] names, and at its releases. A file is used as it is found, so a half-written one or one of another
//! version becomes an unreadable build error: [`examine`] finds those first.

use std::env;
use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use flate2::read::GzDecoder;
use memchr::memmem;
use object::read::archive::ArchiveFile;
use object::{Architecture, BinaryFormat, FileKind, Object as _};

use crate::locked::LockedV8;

/// Where the releases of the `v8` crate are, unless `RUSTY_V8_MIRROR` says another place.
const RELEASES: &str = "https://github.com/denoland/rusty_v8/releases/download";

/// No archive is larger than this when unpacked, bytes: a file that unpacks to more is something else. The official
/// debug archives, the largest there are, unpack to less than half of it.
const UNPACKED_BYTES_MAX: u64 = 2 << 30;

/// The archive that a plain `cargo build` of the workspace asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Wanted {
    /// The address that the build script downloads, or the file that `RUSTY_V8_ARCHIVE` names.
    pub(crate) address: String,
    /// Where a plain build looks on this machine.
    pub(crate) path: PathBuf,
    /// The target in the archive's name.
    pub(crate) target: String,
    /// The version of V8 itself that must be in it.
    pub(crate) engine_version: String,
    /// Whether `RUSTY_V8_ARCHIVE` decides, so that nothing in Cargo home counts.
    pub(crate) by_variable: bool,
}

/// The variables of the `v8` crate's build script that decide which archive it asks for.
#[derive(Debug, Clone, Default)]
pub(crate) struct Variables {
    archive: Option<String>,
    mirror: Option<String>,
    debug: bool,
}

impl Variables {
    /// Those of this process.
    pub(crate) fn read() -> Self {
        Self {
            archive: env::var("RUSTY_V8_ARCHIVE").ok(),
            mirror: env::var("RUSTY_V8_MIRROR").ok(),
            debug: matches!(env::var("V8_FORCE_DEBUG").as_deref(), Ok("true" | "1" | "yes")),
        }
    }
}

impl Wanted {
    /// The archive for `locked`.
    ///
    /// # Errors
    ///
    /// When the sources of the locked `v8` do not say their version.
    pub(crate) fn new(locked: &LockedV8, cargo_home: &Path, variables: &Variables) -> anyhow::Result<Self> {
        let address = variables.archive.clone().unwrap_or_else(|| released(locked, variables));
        let path =
            if is_address(&address) { cargo_home.join(".rusty_v8").join(mangled(&address)) } else { PathBuf::from(&address) };
        Ok(Self {
            path,
            target: locked.target.clone(),
            engine_version: locked.engine_version()?,
            by_variable: variables.archive.is_some(),
            address,
        })
    }

    /// The archive's own file name: the last part of its address.
    pub(crate) fn file_name(&self) -> &str {
        self.address.rsplit('/').next().unwrap_or(&self.address)
    }
}

fn is_address(text: &str) -> bool {
    text.starts_with("http:") || text.starts_with("https:")
}

/// The address of the released archive for `locked`.
fn released(locked: &LockedV8, variables: &Variables) -> String {
    let base = variables.mirror.as_deref().unwrap_or(RELEASES);
    let features: String = locked.features.iter().map(|feature| format!("_{feature}")).collect();
    let profile = if variables.debug && !locked.target.contains("windows") { "debug" } else { "release" };
    let (start, end) = if locked.target.contains("windows") { ("", "lib") } else { ("lib", "a") };
    format!("{base}/v{}/{start}rusty_v8{features}_{profile}_{}.{end}.gz", locked.version, locked.target)
}

/// The file name in Cargo home for an address: every character other than an ASCII letter or digit becomes `_`.
fn mangled(address: &str) -> String {
    address.chars().map(|character| if character.is_ascii_alphanumeric() { character } else { '_' }).collect()
}

/// What an archive is, once it was found to fit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Examined {
    /// Its size as it lies on the disk, bytes.
    pub(crate) packed_bytes: u64,
    /// Its size when unpacked, bytes.
    pub(crate) unpacked_bytes: u64,
    /// How many object files are in it.
    pub(crate) members: usize,
}

/// Why a file is not the archive that is wanted.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Unfit {
    /// There is no such file.
    #[error("there is none")]
    Missing,
    /// It is there, and cannot be used for this reason.
    #[error("{0}")]
    Broken(String),
}

/// Reads the whole file and says what it is.
///
/// # Errors
///
/// [`Unfit`] when there is none, it is cut short, it is no archive, or it is one for another target or version.
pub(crate) fn examine(path: &Path, wanted: &Wanted) -> Result<Examined, Unfit> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(Unfit::Missing),
        Err(error) => return Err(Unfit::Broken(format!("it cannot be read: {error}"))),
    };
    let packed_bytes = file.metadata().map_err(|error| Unfit::Broken(format!("it cannot be read: {error}")))?.len();
    let unpacked = unpack(&file).map_err(|error| Unfit::Broken(format!("it is cut short or damaged: {error}")))?;
    let members = examine_unpacked(&unpacked, wanted).map_err(Unfit::Broken)?;
    Ok(Examined { packed_bytes, unpacked_bytes: unpacked.len() as u64, members })
}

/// The file's bytes, unpacked if gzip packed them.
fn unpack(file: &File) -> io::Result<Vec<u8>> {
    let mut start = Vec::new();
    file.take(2).read_to_end(&mut start)?;
    let mut bytes = Vec::new();
    if start == [0x1f, 0x8b] {
        GzDecoder::new(start.as_slice().chain(file)).take(UNPACKED_BYTES_MAX).read_to_end(&mut bytes)?;
    } else {
        start.as_slice().chain(file).take(UNPACKED_BYTES_MAX).read_to_end(&mut bytes)?;
    }
    Ok(bytes)
}

/// Checks the archive's structure, its target, its version and its feature; gives the number of its object files.
fn examine_unpacked(bytes: &[u8], wanted: &Wanted) -> Result<usize, String> {
    if bytes.is_empty() {
        return Err("it is empty".to_owned());
    }
    let archive = ArchiveFile::parse(bytes).map_err(|_| "it is not a static archive".to_owned())?;
    let mut members = 0;
    for member in archive.members() {
        let content = member.and_then(|member| member.data(bytes)).map_err(|_| "it is cut short or damaged".to_owned())?;
        if members == 0 {
            examine_member(content, wanted)?;
        }
        members += 1;
    }
    if members == 0 {
        return Err("it holds no object files".to_owned());
    }
    let version = format!("{}-rusty\0", wanted.engine_version);
    if memmem::find(bytes, version.as_bytes()).is_some() {
        return Ok(members);
    }
    let found = engine_version_in(bytes).map_or_else(|| "no V8".to_owned(), |version| format!("V8 {version}"));
    Err(format!("it holds {found}, and the lock file asks for V8 {}", wanted.engine_version))
}

/// Checks that an object file is for the wanted target.
fn examine_member(content: &[u8], wanted: &Wanted) -> Result<(), String> {
    // `llvm-ar` keeps Windows objects in their short form, which is told apart by the kind alone.
    if FileKind::parse(content).is_err() {
        return Err("it holds something other than object files".to_owned());
    }
    let file = object::File::parse(content).map_err(|_| "its first object file is damaged".to_owned())?;
    let fits = architecture(&wanted.target) == Some(file.architecture()) && format_of(&wanted.target) == file.format();
    if fits {
        return Ok(());
    }
    Err(format!("it is for {:?} ({:?}), and the target is `{}`", file.architecture(), file.format(), wanted.target))
}

fn architecture(target: &str) -> Option<Architecture> {
    match target.split('-').next()? {
        "x86_64" => Some(Architecture::X86_64),
        "aarch64" => Some(Architecture::Aarch64),
        "riscv64gc" => Some(Architecture::Riscv64),
        _ => None,
    }
}

fn format_of(target: &str) -> BinaryFormat {
    if target.contains("apple") {
        BinaryFormat::MachO
    } else if target.contains("windows") {
        BinaryFormat::Coff
    } else {
        BinaryFormat::Elf
    }
}

/// The version of V8 that an archive says: the digits and dots before `-rusty`, the suffix that the crate gives V8.
fn engine_version_in(bytes: &[u8]) -> Option<String> {
    let mut rest = bytes;
    while let Some(at) = memmem::find(rest, b"-rusty\0") {
        let start = rest[..at].iter().rposition(|byte| !byte.is_ascii_digit() && *byte != b'.').map_or(0, |last| last + 1);
        if start < at {
            return Some(String::from_utf8_lossy(&rest[start..at]).into_owned());
        }
        rest = &rest[at + 1..];
    }
    None
}

/// Copies `file` to where a plain build looks: beside it first, then in one step, so that no half of it is ever found.
///
/// # Errors
///
/// When the folder cannot be made or written, or the disk is full.
pub(crate) fn place(file: &Path, wanted: &Wanted) -> anyhow::Result<()> {
    let folder = wanted.path.parent().context("the archive's place has no folder")?;
    fs::create_dir_all(folder).with_context(|| format!("`{}` cannot be made", folder.display()))?;
    let part = wanted.path.with_extension(format!("part{}", std::process::id()));
    let copied = copy(file, &part).and_then(|()| fs::rename(&part, &wanted.path));
    if copied.is_err() {
        // The copy is of no use to anyone, and the error below is the one to report.
        let _ = fs::remove_file(&part);
    }
    copied.with_context(|| {
        format!("`{}` cannot be written: see to space and rights there, and call again", wanted.path.display())
    })
}

fn copy(from: &Path, to: &Path) -> io::Result<()> {
    let mut source = File::open(from)?;
    let mut target = File::create(to)?;
    io::copy(&mut source, &mut target)?;
    target.flush()?;
    target.sync_all()
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test stops where it fails")]

    use std::fmt::Write as _;

    use super::*;

    const TARGET: &str = "x86_64-unknown-linux-gnu";

    fn wanted(path: &Path) -> Wanted {
        Wanted {
            address: format!("{RELEASES}/v150.4.0/librusty_v8_simdutf_release_{TARGET}.a.gz"),
            path: path.to_owned(),
            target: TARGET.to_owned(),
            engine_version: "15.0.245.2".to_owned(),
            by_variable: false,
        }
    }

    /// A static archive with one ELF object file for `machine` that says `version`.
    fn archive(machine: u8, version: &str) -> Vec<u8> {
        let mut member = vec![0x7f, b'E', b'L', b'F', 2, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, machine, 0, 1, 0, 0, 0];
        member.resize(64, 0);
        member[52] = 64;
        member[58] = 64;
        member.extend_from_slice(version.as_bytes());
        member.push(0);
        if member.len() % 2 == 1 {
            member.push(0);
        }
        let mut header = String::from("!<arch>\n");
        writeln!(header, "{:<16}{:<12}{:<6}{:<6}{:<8}{:<10}`", "v8.o/", 0, 0, 0, 644, member.len()).unwrap();
        [header.as_bytes(), &member].concat()
    }

    fn examined(bytes: &[u8]) -> Result<Examined, Unfit> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("archive");
        fs::write(&path, bytes).unwrap();
        examine(&path, &wanted(&path))
    }

    fn packed(bytes: &[u8]) -> Vec<u8> {
        let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        packer.write_all(bytes).unwrap();
        packer.finish().unwrap()
    }

    #[track_caller]
    fn refused(bytes: &[u8], reason: &str) {
        match examined(bytes) {
            Err(Unfit::Broken(said)) => assert_eq!(said, reason),
            other => panic!("expected a refusal, got {other:?}"),
        }
    }

    #[test]
    fn the_address_is_the_one_of_the_crate_s_build_script() {
        let mut locked = LockedV8::example(Path::new("."));
        assert_eq!(
            released(&locked, &Variables::default()),
            "https://github.com/denoland/rusty_v8/releases/download/v150.4.0/librusty_v8_simdutf_release_x86_64-unknown-linux-gnu.a.gz"
        );
        locked.features = vec!["ptrcomp".to_owned(), "sandbox".to_owned()];
        locked.target = "x86_64-pc-windows-msvc".to_owned();
        let variables = Variables { mirror: Some("https://mirror.example".to_owned()), debug: true, ..Variables::default() };
        assert_eq!(
            released(&locked, &variables),
            "https://mirror.example/v150.4.0/rusty_v8_ptrcomp_sandbox_release_x86_64-pc-windows-msvc.lib.gz"
        );
        locked.target = "aarch64-apple-darwin".to_owned();
        assert!(released(&locked, &variables).ends_with("librusty_v8_ptrcomp_sandbox_debug_aarch64-apple-darwin.a.gz"));
    }

    #[test]
    fn the_file_name_in_cargo_home_keeps_letters_and_digits_only() {
        assert_eq!(mangled("https://a.b/v1.2/lib_x-y.a.gz"), "https___a_b_v1_2_lib_x_y_a_gz");
        assert_eq!(mangled("é"), "_");
    }

    #[test]
    fn an_archive_is_taken_packed_and_unpacked() {
        let bytes = archive(62, "15.0.245.2-rusty");
        assert_eq!(examined(&bytes).unwrap().members, 1);
        let examined = examined(&packed(&bytes)).unwrap();
        assert_eq!((examined.members, examined.unpacked_bytes), (1, bytes.len() as u64));
    }

    #[test]
    fn an_archive_of_another_version_is_refused() {
        refused(&archive(62, "14.9.1-rusty"), "it holds V8 14.9.1, and the lock file asks for V8 15.0.245.2");
        refused(&archive(62, "nothing"), "it holds no V8, and the lock file asks for V8 15.0.245.2");
    }

    #[test]
    fn an_archive_for_another_target_is_refused() {
        refused(&archive(183, "15.0.245.2-rusty"), "it is for Aarch64 (Elf), and the target is `x86_64-unknown-linux-gnu`");
    }

    #[test]
    fn half_an_archive_is_refused() {
        let bytes = archive(62, "15.0.245.2-rusty");
        refused(&bytes[..bytes.len() / 2], "it is cut short or damaged");
        let packed = packed(&bytes);
        let Err(Unfit::Broken(said)) = examined(&packed[..packed.len() - 9]) else { panic!("half of it was taken") };
        assert!(said.starts_with("it is cut short or damaged: "), "{said}");
        refused(b"", "it is empty");
        refused(b"<html>Not Found</html>", "it is not a static archive");
        refused(b"!<arch>\n", "it holds no object files");
    }

    #[test]
    fn no_file_is_told_apart_from_a_broken_one() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(examine(&folder.path().join("none"), &wanted(Path::new("none"))), Err(Unfit::Missing));
        assert!(matches!(examine(folder.path(), &wanted(Path::new("none"))), Err(Unfit::Broken(_))));
    }

    #[test]
    fn an_archive_is_placed_whole_or_not_at_all() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("given.a.gz");
        fs::write(&file, "archive").unwrap();
        let place_wanted = wanted(&folder.path().join("home/.rusty_v8/https_name"));
        place(&file, &place_wanted).unwrap();
        assert_eq!(fs::read_to_string(&place_wanted.path).unwrap(), "archive");
        assert!(place(&folder.path().join("none"), &place_wanted).is_err());
        assert_eq!(fs::read_dir(folder.path().join("home/.rusty_v8")).unwrap().count(), 1, "no half file stays behind");
    }
}
