//! Boots V8 from the archive that it is linked with, runs a program hot enough to be compiled by every compiler, and
//! says V8's version.

/// A loop that the optimising compilers take over, a use of ICU's data, and a regular expression.
const PROGRAM: &str = r"
    let sum = 0;
    for (let i = 0; i < 5_000_000; i++) sum = (sum + i * 7) % 1_000_003;
    const date = new Intl.DateTimeFormat('de', { month: 'long', timeZone: 'UTC' }).format(0);
    `${sum} ${date} ${/(\p{Lu}+)-\1/u.exec('x ÄB-ÄB y')[1]}`
";

fn main() {
    v8::V8::set_flags_from_string("--no-extensible-ro-snapshot");
    v8::V8::initialize_platform(v8::new_default_platform(0, false).make_shared());
    v8::V8::initialize();
    let isolate = &mut v8::Isolate::new(v8::CreateParams::default());
    v8::scope!(let scope, isolate);
    let context = v8::Context::new(scope, v8::ContextOptions::default());
    let scope = &mut v8::ContextScope::new(scope, context);
    let source = v8::String::new(scope, PROGRAM).expect("a short string");
    let value = v8::Script::compile(scope, source, None).and_then(|script| script.run(scope)).expect("the program ends");
    let said = value.to_rust_string_lossy(scope);
    assert_eq!(said, "840 Januar ÄB");
    println!("V8 {} works", v8::V8::get_version());
}
