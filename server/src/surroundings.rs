//! What is around this process, as far as it shows: a container, a pod, gVisor. It only names causes; which walls stand is tried, not guessed.

use std::path::Path;

/// Files that say who has made the container.
const MADE_BY: [(&str, &str); 2] = [(".dockerenv", "Docker"), ("run/.containerenv", "Podman")];
/// The version that gVisor says it is, and its date: neither has changed since it was written.
const GVISOR: [&str; 2] = ["4.4.0", "Sun Jan 10 15:06:54 PST 2016"];

/// The operating system, its version, and what is around this process.
pub(crate) fn system() -> String {
    let version = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let system = format!("{} {} {}", std::env::consts::OS, version.trim(), std::env::consts::ARCH);
    let is_pod = std::env::var_os("KUBERNETES_SERVICE_HOST").is_some();
    let around = around(Path::new("/"), is_pod);
    if around.is_empty() { system } else { format!("{system}, in {}", around.join(", ")) }
}

fn around(root: &Path, is_pod: bool) -> Vec<&'static str> {
    let mut around: Vec<_> = MADE_BY.into_iter().filter(|(file, _)| root.join(file).exists()).map(|(_, name)| name).collect();
    if is_pod {
        around.push("Kubernetes");
    }
    let version = std::fs::read_to_string(root.join("proc/version")).unwrap_or_default();
    if GVISOR.iter().all(|text| version.contains(text)) {
        around.push("gVisor");
    }
    around
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    #[test]
    fn what_is_around_is_known_by_its_files() {
        let root = tempfile::tempdir().unwrap();
        assert!(around(root.path(), false).is_empty());
        std::fs::create_dir(root.path().join("proc")).unwrap();
        std::fs::write(root.path().join("proc/version"), "Linux version 6.1.0 (debian-kernel@lists.debian.org)").unwrap();
        assert_eq!(around(root.path(), true), ["Kubernetes"]);
        std::fs::write(root.path().join(".dockerenv"), "").unwrap();
        std::fs::write(root.path().join("proc/version"), "Linux version 4.4.0 #1 SMP Sun Jan 10 15:06:54 PST 2016\n").unwrap();
        assert_eq!(around(root.path(), false), ["Docker", "gVisor"]);
    }
}
