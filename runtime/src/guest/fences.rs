//! Programs in Markdown: the blocks between fences.
//!
//! What is around them has to be prose. A program that does not parse and writes Markdown itself, in a template or a comment, has
//! fences too: what is between those is an example for somebody else, and must never run.

use std::iter;

/// More blocks than these are no program that was meant to be run.
const BLOCKS_MAX: usize = 16;
/// The shortest fence, characters.
const FENCE_MIN: usize = 3;

/// A fenced block that may be a program.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Block {
    /// The block, with an empty line for each line before it: its places are those of the whole text.
    pub(super) text: String,
    /// Where it begins in the whole text, bytes.
    pub(super) place: usize,
}

/// An open fence.
struct Fence {
    mark: char,
    length: usize,
    is_program: bool,
}

/// The fenced blocks of `text` that may be programs, by what their fences say; none if there are too many, or code around them. A
/// last block that is never closed goes to the end.
pub(super) fn blocks(text: &str) -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    let mut open: Option<Fence> = None;
    let mut place = 0;
    for (number, line) in text.split_inclusive('\n').enumerate() {
        place += line.len();
        match &open {
            Some(fence) if fence.is_closed_by(line) => open = None,
            Some(Fence { is_program: true, .. }) => {
                if let Some(block) = blocks.last_mut() {
                    block.text.push_str(line);
                }
            }
            Some(_) => {}
            None => {
                open = Fence::opened_by(line);
                if open.is_none() && is_code(line) {
                    return Vec::new();
                }
                if open.as_ref().is_some_and(|fence| fence.is_program) {
                    if blocks.len() == BLOCKS_MAX {
                        return Vec::new();
                    }
                    blocks.push(Block { text: iter::repeat_n('\n', number + 1).collect(), place });
                }
            }
        }
    }
    blocks
}

impl Fence {
    /// The fence that a line opens. What is written with backticks inside a line is none.
    fn opened_by(line: &str) -> Option<Self> {
        let (mark, length, language) = marks(line)?;
        let opens = length >= FENCE_MIN && !language.contains('`');
        opens.then(|| Self { mark, length, is_program: is_program(language) })
    }

    fn is_closed_by(&self, line: &str) -> bool {
        marks(line).is_some_and(|(mark, length, rest)| mark == self.mark && length >= self.length && rest.is_empty())
    }
}

/// The character that a line of Markdown begins with if it is that of a fence, how many there are, and what follows.
fn marks(line: &str) -> Option<(char, usize, &str)> {
    let line = line.trim_start_matches('\u{feff}').trim();
    let mark = line.chars().next().filter(|mark| matches!(mark, '`' | '~'))?;
    let rest = line.trim_start_matches(mark);
    Some((mark, line.len() - rest.len(), rest.trim()))
}

/// Whether a block may be a program by the language that its fence names, if any.
fn is_program(language: &str) -> bool {
    const LANGUAGES: [&str; 11] = ["", "ts", "typescript", "js", "javascript", "mts", "mjs", "cts", "cjs", "tsx", "jsx"];
    let name = language.split(|character: char| !character.is_alphanumeric()).next().unwrap_or_default();
    let says_other = name.is_empty() && !language.is_empty();
    !says_other && LANGUAGES.iter().any(|known| known.eq_ignore_ascii_case(name))
}

/// Whether a line between paragraphs of prose looks like code. What is `code` in a line of Markdown does not count.
fn is_code(line: &str) -> bool {
    const BEGINNINGS: [&str; 8] = ["//", "const ", "import ", "export ", "return ", "await ", "async ", "function "];
    let line = line.trim();
    let is_half_open = !line.matches('`').count().is_multiple_of(2);
    let prose: String = line.split('`').step_by(2).collect();
    is_half_open
        || line.ends_with([';', '{', '}', '(', '['])
        || BEGINNINGS.iter().any(|beginning| line.starts_with(beginning))
        || ["=>", " = ", "/*", "*/"].iter().any(|sign| prose.contains(sign))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &[&str]) {
        let found = blocks(text);
        let found: Vec<&str> = found.iter().map(|block| block.text.as_str()).collect();
        assert_eq!(found, expected, "{text}");
    }

    #[test]
    fn a_block_keeps_its_lines() {
        check("Here:\n\n```ts\nreturn 1\n```\nDone.", &["\n\n\nreturn 1\n"]);
        check("\u{feff}```\r\nreturn 1\r\n```\r\n", &["\nreturn 1\r\n"]);
    }

    #[test]
    fn a_fence_is_closed_by_one_that_is_as_long_and_bare() {
        check("````ts\na\n```\nb\n`````\nc", &["\na\n```\nb\n"]);
        check("~~~js\na\n```\n~~~", &["\na\n```\n"]);
        check("```ts\na\n```ts\nb\n```", &["\na\n```ts\nb\n"]);
        check("```ts\na", &["\na"]);
    }

    #[test]
    fn a_block_in_another_language_is_no_program() {
        check("```bash\nls\n```\n```python\nx\n```\n```json\n[1]\n```\n```{.ts}\n1\n```", &[]);
        check("```bash\nls\n```\n```TypeScript title=main.ts\na\n```", &["\n\n\n\na\n"]);
    }

    #[test]
    fn backticks_in_a_line_are_no_fence() {
        check("Use ```x``` or\n```x``` there\n`` a\n", &[]);
    }

    #[test]
    fn a_program_that_writes_markdown_has_no_blocks() {
        check("const text = `# Usage\n```js\nremove()\n```\n`;\nreturn text +", &[]);
        check("/*\n```ts\nremove()\n```\n*/\nconst a = ;", &[]);
        check("f(() => {\n```js\nremove()\n```\n", &[]);
        check("```ts\nconst text = `\n```js\nremove()\n```\n`;\n```", &[]);
        check("It sets `a = 1;`, and (of `x`) more.\n```ts\na\n```\nLet me know!", &["\n\na\n"]);
    }

    #[test]
    fn too_many_blocks_are_none_and_the_edge_is_not() {
        assert_eq!(blocks(&"```\n1\n```\n".repeat(BLOCKS_MAX)).len(), BLOCKS_MAX);
        assert_eq!(blocks(&"```\n1\n```\n".repeat(BLOCKS_MAX + 1)).len(), 0);
    }
}
