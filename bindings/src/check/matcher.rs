//! A pattern of a schema, matched within the steps of a check, whoever wrote the pattern and the text.
//!
//! A pattern is ECMA-262 (`jsonschema-regex` translates it) and becomes an automaton of `regex-automata`. Its simulation looks at each byte with
//! each of its states at most; a lazily made deterministic automaton looks at each byte once, where that does not become too large. A
//! text of any length is begun with the second and, if it gives up, paid for and done with the first.

use std::sync::OnceLock;

use jsonschema_regex::{RepeatedClass, Search};
use regex_automata::hybrid::dfa::{self, DFA};
use regex_automata::nfa::thompson::pikevm::{self, PikeVM};
use regex_automata::nfa::thompson::{NFA, WhichCaptures};
use regex_automata::{Input, util::syntax};
use regex_syntax::hir::{Class, Hir, HirKind};
use regex_syntax::utf8::Utf8Sequences;

use super::meter::{Exhausted, Meter, steps};

/// The most bytes of a pattern.
const PATTERN_BYTES_MAX: usize = 1_000;

/// The most states of a pattern's automaton. Beyond it 3 KB of text would be too much to check.
pub(super) const STATES_MAX: u64 = 5_000;

/// What one byte of text costs with one state of the simulation (measured: 10 to 14 ns).
const STATE_STEPS: u64 = 15;

/// What one character costs where characters are counted, or one byte in the deterministic automaton.
const BYTE_STEPS: u64 = 4;

/// What it takes to make the automaton of one state (measured: 100 to 350 ns), and of any pattern.
const BUILD_STATE_STEPS: u64 = 400;
const BUILD_STEPS: u64 = 20_000;

/// The steps of simulation in one check, after which the deterministic automaton is tried.
const SIMULATED_STEPS_MAX: u64 = 200_000;

/// The most bytes of the deterministic automaton.
const LAZY_BYTES_MAX: usize = 256 << 10;

/// The bytes of text that the deterministic automaton reads before what it has become is paid for.
const CHUNK_BYTES: usize = 512;

/// What a byte of the deterministic automaton costs to make, for each class of bytes that it tells apart (measured: under 2 ns).
const LAZY_BYTE_STEPS: u64 = 3;

/// Why a pattern cannot be matched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unmatchable {
    /// It is no regular expression.
    Unreadable,
    /// It is one for which there is no engine that takes linear time.
    NotLinear,
    /// Its automaton is too large.
    TooLarge,
}

/// A pattern.
#[derive(Debug)]
pub(super) enum Matcher {
    /// `^X{m,n}$`: characters are counted.
    Counted(RepeatedClass),
    Automaton(Automaton),
}

#[derive(Debug)]
pub(super) struct Automaton {
    translated: String,
    states: u64,
    engines: OnceLock<Option<Box<Engines>>>,
}

#[derive(Debug)]
struct Engines {
    simulation: PikeVM,
    /// None where the pattern has none, or its states do not fit.
    deterministic: Option<DFA>,
}

/// What one check needs to match one pattern; gone with the check.
#[derive(Default)]
pub(super) struct Machine {
    simulated: u64,
    simulation: Option<pikevm::Cache>,
    deterministic: Option<dfa::Cache>,
    has_given_up: bool,
}

impl Matcher {
    /// The matcher of `pattern`, which is read here and compiled at the first use.
    pub(super) fn of(pattern: &str) -> Result<Self, Unmatchable> {
        if pattern.len() > PATTERN_BYTES_MAX {
            return Err(Unmatchable::TooLarge);
        }
        let translated = jsonschema_regex::to_rust_regex(pattern).map_err(|()| Unmatchable::Unreadable)?;
        let translated = match jsonschema_regex::search_form(pattern, &translated) {
            Some(Search::RepeatedClass(class)) => return Ok(Self::Counted(class)),
            Some(Search::Collapsed(collapsed)) => collapsed,
            None => translated.into_owned(),
        };
        // What has no translation comes as it was, and is refused here.
        let parsed = regex_syntax::parse(&translated).map_err(|error| match error {
            regex_syntax::Error::Parse(error) if is_beyond_linear(error.kind()) => Unmatchable::NotLinear,
            _ => Unmatchable::Unreadable,
        })?;
        let states = states_of(&parsed);
        if states > STATES_MAX {
            return Err(Unmatchable::TooLarge);
        }
        Ok(Self::Automaton(Automaton { translated, states, engines: OnceLock::new() }))
    }

    /// What one byte of text costs at most.
    pub(super) fn states(&self) -> u64 {
        match self {
            Self::Counted(_) => 1,
            Self::Automaton(automaton) => automaton.states,
        }
    }

    /// Whether the pattern is anywhere in `text`.
    pub(super) fn is_match(&self, text: &str, machine: &mut Machine, meter: &mut Meter) -> Result<bool, Exhausted> {
        match self {
            Self::Counted(class) => {
                meter.spend(BYTE_STEPS * steps(text.len()))?;
                Ok(class.is_match(text))
            }
            Self::Automaton(automaton) => automaton.is_match(text, machine, meter),
        }
    }
}

impl Automaton {
    fn is_match(&self, text: &str, machine: &mut Machine, meter: &mut Meter) -> Result<bool, Exhausted> {
        if self.engines.get().is_none() {
            meter.spend(BUILD_STEPS + BUILD_STATE_STEPS * self.states)?;
        }
        // What was counted ahead and cannot be built after all is not taken for a match.
        let engines = self.engines.get_or_init(|| Engines::of(&self.translated).map(Box::new)).as_ref().ok_or(Exhausted)?;
        let simulated = (STATE_STEPS * self.states).saturating_mul(steps(text.len()) + 1);
        let is_long = machine.simulated.saturating_add(simulated) > SIMULATED_STEPS_MAX;
        if let (true, false, Some(dfa)) = (is_long, machine.has_given_up, &engines.deterministic) {
            match is_match_of(dfa, text, machine, meter)? {
                Some(is_match) => return Ok(is_match),
                None => {
                    machine.has_given_up = true;
                    machine.deterministic = None;
                    meter.spend(made_steps(dfa, LAZY_BYTES_MAX))?;
                }
            }
        }
        machine.simulated = machine.simulated.saturating_add(simulated);
        meter.spend(simulated)?;
        let cache = machine.simulation.get_or_insert_with(|| engines.simulation.create_cache());
        Ok(engines.simulation.is_match(cache, text))
    }
}

/// Whether the deterministic automaton matches; none if it would become too large.
fn is_match_of(dfa: &DFA, text: &str, machine: &mut Machine, meter: &mut Meter) -> Result<Option<bool>, Exhausted> {
    let cache = machine.deterministic.get_or_insert_with(|| dfa.create_cache());
    let Ok(mut state) = dfa.start_state_forward(cache, &Input::new(text)) else { return Ok(None) };
    for chunk in text.as_bytes().chunks(CHUNK_BYTES) {
        meter.spend(BYTE_STEPS * steps(chunk.len()))?;
        let bytes = cache.memory_usage();
        for byte in chunk {
            let Ok(next) = dfa.next_state(cache, state, *byte) else { return Ok(None) };
            state = next;
            if state.is_tagged() {
                match () {
                    () if state.is_match() => return Ok(Some(true)),
                    () if state.is_dead() => return Ok(Some(false)),
                    () if state.is_quit() => return Ok(None),
                    () => {}
                }
            }
        }
        meter.spend(made_steps(dfa, cache.memory_usage().saturating_sub(bytes)))?;
    }
    match dfa.next_eoi_state(cache, state) {
        Ok(state) => Ok(Some(state.is_match())),
        Err(_) => Ok(None),
    }
}

/// What it took to make `bytes` more of a deterministic automaton: all that its states hold, for each class of bytes.
fn made_steps(dfa: &DFA, bytes: usize) -> u64 {
    steps(bytes).saturating_mul(LAZY_BYTE_STEPS * steps(dfa.byte_classes().alphabet_len()))
}

impl Engines {
    fn of(translated: &str) -> Option<Self> {
        let nfa = NFA::compiler()
            .syntax(syntax::Config::new())
            .configure(NFA::config().which_captures(WhichCaptures::Implicit))
            .build(translated)
            .ok()?;
        let lazy = dfa::Config::new().cache_capacity(LAZY_BYTES_MAX).minimum_cache_clear_count(Some(0));
        let deterministic = DFA::builder().configure(lazy).build_from_nfa(nfa.clone()).ok();
        Some(Self { simulation: PikeVM::new_from_nfa(nfa).ok()?, deterministic })
    }
}

fn is_beyond_linear(kind: &regex_syntax::ast::ErrorKind) -> bool {
    use regex_syntax::ast::ErrorKind::{UnsupportedBackreference, UnsupportedLookAround};
    matches!(kind, UnsupportedBackreference | UnsupportedLookAround)
}

/// About how many states the automaton of `pattern` has, seldom fewer than it really has: counted repetitions written out.
fn states_of(pattern: &Hir) -> u64 {
    match pattern.kind() {
        HirKind::Empty | HirKind::Look(_) => 1,
        HirKind::Literal(literal) => steps(literal.0.len()),
        HirKind::Class(Class::Bytes(_)) => 1,
        HirKind::Class(Class::Unicode(class)) => {
            let sequences = class.iter().flat_map(|range| Utf8Sequences::new(range.start(), range.end()));
            steps(sequences.count()).max(1)
        }
        HirKind::Capture(capture) => states_of(&capture.sub).saturating_add(2),
        HirKind::Concat(parts) => parts.iter().map(states_of).fold(1, u64::saturating_add),
        HirKind::Alternation(parts) => parts.iter().map(states_of).fold(1, u64::saturating_add),
        HirKind::Repetition(repetition) => {
            let times = u64::from(repetition.max.unwrap_or(repetition.min).max(1));
            times.saturating_mul(states_of(&repetition.sub).saturating_add(1)).saturating_add(1)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::processor_time;

    /// Texts that keep many states busy, and some that do not.
    fn texts(length: usize) -> Vec<String> {
        let mut random = 12_345_u64;
        let mut bit = || {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            random >> 40 & 1 == 1
        };
        let bits: String = (0..length).map(|_| if bit() { '1' } else { '0' }).collect();
        let letters: String =
            (0..length).map(|place| char::from(b'a' + u8::try_from(place * place % 26).unwrap_or(0))).collect();
        vec![bits, letters, "x".repeat(length), "a\u{e9}".repeat(length / 3), "\u{1f600}".repeat(length / 4)]
    }

    const PATTERNS: &[&str] = &[
        "1[01]{20}[^01]",
        "1[01]{400}[^01]",
        "1[01]{2000}[^01]",
        "(?:[01]*1[01]{200}[01]*){3}[^01]",
        "[01]*1[01]{300}$",
        r"^(?:[\w-]{1,8}x5_0){2,9}",
        r"(\w+\s)*\w+@",
        r"\p{L}{3}\p{N}",
        ".{0,1000}9",
        "^(a+)+$",
        "(x+x+)+y",
        r"^[a-z0-9._%+-]+@[a-z0-9.-]+\.[a-z]{2,}$",
        r"^\S*\s\b.$",
        "^data:image/png;base64,[A-Za-z0-9+/=]+$",
        "^([0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[1-8][0-9a-fA-F]{3}-[89abAB][0-9a-fA-F]{3}-[0-9a-fA-F]{12}|0{8})$",
        "[^x]{50}x|y",
        r"^[^<>]*$",
    ];

    fn matched(pattern: &str, text: &str, steps_max: u64) -> (Result<bool, Exhausted>, u64) {
        let mut meter = Meter::new(steps_max);
        let matched = Matcher::of(pattern).map_err(|_| Exhausted);
        (matched.and_then(|matcher| matcher.is_match(text, &mut Machine::default(), &mut meter)), meter.spent())
    }

    #[test]
    fn every_length_of_text_gives_what_the_regex_crate_gives() {
        for pattern in PATTERNS {
            let translated = jsonschema_regex::to_rust_regex(pattern).expect("a pattern");
            let reference = NFA::compiler().build(&translated).map(|nfa| PikeVM::new_from_nfa(nfa).expect("an automaton"));
            let reference = reference.expect("a pattern");
            for length in [0, 1, 40, 3_000] {
                for text in texts(length) {
                    let expected = reference.is_match(&mut reference.create_cache(), &text);
                    assert_eq!(matched(pattern, &text, u64::MAX).0, Ok(expected), "{pattern} {text:.40}");
                }
            }
        }
    }

    #[test]
    fn an_automaton_has_about_as_many_states_as_were_counted() {
        for pattern in PATTERNS {
            let Ok(Matcher::Automaton(automaton)) = Matcher::of(pattern) else { continue };
            let built = NFA::compiler().build(&automaton.translated).map_or(0, |nfa| steps(nfa.states().len()));
            assert!(automaton.states * 5 / 4 + 12 >= built, "{pattern}: {} counted, {built} built", automaton.states);
            assert!(automaton.states <= built * 4, "{pattern}: {} counted, {built} built", automaton.states);
        }
    }

    #[test]
    fn a_long_text_is_cheap_for_a_plain_pattern_and_given_up_for_a_heavy_one() {
        let base64 = format!("data:image/png;base64,{}", "QUJD".repeat(250_000));
        let (matched_plain, spent) = matched("^data:image/png;base64,[A-Za-z0-9+/=]+$", &base64, u64::MAX);
        assert_eq!(matched_plain, Ok(true));
        assert!(spent < 8_000_000, "{spent}");
        let bits = &texts(1_000_000)[0];
        assert_eq!(matched("1[01]{400}[^01]", bits, 100_000_000).0, Err(Exhausted));
    }

    /// The promise of the unit: coarse, as any promise on time on a machine that does other things too.
    #[test]
    fn a_step_is_about_a_nanosecond() {
        for pattern in PATTERNS {
            for text in texts(20_000) {
                let slowness = if cfg!(debug_assertions) { 20 } else { 4 };
                let is_within = || {
                    let ((_, spent), took) = processor_time::of(|| matched(pattern, &text, 400_000_000));
                    took.as_nanos() < u128::from(spent) * slowness + 20_000_000
                };
                // What else the machine does still takes its caches.
                assert!((0..10).any(|_| is_within()), "{pattern}");
            }
        }
    }

    #[test]
    fn what_has_no_small_linear_automaton_is_refused() {
        let refused = |pattern: &str| Matcher::of(pattern).err();
        assert_eq!(refused("(?=x)y"), Some(Unmatchable::NotLinear));
        assert_eq!(refused(r"(x)\1"), Some(Unmatchable::NotLinear));
        assert_eq!(refused("("), Some(Unmatchable::Unreadable));
        assert_eq!(refused("1[01]{9000}[^01]"), Some(Unmatchable::TooLarge));
        assert_eq!(refused(r"(\p{L}{200}x){20}"), Some(Unmatchable::TooLarge));
        assert_eq!(refused(&"a".repeat(PATTERN_BYTES_MAX + 1)), Some(Unmatchable::TooLarge));
        assert_eq!(refused("1[01]{2000}[^01]"), None);
        assert_eq!(refused(r"^[\p{L}\p{N} _-]{1,100}$"), None);
        assert_eq!(refused(&"a".repeat(PATTERN_BYTES_MAX)), None);
    }
}
