//! Makes the base snapshots (JIT off and on) and leaves them in `OUT_DIR`, where the library embeds them.
//!
//! V8's flags hold for a whole process, so this program starts itself again for each snapshot.

use std::path::PathBuf;
use std::process::Command;

use isolet_snapshots::base;
use isolet_snapshots::flags::Jit;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let file =
        |jit: &str| PathBuf::from(std::env::var_os("OUT_DIR").unwrap_or_default()).join(format!("base-jit-{jit}.snapshot"));
    match std::env::args().nth(1).as_deref() {
        Some("off") => Ok(std::fs::write(file("off"), base::make(Jit::Off)?)?),
        Some("on") => Ok(std::fs::write(file("on"), base::make(Jit::On)?)?),
        _ => {
            println!("cargo::rerun-if-changed=build.rs");
            for jit in ["off", "on"] {
                let status = Command::new(std::env::current_exe()?).arg(jit).status()?;
                if !status.success() {
                    return Err(format!("the base snapshot with JIT {jit} could not be made: {status}").into());
                }
            }
            Ok(())
        }
    }
}
