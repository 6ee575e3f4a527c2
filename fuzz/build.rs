//! Leaves in `OUT_DIR` what the library's build leaves there: here nobody asks which build it is.

fn main() -> std::io::Result<()> {
    println!("cargo::rerun-if-changed=build.rs");
    let folder = std::path::PathBuf::from(std::env::var_os("OUT_DIR").unwrap_or_default());
    ["contract.sha256", "build.sha256"].iter().try_for_each(|name| std::fs::write(folder.join(name), [0; 32]))
}
