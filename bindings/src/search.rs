//! Finding tools in a scope by what they are called and say.

use serde::Serialize;

use crate::scope::ScopedTool;

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

/// The places of the tools that share words with `query`, best first.
pub(crate) fn search(tools: &[ScopedTool], query: &str, limit: usize) -> Vec<usize> {
    let words: Vec<String> = words(query);
    let score = |tool: &ScopedTool| {
        let text = format!("{} {}", tool.path(), tool.description().unwrap_or_default());
        let found = self::words(&text);
        words.iter().filter(|word| found.contains(word)).count()
    };
    let mut ranked: Vec<(usize, usize)> = tools.iter().enumerate().map(|(place, tool)| (score(tool), place)).collect();
    ranked.retain(|(score, _)| *score > 0);
    ranked.sort_by_key(|(score, place)| (std::cmp::Reverse(*score), *place));
    ranked.into_iter().take(limit).map(|(_, place)| place).collect()
}

/// The names among `names` that are nearest to `wanted`, best first, at most five.
pub(crate) fn nearest<'a>(names: impl Iterator<Item = &'a str>, wanted: &str) -> Vec<String> {
    let wanted: String = wanted.chars().take(128).collect();
    let mut ranked: Vec<(f64, &str)> = names.map(|name| (strsim::jaro_winkler(name, &wanted), name)).filter(|(score, _)| *score > 0.7).collect();
    ranked.sort_by(|left, right| right.0.total_cmp(&left.0).then_with(|| left.1.cmp(right.1)));
    ranked.into_iter().take(5).map(|(_, name)| name.to_owned()).collect()
}

fn words(text: &str) -> Vec<String> {
    text.split(|character: char| !character.is_alphanumeric()).filter(|word| !word.is_empty()).map(str::to_lowercase).collect()
}
