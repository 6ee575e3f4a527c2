//! A JSON value cut down to a number of bytes: arrays, texts and objects lose what is in their middle or at their end, and say how much. It is
//! still JSON, of the same structure.

use serde_json::{Map, Value};

use crate::host::left_out;

/// What a cut takes: the words that say how much was left out.
const NOTICE_BYTES: usize = 64;
/// So much of an element is worth to be shown.
const SHOWN_BYTES_MIN: usize = 160;
/// The key under which an object says what was left out.
const LEFT_OUT: &str = "…";

/// The value within about `bytes_max` bytes of JSON; none if it fits as it is.
pub(super) fn fitted(value: &Value, bytes_max: usize) -> Option<Value> {
    (size(value) > bytes_max).then(|| cut(value, bytes_max))
}

/// The bytes of its JSON, less what is escaped.
pub(super) fn size(value: &Value) -> usize {
    match value {
        Value::Null | Value::Bool(_) => 5,
        Value::Number(number) => number.to_string().len(),
        Value::String(text) => text.len() + 2,
        Value::Array(elements) => elements.iter().map(|element| size(element) + 1).sum::<usize>() + 2,
        Value::Object(members) => members.iter().map(|(name, member)| name.len() + 4 + size(member)).sum::<usize>() + 2,
    }
}

/// What does not fit, cut.
fn cut(value: &Value, bytes_max: usize) -> Value {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => value.clone(),
        Value::String(text) => Value::String(text_within(text, bytes_max)),
        Value::Array(elements) => Value::Array(elements_within(elements, bytes_max)),
        Value::Object(members) => Value::Object(members_within(members, bytes_max)),
    }
}

/// Two thirds of what is shown of a text are its beginning.
fn text_within(text: &str, bytes_max: usize) -> String {
    let shown = bytes_max.saturating_sub(NOTICE_BYTES);
    let is_between = |offset: &usize| text.is_char_boundary(*offset);
    let from = (0..=(shown - shown / 3).min(text.len())).rev().find(is_between).unwrap_or(0);
    let to = (text.len().saturating_sub(shown / 3).max(from)..text.len()).find(is_between).unwrap_or(text.len());
    left_out::without(text, from..to)
}

fn elements_within(elements: &[Value], bytes_max: usize) -> Vec<Value> {
    let sizes: Vec<usize> = elements.iter().map(|element| size(element) + 1).collect();
    let room = bytes_max.saturating_sub(NOTICE_BYTES);
    let (head, tail) = ends(&sizes, room);
    let rest = elements.len() - head - tail;
    let shown = [&sizes[..head], &sizes[elements.len() - tail..]].concat();
    let level = level(&shown, room);
    let within = |element: &Value| cut_to(element, level);
    let mut cut: Vec<Value> = elements[..head].iter().map(within).collect();
    if rest > 0 {
        cut.push(Value::String(format!("… {rest} of {} elements left out …", elements.len())));
    }
    cut.extend(elements[elements.len() - tail..].iter().map(within));
    cut
}

fn members_within(members: &Map<String, Value>, bytes_max: usize) -> Map<String, Value> {
    let sizes: Vec<usize> = members.iter().map(|(name, member)| name.len() + 4 + size(member)).collect();
    let room = bytes_max.saturating_sub(NOTICE_BYTES);
    let shown = affordable(sizes.iter(), room);
    let level = level(&sizes[..shown], room);
    let within = |(name, member): (&String, &Value)| {
        let own = name.len() + 4;
        // A name can be as long as a text.
        if own > level { None } else { Some((name.clone(), cut_to(member, level - own))) }
    };
    let mut cut: Map<String, Value> = members.iter().take(shown).filter_map(within).collect();
    let rest = members.len() - cut.len();
    if rest > 0 {
        cut.insert(LEFT_OUT.to_owned(), Value::String(format!("{rest} of {} members left out", members.len())));
    }
    cut
}

fn cut_to(value: &Value, bytes_max: usize) -> Value {
    fitted(value, bytes_max).unwrap_or_else(|| value.clone())
}

/// How many elements at the beginning and at the end can be shown: two of the beginning for each of the end.
fn ends(sizes: &[usize], room: usize) -> (usize, usize) {
    let (mut head, mut tail, mut used) = (0, 0, 0);
    while head + tail < sizes.len() {
        let is_head = head <= 2 * tail;
        let place = if is_head { head } else { sizes.len() - 1 - tail };
        used += sizes[place].min(SHOWN_BYTES_MIN);
        if used > room {
            break;
        }
        if is_head { head += 1 } else { tail += 1 }
    }
    // Something of the first is always shown.
    if head == 0 && !sizes.is_empty() { (1, tail) } else { (head, tail) }
}

/// How many of the first can be shown.
fn affordable<'size>(sizes: impl Iterator<Item = &'size usize>, room: usize) -> usize {
    let mut used = 0;
    let is_affordable = |size: &&usize| {
        used += (**size).min(SHOWN_BYTES_MIN);
        used <= room
    };
    sizes.take_while(is_affordable).count().max(1)
}

/// The most bytes of each, so that all together take `room`: small ones keep their size, large ones share what is left.
fn level(sizes: &[usize], room: usize) -> usize {
    let mut ascending = sizes.to_vec();
    ascending.sort_unstable();
    let (mut room, mut others) = (room, ascending.len());
    for size in ascending {
        let share = room / others.max(1);
        if size > share {
            return share;
        }
        room -= size;
        others -= 1;
    }
    usize::MAX
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test stops where it fails")]

    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn what_fits_is_as_it_is() {
        assert_eq!(fitted(&json!({ "a": [1, "b"] }), 100), None);
        assert_eq!(fitted(&json!(null), 0).unwrap(), json!(null));
    }

    #[test]
    fn a_text_keeps_its_beginning_and_its_end() {
        let text = format!("begin{}end", "é".repeat(1000));
        let cut = fitted(&json!(text), 200).unwrap();
        let cut = cut.as_str().unwrap();
        assert!(cut.starts_with("begin") && cut.ends_with("end") && cut.contains("of 1008 characters left out"), "{cut}");
    }

    #[test]
    fn an_array_keeps_whole_elements_at_both_ends_and_counts_the_others() {
        let all: Vec<Value> = (0..1000).map(|number| json!({ "number": number })).collect();
        let cut = fitted(&json!(all), 500).unwrap();
        let cut = cut.as_array().unwrap();
        assert_eq!((&cut[0], cut.last()), (&json!({ "number": 0 }), Some(&json!({ "number": 999 }))));
        let notice = cut.iter().filter_map(Value::as_str).collect::<Vec<_>>();
        assert_eq!(notice, [format!("… {} of 1000 elements left out …", 1000 - (cut.len() - 1))]);
    }

    #[test]
    fn a_long_text_beside_small_members_is_cut_and_they_are_not() {
        let value = json!({ "id": 7, "log": "x".repeat(5000), "name": "n" });
        let cut = fitted(&value, 400).unwrap();
        assert_eq!((&cut["id"], &cut["name"]), (&json!(7), &json!("n")));
        assert!(cut["log"].as_str().unwrap().contains("characters left out"), "{cut}");
    }

    #[test]
    fn an_object_with_many_members_says_how_many_are_left_out() {
        let members: Map<String, Value> = (0..1000).map(|number| (format!("key{number:04}"), json!(number))).collect();
        let cut = fitted(&Value::Object(members), 500).unwrap();
        let shown = cut.as_object().unwrap().len() - 1;
        assert_eq!(cut[LEFT_OUT], format!("{} of 1000 members left out", 1000 - shown));
    }

    fn any_value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![Just(Value::Null), any::<i64>().prop_map(Value::from), ".{0,300}".prop_map(Value::from)];
        leaf.prop_recursive(4, 200, 20, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..20).prop_map(Value::from),
                prop::collection::hash_map(".{0,40}", inner, 0..20)
                    .prop_map(|members| Value::Object(members.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn a_cut_value_is_near_its_maximum_and_of_the_same_kind(value in any_value(), bytes_max in 200_usize..2000) {
            let cut = cut_to(&value, bytes_max);
            // A notice can be cut into every level of what is shown.
            prop_assert!(size(&cut) <= bytes_max + 20 * NOTICE_BYTES, "{} of {bytes_max}", size(&cut));
            prop_assert_eq!(std::mem::discriminant(&cut), std::mem::discriminant(&value));
            prop_assert!(size(&value) > bytes_max || cut == value);
        }
    }
}
