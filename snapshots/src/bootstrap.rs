//! The isolate's own JavaScript, in the order in which it runs.

/// Name and text of each file. They run as classic scripts while the base snapshot is made, never later.
///
/// Text that goes through `execute_script`, not sources of an extension: those become references into the process that
/// made the snapshot (ENGINE.md §1.3).
pub const FILES: [(&str, &str); 10] = [
    ("isolet:bare", include_str!("../js/00_bare.js")),
    ("isolet:globals", include_str!("../js/01_globals.js")),
    ("isolet:values", include_str!("../js/02_values.js")),
    ("isolet:console", include_str!("../js/03_console.js")),
    ("isolet:time", include_str!("../js/04_time.js")),
    ("isolet:calls", include_str!("../js/05_calls.js")),
    ("isolet:text", include_str!("../js/06_text.js")),
    ("isolet:web", include_str!("../js/07_web.js")),
    ("isolet:url", include_str!("../js/08_url.js")),
    ("isolet:seal", include_str!("../js/09_seal.js")),
];

/// What the guest process deletes from the global after boot: V8 and deno_core put these there again in every context.
pub const DELETED_AT_BOOT: [&str; 8] =
    ["Deno", "__bootstrap", "__isolet", "WebAssembly", "SharedArrayBuffer", "Atomics", "Temporal", "ShadowRealm"];
