//! Any bytes as a server's answer to `tools/list`: a catalog, with a reason for each tool that was left out.

#![no_main]

use isolet_bindings::{Catalog, Grants};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Ok(catalog) = Catalog::load_json([("server", bytes)]) else { return };
    for dropped in catalog.dropped() {
        assert!(dropped.to_string().contains(": "));
    }
    let scope = catalog.scope(&Grants::new().allow("server.*")).expect("a pattern");
    assert_eq!(scope.tools().len(), catalog.tools().count());
    let _ = (scope.typescript(), scope.search("list", 5));
});
