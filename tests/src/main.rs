//! The tests that need a guest process.

mod attack_host;
mod attacks;
mod canary;
mod crowd;
mod kill;
mod process_table;
mod processes;
mod roles;
mod test_tools;

#[expect(clippy::print_stdout, reason = "the table belongs to the test report")]
fn main() -> anyhow::Result<std::process::ExitCode> {
    isolet::init();
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let Some(played) = roles::play(&arguments) {
        return played.map(|()| std::process::ExitCode::SUCCESS);
    }
    let mut trials = attacks::trials();
    trials.extend(canary::trials());
    trials.extend(crowd::trials());
    trials.extend(kill::trials());
    trials.extend(processes::trials());
    let conclusion = libtest_mimic::run(&libtest_mimic::Arguments::from_args(), trials);
    if let Some(table) = attacks::table() {
        println!("{table}");
    }
    Ok(conclusion.exit_code())
}
