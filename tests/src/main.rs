//! The tests that need a guest process.

mod asking;
mod asking_client;
mod asking_server;
mod astray;
mod attack_host;
mod attacks;
mod authorization_server;
mod backend;
mod bfcl;
mod canaries;
mod canary;
mod cases;
mod cast;
mod certificates;
mod clients;
mod comparison;
mod config_import;
mod conformance;
mod conformance_client;
mod credentials;
mod cross_build;
mod crowd;
mod deep;
mod desktop;
mod device_login;
mod drained;
mod embedding;
mod endings;
mod enterprise;
mod errors;
mod examples;
mod exec;
mod exec_caller;
mod exec_page;
mod face_client;
mod faces;
mod first_contact;
mod frames;
mod glue;
mod glue_rules;
mod habits;
mod held;
mod host_work;
mod http_server;
mod http_trouble;
mod http_upstream;
mod identity;
mod isolate;
mod issuer;
mod keep_alive;
mod keyring;
mod kill;
mod lacking;
mod liar;
mod lies;
mod limits;
mod messages;
mod misbehaving_server;
mod model_face;
mod node_packages;
mod npm_servers;
mod numbers;
mod observed;
mod offers;
mod oidc_provider;
mod openapi;
mod outcome_form;
mod overhead;
mod patience;
mod postgres;
mod postgres_tls;
mod priority;
mod process_table;
mod processes;
mod program;
mod real_servers;
mod records;
mod replicas;
mod required;
mod resources;
mod roles;
mod run_results;
mod same_calls;
mod scope_snapshots;
mod serve;
mod shared_runtime;
mod shortages;
mod shown;
mod soak;
mod stand_ins;
mod stopped;
mod test_tools;
mod tidy;
mod tokens;
mod unprivileged;
mod upstream;
mod walls;

#[expect(clippy::print_stdout, reason = "the table belongs to the test report")]
fn main() -> anyhow::Result<std::process::ExitCode> {
    if let Some(played) = embedding::play_before_init() {
        return played.map(|()| std::process::ExitCode::SUCCESS);
    }
    isolet::init();
    misbehaving_server::become_server_if_asked();
    upstream::become_host_if_asked();
    if let Some(code) = program::play() {
        return Ok(code);
    }
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let Some(played) = cast::play(&arguments) {
        return played.map(|()| std::process::ExitCode::SUCCESS);
    }
    let mut trials = attacks::trials();
    trials.extend(backend::trials());
    trials.extend(bfcl::trials());
    trials.extend(canary::trials());
    trials.extend(cases::trials()?);
    trials.extend(comparison::trials());
    trials.extend(conformance::trials());
    trials.extend(deep::trials());
    trials.extend(desktop::trials());
    trials.extend(drained::trials());
    trials.extend(embedding::trials());
    trials.extend(errors::trials());
    trials.extend(examples::trials()?);
    trials.extend(glue::trials());
    trials.extend(glue_rules::trials());
    trials.extend(isolate::trials());
    trials.extend(numbers::trials());
    trials.extend(node_packages::trials(observed::WITH_PACKAGES));
    trials.extend(node_packages::trials(npm_servers::TESTS));
    trials.extend(node_packages::trials(oidc_provider::TESTS));
    trials.extend(postgres::trials(replicas::TESTS));
    trials.extend(postgres::trials(postgres_tls::TESTS));
    trials.extend(
        upstream::TESTS
            .iter()
            .chain(faces::TESTS)
            .chain(same_calls::TESTS)
            .chain(http_upstream::TESTS)
            .chain(http_trouble::TESTS)
            .chain(certificates::TESTS)
            .chain(identity::TESTS)
            .chain(device_login::TESTS)
            .chain(enterprise::TESTS)
            .chain(astray::TESTS)
            .chain(keyring::TESTS)
            .chain(credentials::TESTS)
            .chain(tokens::TESTS)
            .chain(canaries::TESTS)
            .chain(stand_ins::TESTS)
            .chain(openapi::TESTS)
            .chain(first_contact::TESTS)
            .chain(run_results::TESTS)
            .chain(observed::TESTS)
            .chain(offers::TESTS)
            .chain(asking::TESTS)
            .chain(resources::TESTS)
            .chain(config_import::TESTS)
            .chain(shown::TESTS)
            .chain(program::TESTS)
            .chain(serve::TESTS)
            .map(|(name, test)| libtest_mimic::Trial::test(*name, || test().map_err(|error| format!("{error:#}").into()))),
    );
    trials.extend(cross_build::trials());
    trials.extend(crowd::trials());
    trials.extend(exec::trials());
    trials.extend(clients::trials());
    trials.extend(habits::trials());
    trials.extend(kill::trials());
    trials.extend(processes::trials());
    trials.extend(priority::trials());
    trials.extend(shortages::trials());
    trials.extend(stopped::trials());
    trials.extend(scope_snapshots::trials());
    trials.extend(frames::trials());
    trials.extend(held::trials());
    trials.extend(host_work::trials());
    trials.extend(outcome_form::trials());
    trials.extend(messages::trials());
    trials.extend(model_face::trials());
    trials.extend(records::trials());
    trials.extend(limits::trials());
    trials.extend(soak::trials());
    trials.extend(overhead::trials());
    trials.extend(endings::trials());
    trials.extend(unprivileged::trials());
    trials.extend(walls::trials());
    trials.extend(lacking::trials());
    trials.extend(tidy::trials(trials.iter().map(|trial| trial.name().to_owned()).collect()));
    let known = std::env::args().filter(|argument| argument != required::ARGUMENT);
    let conclusion = libtest_mimic::run(&libtest_mimic::Arguments::from_iter(known), trials);
    if let Some(table) = attacks::table() {
        println!("{table}");
    }
    Ok(conclusion.exit_code())
}
