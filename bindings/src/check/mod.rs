//! Values against a tool's schemas, on the host, before and after a call: in bounded time and memory, whoever wrote the schema and the value.
//!
//! The libraries for JSON Schema have no end but the last keyword: a pattern with 9,000 states and a text of a megabyte are minutes, forty
//! definitions that refer to one another twice are for ever, and each difference of each form of each item is kept. Here each step is paid
//! before it is made ([`meter`]), and a check that cannot pay says so. What would be too much whatever the value is, is
//! found when a catalog is loaded ([`weight`], [`matcher`]) and reported ([`UncheckedKeyword`]).
//!
//! That it gives the same answers as a library is tested: against the JSON Schema test suite, and against the `jsonschema` crate.

mod canonical;
mod combining;
mod containers;
mod evaluation;
mod finding;
mod matcher;
mod meant;
mod meter;
mod number;
mod plain;
mod reading;
mod rules;
mod unchecked;
mod violation;
mod weight;

use std::sync::OnceLock;

use serde_json::Value;

use crate::defaults::Direction;
use evaluation::{Evaluation, Truth};
pub(crate) use finding::Finding;
pub(crate) use meant::say_names;
use reading::Reading;
use rules::RuleTable;
pub use unchecked::{UncheckedKeyword, UncheckedReason};
use violation::Report;
pub use violation::Violation;

/// The most steps that a check takes unless its caller allows less. A step is about a nanosecond of one core, so this is about a quarter
/// of a second.
pub const CHECK_STEPS_MAX: u64 = 250_000_000;

/// What a check came to.
#[expect(clippy::exhaustive_enums, reason = "whoever has a value checked has to say what becomes of it in each case")]
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The value matches, as far as the schema is checked: [`crate::Catalog::unchecked`] lists what is not.
    Matches,
    /// The value differs from the schema in these ways, the first eight.
    Differs(Vec<Violation>),
    /// The check was given up: it would take more steps than allowed, or nests too deep. The value may match or not.
    Excessive,
}

/// A check that was made.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// What it came to.
    pub verdict: Verdict,
    /// The steps that it took, whatever it came to; a step is about a nanosecond of one core.
    pub steps: u64,
}

/// A schema to check values against. Most are read at the first check.
#[derive(Debug)]
pub(crate) struct Checker {
    direction: Direction,
    rules: OnceLock<RuleTable>,
}

impl Checker {
    /// Looks through `schema`; gives the first keywords that are not checked, and how many there are. `patterns_left` is how many more
    /// patterns its server may have.
    pub(crate) fn of(schema: &Value, direction: Direction, patterns_left: &mut usize) -> (Self, Vec<Finding>, usize) {
        if plain::is_plain(schema) {
            return (Self { direction, rules: OnceLock::new() }, Vec::new(), 0);
        }
        let Reading { rules, findings, finding_count } = Reading::of(schema, direction, patterns_left);
        (Self { direction, rules: OnceLock::from(rules) }, findings, finding_count)
    }

    /// `value` against `schema`, which is the one that this was made of.
    pub(crate) fn check(&self, schema: &Value, value: &Value, steps_max: u64) -> Check {
        let rules = self.rules.get_or_init(|| {
            let reading = Reading::of(schema, self.direction, &mut 0);
            debug_assert_eq!(reading.finding_count, 0, "a plain schema is checked whole");
            reading.rules
        });
        let mut evaluation = Evaluation::new(rules, steps_max.min(CHECK_STEPS_MAX));
        let mut report = Report::wanted();
        let verdict = match evaluation.run(value, &mut report) {
            Ok(Truth::Yes | Truth::Maybe) => Verdict::Matches,
            Ok(Truth::No) => Verdict::Differs(named(schema, value, report.into_violations())),
            // What is known to differ does, whatever was not looked at.
            Err(_) => match report.into_violations() {
                violations if violations.is_empty() => Verdict::Excessive,
                violations => Verdict::Differs(violations),
            },
        };
        Check { verdict, steps: evaluation.spent() }
    }
}

/// `violations`, with the names under which missing properties came.
fn named(schema: &Value, value: &Value, mut violations: Vec<Violation>) -> Vec<Violation> {
    if let Value::Object(members) = value {
        let given: Vec<_> = members.iter().map(|(name, value)| (name.as_str(), Some(value))).collect();
        say_names(schema, &given, &mut violations);
    }
    violations
}

#[cfg(test)]
mod tests {
    use serde_json::{Map, json};

    use super::*;

    fn read(schema: &Value) -> (Checker, Vec<Finding>) {
        let (checker, findings, count) = Checker::of(schema, Direction::ToServer, &mut 1_000);
        assert_eq!(findings.len(), count.min(8));
        (checker, findings)
    }

    fn check_within(schema: &Value, value: &Value, steps_max: u64) -> Check {
        read(schema).0.check(schema, value, steps_max)
    }

    fn short(schema: &Value) -> String {
        schema.to_string().chars().take(100).collect()
    }

    fn verdict(schema: &Value, value: &Value) -> Verdict {
        check_within(schema, value, CHECK_STEPS_MAX).verdict
    }

    #[track_caller]
    fn check(schema: &Value, value: &Value, expected: &[&str]) {
        let violations: Vec<String> = match verdict(schema, value) {
            Verdict::Matches => Vec::new(),
            Verdict::Differs(violations) => violations.iter().map(ToString::to_string).collect(),
            Verdict::Excessive => vec!["excessive".to_owned()],
        };
        assert_eq!(violations, expected, "{}", short(schema));
    }

    #[track_caller]
    fn check_unchecked(schema: &Value, expected: &[(&str, UncheckedReason)]) {
        let findings = read(schema).1;
        let found: Vec<_> = findings.iter().map(|finding| (finding.pointer.as_str(), finding.reason)).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn messages_say_where_what_and_the_way_out() {
        let schema = json!({"type": "object", "required": ["owner"], "additionalProperties": false, "properties": {
            "owner": {"type": "string"}, "limit": {"type": "integer"}, "state": {"enum": ["open", "closed"]}}});
        check(&schema, &json!({"owner": "a", "limit": 3, "state": "open"}), &[]);
        check(
            &schema,
            &json!({"owner": "a", "limit": "3"}),
            &["/limit: expected integer, came string \"3\": write 3 without quotes"],
        );
        check(&schema, &json!({"owner": 7}), &["/owner: expected string, came number 7: write \"7\""]);
        let list = json!({"properties": {"list": {"type": "array"}}});
        check(&list, &json!({"list": {"a": 1}}), &["/list: expected array, came object {a}: write `[...]` around it"]);
        let all = json!({"properties": {"all": {"type": "boolean"}}});
        check(&all, &json!({"all": 1}), &["/all: expected boolean, came number 1: write true"]);
        check(
            &schema,
            &json!({"owner": "a", "state": "opne"}),
            &["/state: expected one of \"open\", \"closed\", came \"opne\": write \"open\""],
        );
        check(
            &schema,
            &json!({"ownr": "a"}),
            &[
                "/: `owner` is missing: write `owner` in place of `ownr`",
                "/: expected no property `ownr`: write `owner` in its place",
            ],
        );
    }

    #[test]
    fn bounds_are_said_with_what_came() {
        check(&json!({"minimum": 1}), &json!(0), &["/: expected at least 1, came 0: write 1"]);
        check(&json!({"exclusiveMaximum": 1.5}), &json!(1.5), &["/: expected less than 1.5, came 1.5"]);
        check(&json!({"multipleOf": 5}), &json!(7), &["/: expected a multiple of 5, came 7"]);
        check(&json!({"minLength": 2}), &json!("\u{1f600}"), &["/: expected at least 2 characters, came 1"]);
        check(&json!({"maxItems": 1}), &json!([1, 2]), &["/: expected at most 1 items, came 2"]);
        check(&json!({"uniqueItems": true}), &json!([1, 2, 1.0]), &["/2: expected no item twice, came 1.0 again"]);
        check(&json!({"const": {"a": 1}}), &json!({"a": 1.0}), &[]);
        check(&json!({"const": [1]}), &json!([2]), &["/: expected [1 items], came [1 items]"]);
        check(&json!({"not": {"type": "string"}}), &json!("a"), &["/: is what its schema excludes, came string \"a\""]);
        check(
            &json!({"anyOf": [{"required": ["b", "c"]}, {"properties": {"a": {"type": "null"}}}]}),
            &json!({"a": 1}),
            &["/: none of its forms matches, came object {a}; the nearest wants at /a: expected null, came number 1"],
        );
        check(&json!({"oneOf": [{}, true]}), &json!(1), &["/: matches more than one of its forms, came number 1"]);
    }

    #[test]
    fn nullable_admits_null_and_enum_still_decides() {
        check(&json!({"type": "string", "nullable": true}), &Value::Null, &[]);
        check(
            &json!({"type": "string", "nullable": true, "enum": ["a"]}),
            &Value::Null,
            &["/: expected one of \"a\", came null"],
        );
        check(&json!({"type": "string"}), &Value::Null, &["/: expected string, came null: leave it out"]);
    }

    #[test]
    fn a_boolean_bound_of_draft_4_excludes_the_bound() {
        for dialect in [json!(null), json!("http://json-schema.org/draft-04/schema#")] {
            let schema = json!({"$schema": dialect, "minimum": 0, "exclusiveMinimum": true});
            check(&schema, &json!(0), &["/: expected more than 0, came 0"]);
            check(&schema, &json!(0.5), &[]);
            check(&json!({"$schema": dialect, "maximum": 0, "exclusiveMaximum": false}), &json!(0), &[]);
        }
    }

    /// It may be there as well as not: what another keyword says of it does not turn against a call that was right before.
    #[test]
    fn a_required_property_with_a_default_may_be_left_out() {
        let schema = json!({"type": "object", "required": ["limit", "owner"], "properties": {
            "limit": {"type": "integer", "default": 10}, "owner": {"type": "string"}}});
        let (short, whole) = (json!({"owner": "x"}), json!({"limit": 1, "owner": "x"}));
        check(&schema, &short, &[]);
        check(&schema, &whole, &[]);
        check(&schema, &json!({"limit": 1}), &["/: `owner` is missing: add it"]);
        check(&schema, &json!({"limit": true, "owner": "x"}), &["/limit: expected integer, came boolean true"]);
        let below =
            json!({"properties": {"list": {"items": schema}, "named": {"$ref": "#/$defs/named"}}, "$defs": {"named": schema}});
        check(&below, &json!({"list": [short], "named": short}), &[]);
        check(&below, &json!({"list": [{"limit": 1}]}), &["/list/0: `owner` is missing: add it"]);
        let referred = json!({"required": ["a"], "properties": {"a": {"$ref": "#/$defs/a"}}, "$defs": {"a": {"default": 1}}});
        check(&referred, &json!({}), &[]);
        let one_of = json!({"oneOf": [
            {"required": ["a"], "properties": {"a": {"default": 1}}}, {"required": ["b"], "properties": {"b": true}}]});
        check(&one_of, &json!({"b": 1}), &[]);
        check(&one_of, &json!({}), &[]);
        check(&json!({"not": schema}), &short, &[]);
        check(&json!({"not": schema}), &whole, &["/: is what its schema excludes, came object {limit, owner}"]);
        let condition = json!({"if": schema, "then": {"required": ["zone"]}, "else": true});
        check(&condition, &short, &[]);
        check(&condition, &whole, &["/: `zone` is missing: add it"]);
    }

    #[test]
    fn what_a_server_sends_has_its_required_properties() {
        let schema = json!({"required": ["a"], "properties": {"a": {"default": 1}}});
        let (checker, _, _) = Checker::of(&schema, Direction::FromServer, &mut 0);
        assert!(matches!(checker.check(&schema, &json!({}), CHECK_STEPS_MAX).verdict, Verdict::Differs(_)));
    }

    #[test]
    fn nulls_cost_nothing() {
        let schema = json!({"type": "object", "required": null, "additionalProperties": null, "$defs": null, "properties": {
            "a": {"type": "string", "enum": null, "pattern": null, "items": null, "$ref": null}, "b": null}});
        check_unchecked(&schema, &[]);
        check(&schema, &json!({"a": "x", "b": 1, "c": 2}), &[]);
        check(&schema, &json!({"a": 1}), &["/a: expected string, came number 1: write \"1\""]);
        check(&json!({"const": null}), &json!(0), &["/: expected null, came 0"]);
    }

    #[test]
    fn what_cannot_be_read_is_reported_and_the_rest_is_checked() {
        let schema = json!({"properties": {"a": {"type": 7, "minLength": 2}, "b~/": "text"}, "required": true, "minimum": "5"});
        check(&schema, &json!({"a": "x"}), &["/a: expected at least 2 characters, came 1"]);
        check(&schema, &json!({"a": "xy", "b~/": 1}), &[]);
        let mut findings = read(&schema).1;
        findings.sort_by(|one, two| one.pointer.cmp(&two.pointer));
        let pointers: Vec<&str> = findings.iter().map(|finding| finding.pointer.as_str()).collect();
        assert_eq!(pointers, ["/minimum", "/properties/a/type", "/properties/b~0~1", "/required"]);
        check_unchecked(&json!({"$ref": "https://example.org/schema"}), &[("/$ref", UncheckedReason::Elsewhere)]);
        check_unchecked(&json!({"$ref": "#/$defs/none"}), &[("/$ref", UncheckedReason::Elsewhere)]);
    }

    #[test]
    fn a_pattern_without_a_linear_engine_is_not_checked_and_the_rest_is() {
        let schema = json!({"properties": {"a": {"pattern": "^(?=x)(.*)\\1$", "type": "string"}, "b": {"pattern": "^x+$"}}});
        check_unchecked(&schema, &[("/properties/a/pattern", UncheckedReason::NotLinear)]);
        check(&schema, &json!({"a": "y", "b": "x"}), &[]);
        check(&schema, &json!({"a": 1}), &["/a: expected string, came number 1: write \"1\""]);
        check(&schema, &json!({"b": "y"}), &["/b: expected text that matches /^x+$/, came \"y\""]);
    }

    /// What is not checked may match or not: neither a `not` nor a `oneOf` nor what is left over is decided by it.
    #[test]
    fn what_is_not_checked_decides_nothing() {
        let unchecked = json!({"pattern": "(?=x)"});
        check(&json!({"not": unchecked}), &json!("a"), &[]);
        check(&json!({"not": {"not": unchecked}}), &json!("a"), &[]);
        check(&json!({"oneOf": [unchecked, {"type": "string"}]}), &json!("a"), &[]);
        check(&json!({"if": unchecked, "then": {"type": "string"}, "else": {"type": "number"}}), &json!("a"), &[]);
        let neither = json!({"if": unchecked, "then": {"minLength": 2}, "else": {"type": "number"}});
        check(&neither, &json!("a"), &["/: matches neither `then` nor `else`, came string \"a\""]);
        check(&json!({"contains": unchecked, "maxContains": 0}), &json!(["a"]), &[]);
        check(
            &json!({"contains": unchecked}),
            &json!([]),
            &["/: expected at least 1 items of the form that `contains` has, came 0"],
        );
        check(&json!({"allOf": [unchecked, {"minLength": 2}]}), &json!("a"), &["/: expected at least 2 characters, came 1"]);
        let patterns =
            json!({"patternProperties": {"(?=x)": {"type": "null"}, "^y": {"type": "null"}}, "additionalProperties": false});
        check(&patterns, &json!({"a": 1}), &[]);
        check(&patterns, &json!({"y": 1}), &["/y: expected null, came number 1"]);
        let left_over =
            json!({"allOf": [{"$ref": "https://example.org/"}, {"properties": {"a": {}}}], "unevaluatedProperties": false});
        check(&left_over, &json!({"a": 1, "b": 1}), &[]);
        let perhaps_seen = json!({"not": {"anyOf": [{"allOf": [unchecked], "properties": {"a": true}}, true], "unevaluatedProperties": false}});
        check(&perhaps_seen, &json!({"a": 1}), &[]);
        let perhaps_said =
            json!({"not": {"if": unchecked, "then": {"properties": {"a": true}}, "unevaluatedProperties": false}});
        check(&perhaps_said, &json!({"a": 1}), &[]);
        let perhaps_contained = json!({"not": {"contains": unchecked, "minContains": 0, "unevaluatedItems": false}});
        check(&perhaps_contained, &json!(["a"]), &[]);
    }

    #[test]
    fn heavy_schemas_are_found_when_they_are_read() {
        check_unchecked(&json!({"pattern": "1[01]{9000}[^01]"}), &[("/pattern", UncheckedReason::LargePattern)]);
        let patterns: Map<String, Value> = (0..2_000).map(|number| (format!("^k{number}.*x[ab]*y$"), json!({}))).collect();
        check_unchecked(&json!({"patternProperties": patterns}), &[("/patternProperties", UncheckedReason::ManyPatterns)]);
        let mut defs = Map::new();
        for level in 0..40 {
            let next = json!({"$ref": format!("#/$defs/d{}", level + 1)});
            defs.insert(format!("d{level}"), json!({"allOf": [next, next], "minimum": 1}));
        }
        defs.insert("d40".to_owned(), json!({}));
        let bomb = json!({"$ref": "#/$defs/d0", "$defs": defs, "unevaluatedProperties": false});
        assert!(read(&bomb).1.iter().all(|finding| finding.reason == UncheckedReason::ManySchemas));
        check(&bomb, &json!(0), &["/: expected at least 1, came 0: write 1"]);
        check_unchecked(&json!({"$ref": "#"}), &[("/$ref", UncheckedReason::Circular)]);
        check_unchecked(&json!({"minimum": 1, "anyOf": [{"$ref": "#"}]}), &[("/anyOf/0/$ref", UncheckedReason::Circular)]);
        let chain: Map<String, Value> = (0..5_000)
            .map(|link| (format!("d{link}"), json!({"allOf": [{"$ref": format!("#/$defs/d{}", link + 1)}]})))
            .collect();
        let chain = json!({"$ref": "#/$defs/d0", "$defs": chain});
        assert!(!read(&chain).1.is_empty());
        // Each schema is read once, however often it is referred to.
        for (schema, nodes_max) in [(&bomb, 3 * 41 + 3), (&chain, 2 * 5_000 + 3)] {
            let nodes = Reading::of(schema, Direction::ToServer, &mut 1_000).rules.nodes.len();
            assert!(nodes <= nodes_max, "{nodes}");
        }
    }

    #[test]
    fn a_check_ends_within_its_steps() {
        let bits = |length: usize| {
            Value::from((0..length).map(|place| if place * place % 7 > 3 { '1' } else { '0' }).collect::<String>())
        };
        let twice = json!({"$ref": "#/$defs/n", "$defs": {"n": {"anyOf": [
            {"required": ["x"], "properties": {"a": {"$ref": "#/$defs/n"}}}, {"required": ["y"], "properties": {"a": {"$ref": "#/$defs/n"}}}]}}});
        let mut deep = json!({});
        for _ in 0..100 {
            deep = json!({"a": deep, "x": 1, "y": 1});
        }
        let heavy = [
            (json!({"pattern": "1[01]{900}[^01]"}), bits(1_000_000)),
            (
                json!({"items": {"anyOf": (0..2_000).map(|number| json!({"const": number})).collect::<Vec<_>>()}}),
                json!(vec![json!(1_999); 150_000]),
            ),
            (twice, deep),
        ];
        for (schema, value) in heavy {
            for steps_max in [0, 1_000, 1_000_000, 20_000_000] {
                let check = check_within(&schema, &value, steps_max);
                assert!(check.steps <= steps_max, "{} steps of {steps_max}", check.steps);
                assert_eq!(check.verdict, Verdict::Excessive, "{}", short(&schema));
            }
        }
    }

    #[test]
    fn honest_work_is_within_the_steps() {
        let honest = [
            (json!({"uniqueItems": true}), Value::Array((0..100_000).map(|item| json!([item])).collect())),
            (json!({"pattern": "^(a+)+$"}), json!("a".repeat(50_000))),
            (
                json!({"pattern": "^data:[a-z/]+;base64,[A-Za-z0-9+/=]+$"}),
                json!(format!("data:image/png;base64,{}", "QUJD".repeat(250_000))),
            ),
            (
                json!({"items": {"type": "string", "pattern": "^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$"}}),
                json!(vec![json!("01234567-89ab-cdef-0123-456789abcdef"); 20_000]),
            ),
            (
                json!({"items": {"required": ["id"], "properties": {"id": {"type": "integer"}, "tags": {"items": {"type": "string"}}}, "additionalProperties": false}}),
                json!(vec![json!({"id": 1, "tags": ["a", "b"]}); 30_000]),
            ),
        ];
        for (schema, value) in honest {
            let check = check_within(&schema, &value, CHECK_STEPS_MAX);
            assert_eq!(check.verdict, Verdict::Matches, "{} {} steps", short(&schema), check.steps);
        }
    }

    #[test]
    fn a_value_nests_as_deep_as_json_does_and_a_stack_is_not_used_up() {
        let tree = json!({"properties": {"a": {"$ref": "#"}}, "additionalProperties": false});
        let mut deep = json!({});
        for _ in 0..126 {
            deep = json!({"a": deep});
        }
        check(&tree, &deep, &[]);
        let mut links = Map::new();
        for link in 0..40 {
            links.insert(format!("d{link}"), json!({"allOf": [{"$ref": format!("#/$defs/d{}", link + 1)}]}));
        }
        links.insert("d40".to_owned(), json!({"properties": {"a": {"$ref": "#/$defs/d20"}}}));
        let schema = json!({"$ref": "#/$defs/d20", "$defs": links});
        let thread = std::thread::Builder::new().stack_size(1 << 20).spawn(move || verdict(&schema, &deep));
        assert_eq!(thread.ok().and_then(|thread| thread.join().ok()), Some(Verdict::Excessive));
    }

    /// Those that are read later must have nothing to report.
    #[test]
    fn a_plain_schema_is_checked_whole() {
        let plain = json!({"type": "object", "properties": {"a": {"type": ["string", "null"]}, "b": {"anyOf": [{"enum": [1]}, {"items": {}}]}}});
        let wrong = [
            "type",
            "properties",
            "items",
            "additionalProperties",
            "anyOf",
            "enum",
            "required",
            "minimum",
            "minLength",
            "uniqueItems",
        ];
        assert!(plain::is_plain(&plain));
        for keyword in wrong {
            assert!(!plain::is_plain(&json!({"properties": {"a": {keyword: "x y"}}})), "{keyword}");
        }
        for schema in [json!({"$ref": "#"}), json!({"pattern": "a"}), json!({"anyOf": []}), json!({"not": {}}), json!(7)] {
            assert!(!plain::is_plain(&schema), "{schema}");
        }
    }

    #[test]
    fn few_differences_are_kept_however_many_there_are() {
        let schema = json!({"items": {"anyOf": (0..50).map(|number| json!({"const": number})).collect::<Vec<_>>()}});
        match verdict(&schema, &json!(vec![json!("zzzz"); 150_000])) {
            Verdict::Differs(violations) => assert_eq!(violations.len(), 8),
            other => panic!("{other:?}"),
        }
        let long = "k".repeat(1 << 20);
        check(
            &json!({"required": [long]}),
            &json!({ format!("{long}x"): 1 }),
            &[format!("/: `{}` is missing: add it", "k".repeat(60)).as_str()],
        );
    }
}
