//! Finding tools in a scope by what they are called and say.
//!
//! BM25 over words: names weigh most, then parameters, then descriptions and enum values. Identifiers are split, words are reduced to
//! their stems (`rust-stemmers`, Snowball's English), and a word of the query also finds longer words that begin with it, for less.
//! The scoring is our own forty lines: the `bm25` crate takes one text a document, without weights, and stands on the unmaintained
//! `fxhash`.
//!
//! Servers write the texts and programs the queries, so both the words of an index and what a query looks at have a maximum.

use std::collections::HashMap;

use rust_stemmers::{Algorithm, Stemmer};
use serde::Serialize;
use serde_json::Value;

use crate::scoped_tool::ScopedTool;

/// How fast more of the same word stops to count, and how much length counts: the usual values of BM25.
const SATURATION: f32 = 1.2;
const LENGTH_WEIGHT: f32 = 0.75;

/// What a word is worth by where it stands.
const NAME_WEIGHT: f32 = 3.0;
const PARAMETER_WEIGHT: f32 = 1.0;
const DESCRIPTION_WEIGHT: f32 = 1.0;
const VALUE_WEIGHT: f32 = 0.5;

/// What a longer word is worth that begins with a word of the query.
const PREFIX_WEIGHT: f32 = 0.5;

/// A tool whose score is a smaller part of the best one's does not match: it shares a word that says little.
const SCORE_PART_MIN: f32 = 0.3;

/// The most words of an index, the most of one tool, and what each tool has in any case.
const WORDS_MAX: usize = 1_500_000;
const TOOL_WORDS_MAX: usize = 1_000;
const TOOL_WORDS_MIN: usize = 100;

/// The most words that are taken from one text, and the most of a query.
const TEXT_WORDS_MAX: usize = 400;
const QUERY_WORDS_MAX: usize = 32;

/// The most longer words that one word of a query finds.
const PREFIXES_MAX: usize = 100;

/// The most mentions of words in tools that one query looks at, those of rare words first.
const MENTIONS_MAX: usize = 200_000;

/// What the index takes for one tool, and what a search takes for one tool and for one hit, in steps of a nanosecond (measured, with room).
pub(crate) const INDEX_TOOL_STEPS: u64 = 60_000;
pub(crate) const SEARCH_TOOL_STEPS: u64 = 300;
pub(crate) const HIT_STEPS: u64 = 100_000;

/// A tool that matches a query.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SearchHit {
    /// What a guest writes: `github.create_issue`.
    pub path: String,
    /// Its compact declaration.
    pub signature: String,
    /// The beginning of its description.
    pub description: String,
}

/// The words of a scope's tools.
#[derive(Debug)]
pub(crate) struct Index {
    /// The words, sorted, so that those with a common beginning are neighbours, each with where its mentions end in `mentions`.
    words: Vec<(Box<str>, usize)>,
    mentions: Vec<Mention>,
    /// The words of each tool, by weight.
    lengths: Vec<f32>,
    length_mean: f32,
}

/// A tool that has a word.
#[derive(Clone, Copy, Debug)]
struct Mention {
    tool: u32,
    /// The word's weight there.
    weight: f32,
}

/// An index that is being made.
struct Words {
    stemmer: Stemmer,
    /// The number of each stem.
    numbers: HashMap<Box<str>, u32>,
    /// The number of the stem of each word, as it stands in the texts but for its case: stemming takes much longer than looking here.
    stems: HashMap<Box<str>, u32>,
    lower: String,
}

impl Index {
    /// The index of `tools`.
    pub(crate) fn of(tools: &[ScopedTool]) -> Self {
        let mut words = Words::default();
        let mut lengths = Vec::with_capacity(tools.len());
        // The number of a word, the tool, and the word's weight there.
        let mut mentions: Vec<(u32, Mention)> = Vec::new();
        let left_of_each = (WORDS_MAX / tools.len().max(1)).clamp(TOOL_WORDS_MIN, TOOL_WORDS_MAX);
        for (tool, place) in tools.iter().zip(0..) {
            let first = mentions.len();
            let mut left = left_of_each;
            texts_of(tool, &mut |text, weight| {
                words.each(text, left.min(TEXT_WORDS_MAX), |word| {
                    left -= 1;
                    mentions.push((word, Mention { tool: place, weight }));
                });
                left > 0
            });
            let own = &mut mentions[first..];
            own.sort_unstable_by_key(|(word, _)| *word);
            lengths.push(own.iter().map(|(_, mention)| mention.weight).sum());
            let merged = merge(&mut mentions, first);
            mentions.truncate(merged);
        }
        let (words, mentions) = words.sorted(mentions);
        #[expect(clippy::cast_precision_loss, reason = "a scope has far fewer tools")]
        let length_mean = lengths.iter().sum::<f32>() / lengths.len().max(1) as f32;
        Self { words, mentions, lengths, length_mean }
    }

    /// The places of the tools that match `query`, best first, at most `limit`.
    pub(crate) fn search(&self, query: &str, limit: usize) -> Vec<usize> {
        let mut found = self.found(query);
        // Rare words first: they tell most, and cost least.
        found.sort_by_key(|(word, _)| self.mentions_of(*word).len());
        let mut scores = vec![0.0_f32; self.lengths.len()];
        let mut hits = Vec::new();
        let mut left = MENTIONS_MAX;
        for (word, weight) in found {
            let mentions = self.mentions_of(word);
            left = match left.checked_sub(mentions.len()) {
                Some(left) => left,
                None => break,
            };
            self.add_scores(mentions, weight, &mut scores, &mut hits);
        }
        hits.sort_unstable_by(|one, two| scores[*two].total_cmp(&scores[*one]).then(one.cmp(two)));
        let score_min = hits.first().map_or(0.0, |best| scores[*best] * SCORE_PART_MIN);
        hits.retain(|hit| scores[*hit] >= score_min);
        hits.truncate(limit);
        hits
    }

    /// The places of the words that `query` finds, each with what it is worth.
    fn found(&self, query: &str) -> Vec<(usize, f32)> {
        let stemmer = Stemmer::create(Algorithm::English);
        let mut query_words: Vec<String> = Vec::new();
        each_word(query, QUERY_WORDS_MAX, |word| {
            query_words.push(stemmer.stem(&word.to_lowercase()).into_owned());
        });
        query_words.sort();
        query_words.dedup();
        let mut found = Vec::new();
        for word in query_words {
            let first = self.words.partition_point(|(known, _)| **known < *word);
            let matching = self.words[first..].iter().take_while(|(known, _)| known.starts_with(&*word));
            for (place, (known, _)) in matching.enumerate().take(PREFIXES_MAX + 1) {
                match () {
                    () if **known == *word => found.push((first + place, 1.0)),
                    () if word.len() >= 3 => found.push((first + place, PREFIX_WEIGHT)),
                    () => {}
                }
            }
        }
        found
    }

    fn mentions_of(&self, word: usize) -> &[Mention] {
        let start = word.checked_sub(1).map_or(0, |before| self.words[before].1);
        &self.mentions[start..self.words[word].1]
    }

    fn add_scores(&self, mentions: &[Mention], weight: f32, scores: &mut [f32], hits: &mut Vec<usize>) {
        #[expect(clippy::cast_precision_loss, reason = "a scope has far fewer tools")]
        let (tools, having) = (self.lengths.len() as f32, mentions.len() as f32);
        let rarity = ((tools - having + 0.5) / (having + 0.5)).ln_1p();
        for mention in mentions {
            let tool = mention.tool as usize;
            let length = 1.0 - LENGTH_WEIGHT + LENGTH_WEIGHT * self.lengths[tool] / self.length_mean.max(1.0);
            let saturated = mention.weight * (SATURATION + 1.0) / (mention.weight + SATURATION * length);
            if scores[tool] == 0.0 {
                hits.push(tool);
            }
            scores[tool] += weight * rarity * saturated;
        }
    }
}

impl Default for Words {
    fn default() -> Self {
        Self {
            stemmer: Stemmer::create(Algorithm::English),
            numbers: HashMap::new(),
            stems: HashMap::new(),
            lower: String::new(),
        }
    }
}

impl Words {
    /// Gives the number of each word's stem in `text`, of the first `words_max`.
    fn each(&mut self, text: &str, words_max: usize, mut give: impl FnMut(u32)) {
        each_word(text, words_max, |word| {
            self.lower.clear();
            self.lower.extend(word.chars().flat_map(char::to_lowercase));
            let number = match self.stems.get(self.lower.as_str()) {
                Some(number) => *number,
                None => {
                    let stem = self.stemmer.stem(&self.lower);
                    let next = u32::try_from(self.numbers.len()).unwrap_or(u32::MAX);
                    let number = *self.numbers.entry(stem.into()).or_insert(next);
                    self.stems.insert(self.lower.as_str().into(), number);
                    number
                }
            };
            give(number);
        });
    }

    /// The words in order, each with where its mentions end, and the mentions in the same order.
    fn sorted(self, mut mentions: Vec<(u32, Mention)>) -> (Vec<(Box<str>, usize)>, Vec<Mention>) {
        let mut words: Vec<(Box<str>, u32)> = self.numbers.into_iter().collect();
        words.sort_unstable();
        let mut places = vec![0_u32; words.len()];
        for ((_, number), place) in words.iter().zip(0..) {
            places[*number as usize] = place;
        }
        // Tools come in order, and stay so within a word.
        mentions.sort_by_key(|(number, _)| places[*number as usize]);
        let mut ends = vec![0; words.len()];
        for (number, _) in &mentions {
            ends[places[*number as usize] as usize] += 1;
        }
        let mut end = 0;
        let words = words.into_iter().zip(ends).map(|((word, _), count)| {
            end += count;
            (word, end)
        });
        (words.collect(), mentions.into_iter().map(|(_, mention)| mention).collect())
    }
}

/// Makes one mention of all that a tool has of a word, in `mentions` from `first` on, sorted by word; the length afterwards.
fn merge(mentions: &mut [(u32, Mention)], first: usize) -> usize {
    let mut last = first;
    for place in first..mentions.len() {
        if place > first && mentions[place].0 == mentions[last].0 {
            mentions[last].1.weight += mentions[place].1.weight;
        } else {
            if place > first {
                last += 1;
            }
            mentions[last] = mentions[place];
        }
    }
    if mentions.len() == first { first } else { last + 1 }
}

/// Gives the texts of `tool` that are searched, those that weigh most first, until `give` wants no more.
fn texts_of(tool: &ScopedTool, give: &mut impl FnMut(&str, f32) -> bool) {
    let definition = tool.definition();
    let names = [tool.path(), tool.name(), definition.title().unwrap_or_default()];
    let properties = definition.input_schema().get("properties").and_then(Value::as_object);
    let parameters = || properties.into_iter().flatten().filter(|(name, _)| !tool.is_pinned(name)).take(TEXT_WORDS_MAX);
    let _ = names.into_iter().all(|name| give(name, NAME_WEIGHT))
        && parameters().all(|(name, _)| give(name, PARAMETER_WEIGHT))
        && give(tool.description().unwrap_or_default(), DESCRIPTION_WEIGHT)
        && parameters().all(|(_, schema)| {
            let words = schema.get("description").and_then(Value::as_str).unwrap_or_default();
            let values = schema.get("enum").or_else(|| schema.pointer("/items/enum")).and_then(Value::as_array);
            let mut values = values.into_iter().flatten().filter_map(Value::as_str).take(50);
            give(words, VALUE_WEIGHT) && values.all(|value| give(value, VALUE_WEIGHT))
        });
}

/// Gives the first `words_max` words of `text`: `createIssue_v2` is `create`, `Issue`, `v2`; each ideograph is a word.
fn each_word(text: &str, words_max: usize, give: impl FnMut(&str)) {
    let pieces = text.split(|character: char| !character.is_alphanumeric()).filter(|piece| !piece.is_empty());
    pieces.flat_map(split_case).filter(|word| word.len() <= 64).take(words_max).for_each(give);
}

/// `piece` at its inner capitals and around ideographs.
fn split_case(piece: &str) -> Vec<&str> {
    let mut words = Vec::new();
    let mut start = 0;
    let mut last: Option<char> = None;
    for (place, character) in piece.char_indices() {
        let is_ideograph = |c: char| matches!(c, '\u{3040}'..='\u{30ff}' | '\u{3400}'..='\u{9fff}' | '\u{f900}'..='\u{faff}');
        let next = piece[place..].chars().nth(1);
        let is_break = last.is_some_and(|last| {
            (last.is_lowercase() && character.is_uppercase())
                || (last.is_uppercase() && character.is_uppercase() && next.is_some_and(char::is_lowercase))
                || is_ideograph(last)
                || is_ideograph(character)
        });
        if is_break {
            words.push(&piece[start..place]);
            start = place;
        }
        last = Some(character);
    }
    words.push(&piece[start..]);
    words
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use std::time::Duration;

    use serde_json::json;

    use super::*;
    use crate::{Catalog, Grants, processor_time};

    #[track_caller]
    fn check(query: &str, expected: &[&str]) {
        let tool = |name: &str, description: &str, parameters: Value| json!({"name": name, "description": description, "inputSchema": {"type": "object", "properties": parameters}});
        let tools = vec![
            tool("create_issue", "Opens a new issue in a repository.", json!({"title": {}, "labels": {}})),
            tool("listIssues", "Lists the issues of a repository.", json!({"state": {"enum": ["open", "closed", "triaged"]}})),
            tool("get_user", "The profile of somebody.", json!({"login": {"description": "The handle."}})),
            tool("merge_pull_request", "Merges it.", json!({})),
        ];
        let catalog = Catalog::load([("github", tools)]).unwrap();
        let scope = catalog.scope(&Grants::new().allow("*")).unwrap();
        let found: Vec<String> = scope.search(query, 2).into_iter().map(|hit| hit.path).collect();
        assert_eq!(found, expected, "{query}");
    }

    #[test]
    fn names_count_most() {
        check("create an issue", &["github.create_issue", "github.listIssues"]);
        check("user", &["github.get_user"]);
    }

    #[test]
    fn words_are_found_by_their_stem_their_case_and_their_beginning() {
        check("merging", &["github.merge_pull_request"]);
        check("listed", &["github.listIssues"]);
        check("prof", &["github.get_user"]);
    }

    #[test]
    fn parameters_and_values_are_found() {
        check("triaged", &["github.listIssues"]);
        check("handle", &["github.get_user"]);
        check("labels", &["github.create_issue"]);
    }

    #[test]
    fn what_is_nowhere_is_not_found() {
        check("zebra", &[]);
        check("", &[]);
        check("*", &[]);
    }

    #[test]
    fn identifiers_are_split() {
        assert_eq!(split_case("createHTTPServer"), ["create", "HTTP", "Server"]);
        assert_eq!(split_case("\u{65e5}\u{672c}x"), ["\u{65e5}", "\u{672c}", "x"]);
    }

    #[test]
    fn ten_thousand_tools_are_indexed_once_and_within_what_is_announced() {
        let words =
            |number: usize| format!("Updates record {number} of the workspace and returns it as unit{} has it. ", number % 97);
        let tool = |number: usize| {
            let parameter = |name: usize| (format!("field_{name}"), json!({"type": "string", "description": words(name)}));
            let parameters: serde_json::Map<String, Value> = (0..6).map(parameter).collect();
            json!({"name": format!("updateRecord_{number}"), "description": words(number).repeat(4),
                "inputSchema": {"type": "object", "properties": parameters}})
        };
        let catalog = Catalog::load([("records", (0..10_000).map(tool).collect::<Vec<_>>())]).unwrap();
        let scope = catalog.scope(&Grants::new().allow("*")).unwrap();
        let announced = scope.search_work(10);
        let (found, took) = processor_time::of(|| scope.search("unit5 record", 10));
        assert_eq!(found.len(), 10);
        assert!(found.iter().all(|hit| hit.signature.contains("field_0")), "{found:?}");
        // A step is a nanosecond of a release build on an idle machine; debug builds are some twenty times slower.
        let slowness = if cfg!(debug_assertions) { 40 } else { 2 };
        assert!(took < Duration::from_nanos(announced * slowness), "{took:?} for {announced} steps");
        let announced = scope.search_work(10);
        assert!(announced < 10_000_000, "{announced}");
        let ((), took) = processor_time::of(|| {
            for _ in 0..20 {
                assert_eq!(scope.search("unit5 record", 10), found);
            }
        });
        assert!(took < Duration::from_nanos(20 * announced * slowness), "{took:?} for {announced} steps each");
    }

    #[test]
    fn a_flood_of_words_takes_no_more_than_its_share() {
        let flood = |number: usize| {
            let words: String = (0..20_000).map(|word| format!("w{number}x{word} ")).collect();
            json!({"name": format!("flood_{number}"), "description": words, "inputSchema": {"type": "object"}})
        };
        let mut tools: Vec<Value> = (0..20).map(flood).collect();
        tools.push(json!({"name": "needle", "description": "Finds hay.", "inputSchema": {"type": "object"}}));
        let scope = Catalog::load([("s", tools)]).unwrap().scope(&Grants::new().allow("*")).unwrap();
        let index = Index::of(scope.tools());
        assert!(index.words.len() <= 21 * TOOL_WORDS_MAX, "{}", index.words.len());
        assert_eq!(scope.search("hay", 1)[0].path, "s.needle");
        let query = "w1x ".repeat(100_000);
        assert!(scope.search(&query, 5).len() <= 5);
        assert!(index.found(&query).len() <= PREFIXES_MAX + 1);
        let words: String = (0..100_000).map(|word| format!("w{}x{word} ", word % 20)).collect();
        assert!(index.found(&words).len() <= QUERY_WORDS_MAX * (PREFIXES_MAX + 1));
    }
}
