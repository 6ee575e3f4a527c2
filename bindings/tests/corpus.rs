//! The promises on bindings, on real definitions: those of the corpus beside the checkout, else those recorded in `examples/`.
//!
//! `examples/report` prints the same numbers; this holds them. Each test's line says what it is about if it is not the larger corpus, and what
//! cannot be done is counted as ignored.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "../examples/report/corpus.rs"]
#[expect(dead_code, reason = "the report uses the rest")]
mod corpus;
#[path = "../examples/report/oracle.rs"]
#[expect(dead_code, reason = "the report uses the rest")]
mod oracle;

use std::fs;
use std::process::ExitCode;

use corpus::Corpus;
use isolet_bindings::count_tokens;
use libtest_mimic::{Arguments, Trial};
use serde_json::Value;

/// The best reference generators on the corpus (its README), percent of invalid instances refused.
const REFERENCE_INVALID_REFUSED: f64 = 99.88;
const REFERENCE_SUITE_REFUSED: f64 = 78.5;

fn main() -> ExitCode {
    let (has_corpus, has_compiler) = (corpus::folder().is_some(), corpus::node_packages().is_some());
    let trial = |name, test: fn(), is_ignored, missing| {
        let kind = match (is_ignored, has_corpus) {
            (true, _) => missing,
            (false, true) => "",
            (false, false) => "over the recorded definitions",
        };
        let trial = Trial::test(name, move || {
            test();
            Ok(())
        });
        trial.with_kind(kind).with_ignored_flag(is_ignored)
    };
    let trials = vec![
        trial("every_real_tool_generates_in_few_tokens", every_real_tool_generates_in_few_tokens, false, ""),
        trial(
            "the_compiler_accepts_all_declarations_and_exactly_the_valid_instances",
            the_compiler_accepts_all_declarations_and_exactly_the_valid_instances,
            !has_compiler,
            oracle::MISSING,
        ),
        trial(
            "the_validator_accepts_the_valid_instances",
            the_validator_accepts_the_valid_instances,
            !has_corpus,
            "needs the instances of the corpus",
        ),
        trial(
            "checks_agree_with_the_test_suite",
            checks_agree_with_the_test_suite,
            !has_corpus,
            "needs the instances of the corpus",
        ),
    ];
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

/// The corpus to test with.
fn development(work: &std::path::Path) -> Corpus {
    match corpus::folder() {
        Some(folder) => Corpus::lines(&folder, "dev.jsonl", "instances.jsonl", work).unwrap(),
        None => Corpus::recorded().unwrap(),
    }
}

fn work(name: &str) -> std::path::PathBuf {
    let work = std::env::temp_dir().join(format!("isolet-corpus-{name}-{}", std::process::id()));
    fs::create_dir_all(&work).unwrap();
    work
}

fn every_real_tool_generates_in_few_tokens() {
    let work = work("tokens");
    let corpus = development(&work);
    let (mut raw, mut full, mut compact) = (0, 0, 0);
    for server in corpus.scopes().unwrap() {
        assert_eq!(server.dropped, 0);
        assert_eq!(server.scope.tools().len(), server.definitions.len());
        if server.definitions.first().is_some_and(|definition| definition.tool["kind"] == "bfcl") {
            continue;
        }
        for definition in server.definitions {
            let members = definition.tool.as_object().unwrap().iter();
            let shown =
                members.filter(|(member, _)| ["name", "description", "inputSchema", "outputSchema"].contains(&member.as_str()));
            raw += count_tokens(
                &Value::Object(shown.map(|(member, value)| (member.clone(), value.clone())).collect()).to_string(),
            )
            .tokens;
        }
        full += count_tokens(server.scope.typescript()).tokens;
        compact += count_tokens(&server.scope.signatures(server.scope.tools().iter().map(|tool| tool.path()))).tokens;
    }
    // Without a tokenizer these are bytes, of which declarations save more.
    assert!(full * 100 <= raw * 66, "in full {full} of {raw}");
    assert!(compact * 100 <= raw * 25, "as signatures {compact} of {raw}");
    fs::remove_dir_all(&work).unwrap();
}

fn the_compiler_accepts_all_declarations_and_exactly_the_valid_instances() {
    let packages = corpus::node_packages().expect(oracle::MISSING);
    let work = work("oracle");
    let corpus = development(&work);
    let scopes = corpus.scopes().unwrap();
    let whole = work.join("whole.d.ts");
    fs::write(&whole, scopes.iter().map(|server| server.scope.typescript()).collect::<String>()).unwrap();
    assert_eq!(oracle::check_strict(&packages, &whole).unwrap(), None);
    if let (Some(folder), Some(instances)) = (corpus::folder(), &corpus.instances) {
        let harness = folder.join("harness");
        corpus::write_for_oracle(&scopes, &work.join("dev")).unwrap();
        let found = oracle::check(&harness, &packages, &work.join("dev"), instances).unwrap();
        assert!(
            found.clean >= 100.0 && found.valid_accepted >= 100.0,
            "{} % clean, {} % valid",
            found.clean,
            found.valid_accepted
        );
        assert!(found.invalid_refused > REFERENCE_INVALID_REFUSED, "{} %", found.invalid_refused);
        let suite = Corpus::lines(&folder, "suite.jsonl", "suite_instances.jsonl", &work).unwrap();
        corpus::write_for_oracle(&suite.scopes().unwrap(), &work.join("suite")).unwrap();
        let found = oracle::check(&harness, &packages, &work.join("suite"), suite.instances.as_ref().unwrap()).unwrap();
        assert!(
            found.clean >= 100.0 && found.valid_accepted >= 100.0,
            "{} % clean, {} % valid",
            found.clean,
            found.valid_accepted
        );
        assert!(found.invalid_refused > REFERENCE_SUITE_REFUSED, "{} %", found.invalid_refused);
    }
    fs::remove_dir_all(&work).unwrap();
}

/// The host's checks and the types judge by the same schemas: what the corpus calls valid passes, and what the types refuse is refused.
fn the_validator_accepts_the_valid_instances() {
    let work = work("validator");
    let corpus = development(&work);
    let (valid, wrong) = check_instances(&corpus.scopes().unwrap(), corpus.instances.as_ref().unwrap());
    assert!(valid > 1_000 && wrong > 1_000, "{valid} valid, {wrong} wrong");
    fs::remove_dir_all(&work).unwrap();
}

/// What the authors of JSON Schema call valid passes, and what they do not is refused; each schema of theirs is read whole.
fn checks_agree_with_the_test_suite() {
    let work = work("suite");
    let suite = Corpus::lines(&corpus::folder().unwrap(), "suite.jsonl", "suite_instances.jsonl", &work).unwrap();
    let (valid, wrong) = check_instances(&suite.scopes().unwrap(), suite.instances.as_ref().unwrap());
    assert!(valid > 500 && wrong > 500, "{valid} valid, {wrong} wrong");
    fs::remove_dir_all(&work).unwrap();
}

/// How many instances are valid, and how many are not; fails where a check says something else.
fn check_instances(scopes: &[corpus::ServerScope<'_>], instances: &std::path::Path) -> (usize, usize) {
    let mut tools = std::collections::HashMap::new();
    for server in scopes {
        for tool in server.scope.tools() {
            let definition = server.definitions.iter().find(|definition| definition.tool["name"] == tool.name()).unwrap();
            tools.insert(definition.id.as_str(), tool);
        }
    }
    let (mut valid, mut wrong) = (0, 0);
    let mut disagreements = Vec::new();
    for line in fs::read_to_string(instances).unwrap().lines() {
        let case: Value = serde_json::from_str(line).unwrap();
        let tool = tools[case["tool"].as_str().unwrap()];
        let violations = if case["target"] == "input" {
            tool.validate_arguments(&case["instance"]).err().unwrap_or_default()
        } else {
            tool.validate_result(&case["instance"])
        };
        // A `format` is an annotation (2020-12): it is told to the model and not checked.
        let is_format = case["keywords"].as_array().is_some_and(|keywords| keywords.iter().any(|keyword| keyword == "format"));
        let is_valid = case["valid"] == true;
        valid += usize::from(is_valid);
        wrong += usize::from(!is_valid && !is_format);
        if is_valid != violations.is_empty() && !is_format {
            disagreements.push(format!("{} {} {violations:?}", case["tool"], case["instance"]));
        }
    }
    assert!(
        disagreements.is_empty(),
        "{} of {}: {:#?}",
        disagreements.len(),
        valid + wrong,
        &disagreements[..disagreements.len().min(20)]
    );
    (valid, wrong)
}
