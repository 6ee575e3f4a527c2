//! Finding tools in a scope by what they are called and say.
//!
//! BM25 over words: names weigh most, then parameters, then descriptions and enum values. Identifiers are split, words are reduced to
//! their stems (`rust-stemmers`, Snowball's English), and a word of the query also finds longer words that begin with it, for less.
//! The scoring is our own forty lines: the `bm25` crate takes one text a document, without weights, and stands on the unmaintained
//! `fxhash`.

use std::collections::{BTreeMap, HashMap};

use rust_stemmers::{Algorithm, Stemmer};
use serde::Serialize;
use serde_json::Value;

use crate::name::IDENTIFIER_LENGTH_MAX;
use crate::scope::ScopedTool;

/// How fast more of the same word stops to count, and how much length counts: the usual values of BM25.
const SATURATION: f64 = 1.2;
const LENGTH_WEIGHT: f64 = 0.75;

/// What a word is worth by where it stands.
const NAME_WEIGHT: f64 = 3.0;
const PARAMETER_WEIGHT: f64 = 1.0;
const DESCRIPTION_WEIGHT: f64 = 1.0;
const VALUE_WEIGHT: f64 = 0.5;

/// What a longer word is worth that begins with a word of the query.
const PREFIX_WEIGHT: f64 = 0.5;

/// The most words that are taken from one text, and the most of a query.
const WORDS_MAX: usize = 400;
const QUERY_WORDS_MAX: usize = 32;

/// The most names that [`nearest`] gives.
const NEAREST_MAX: usize = 5;

/// The most characters of a path: those of two identifiers and the dot between them.
pub(crate) const PATH_LENGTH_MAX: usize = 2 * IDENTIFIER_LENGTH_MAX + 1;

/// A tool that matches a query.
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
    /// For each word the tools that have it, with its weight there; sorted, so that words with a common beginning are neighbours.
    postings: BTreeMap<String, Vec<(usize, f64)>>,
    /// The words of each tool, by weight.
    lengths: Vec<f64>,
    length_mean: f64,
}

impl Index {
    /// The index of `tools`.
    pub(crate) fn of(tools: &[ScopedTool]) -> Self {
        let stemmer = Stemmer::create(Algorithm::English);
        let mut postings: BTreeMap<String, Vec<(usize, f64)>> = BTreeMap::new();
        let mut lengths = Vec::with_capacity(tools.len());
        for (place, tool) in tools.iter().enumerate() {
            let mut weights: HashMap<String, f64> = HashMap::new();
            let mut add = |text: &str, weight: f64| {
                for word in words(text, &stemmer).take(WORDS_MAX) {
                    *weights.entry(word).or_insert(0.0) += weight;
                }
            };
            add(tool.path(), NAME_WEIGHT);
            add(tool.name(), NAME_WEIGHT);
            add(tool.definition().title().unwrap_or_default(), NAME_WEIGHT);
            add(tool.description().unwrap_or_default(), DESCRIPTION_WEIGHT);
            add_parameters(tool, &mut add);
            lengths.push(weights.values().sum());
            for (word, weight) in weights {
                postings.entry(word).or_default().push((place, weight));
            }
        }
        #[expect(clippy::cast_precision_loss, reason = "a scope has far fewer tools")]
        let length_mean = lengths.iter().sum::<f64>() / lengths.len().max(1) as f64;
        Self { postings, lengths, length_mean }
    }

    /// The places of the tools that match `query`, best first, at most `limit`.
    pub(crate) fn search(&self, query: &str, limit: usize) -> Vec<usize> {
        let stemmer = Stemmer::create(Algorithm::English);
        let mut scores: HashMap<usize, f64> = HashMap::new();
        let mut query_words: Vec<String> = words(query, &stemmer).take(QUERY_WORDS_MAX).collect();
        query_words.sort();
        query_words.dedup();
        for word in query_words {
            for (found, postings) in self.postings.range(word.clone()..).take_while(|(found, _)| found.starts_with(&word)) {
                let weight = match () {
                    () if *found == word => 1.0,
                    () if word.len() >= 3 => PREFIX_WEIGHT,
                    () => continue,
                };
                self.add_scores(postings, weight, &mut scores);
            }
        }
        let mut ranked: Vec<(usize, f64)> = scores.into_iter().collect();
        ranked.sort_by(|one, two| two.1.total_cmp(&one.1).then(one.0.cmp(&two.0)));
        ranked.into_iter().take(limit).map(|(place, _)| place).collect()
    }

    fn add_scores(&self, postings: &[(usize, f64)], weight: f64, scores: &mut HashMap<usize, f64>) {
        #[expect(clippy::cast_precision_loss, reason = "a scope has far fewer tools")]
        let (tools, having) = (self.lengths.len() as f64, postings.len() as f64);
        let rarity = ((tools - having + 0.5) / (having + 0.5)).ln_1p();
        for (place, frequency) in postings {
            let length = 1.0 - LENGTH_WEIGHT + LENGTH_WEIGHT * self.lengths[*place] / self.length_mean.max(1.0);
            let saturated = frequency * (SATURATION + 1.0) / (frequency + SATURATION * length);
            *scores.entry(*place).or_insert(0.0) += weight * rarity * saturated;
        }
    }
}

/// Adds the names of the tool's parameters, what they say, and the values that they take.
fn add_parameters(tool: &ScopedTool, add: &mut impl FnMut(&str, f64)) {
    let properties = tool.definition().input_schema().get("properties").and_then(Value::as_object);
    for (name, schema) in properties.into_iter().flatten().filter(|(name, _)| !tool.is_pinned(name)).take(WORDS_MAX) {
        add(name, PARAMETER_WEIGHT);
        add(schema.get("description").and_then(Value::as_str).unwrap_or_default(), VALUE_WEIGHT);
        let values = schema.get("enum").or_else(|| schema.pointer("/items/enum")).and_then(Value::as_array);
        values.into_iter().flatten().filter_map(Value::as_str).take(50).for_each(|value| add(value, VALUE_WEIGHT));
    }
}

/// The names among `names` that are nearest to `wanted`, best first, at most five. What is longer than any path is near to nothing:
/// comparing two names takes as long as the product of their lengths.
pub(crate) fn nearest<'a>(names: impl Iterator<Item = &'a str>, wanted: &str) -> Vec<String> {
    let is_comparable = |name: &str| name.chars().nth(PATH_LENGTH_MAX).is_none();
    if !is_comparable(wanted) {
        return Vec::new();
    }
    let (namespace, identifier) = parts(wanted);
    let score = |name: &str| {
        let (other_namespace, other_identifier) = parts(name);
        let nearness = strsim::jaro_winkler(&other_identifier, &identifier);
        // Another server's tool of that name is near too, its own server's is nearer.
        let same_server = if namespace.is_empty() { 1.0 } else { strsim::jaro_winkler(&other_namespace, &namespace) };
        nearness - 0.1 * (1.0 - same_server)
    };
    let names = names.filter(|name| is_comparable(name));
    let mut ranked: Vec<(f64, &str)> = names.map(|name| (score(name), name)).filter(|(score, _)| *score > 0.8).collect();
    ranked.sort_by(|one, two| two.0.total_cmp(&one.0).then_with(|| one.1.cmp(two.1)));
    ranked.into_iter().take(NEAREST_MAX).map(|(_, name)| name.to_owned()).collect()
}

/// The namespace and the identifier of a path, in lower case.
fn parts(path: &str) -> (String, String) {
    let (namespace, identifier) = path.rsplit_once('.').unwrap_or(("", path));
    (namespace.to_ascii_lowercase(), identifier.to_ascii_lowercase())
}

/// The stems of the words of `text`: `createIssue_v2` is `creat`, `issu`, `v2`; each ideograph is a word.
fn words<'t>(text: &'t str, stemmer: &'t Stemmer) -> impl Iterator<Item = String> + 't {
    let pieces = text.split(|character: char| !character.is_alphanumeric()).filter(|piece| !piece.is_empty());
    pieces.flat_map(split_case).filter(|word| word.len() <= 64).map(|word| stemmer.stem(&word.to_lowercase()).into_owned())
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

    use serde_json::json;

    use super::*;
    use crate::{Catalog, Grants};

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
    fn the_nearest_names_are_those_that_were_meant() {
        let names = ["github.create_issue", "github.list_issues", "linear.create_issue", "slack.post_message"];
        assert_eq!(nearest(names.into_iter(), "github.createIssue")[0], "github.create_issue");
        assert_eq!(nearest(names.into_iter(), "post_message"), ["slack.post_message"]);
        assert!(nearest(names.into_iter(), "zzz").is_empty());
    }

    #[test]
    fn the_longest_path_is_near_and_a_longer_name_is_not_looked_at() {
        let path = |length: usize| format!("{}.{}", "s".repeat(IDENTIFIER_LENGTH_MAX), "t".repeat(length));
        let (longest, longer) = (path(IDENTIFIER_LENGTH_MAX), path(IDENTIFIER_LENGTH_MAX + 1));
        let names = [&*longest, &*longer];
        assert_eq!(nearest(names.into_iter(), &path(IDENTIFIER_LENGTH_MAX - 1)), [&*longest]);
        assert!(nearest(names.into_iter(), &longer).is_empty());
    }

    #[test]
    fn long_names_take_no_time() {
        let names: Vec<String> = (0..20).map(|name| format!("{name}{}", "n".repeat(1 << 20))).collect();
        let start = std::time::Instant::now();
        for wanted in [&*"n".repeat(100), &names[0]] {
            assert!(nearest(names.iter().map(String::as_str), wanted).is_empty());
        }
        assert!(start.elapsed() < std::time::Duration::from_secs(1), "{:?}", start.elapsed());
    }

    #[test]
    fn identifiers_are_split() {
        assert_eq!(split_case("createHTTPServer"), ["create", "HTTP", "Server"]);
        assert_eq!(split_case("\u{65e5}\u{672c}x"), ["\u{65e5}", "\u{672c}", "x"]);
    }
}
