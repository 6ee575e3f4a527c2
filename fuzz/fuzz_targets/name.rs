//! Any text as the name of a tool and of its server: the identifiers are safe, and other names stay what they were.

#![no_main]

use isolet_bindings::name::{identifier, is_identifier};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|names: (&str, &str)| {
    let (one, other) = names;
    assert!(is_identifier(&identifier(one)));
    assert_eq!(is_identifier(one), identifier(one) == one);
    assert!(one == other || identifier(one) != identifier(other));
});
