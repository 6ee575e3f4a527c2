//! Makes the base snapshots (JIT off and on) and leaves them in `OUT_DIR`, where the library embeds them, beside the SHA-256
//! that names this build: the bytes of both, and all that snapshots depend on.
//!
//! V8's flags hold for a whole process, so this program starts itself again for each snapshot.

use std::path::PathBuf;
use std::process::Command;

use isolet_snapshots::{base, identity};
use sha2::{Digest as _, Sha256};
use v8_flags::Jit;

#[path = "src/contract/v8_flags.rs"]
#[expect(unreachable_pub, reason = "it is public in the library")]
mod v8_flags;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let in_out_dir = |name: &str| PathBuf::from(std::env::var_os("OUT_DIR").unwrap_or_default()).join(name);
    let file = |jit: &str| in_out_dir(&format!("base-jit-{jit}.snapshot"));
    match std::env::args().nth(1).as_deref() {
        Some("off") => Ok(std::fs::write(file("off"), base::make(Jit::Off.v8_flags())?)?),
        Some("on") => Ok(std::fs::write(file("on"), base::make(Jit::On.v8_flags())?)?),
        _ => {
            println!("cargo::rerun-if-changed=build.rs");
            println!("cargo::rerun-if-changed=src/contract/v8_flags.rs");
            let mut build = Sha256::new();
            build.update(format!("{} {}\n", env!("CARGO_PKG_VERSION"), std::env::var("TARGET")?));
            build.update(identity::text());
            for (jit, flags) in [("off", Jit::Off), ("on", Jit::On)].map(|(name, jit)| (name, jit.v8_flags())) {
                build.update(format!("flags {flags}\n"));
                let status = Command::new(std::env::current_exe()?).arg(jit).status()?;
                if !status.success() {
                    return Err(format!("the base snapshot with JIT {jit} could not be made: {status}").into());
                }
                build.update(std::fs::read(file(jit))?);
            }
            Ok(std::fs::write(in_out_dir("build.sha256"), build.finalize())?)
        }
    }
}
