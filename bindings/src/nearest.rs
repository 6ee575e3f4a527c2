//! The names that somebody may have meant.

use crate::name::IDENTIFIER_LENGTH_MAX;

/// The most names that [`nearest`] gives.
const NEAREST_MAX: usize = 5;

/// The most characters of a path: those of two identifiers and the dot between them.
pub(crate) const PATH_LENGTH_MAX: usize = 2 * IDENTIFIER_LENGTH_MAX + 1;

/// The most names that are compared letter by letter.
const COMPARED_MAX: usize = 1_000;

/// How near a name must be.
const NEARNESS_MIN: f64 = 0.8;

/// How near a name is that says the same with another verb.
const SAME_MEANING: f64 = 0.99;

/// Verbs with which names of tools begin, each line one meaning. The first stands for all of them.
const VERBS: [&[&str]; 5] = [
    &["create", "open", "add", "new", "make"],
    &["delete", "remove", "drop", "destroy"],
    &["get", "fetch", "read", "retrieve", "show"],
    &["update", "edit", "modify", "change", "set"],
    &["search", "find", "query", "lookup"],
];

/// Names of arguments, in lower case and without what parts their words: each line one meaning.
const WORDS: [&[&str]; 11] = [
    &["path", "file", "filename", "filepath"],
    &["paths", "files", "filenames", "filepaths"],
    &["source", "src", "from", "sourcepath", "oldpath"],
    &["destination", "dest", "dst", "to", "destinationpath", "newpath"],
    &["content", "contents", "text", "body", "data"],
    &["query", "q", "search", "searchterm", "keywords"],
    &["url", "uri", "link", "href"],
    &["limit", "perpage", "pagesize", "maxresults", "maxcount", "count"],
    &["cursor", "startcursor", "nextcursor", "pagetoken"],
    &["message", "msg", "commitmessage"],
    &["branch", "branchname", "ref"],
];

/// Whether two names of arguments are words for one thing: `file` and `path`.
pub(crate) fn is_other_word_for(one: &str, other: &str) -> bool {
    let plain = |name: &str| name.to_ascii_lowercase().replace(['_', '-'], "");
    let is_short = |name: &str| name.len() <= IDENTIFIER_LENGTH_MAX;
    is_short(one) && is_short(other) && {
        let (one, other) = (plain(one), plain(other));
        WORDS.iter().any(|words| words.contains(&one.as_str()) && words.contains(&other.as_str()))
    }
}

/// `open_pull_request` as `create_pull_request`.
fn with_plain_verb(identifier: &str) -> String {
    let (verb, rest) = identifier.split_once('_').unwrap_or((identifier, ""));
    let plain = VERBS.iter().find(|verbs| verbs.contains(&verb)).and_then(|verbs| verbs.first());
    format!("{}_{rest}", plain.unwrap_or(&verb))
}

/// The names among `names` that are nearest to `wanted`, best first, at most five. What is longer than any path is near to nothing:
/// comparing two names takes as long as the product of their lengths.
pub(crate) fn nearest<'a>(names: impl Iterator<Item = &'a str>, wanted: &str) -> Vec<String> {
    let (namespace, identifier) = parts(wanted);
    let plain = with_plain_verb(&identifier);
    let score = |name: &str| {
        let (other_namespace, other_identifier) = parts(name);
        let nearness = match strsim::jaro_winkler(&other_identifier, &identifier) {
            nearness if nearness < 1.0 && identifier.contains('_') && with_plain_verb(&other_identifier) == plain => {
                SAME_MEANING
            }
            nearness => nearness,
        };
        // Another server's tool of that name is near too, its own server's is nearer.
        let same_server = if namespace.is_empty() { 1.0 } else { strsim::jaro_winkler(&other_namespace, &namespace) };
        nearness - 0.1 * (1.0 - same_server)
    };
    let mut ranked: Vec<(f64, &str)> = compared(names, wanted)
        .into_iter()
        .map(|name| (score(name), name))
        .filter(|(score, _)| *score > NEARNESS_MIN)
        .collect();
    ranked.sort_by(|one, two| two.0.total_cmp(&one.0).then_with(|| one.1.cmp(two.1)));
    ranked.into_iter().take(NEAREST_MAX).map(|(_, name)| name.to_owned()).collect()
}

/// The names that are compared with `wanted` letter by letter. Most have so few letters in common with it that they need not be.
fn compared<'a>(names: impl Iterator<Item = &'a str>, wanted: &str) -> Vec<&'a str> {
    let is_comparable = |name: &str| name.len() <= PATH_LENGTH_MAX || name.chars().nth(PATH_LENGTH_MAX).is_none();
    if !is_comparable(wanted) {
        return Vec::new();
    }
    let letters = Letters::of(&parts(wanted).1);
    let mut likely: Vec<(f64, &str)> = names
        .filter(|name| is_comparable(name))
        .map(|name| (letters.likeness_max(name.rsplit('.').next().unwrap_or(name)), name))
        .filter(|(likeness, _)| *likeness > NEARNESS_MIN)
        .collect();
    if likely.len() > COMPARED_MAX {
        likely.sort_by(|one, two| two.0.total_cmp(&one.0));
        likely.truncate(COMPARED_MAX);
    }
    likely.into_iter().map(|(_, name)| name).collect()
}

/// The namespace and the identifier of a path, in lower case.
fn parts(path: &str) -> (String, String) {
    let (namespace, identifier) = path.rsplit_once('.').unwrap_or(("", path));
    (namespace.to_ascii_lowercase(), identifier.to_ascii_lowercase())
}

/// How often each letter is in a name, those that look alike modulo 64 taken for one.
struct Letters {
    counts: [u8; 64],
    length: usize,
}

impl Letters {
    fn of(name: &str) -> Self {
        let mut letters = Self { counts: [0; 64], length: 0 };
        for character in name.chars() {
            let count = &mut letters.counts[Self::place(character)];
            *count = count.saturating_add(1);
            letters.length += 1;
        }
        letters
    }

    fn place(character: char) -> usize {
        character.to_ascii_lowercase() as usize % 64
    }

    /// What the likeness of `name` (Jaro and Winkler's) is at most, by the letters that it has in common with this one.
    fn likeness_max(&self, name: &str) -> f64 {
        let mut left = self.counts;
        let (mut common, mut length) = (0, 0);
        for character in name.chars() {
            let count = &mut left[Self::place(character)];
            common += usize::from(*count > 0);
            *count = count.saturating_sub(1);
            length += 1;
        }
        if common == 0 {
            return if self.length == length { 1.0 } else { 0.0 };
        }
        #[expect(clippy::cast_precision_loss, reason = "names are short")]
        let (common, one, other) = (common as f64, self.length as f64, length as f64);
        let jaro = (common / one + common / other + 1.0) / 3.0;
        // A common beginning of four letters counts for the rest.
        jaro + 0.4 * (1.0 - jaro)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_another_verb_of_the_same_meaning_comes_first() {
        let names = ["github.get_pull_request", "github.list_pull_requests", "github.create_pull_request"];
        let found = nearest(names.into_iter(), "github.open_pull_request");
        assert_eq!(found.first().map(String::as_str), Some("github.create_pull_request"));
        let found = nearest(["a.get", "a.list"].into_iter(), "a.fetch");
        assert!(found.is_empty(), "{found:?}: a verb alone means too much");
    }

    #[test]
    fn words_for_one_thing_are_known_however_they_are_written() {
        assert!(
            is_other_word_for("file", "path")
                && is_other_word_for("filePath", "path")
                && is_other_word_for("limit", "per_page")
        );
        assert!(!is_other_word_for("path", "query") && !is_other_word_for("owner", "user"));
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
    fn long_names_and_more_than_a_thousand_are_not_compared() {
        let long: Vec<String> = (0..20).map(|name| format!("{name}{}", "n".repeat(1 << 20))).collect();
        for wanted in [&*"n".repeat(100), &long[0]] {
            assert!(compared(long.iter().map(String::as_str), wanted).is_empty());
        }
        let alike: Vec<String> = (0..COMPARED_MAX + 5).map(|name| format!("s.name_{name:04}")).collect();
        assert_eq!(compared(alike.iter().map(String::as_str), "s.name_0001").len(), COMPARED_MAX);
        assert_eq!(compared(alike[..9].iter().map(String::as_str), "s.name_0001").len(), 9);
    }

    #[test]
    fn letters_in_common_never_understate_a_likeness() {
        let names =
            ["create_issue", "createIssue", "issue_create", "a", "", "aaaa", "b\u{e9}b\u{e9}", "list_issues", "LIST", "xyz"];
        for one in names {
            let letters = Letters::of(&one.to_ascii_lowercase());
            for other in names {
                let exact = strsim::jaro_winkler(&one.to_ascii_lowercase(), &other.to_ascii_lowercase());
                assert!(letters.likeness_max(other) >= exact - 1e-9, "{one} {other}");
            }
        }
    }
}
