//! What replies of a tool were like: kinds, names, optionality. Never a value.
//!
//! A reply is hostile, and its keys may be secrets. So a key is kept as a name only if it is an identifier of at most 40 characters that does not look
//! like a number or a token; any other key, and many keys whose values are of one kind, are the keys of a record, of which nothing is kept. Depth,
//! breadth and size are bounded. Whatever was seen is admitted: what is not kept is wider, never narrower.

mod agreed;
mod key;
mod place;
mod reading;
mod typed;

use serde::{Deserialize, Serialize};

use self::place::Place;
use crate::shape::ValueType;

/// The most bytes of a reply whose shape is taken.
pub const OBSERVED_REPLY_BYTES_MAX: usize = 4 << 20;

/// The most places (values, elements, members) of one shape; the deepest ones of a larger one become `unknown`.
const PLACES_MAX: usize = 2_000;

/// What some replies were like.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ReplyShape {
    replies: u64,
    root: Place,
}

impl ReplyShape {
    /// The shape of one reply, JSON text. `None` if it is longer than [`OBSERVED_REPLY_BYTES_MAX`], or no JSON.
    #[must_use]
    pub fn of(json: &str) -> Option<Self> {
        if json.len() > OBSERVED_REPLY_BYTES_MAX {
            return None;
        }
        let mut root = reading::read(json, PLACES_MAX).ok()?;
        root.settle(PLACES_MAX);
        Some(Self { replies: 1, root })
    }

    /// Adds what other replies of the same tool were like. Whether more is admitted now than before.
    pub fn absorb(&mut self, other: &Self) -> bool {
        self.replies = self.replies.saturating_add(other.replies);
        let is_wider = self.root.absorb(&other.root);
        if is_wider {
            self.root.settle(PLACES_MAX);
        }
        is_wider
    }

    /// What these or those replies were like, where some may be in both: the higher count stays.
    #[must_use]
    pub fn or(&self, other: &Self) -> Self {
        let mut both = self.clone();
        both.absorb(other);
        both.replies = self.replies.max(other.replies);
        both
    }

    /// How many replies were seen.
    #[must_use]
    pub fn replies(&self) -> u64 {
        self.replies
    }

    /// What at least `principals_min` of these shapes, one of each principal, have in common: a name, a kind or a nesting that fewer have is not there.
    #[must_use]
    pub fn agreed<'a>(shapes: impl IntoIterator<Item = &'a Self>, principals_min: usize) -> Self {
        let shapes: Vec<&Self> = shapes.into_iter().collect();
        let replies = shapes.iter().fold(0_u64, |sum, shape| sum.saturating_add(shape.replies));
        let places: Vec<&Place> = shapes.iter().map(|shape| &shape.root).collect();
        let mut root = agreed::agreed(&places, principals_min.max(1));
        root.settle(PLACES_MAX);
        Self { replies, root }
    }

    /// Its JSON, to be kept.
    #[must_use]
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    /// What was kept. `None` for what is no shape; a key that is no name is none here either.
    #[must_use]
    pub fn from_json(json: &str) -> Option<Self> {
        let mut shape: Self = serde_json::from_str(json).ok()?;
        shape.root.forget_keys();
        shape.root.settle(PLACES_MAX);
        Some(shape)
    }

    /// The type that admits every reply that was seen.
    pub(crate) fn value_type(&self) -> ValueType {
        self.root.value_type()
    }

    /// Whether it may be anything, for all that is known.
    pub(crate) fn says_nothing(&self) -> bool {
        self.root.is_unknown || self.root == Place::default()
    }

    /// About how many replies were seen, in words that seldom change: prompts are cached by their bytes.
    pub(crate) fn count(&self) -> String {
        match self.replies {
            1 => "1 reply".to_owned(),
            few @ ..5 => format!("{few} replies"),
            many => {
                let magnitude = 10_u64.pow(many.ilog10());
                let rounded = if many >= magnitude.saturating_mul(5) { magnitude.saturating_mul(5) } else { magnitude };
                format!("{rounded}+ replies")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use std::collections::BTreeSet;

    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;
    use crate::render::{Form, Writer};
    use crate::vocabulary::Vocabulary;

    /// The type of these replies, as a model reads it.
    fn text_of(replies: &[Value]) -> String {
        let mut shape = ReplyShape::default();
        for reply in replies {
            shape.absorb(&ReplyShape::of(&reply.to_string()).unwrap());
        }
        written(&shape)
    }

    fn written(shape: &ReplyShape) -> String {
        let vocabulary = Vocabulary::default();
        let mut writer = Writer::new(&vocabulary, Form::BARE);
        writer.write(&shape.value_type());
        writer.finish().0
    }

    #[track_caller]
    fn check(replies: &[Value], expected: &str) {
        assert_eq!(text_of(replies), expected);
    }

    #[test]
    fn kinds_names_and_optionality_are_what_was_seen() {
        check(&[json!({"id": 1, "title": "a"})], "{ id: number; title: string }");
        check(&[json!([{"id": 1, "title": "a"}, {"id": 2}])], "{ id: number; title?: string }[]");
        check(&[json!({"id": 1}), json!({"title": "a"})], "{ id?: number; title?: string }");
        check(&[json!([])], "unknown[]");
        check(&[json!({})], "Record<string, unknown>");
        check(&[json!({"a": null})], "{ a: null }");
        check(&[json!("a text")], "string");
    }

    #[test]
    fn a_reply_that_contradicts_widens_the_type() {
        check(&[json!({"a": 1}), json!({"a": "1"}), json!({"a": null})], "{ a: number | string | null }");
        check(&[json!({"a": {"b": 1}}), json!({"a": [true]})], "{ a: boolean[] | { b: number } }");
        check(&[json!([]), json!([1])], "number[]");
        check(&[json!({"a": 1}), json!("none")], "string | { a: number }");
    }

    #[test]
    fn an_integer_beyond_what_a_program_gets_as_one_is_a_text_too() {
        check(&[json!(9_007_199_254_740_991_u64)], "number");
        check(&[json!(9_007_199_254_740_993_u64)], "number | string");
        check(&[json!(-9_007_199_254_740_993_i64)], "number | string");
        assert_eq!(written(&ReplyShape::of("123456789012345678901234567890").unwrap()), "number | string");
    }

    #[test]
    fn what_is_no_short_identifier_is_not_a_name() {
        let at_most = "a".repeat(40);
        check(&[json!({&at_most: 1, "b": "x"})], &format!("{{ {at_most}: number; b: string }}"));
        check(&[json!({"a".repeat(41): 1})], "Record<string, number>");
        for key in [
            "sk-proj-4f8aPq0sR7",
            "sk_live_51H8aPq0sR7tUv2",
            "ghp_16C7e42F292c6912E7710c838347Ae178B4a",
            "AKIAIOSFODNN7EXAMPLE",
            "ada@example.org",
            "user_10293",
            "0f8fad5b-d9cb-469f-a165-70867728950e",
            "12",
            "__proto__",
            "ключ",
            "a b",
            "*/ PWNED /*",
            "",
        ] {
            let text = text_of(&[json!({key: {"name": "x", "age": 1}})]);
            assert_eq!(text, "Record<string, { age: number; name: string }>", "{key}");
            // Beside names of other kinds these stay, and the key does not.
            let text = text_of(&[json!({key: 1, "title": "x"})]);
            assert_eq!(text, "{ title: string; [key: string]: number | string }", "{key}");
        }
    }

    #[test]
    fn many_keys_of_one_kind_are_the_keys_of_a_record() {
        let people =
            |count: u8| Value::Object((0..count).map(|one| (format!("n{}", char::from(b'a' + one)), json!(1))).collect());
        assert!(text_of(&[people(24)]).contains("na: number"));
        check(&[people(25)], "Record<string, number>");
        // Whether they come in one reply or in many.
        let one_by_one: Vec<Value> =
            (0..25_u8).map(|one| json!({format!("n{}", char::from(b'a' + one)): {"age": one}})).collect();
        check(&one_by_one, "Record<string, { age: number }>");
        // What was a record once stays one.
        check(&[people(25), json!({"na": 1})], "Record<string, number>");
    }

    #[test]
    fn an_object_of_many_kinds_has_a_bounded_number_of_names() {
        let letters = |place: usize| {
            format!(
                "m{}{}",
                char::from(b'a' + u8::try_from(place / 26).unwrap()),
                char::from(b'a' + u8::try_from(place % 26).unwrap())
            )
        };
        let object = |count: usize| {
            Value::Object(
                (0..count).map(|place| (letters(place), if place % 2 == 0 { json!(1) } else { json!("x") })).collect(),
            )
        };
        assert!(text_of(&[object(64)]).contains("maa: number"));
        check(&[object(65)], "Record<string, number | string>");
    }

    #[test]
    fn depth_and_size_are_bounded() {
        let deep = (0..30).fold(json!(1), |inner, _| json!({ "a": inner }));
        assert!(text_of(&[deep]).contains("a: unknown"));
        // 40 members of 40 members of 40 members, each with a kind of its own among two.
        let wide = |inner: Value| {
            let member = |place: u8| {
                (
                    format!("k{}{}", char::from(b'a' + place / 26), char::from(b'a' + place % 26)),
                    if place == 0 { json!("x") } else { inner.clone() },
                )
            };
            Value::Object((0..40).map(member).collect())
        };
        let shape = ReplyShape::of(&wide(wide(wide(json!(1)))).to_string()).unwrap();
        assert!(shape.root.places() <= PLACES_MAX, "{}", shape.root.places());
        assert!(written(&shape).contains("unknown"));
        assert_eq!(ReplyShape::of(&format!("\"{}\"", "x".repeat(OBSERVED_REPLY_BYTES_MAX))), None);
        assert_eq!(ReplyShape::of("{"), None);
    }

    #[test]
    fn a_count_changes_seldom() {
        let counts: BTreeSet<String> =
            (1..=1_000).map(|replies| ReplyShape { replies, ..ReplyShape::default() }.count()).collect();
        let expected = [
            "1 reply",
            "2 replies",
            "3 replies",
            "4 replies",
            "5+ replies",
            "10+ replies",
            "50+ replies",
            "100+ replies",
            "500+ replies",
            "1000+ replies",
        ];
        assert_eq!(counts, expected.into_iter().map(str::to_owned).collect());
    }

    #[test]
    fn what_fewer_principals_have_is_not_agreed() {
        let of = |reply: Value| ReplyShape::of(&reply.to_string()).unwrap();
        let [ada, bob, eve] = [
            of(json!({"id": 1, "salary": 1, "tags": ["a"]})),
            of(json!({"id": 2, "tags": [], "owner": {"login": "b", "ssn": 1}})),
            of(json!({"id": "3", "tags": ["c"], "owner": {"login": "e"}})),
        ];
        assert_eq!(written(&ReplyShape::agreed([&ada, &bob, &eve], 3)), "{ id: unknown; tags: unknown[] }");
        assert_eq!(
            written(&ReplyShape::agreed([&ada, &bob, &eve], 2)),
            "{ id: number; owner?: { login: string }; tags: string[] }"
        );
        assert_eq!(written(&ReplyShape::agreed([&ada, &bob], 3)), "unknown");
        let record = of(json!({"ada@example.org": 1}));
        assert_eq!(written(&ReplyShape::agreed([&record, &record, &record], 3)), "Record<string, number>");
    }

    #[test]
    fn what_is_kept_is_read_again_and_what_was_put_there_is_no_name() {
        let shape = ReplyShape::of(r#"[{"id": 1, "x-y": "a", "tags": ["b", null]}]"#).unwrap();
        assert_eq!(ReplyShape::from_json(&shape.to_json()), Some(shape.clone()));
        let forged = shape.to_json().replace("\"tags\"", "\"sk-secret\"");
        assert!(!ReplyShape::from_json(&forged).unwrap().to_json().contains("secret"));
        assert_eq!(ReplyShape::from_json("{"), None);
    }

    /// Any JSON, with keys of all sorts.
    fn reply() -> impl Strategy<Value = Value> {
        let key =
            prop_oneof!["[a-z]{1,3}", "[a-z0-9_$-]{1,12}", any::<String>(), Just("__proto__".to_owned()), "sk-[a-zA-Z0-9]{40}"];
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::Bool),
            any::<i64>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            any::<String>().prop_map(Value::String),
        ];
        leaf.prop_recursive(12, 200, 30, move |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..6).prop_map(Value::Array),
                prop::collection::vec((key.clone(), inner), 0..30)
                    .prop_map(|members| Value::Object(members.into_iter().collect())),
            ]
        })
    }

    /// Whether the type admits the value, as a program gets it.
    fn admits(shape: &Place, value: &Value) -> bool {
        shape.admits(value)
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn every_reply_that_was_seen_is_admitted_in_whatever_order(replies in prop::collection::vec(reply(), 1..6)) {
            let mut shape = ReplyShape::default();
            let mut widened = ReplyShape::default();
            for reply in &replies {
                let one = ReplyShape::of(&reply.to_string()).unwrap();
                prop_assert!(admits(&one.root, reply));
                shape.absorb(&one);
                widened = one.or(&widened);
            }
            for reply in &replies {
                prop_assert!(admits(&shape.root, reply), "{} by {}", reply, written(&shape));
                prop_assert!(admits(&widened.root, reply));
            }
            prop_assert!(shape.root.places() <= PLACES_MAX);
            prop_assert_eq!(ReplyShape::from_json(&shape.to_json()).map(|kept| written(&kept)), Some(written(&shape)));
            // What was absorbed is absorbed: the same replies change nothing any more.
            for reply in &replies {
                prop_assert!(!shape.absorb(&ReplyShape::of(&reply.to_string()).unwrap()));
            }
        }

        #[test]
        fn no_text_of_a_reply_but_its_names_is_in_its_shape(words in prop::collection::vec("[A-Z]{2}-[A-Za-z0-9]{6,60}", 1..8)) {
            let reply = json!({ "list": words, "map": words.iter().map(|word| (word.clone(), json!({ "of": word }))).collect::<serde_json::Map<_, _>>() });
            let shape = ReplyShape::of(&reply.to_string()).unwrap();
            for text in [shape.to_json(), written(&shape)] {
                for word in &words {
                    prop_assert!(!text.contains(word.as_str()), "{}", text);
                }
            }
        }
    }
}
