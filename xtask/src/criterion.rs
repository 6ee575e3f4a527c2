//! What criterion writes down: the estimates of each bench, as files of JSON.

use std::path::{Path, PathBuf};
use std::time::SystemTime;

use anyhow::Context as _;
use serde_json::{Value, json};

use crate::console::say;

/// What criterion has measured since `started`, in the order of the names; times in nanoseconds.
///
/// # Errors
///
/// When the folder cannot be read.
pub(crate) fn measurements(folder: &Path, started: SystemTime) -> anyhow::Result<Vec<Value>> {
    let mut files = Vec::new();
    find(folder, &mut files).with_context(|| format!("cannot read `{}`", folder.display()))?;
    let mut measured = Vec::new();
    for file in files {
        if std::fs::metadata(&file)?.modified()? < started {
            continue;
        }
        match measurement(&file) {
            Ok(measurement) => measured.push(measurement),
            Err(error) => say(format!("`{}` is left out: {error:#}", file.display())),
        }
    }
    measured.sort_by_key(|measurement| measurement["bench"].as_str().map(str::to_owned));
    Ok(measured)
}

/// All files with the estimates of a bench's last run.
fn find(folder: &Path, files: &mut Vec<PathBuf>) -> std::io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            find(&path, files)?;
        } else if path.ends_with("new/estimates.json") {
            files.push(path);
        }
    }
    Ok(())
}

fn measurement(estimates: &Path) -> anyhow::Result<Value> {
    let read = |path: &Path| -> anyhow::Result<Value> { Ok(serde_json::from_slice(&std::fs::read(path)?)?) };
    let median = &read(estimates)?["median"];
    let bench = read(&estimates.with_file_name("benchmark.json"))?;
    Ok(json!({
        "bench": bench["full_id"],
        "median_ns": median["point_estimate"],
        "lower_ns": median["confidence_interval"]["lower_bound"],
        "upper_ns": median["confidence_interval"]["upper_bound"],
    }))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    #[test]
    fn what_was_measured_now_is_told_and_what_was_measured_before_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let new = folder.path().join("run/ready/new");
        std::fs::create_dir_all(&new).unwrap();
        let estimates =
            r#"{"median": {"point_estimate": 2.5, "confidence_interval": {"lower_bound": 2.0, "upper_bound": 3.0}}}"#;
        std::fs::write(new.join("estimates.json"), estimates).unwrap();
        std::fs::write(new.join("benchmark.json"), r#"{"full_id": "run/ready"}"#).unwrap();
        let told = measurements(folder.path(), SystemTime::UNIX_EPOCH).unwrap();
        assert_eq!(told, [json!({ "bench": "run/ready", "median_ns": 2.5, "lower_ns": 2.0, "upper_ns": 3.0 })]);
        let later = SystemTime::now() + std::time::Duration::from_secs(60);
        assert_eq!(measurements(folder.path(), later).unwrap(), [] as [Value; 0]);
    }
}
