//! Facts of the build that only cargo knows, for `isolet --version`.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    for (fact, variable) in [("BUILD_TARGET", "TARGET"), ("BUILD_PROFILE", "PROFILE")] {
        println!("cargo::rustc-env={fact}={}", std::env::var(variable).unwrap_or_default());
    }
}
