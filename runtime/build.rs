//! Leaves in `OUT_DIR` what the library embeds: the SHA-256 of the contract between host and guest process, by which two builds tell whether they
//! understand each other, and with the feature `guest` the base snapshots.

use std::path::PathBuf;

use sha2::{Digest as _, Sha256};

#[cfg(feature = "guest")]
#[path = "src/contract/v8_flags.rs"]
#[expect(unreachable_pub, reason = "it is public in the library")]
mod v8_flags;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    #[cfg(feature = "guest")]
    if let Some(jit) = std::env::args().nth(1) {
        return snapshots::make_one(&jit);
    }
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=src/contract");
    let mut files = std::fs::read_dir("src/contract")?.map(|file| Ok(file?.path())).collect::<std::io::Result<Vec<_>>>()?;
    files.sort();
    let mut contract = Sha256::new();
    contract.update(env!("CARGO_PKG_VERSION"));
    for file in files {
        contract.update(std::fs::read(file)?);
    }
    std::fs::write(in_out_dir("contract.sha256"), contract.finalize())?;
    #[cfg(feature = "guest")]
    snapshots::make_all()?;
    Ok(())
}

fn in_out_dir(name: &str) -> PathBuf {
    PathBuf::from(std::env::var_os("OUT_DIR").unwrap_or_default()).join(name)
}

/// The base snapshots (JIT off and on), beside the SHA-256 that names this build: the bytes of both, and all that snapshots depend on.
///
/// V8's flags hold for a whole process, so this program starts itself again for each snapshot.
#[cfg(feature = "guest")]
mod snapshots {
    use std::error::Error;
    use std::process::Command;

    use isolet_snapshots::{base, identity};
    use sha2::{Digest as _, Sha256};

    use super::in_out_dir;
    use super::v8_flags::Jit;

    const ALL: [(&str, Jit); 2] = [("off", Jit::Off), ("on", Jit::On)];

    pub(super) fn make_one(wanted: &str) -> Result<(), Box<dyn Error>> {
        let (name, jit) = ALL.into_iter().find(|(name, _)| *name == wanted).ok_or("no such snapshot")?;
        Ok(std::fs::write(in_out_dir(&file_name(name)), base::make(jit.v8_flags())?)?)
    }

    pub(super) fn make_all() -> Result<(), Box<dyn Error>> {
        let (host, target) = (std::env::var("HOST")?, std::env::var("TARGET")?);
        if host != target {
            return Err(format!(
                "a snapshot made on `{host}` cannot be used on `{target}`: build there, or without the feature `guest` \
                 (`default-features = false`), and name an executable that was built there (`Config::executable`)"
            )
            .into());
        }
        let mut build = Sha256::new();
        build.update(format!("{} {target}\n", env!("CARGO_PKG_VERSION")));
        build.update(identity::text());
        for (name, jit) in ALL {
            build.update(format!("flags {}\n", jit.v8_flags()));
            let status = Command::new(std::env::current_exe()?).arg(name).status()?;
            if !status.success() {
                return Err(format!("the base snapshot with JIT {name} could not be made: {status}").into());
            }
            build.update(std::fs::read(in_out_dir(&file_name(name)))?);
        }
        Ok(std::fs::write(in_out_dir("build.sha256"), build.finalize())?)
    }

    fn file_name(jit: &str) -> String {
        format!("base-jit-{jit}.snapshot")
    }
}
