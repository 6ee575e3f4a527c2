//! The headers that are precompiled, for which targets, and for which of their sources.
//!
//! A source that defines a macro before one of its includes keeps its own headers: the macro may be meant for them.

/// A target of V8's build description that gets a precompiled header.
pub(super) struct Precompiled {
    /// The folder of the target's ninja file and objects, below `obj/`.
    pub(super) folder: &'static str,
    /// The target's own name.
    pub(super) target: &'static str,
    /// Where the headers are, as an `#include` says it.
    prefix: &'static str,
    /// The headers that most sources of the target include, without `.h`.
    headers: &'static [&'static str],
}

/// All of them: with these, 4 in 5 compilations find their headers compiled.
pub(super) const PRECOMPILED: [Precompiled; 6] = [
    Precompiled {
        folder: "v8",
        prefix: "src/",
        target: "v8_base_without_compiler",
        headers: &[
            "objects/objects-inl",
            "execution/isolate-inl",
            "heap/heap-inl",
            "heap/factory-inl",
            "api/api-inl",
            "codegen/assembler-inl",
            "codegen/macro-assembler",
            "execution/frames-inl",
            "wasm/wasm-objects-inl",
            "builtins/builtins-utils-inl",
            "codegen/interface-descriptors-inl",
            "debug/debug",
            "init/bootstrapper",
        ],
    },
    Precompiled {
        folder: "v8",
        prefix: "src/",
        target: "v8_compiler",
        headers: &[
            "objects/objects-inl",
            "execution/isolate-inl",
            "heap/heap-inl",
            "heap/factory-inl",
            "compiler/js-heap-broker",
            "compiler/node-properties",
            "compiler/common-operator",
            "compiler/simplified-operator",
            "compiler/machine-operator",
            "compiler/linkage",
            "compiler/turbofan-graph",
            "compiler/access-builder",
            "compiler/js-graph",
            "compiler/js-operator",
            "compiler/node-matchers",
            "compiler/graph-assembler",
            "compiler/turboshaft/operations",
            "compiler/turboshaft/assembler",
            "compiler/turboshaft/phase",
            "compiler/backend/instruction-selector",
        ],
    },
    Precompiled { folder: "v8", prefix: "src/", target: "v8_initializers", headers: BUILTIN_ASSEMBLERS },
    Precompiled { folder: "v8", prefix: "src/", target: "torque_generated_initializers", headers: BUILTIN_ASSEMBLERS },
    Precompiled { folder: "third_party/icu", prefix: "", target: "icui18n", headers: ICU_INTERNATIONALISATION },
    Precompiled { folder: "third_party/icu", prefix: "", target: "icuuc_private", headers: ICU_COMMON },
];

const BUILTIN_ASSEMBLERS: &[&str] = &[
    "codegen/code-stub-assembler-inl",
    "builtins/builtins-array-gen",
    "builtins/builtins-async-gen",
    "builtins/builtins-bigint-gen",
    "builtins/builtins-call-gen",
    "builtins/builtins-collections-gen",
    "builtins/builtins-constructor-gen",
    "builtins/builtins-data-view-gen",
    "builtins/builtins-iterator-gen",
    "builtins/builtins-object-gen",
    "builtins/builtins-promise-gen",
    "builtins/builtins-proxy-gen",
    "builtins/builtins-regexp-gen",
    "builtins/builtins-string-gen",
    "builtins/builtins-typed-array-gen",
    "builtins/builtins-utils-gen",
    "builtins/builtins-wasm-gen",
];

const ICU_COMMON: &[&str] = &[
    "unicode/utypes",
    "unicode/unistr",
    "unicode/uniset",
    "unicode/locid",
    "unicode/ures",
    "unicode/brkiter",
    "unicode/normalizer2",
    "unicode/ucnv",
    "charstr",
    "cmemory",
    "cstring",
    "mutex",
    "uassert",
    "uhash",
    "umutex",
    "uresimp",
    "uvector",
];

const ICU_INTERNATIONALISATION: &[&str] = &[
    "unicode/utypes",
    "unicode/unistr",
    "unicode/uniset",
    "unicode/locid",
    "unicode/ures",
    "unicode/ucal",
    "unicode/calendar",
    "unicode/datefmt",
    "unicode/numfmt",
    "unicode/decimfmt",
    "unicode/numberformatter",
    "charstr",
    "cmemory",
    "cstring",
    "mutex",
    "number_types",
    "number_utils",
    "uassert",
    "uhash",
    "umutex",
    "uresimp",
    "ureslocs",
    "uvector",
];

impl Precompiled {
    /// The text of the header.
    pub(super) fn text(&self) -> String {
        self.headers.iter().map(|header| format!("#include \"{}{header}.h\"\n", self.prefix)).collect()
    }
}

/// Whether a source defines a macro before its last include.
pub(super) fn defines_before_include(source: &str) -> bool {
    let directive =
        |line: &str, name: &str| line.trim_start().strip_prefix('#').is_some_and(|rest| rest.trim_start().starts_with(name));
    let first_definition = source.lines().position(|line| directive(line, "define"));
    let last_include = source.lines().enumerate().filter(|(_, line)| directive(line, "include")).last();
    first_definition.zip(last_include).is_some_and(|(definition, (include, _))| definition < include)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_macro_before_an_include_is_seen() {
        assert!(defines_before_include("// x\n#define EXPLICIT explicit\n#include \"a.h\"\n"));
        assert!(defines_before_include("#include \"a.h\"\n# define X\n  # include <b>\n"));
        assert!(!defines_before_include("#include \"a.h\"\n#define X\n"));
        assert!(!defines_before_include("#include \"a.h\"\n"));
        assert!(!defines_before_include("// #define X\n#include \"a.h\"\n"));
        assert!(!defines_before_include("#define X\n"));
    }

    #[test]
    fn a_header_includes_what_is_listed() {
        let text = PRECOMPILED[0].text();
        assert!(text.starts_with("#include \"src/objects/objects-inl.h\"\n"), "{text}");
    }
}
