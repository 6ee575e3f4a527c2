//! The declarations of a scope as a model gets them: everything, or what fits a budget.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use crate::declarations::{Piece, ServerDeclarations};
use crate::scoped_tool::ScopedTool;
use crate::tokens::{TokenBudget, TokenCount, count_tokens};

/// The most bytes of one server's full declarations; then signatures follow.
const SERVER_TEXT_BYTES_MAX: usize = 8 << 20;

/// The most bytes of a scope's declarations.
const SCOPE_TEXT_BYTES_MAX: usize = 32 << 20;

/// Tools in a row that do not fit, after which no more are tried.
const MISSES_MAX: usize = 32;

/// What [`crate::Scope::types`] gives.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Declarations {
    /// The declarations, after a line that says how complete they are.
    pub text: String,
    /// Whether every tool is there in full.
    pub coverage: Coverage,
    /// How each server is covered, in the order of the namespaces.
    pub servers: Vec<ServerCoverage>,
    /// How many tokens `text` has.
    pub tokens: TokenCount,
}

/// Whether declarations show every tool of a scope in full.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Coverage {
    /// All tools in full.
    Complete,
    /// Some tools are shortened or left out.
    Partial,
}

/// How many tools of a server are shown in which form.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerCoverage {
    /// The namespace.
    pub namespace: String,
    /// Tools in full.
    pub full: usize,
    /// Tools as a signature and one line.
    pub compact: usize,
    /// Tools of which only the name is shown.
    pub named: usize,
    /// Tools that are not shown; they can be searched for and called.
    pub omitted: usize,
}

/// All declarations in full, within the caps on bytes.
pub(crate) fn all(tools: &[ScopedTool], servers: &[&ServerDeclarations]) -> String {
    let mut text = String::new();
    for (server, tools) in servers.iter().zip(by_server(tools)) {
        let mut pieces = Vec::with_capacity(tools.len());
        let mut bytes = 0;
        let mut omitted = 0;
        for tool in tools {
            let piece = if bytes < SERVER_TEXT_BYTES_MAX && text.len() + bytes < SCOPE_TEXT_BYTES_MAX {
                server.full(tool)
            } else {
                server.compact(tool)
            };
            if text.len() + bytes + piece.text.len() > SCOPE_TEXT_BYTES_MAX * 2 {
                omitted += 1;
                continue;
            }
            bytes += piece.text.len();
            pieces.push(piece);
        }
        if omitted > 0 {
            pieces.push(Piece {
                text: format!("// {omitted} more tools: find them with tools.search(query)\n"),
                ..Piece::default()
            });
        }
        text.push_str(&server.assemble(&pieces));
    }
    text
}

/// What fits `budget`; `all` is the text of [`all`].
pub(crate) fn within(tools: &[ScopedTool], servers: &[&ServerDeclarations], all: &str, budget: TokenBudget) -> Declarations {
    // A token has seldom more than eight bytes, so most texts that do not fit need not be counted.
    if all.len() / 16 <= budget.tokens() {
        let text = format!("// COMPLETE: {} tools\n{all}", tools.len());
        let tokens = count_tokens(&text);
        if tokens.tokens <= budget.tokens() {
            let servers = servers.iter().zip(by_server(tools)).map(|(server, tools)| ServerCoverage {
                namespace: server.namespace.to_string(),
                full: tools.len(),
                compact: 0,
                named: 0,
                omitted: 0,
            });
            return Declarations { text, coverage: Coverage::Complete, servers: servers.collect(), tokens };
        }
    }
    let mut selection = Selection::new(tools, servers, budget.tokens());
    selection.take_signatures();
    selection.take_declarations();
    loop {
        let types = selection.types();
        if types.tokens.tokens <= budget.tokens() || !selection.give_back() {
            return types;
        }
    }
}

/// The tools of each server.
fn by_server(tools: &[ScopedTool]) -> impl Iterator<Item = &[ScopedTool]> {
    tools.chunk_by(|one, next| one.namespace() == next.namespace())
}

/// How one tool is shown.
enum Shown {
    Not,
    Compact(Piece),
    Full(Piece),
}

/// Which tools are shown, and how.
struct Selection<'a> {
    servers: Vec<(&'a ServerDeclarations, &'a [ScopedTool])>,
    /// For each server, for each tool.
    shown: Vec<Vec<Shown>>,
    /// The named types of each server that are paid for.
    types: Vec<BTreeSet<usize>>,
    /// Whether the tools of which no more is shown are listed by name.
    lists_names: bool,
    /// Tokens that are left.
    left: usize,
    /// The tools that were taken, by server and place, the last ones last.
    taken: Vec<(usize, usize)>,
}

impl<'a> Selection<'a> {
    fn new(tools: &'a [ScopedTool], servers: &[&'a ServerDeclarations], budget: usize) -> Self {
        let servers: Vec<_> = servers.iter().copied().zip(by_server(tools)).collect();
        let shown = servers.iter().map(|(_, tools)| tools.iter().map(|_| Shown::Not).collect()).collect();
        let types = servers.iter().map(|_| BTreeSet::new()).collect();
        let mut selection = Self { servers, shown, types, lists_names: true, left: budget, taken: Vec::new() };
        selection.left = budget.saturating_sub(count_tokens(&selection.heading()).tokens + 8);
        let bytes: usize = tools.iter().map(|tool| tool.identifier().len()).sum();
        // Names beyond any budget are not written out only to be counted.
        let names = if bytes / 16 > budget { usize::MAX } else { count_tokens(&selection.names()).tokens };
        selection.lists_names = names <= selection.left / 2;
        if selection.lists_names {
            selection.left -= names;
        }
        selection
    }

    /// What `piece` costs beside what is taken already.
    fn cost(&self, server: usize, piece: &Piece) -> (usize, BTreeSet<usize>) {
        let declarations = self.servers[server].0;
        let mut types = declarations.types_for(piece.uses.iter().copied());
        types.retain(|place| !self.types[server].contains(place));
        let tokens: usize = types.iter().map(|place| count_tokens(declarations.type_text(*place)).tokens).sum();
        (tokens + count_tokens(&piece.text).tokens, types)
    }

    /// Takes signatures, one of each server in turn, until no more fit.
    fn take_signatures(&mut self) {
        let longest = self.servers.iter().map(|(_, tools)| tools.len()).max().unwrap_or(0);
        let mut misses = 0;
        for place in 0..longest {
            for server in 0..self.servers.len() {
                let (declarations, tools) = self.servers[server];
                let Some(tool) = tools.get(place) else { continue };
                let piece = declarations.compact(tool);
                let opening =
                    if self.types[server].is_empty() && self.shown[server].iter().all(|shown| matches!(shown, Shown::Not)) {
                        count_tokens(&declarations.opening).tokens + 24
                    } else {
                        0
                    };
                let (cost, types) = self.cost(server, &piece);
                if cost + opening > self.left {
                    misses += 1;
                    if misses > MISSES_MAX {
                        return;
                    }
                    continue;
                }
                misses = 0;
                self.left -= cost + opening;
                self.types[server].extend(types);
                self.shown[server][place] = Shown::Compact(piece);
                self.taken.push((server, place));
            }
        }
    }

    /// Shows tools in full, the shortest first, if all have a signature and as far as the budget goes.
    fn take_declarations(&mut self) {
        if self.shown.iter().flatten().any(|shown| matches!(shown, Shown::Not)) {
            return;
        }
        let mut candidates = Vec::new();
        for (server, (declarations, tools)) in self.servers.iter().enumerate() {
            candidates.extend(tools.iter().enumerate().map(|(place, tool)| (declarations.full(tool), server, place)));
        }
        candidates.sort_by_key(|(piece, server, place)| (piece.text.len(), *server, *place));
        let mut misses = 0;
        for (piece, server, place) in candidates {
            let Shown::Compact(compact) = &self.shown[server][place] else { continue };
            let saved = count_tokens(&compact.text).tokens;
            let (cost, types) = self.cost(server, &piece);
            if cost > self.left + saved {
                misses += 1;
                if misses > MISSES_MAX {
                    return;
                }
                continue;
            }
            misses = 0;
            self.left = self.left + saved - cost;
            self.types[server].extend(types);
            self.shown[server][place] = Shown::Full(piece);
            self.taken.push((server, place));
        }
    }

    /// The openings of all servers with the names of the tools of which no more is shown.
    fn names(&self) -> String {
        let names = (0..self.servers.len()).map(|server| self.servers[server].0.opening.clone() + &self.names_of(server));
        names.collect()
    }

    fn names_of(&self, server: usize) -> String {
        let tools = self.servers[server].1.iter().zip(&self.shown[server]).filter(|(_, shown)| matches!(shown, Shown::Not));
        let mut text = String::new();
        let mut line = 0;
        for (tool, _) in tools {
            let separator = if text.is_empty() || line > 160 { "\n// " } else { ", " };
            line = if separator == ", " { line } else { 0 } + tool.identifier().len() + 2;
            text.push_str(separator);
            text.push_str(tool.identifier());
        }
        if text.is_empty() { text } else { format!("// by name only:{text}\n") }
    }

    /// Shows the tool that was taken last with less; whether there was one.
    fn give_back(&mut self) -> bool {
        let Some((server, place)) = self.taken.pop() else { return std::mem::take(&mut self.lists_names) };
        let (declarations, tools) = self.servers[server];
        self.shown[server][place] = match self.shown[server][place] {
            Shown::Full(_) => Shown::Compact(declarations.compact(&tools[place])),
            _ => Shown::Not,
        };
        true
    }

    fn coverage(&self) -> Vec<ServerCoverage> {
        let cover = |((declarations, _), shown): (&(&ServerDeclarations, &[ScopedTool]), &Vec<Shown>)| {
            let full = shown.iter().filter(|shown| matches!(shown, Shown::Full(_))).count();
            let compact = shown.iter().filter(|shown| matches!(shown, Shown::Compact(_))).count();
            let rest = shown.len() - full - compact;
            let (named, omitted) = if self.lists_names { (rest, 0) } else { (0, rest) };
            ServerCoverage { namespace: declarations.namespace.to_string(), full, compact, named, omitted }
        };
        self.servers.iter().zip(&self.shown).map(cover).collect()
    }

    /// The line that says what is shown.
    fn heading(&self) -> String {
        let coverage = self.coverage();
        let sum = |count: fn(&ServerCoverage) -> usize| coverage.iter().map(count).sum::<usize>();
        let (full, compact) = (sum(|server| server.full), sum(|server| server.compact));
        let (named, omitted) = (sum(|server| server.named), sum(|server| server.omitted));
        format!(
            "// PARTIAL: {full} tools in full, {compact} as signatures, {named} by name, {omitted} not shown. tools.search(query) and tools.describe(paths) give the rest.\n"
        )
    }

    fn types(&self) -> Declarations {
        let mut text = self.heading();
        let coverage = self.coverage();
        for (place, server) in coverage.iter().enumerate() {
            let (declarations, shown) = (self.servers[place].0, &self.shown[place]);
            if server.full + server.compact + server.named == 0 {
                continue;
            }
            let mut note = String::from("//");
            let counts = [
                (server.full, "in full"),
                (server.compact, "as signatures"),
                (server.named, "by name"),
                (server.omitted, "not shown"),
            ];
            let mut separator = " ";
            for (count, form) in counts.iter().filter(|(count, _)| *count > 0) {
                write!(note, "{separator}{count} {form}").expect("a string takes every write");
                separator = ", ";
            }
            note.push('\n');
            let mut pieces = vec![Piece { text: note, ..Piece::default() }];
            pieces.extend(shown.iter().filter_map(|shown| match shown {
                Shown::Not => None,
                Shown::Compact(piece) | Shown::Full(piece) => Some(piece.clone()),
            }));
            if self.lists_names {
                pieces.push(Piece { text: self.names_of(place), ..Piece::default() });
            }
            text.push_str(&declarations.assemble(&pieces));
        }
        let tokens = count_tokens(&text);
        Declarations { text, coverage: Coverage::Partial, servers: coverage, tokens }
    }
}
