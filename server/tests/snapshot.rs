//! `isolet snapshot`, from a folder that is not there to one that is empty again.
#![expect(clippy::unwrap_used, reason = "a test: what fails ends it")]

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

/// Exit code, standard output, standard error.
fn isolet(command: &[&str], place: &Path) -> (i32, String, String) {
    let (folder, key) = (place.join("snapshots"), place.join("key"));
    let mut isolet = Command::new(env!("CARGO_BIN_EXE_isolet"));
    isolet.arg("snapshot").args(command).arg("--folder").arg(folder).arg("--key").arg(key);
    let output = isolet.output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code().unwrap(), text(&output.stdout), text(&output.stderr))
}

#[track_caller]
fn check(command: &[&str], place: &Path, code: i32, said: &str) {
    let (exit, output, errors) = isolet(command, place);
    assert_eq!(exit, code, "{command:?}: {output}{errors}");
    assert!(output.contains(said) || errors.contains(said), "{command:?}: {output}{errors}");
}

#[test]
fn a_snapshot_is_built_once_listed_verified_and_cleared() {
    let place = tempfile::tempdir().unwrap();
    check(&["list", "--json"], place.path(), 0, "[]\n");
    check(&["build"], place.path(), 0, "made: ");
    check(&["build"], place.path(), 0, "already there: ");
    check(&["build", "--jit"], place.path(), 0, "made: ");
    check(&["verify"], place.path(), 0, "2 verified, 0 refused\n");
    let (_, listed, _) = isolet(&["list", "--json"], place.path());
    let listed: serde_json::Value = serde_json::from_str(&listed).unwrap();
    assert_eq!(listed.as_array().unwrap().len(), 2, "{listed:#}");
    assert!(listed.as_array().unwrap().iter().all(|file| file["verdict"] == "usable"), "{listed:#}");

    let file = place.path().join("snapshots").join(listed[0]["name"].as_str().unwrap());
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o666)).unwrap();
    check(&["list"], place.path(), 0, "refused: ");
    check(&["verify"], place.path(), 1, "has mode 0666, which gives rights to others");
    check(&["clear", "--unusable"], place.path(), 0, "1 removed\n");
    check(&["verify"], place.path(), 0, "1 verified, 0 refused\n");
    check(&["clear"], place.path(), 0, "1 removed\n");
    check(&["list"], place.path(), 0, "");
}

#[test]
fn a_folder_that_others_could_write_to_is_a_wrong_configuration() {
    let place = tempfile::tempdir().unwrap();
    std::fs::create_dir(place.path().join("snapshots")).unwrap();
    std::fs::set_permissions(place.path().join("snapshots"), std::fs::Permissions::from_mode(0o777)).unwrap();
    for command in ["build", "list", "verify", "clear"] {
        check(&[command], place.path(), 2, "has mode 0777, which gives rights to others: `chmod go= ");
    }
}
