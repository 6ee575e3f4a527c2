//! The tests that need a guest process.

mod attack_host;
mod attacks;
mod canary;
mod cases;
mod crowd;
mod endings;
mod faces;
mod frames;
mod isolate;
mod kill;
mod limits;
mod misbehaving_server;
mod process_table;
mod processes;
mod roles;
mod scope_snapshots;
mod shared_runtime;
mod test_tools;
mod tidy;
mod unprivileged;
mod upstream;

#[expect(clippy::print_stdout, reason = "the table belongs to the test report")]
fn main() -> anyhow::Result<std::process::ExitCode> {
    isolet::init();
    misbehaving_server::become_server_if_asked();
    upstream::become_host_if_asked();
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let Some(played) = roles::play(&arguments) {
        return played.map(|()| std::process::ExitCode::SUCCESS);
    }
    let mut trials = attacks::trials();
    trials.extend(canary::trials());
    trials.extend(cases::trials()?);
    trials.extend(isolate::trials());
    trials.extend(tidy::trials());
    trials.extend(
        upstream::TESTS
            .iter()
            .chain(faces::TESTS)
            .map(|(name, test)| libtest_mimic::Trial::test(*name, || test().map_err(|error| format!("{error:#}").into()))),
    );
    trials.extend(crowd::trials());
    trials.extend(kill::trials());
    trials.extend(processes::trials());
    trials.extend(scope_snapshots::trials());
    trials.extend(frames::trials());
    trials.extend(limits::trials());
    trials.extend(endings::trials());
    trials.extend(unprivileged::trials());
    // No test of this binary skips itself, so all are required in any case.
    let known = std::env::args().filter(|argument| argument != "--require-all");
    let conclusion = libtest_mimic::run(&libtest_mimic::Arguments::from_iter(known), trials);
    if let Some(table) = attacks::table() {
        println!("{table}");
    }
    Ok(conclusion.exit_code())
}
