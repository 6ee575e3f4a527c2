//! Changes to the ninja files that GN writes: what makes the build fast.
//!
//! * **Precompiled headers.** V8's headers take most of the compiler's time. Each large target gets a header of its own,
//!   compiled once with that target's flags, as one more edge of the build: ninja makes it first and again if need be.
//!   What its templates need is instantiated in it too, once instead of in every cluster.
//! * **No diagnostics** (`-w`): warnings about V8 help nobody here, and finding them takes time.
//! * **No optimisation** for what runs only while V8 is built and is not in the archive.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use anyhow::{Context as _, bail};

/// A target of V8's build description that gets a precompiled header.
struct Precompiled {
    target: &'static str,
    headers: &'static [&'static str],
}

/// The headers that most sources of a target include. Below `v8/src/`, without `.h`.
const PRECOMPILED: [Precompiled; 4] = [
    Precompiled {
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
    Precompiled { target: "v8_initializers", headers: BUILTIN_ASSEMBLERS },
    Precompiled { target: "torque_generated_initializers", headers: BUILTIN_ASSEMBLERS },
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

/// Targets that run while V8 is built and are not in the archive: the compiler of V8's own language, and the code that
/// fills V8's own snapshot.
const THROWN_AWAY: [&str; 5] = ["torque_base", "torque", "torque_generated_initializers", "v8_initializers", "v8_init"];

/// What [`change`] does, as a text that differs when it does something else.
pub(super) fn recipe() -> String {
    let mut recipe = format!("not optimised: {}\nno diagnostics\n", THROWN_AWAY.join(" "));
    for precompiled in &PRECOMPILED {
        recipe.push_str(&format!("precompiled with templates for {}: {}\n", precompiled.target, precompiled.headers.join(" ")));
    }
    recipe
}

/// Changes the ninja files below `output` as GN left them.
///
/// # Errors
///
/// When a file is missing or is not as expected, or cannot be written.
pub(super) fn change(output: &Path) -> anyhow::Result<()> {
    edit(&output.join("toolchain.ninja"), without_diagnostics)?;
    for target in THROWN_AWAY {
        edit(&target_file(output, target), without_optimisation)?;
    }
    let compiler = compiler(&fs::read_to_string(output.join("toolchain.ninja")).context("GN wrote no `toolchain.ninja`")?)?;
    let folder = output.join("precompiled");
    fs::create_dir_all(&folder).with_context(|| format!("`{}` cannot be made", folder.display()))?;
    for Precompiled { target, headers } in &PRECOMPILED {
        let includes: String = headers.iter().map(|header| format!("#include \"src/{header}.h\"\n")).collect();
        let header = folder.join(format!("{target}.h"));
        fs::write(&header, includes).with_context(|| format!("`{}` cannot be written", header.display()))?;
        edit(&target_file(output, target), |text| with_precompiled_header(text, target, &compiler))?;
    }
    Ok(())
}

fn target_file(output: &Path, target: &str) -> std::path::PathBuf {
    output.join("obj/v8").join(format!("{target}.ninja"))
}

fn edit(path: &Path, change: impl Fn(&str) -> anyhow::Result<String>) -> anyhow::Result<()> {
    let text = fs::read_to_string(path).with_context(|| format!("GN wrote no `{}`", path.display()))?;
    let changed = change(&text).with_context(|| format!("`{}` is not as this build knows it", path.display()))?;
    fs::write(path, changed).with_context(|| format!("`{}` cannot be written", path.display()))
}

/// Adds `-w` to the rules for C and C++.
fn without_diagnostics(toolchain: &str) -> anyhow::Result<String> {
    let mut changed = toolchain.to_owned();
    for language in ["${cflags} ${cflags_c} ", "${cflags} ${cflags_cc} "] {
        if !changed.contains(language) {
            bail!("no rule with `{language}`");
        }
        changed = changed.replace(language, &format!("{language}-w "));
    }
    Ok(changed)
}

/// Takes the optimisation from a target's flags, and the define that only works with it.
fn without_optimisation(target: &str) -> anyhow::Result<String> {
    let mut optimised = 0;
    let lines = target.lines().map(|line| {
        let Some((name, flags)) = line.split_once(" = ").filter(|(name, _)| ["cflags", "defines"].contains(name)) else {
            return line.to_owned();
        };
        let flags = flags.split(' ').filter(|flag| !flag.starts_with("-D_FORTIFY_SOURCE=")).map(|flag| match flag {
            "-O2" | "-O3" => {
                optimised += 1;
                "-O0"
            }
            other => other,
        });
        format!("{name} = {}", flags.collect::<Vec<_>>().join(" "))
    });
    let changed = joined(lines);
    if optimised == 1 { Ok(changed) } else { bail!("its flags optimise {optimised} times") }
}

/// The compiler of the rule `cxx`, as GN wrote it.
fn compiler(toolchain: &str) -> anyhow::Result<String> {
    let mut lines = toolchain.lines().skip_while(|line| *line != "rule cxx");
    let command = lines.find_map(|line| line.trim_start().strip_prefix("command = ")).context("no rule `cxx`")?;
    command.split_whitespace().next().map(str::to_owned).context("the rule `cxx` has no command")
}

/// Adds the edge that compiles the target's header, and makes every C++ source of the target use its result.
fn with_precompiled_header(text: &str, target: &str, compiler: &str) -> anyhow::Result<String> {
    let flags = text.lines().find_map(|line| line.strip_prefix("cflags_cc = ")).context("no `cflags_cc`")?;
    let (header, compiled) = (format!("precompiled/{target}.h"), format!("precompiled/{target}.pch"));
    let mut order_only = None;
    let lines = text.lines().map(|line| {
        if let Some(flags) = line.strip_prefix("cflags_cc = ") {
            return format!("cflags_cc = {flags} -include-pch {compiled}");
        }
        if !(line.starts_with("build ") && line.contains(": cxx ")) {
            return line.to_owned();
        }
        let (inputs, after) = line.split_once(" | ").or_else(|| line.split_once(" || ")).unwrap_or((line, ""));
        order_only.get_or_insert_with(|| after.to_owned());
        // What GN makes a source wait for are generated headers, which the precompiled header includes.
        format!("{inputs} | {compiled} || {after}")
    });
    let mut changed = joined(lines);
    let order_only =
        order_only.filter(|after| !after.contains('|')).context("its sources do not wait for generated headers")?;
    write!(
        changed,
        "\nrule precompile\n  command = {compiler} -MD -MF ${{out}}.d ${{defines}} ${{include_dirs}} ${{cflags}} ${{cflags_cc}} -w \
         -fpch-instantiate-templates -x c++-header -c ${{in}} -o ${{out}}\n  description = PRECOMPILE ${{out}}\n  depfile = ${{out}}.d\n  deps = gcc\n\
         build {compiled}: precompile {header} || {order_only}\n  cflags_cc = {flags}\n"
    )?;
    Ok(changed)
}

/// Lines as a text, each with its end.
fn joined(lines: impl Iterator<Item = String>) -> String {
    lines.fold(String::new(), |text, line| text + &line + "\n")
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test stops where it fails")]

    use super::*;

    const TARGET: &str = "defines = -DA -D_FORTIFY_SOURCE=2 -DB\ncflags = -Wall -O3 -g0\ncflags_cc = -std=c++23\n\n\
        build phony/v8/t.inputdeps: phony || phony/torque\n\
        build obj/v8/t/a.o: cxx ../a.cc | phony/v8/t.inputdeps\n  source_name_part = a\n";

    #[test]
    fn sources_use_the_precompiled_header_and_wait_for_it() {
        let changed = with_precompiled_header(TARGET, "t", "/clang/bin/clang++").unwrap();
        assert!(changed.contains("cflags_cc = -std=c++23 -include-pch precompiled/t.pch\n\n"), "{changed}");
        assert!(changed.contains("build obj/v8/t/a.o: cxx ../a.cc | precompiled/t.pch || phony/v8/t.inputdeps\n"), "{changed}");
        let edge = "build precompiled/t.pch: precompile precompiled/t.h || phony/v8/t.inputdeps\n  cflags_cc = -std=c++23\n";
        assert!(changed.ends_with(edge), "{changed}");
        assert!(changed.contains("  command = /clang/bin/clang++ -MD -MF ${out}.d ${defines} "), "{changed}");
    }

    #[test]
    fn a_target_without_generated_headers_gets_none() {
        let target = "cflags_cc = -std=c++23\nbuild obj/v8/t/a.o: cxx ../a.cc\nbuild obj/v8/t/b.o: asm ../b.S | x\n";
        // Its sources wait for nothing, so the header waits for nothing either.
        let changed = with_precompiled_header(target, "t", "clang++").unwrap();
        assert!(changed.contains("build obj/v8/t/b.o: asm ../b.S | x\n"), "{changed}");
        assert!(with_precompiled_header("cflags_cc = -std=c++23\n", "t", "clang++").is_err());
    }

    #[test]
    fn what_is_thrown_away_is_not_optimised() {
        let changed = without_optimisation(TARGET).unwrap();
        assert!(changed.starts_with("defines = -DA -DB\ncflags = -Wall -O0 -g0\ncflags_cc = -std=c++23\n"), "{changed}");
        assert!(without_optimisation(&changed).is_err(), "a second change would hide that GN's output is another one");
    }

    #[test]
    fn diagnostics_are_off_for_both_languages() {
        let rules = "rule cc\n  command = clang ${cflags} ${cflags_c} -c ${in}\n\
                     rule cxx\n  command =  /x/clang++ -MD ${cflags} ${cflags_cc} -c ${in}\n";
        let changed = without_diagnostics(rules).unwrap();
        assert!(changed.contains("${cflags_c} -w -c") && changed.contains("${cflags_cc} -w -c"), "{changed}");
        assert_eq!(compiler(&changed).unwrap(), "/x/clang++");
        assert!(without_diagnostics("rule cc\n  command = clang ${cflags} -c ${in}\n").is_err());
        assert!(compiler("rule cc\n  command = clang\n").is_err());
    }
}
