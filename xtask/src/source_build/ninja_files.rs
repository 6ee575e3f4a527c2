//! Changes to the ninja files that GN writes: what makes the build fast.
//!
//! * **Precompiled headers.** V8's headers take most of the compiler's time. Each large target gets a header of its own,
//!   compiled once with that target's flags, as one more edge of the build: ninja makes it first and again if need be.
//!   What its templates need is instantiated in it too, once instead of in every compilation.
//! * **No diagnostics** (`-w`): warnings about V8 help nobody here, and finding them takes time.
//! * **No optimisation** for what runs only while V8 is built and is not in the archive.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use anyhow::{Context as _, bail};

use super::precompiled::{PRECOMPILED, Precompiled, defines_before_include};

/// Targets that run while V8 is built and are not in the archive: the compiler of V8's own language, and the code that
/// fills V8's own snapshot.
const THROWN_AWAY: [&str; 5] = ["torque_base", "torque", "torque_generated_initializers", "v8_initializers", "v8_init"];

/// What [`change`] does, as a text that differs when it does something else.
pub(super) fn recipe() -> String {
    let mut recipe = format!("not optimised: {}\nno diagnostics\n", THROWN_AWAY.join(" "));
    for precompiled in &PRECOMPILED {
        recipe.push_str(&format!("precompiled with templates for {}:\n{}", precompiled.target, precompiled.text()));
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
        edit(&output.join(format!("obj/v8/{target}.ninja")), without_optimisation)?;
    }
    let compiler = compiler(&fs::read_to_string(output.join("toolchain.ninja")).context("GN wrote no `toolchain.ninja`")?)?;
    let folder = output.join("precompiled");
    fs::create_dir_all(&folder).with_context(|| format!("`{}` cannot be made", folder.display()))?;
    for precompiled in &PRECOMPILED {
        let header = folder.join(format!("{}.h", precompiled.target));
        fs::write(&header, precompiled.text()).with_context(|| format!("`{}` cannot be written", header.display()))?;
        let file = output.join("obj").join(precompiled.folder).join(format!("{}.ninja", precompiled.target));
        // A source that cannot be read is one that the build makes: a cluster.
        let keeps_own = |source: &str| {
            fs::read(output.join(source)).is_ok_and(|text| defines_before_include(&String::from_utf8_lossy(&text)))
        };
        edit(&file, |text| with_precompiled_header(text, precompiled, &compiler, keeps_own))?;
    }
    Ok(())
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

/// Adds the edge that compiles the target's header, and makes every C++ source of the target use its result, but for those
/// that `keeps_own` names.
fn with_precompiled_header(
    text: &str,
    precompiled: &Precompiled,
    compiler: &str,
    keeps_own: impl Fn(&str) -> bool,
) -> anyhow::Result<String> {
    let flags = text.lines().find_map(|line| line.strip_prefix("cflags_cc = ")).context("no `cflags_cc`")?;
    let (header, compiled) =
        (format!("precompiled/{}.h", precompiled.target), format!("precompiled/{}.pch", precompiled.target));
    let mut waits_for = None;
    let lines = text.lines().map(|line| {
        if line.starts_with("cflags_cc = ") {
            return format!("{line} -include-pch {compiled}");
        }
        let Some((_, inputs)) = line.split_once(": cxx ").filter(|_| line.starts_with("build ")) else {
            return line.to_owned();
        };
        if keeps_own(inputs.split(' ').next().unwrap_or(inputs)) {
            return format!("{line}\n  cflags_cc = {flags}");
        }
        // What GN makes a source wait for are generated headers, which the precompiled header includes.
        let (edge, others) = line.split_once(" || ").or_else(|| line.split_once(" | ")).unwrap_or((line, ""));
        waits_for.get_or_insert_with(|| others.to_owned());
        format!("{edge} | {compiled} || {others}")
    });
    let mut changed = joined(lines);
    let waits_for = waits_for.filter(|others| !others.contains('|')).context("no source that it is for")?;
    write!(
        changed,
        "\nrule precompile\n  command = {compiler} -MD -MF ${{out}}.d ${{defines}} ${{include_dirs}} ${{cflags}} ${{cflags_cc}} -w \
         -fpch-instantiate-templates -x c++-header -c ${{in}} -o ${{out}}\n  description = PRECOMPILE ${{out}}\n  \
         depfile = ${{out}}.d\n  deps = gcc\n\
         build {compiled}: precompile {header} || {waits_for}\n  cflags_cc = {flags}\n"
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

    fn changed(target: &str) -> anyhow::Result<String> {
        let precompiled = &PRECOMPILED[0];
        with_precompiled_header(target, precompiled, "/clang/bin/clang++", |source| source == "../own.cc")
    }

    #[test]
    fn sources_use_the_precompiled_header_and_wait_for_it() {
        let changed = changed(TARGET).unwrap();
        let compiled = "precompiled/v8_base_without_compiler.pch";
        assert!(changed.contains(&format!("cflags_cc = -std=c++23 -include-pch {compiled}\n\n")), "{changed}");
        assert!(
            changed.contains(&format!("build obj/v8/t/a.o: cxx ../a.cc | {compiled} || phony/v8/t.inputdeps\n")),
            "{changed}"
        );
        assert!(changed.contains("  command = /clang/bin/clang++ -MD -MF ${out}.d ${defines} "), "{changed}");
        let edge = format!("build {compiled}: precompile precompiled/v8_base_without_compiler.h || phony/v8/t.inputdeps\n");
        assert!(changed.ends_with(&format!("{edge}  cflags_cc = -std=c++23\n")), "{changed}");
    }

    #[test]
    fn a_source_that_keeps_its_own_headers_keeps_its_edge_and_flags() {
        let target = format!("{TARGET}build obj/v8/t/own.o: cxx ../own.cc | phony/v8/t.inputdeps\n  source_name_part = own\n");
        let changed = changed(&target).unwrap();
        let edge =
            "build obj/v8/t/own.o: cxx ../own.cc | phony/v8/t.inputdeps\n  cflags_cc = -std=c++23\n  source_name_part = own\n";
        assert!(changed.contains(edge), "{changed}");
    }

    #[test]
    fn what_is_no_cxx_source_is_left_alone() {
        let target = format!("{TARGET}build obj/v8/t/b.o: asm ../b.S | x\n");
        assert!(changed(&target).unwrap().contains("build obj/v8/t/b.o: asm ../b.S | x\n"));
        assert!(changed("cflags_cc = -std=c++23\n").is_err(), "a header for no source");
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
