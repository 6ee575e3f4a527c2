//! The checkout that the task works on, and Cargo's own folders.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, ensure};
use cargo_metadata::{Metadata, MetadataCommand};

/// A checkout of Isolet.
#[derive(Debug)]
pub(crate) struct Workspace {
    metadata: Metadata,
    cargo_home: PathBuf,
}

impl Workspace {
    /// The checkout that the task was started in: the one that cargo would work on there.
    ///
    /// # Errors
    ///
    /// When this folder is in no checkout of Isolet, or when neither `CARGO_HOME` nor a home folder is set: then cargo itself has no
    /// place for what it fetches.
    pub(crate) fn find() -> anyhow::Result<Self> {
        Self::by(&mut MetadataCommand::new())
    }

    /// The checkout in `folder`.
    ///
    /// # Errors
    ///
    /// As [`Workspace::find`].
    pub(crate) fn at(folder: &Path) -> anyhow::Result<Self> {
        Self::by(MetadataCommand::new().current_dir(folder))
    }

    fn by(command: &mut MetadataCommand) -> anyhow::Result<Self> {
        let metadata = command.no_deps().exec().context("this folder is in no checkout of Isolet: start the task in one")?;
        let task = metadata.workspace_root.join("xtask/Cargo.toml");
        ensure!(
            metadata.packages.iter().any(|package| package.manifest_path == task),
            "`{}` is no checkout of Isolet: start the task in one",
            metadata.workspace_root
        );
        let cargo_home = match env::var_os("CARGO_HOME").filter(|folder| !folder.is_empty()) {
            Some(folder) => env::current_dir()?.join(folder),
            None => env::home_dir().context("there is no home folder: set `CARGO_HOME`")?.join(".cargo"),
        };
        Ok(Self { metadata, cargo_home })
    }

    /// The same checkout, built into another folder.
    pub(crate) fn with_target(mut self, target: &Path) -> anyhow::Result<Self> {
        self.metadata.target_directory =
            target.to_owned().try_into().context("the target folder has a name that is no text")?;
        Ok(self)
    }

    /// The top folder of the checkout.
    pub(crate) fn root(&self) -> &Path {
        self.metadata.workspace_root.as_std_path()
    }

    /// Where cargo puts what it builds: `CARGO_TARGET_DIR`, `build.target-dir`, or `target` in the top folder.
    pub(crate) fn target(&self) -> &Path {
        self.metadata.target_directory.as_std_path()
    }

    /// Its packages, as cargo knows them.
    pub(crate) fn metadata(&self) -> &Metadata {
        &self.metadata
    }

    /// Cargo home, where cargo keeps what all checkouts share: `CARGO_HOME`, or `.cargo` in the home folder.
    pub(crate) fn cargo_home(&self) -> &Path {
        &self.cargo_home
    }

    /// A call of the cargo that runs this task, in the top folder.
    pub(crate) fn cargo(&self) -> Command {
        let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        // A relative `CARGO_TARGET_DIR` is meant from the folder that the task was started in.
        command.current_dir(self.root()).env("CARGO_TARGET_DIR", self.target());
        command
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use std::fs;

    use super::*;

    /// A checkout, as far as cargo looks at it.
    fn checkout() -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir_all(folder.path().join("xtask/src")).unwrap();
        fs::write(folder.path().join("Cargo.toml"), "[workspace]\nresolver = \"3\"\nmembers = [\"xtask\"]\n").unwrap();
        fs::write(folder.path().join("xtask/Cargo.toml"), "[package]\nname = \"xtask\"\nedition = \"2024\"\n").unwrap();
        fs::write(folder.path().join("xtask/src/main.rs"), "").unwrap();
        folder
    }

    #[test]
    fn the_checkout_is_the_one_that_the_task_is_started_in() {
        let (one, other) = (checkout(), checkout());
        for folder in [&one, &other] {
            let root = folder.path().canonicalize().unwrap();
            for start in [root.clone(), root.join("xtask/src")] {
                assert_eq!(Workspace::at(&start).unwrap().root(), root);
            }
        }
        let elsewhere = tempfile::tempdir().unwrap();
        let error = Workspace::at(elsewhere.path()).unwrap_err().to_string();
        assert!(error.contains("no checkout of Isolet"), "{error}");
    }

    #[test]
    fn a_workspace_of_something_else_is_refused() {
        let folder = checkout();
        fs::rename(folder.path().join("xtask"), folder.path().join("other")).unwrap();
        fs::write(folder.path().join("Cargo.toml"), "[workspace]\nmembers = [\"other\"]\n").unwrap();
        let error = Workspace::at(folder.path()).unwrap_err().to_string();
        assert!(error.ends_with("is no checkout of Isolet: start the task in one"), "{error}");
    }

    #[test]
    fn the_target_folder_is_cargos_by_variable_by_configuration_or_by_itself() {
        let folder = checkout();
        let root = folder.path().canonicalize().unwrap();
        let target = |variable: Option<&str>| {
            let mut command = MetadataCommand::new();
            command.current_dir(root.join("xtask")).env_remove("CARGO_TARGET_DIR").env_remove("CARGO_BUILD_TARGET_DIR");
            if let Some(variable) = variable {
                command.env("CARGO_TARGET_DIR", variable);
            }
            Workspace::by(&mut command).unwrap().target().to_owned()
        };
        assert_eq!(target(None), root.join("target"));
        assert_eq!(target(Some("/elsewhere/target")), Path::new("/elsewhere/target"));
        assert_eq!(target(Some("beside")), root.join("xtask/beside"));
        fs::create_dir(root.join(".cargo")).unwrap();
        fs::write(root.join(".cargo/config.toml"), "[build]\ntarget-dir = \"configured\"\n").unwrap();
        assert_eq!(target(None), root.join("configured"));
    }
}
