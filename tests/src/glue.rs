//! The isolate's own JavaScript meets no prototype that a program can change.
//!
//! Each feature is used twice with every built-in armed (`traps/armed.js`): its outcome must be that of the same program without
//! traps, line for line, and no trap may have seen an object that is not the program's own.

use isolet::{Config, LowerLimits, Outcome, RunOptions, Runtime, Session};
use libtest_mimic::{Failed, Trial};

use crate::cases;

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        Trial::test("glue::no_trap_sees_what_is_the_isolates", no_trap_sees_what_is_the_isolates),
        Trial::test("glue::a_trap_sees_what_a_program_gives_away", a_trap_sees_what_a_program_gives_away),
    ]
}

const ARMED: &str = include_str!("../traps/armed.js");
const UNARMED: &str = "const traps = { know: (value) => value, set() {}, end: (value) => value };";

/// Features of the glue: what a program prepares, and what it does when the traps are set.
///
/// A program must not use built-ins of its own there in a way that a trap would take for the isolate's.
const FEATURES: &[(&str, &str, &str)] = &[
    (
        "a call that is answered",
        "const sent = traps.know({ value: { a: [1, 'two'] } });",
        "const answer = traps.know(test.echo(sent));
         const { value } = traps.know(await answer);
         return traps.end({ value });",
    ),
    (
        "calls that wait for others",
        "const sent = traps.know([{ value: 1 }, { value: 2 }, { a: 1, b: 3 }, {}]);",
        "const answers = traps.know({ a: test.echo(sent[0]), b: test.echo(sent[1]), c: test.echo(sent[1]),
           d: test.add(sent[2]),
           e: test.fail(sent[3]) });
         const got = traps.know([await answers.a, await answers.b, await answers.c, await answers.d]);
         let code; try { await answers.e } catch (error) { code = traps.know(error).code + error.stack }
         return traps.end([got, code]);",
    ),
    (
        "a call that fails",
        "const sent = traps.know({});",
        "const answer = traps.know(test.fail(sent));
         let error; try { await answer } catch (caught) { error = traps.know(caught) }
         return traps.end([error.name, error.code, error.message, error.retryable, error.tool, error.stack, error instanceof ToolError]);",
    ),
    ("a call that fails, not caught", "", "const answer = test.fail({});\n\nawait answer;"),
    ("a call that fails, thrown on", "const sent = traps.know({});", "const answer = traps.know(test.fail(sent));\ntry { await answer } catch (error) { throw traps.end(error) }"),
    ("a queued call that fails", "const sent = traps.know({});", "const first = traps.know([test.echo(sent), test.echo(sent)]);\nconst answer = traps.know(test.fail(sent));\ntraps.know([await first[0], await first[1]]);\ntry { await answer } catch (error) { throw traps.end(error) }"),
    (
        "arguments that cannot be sent",
        "const { Error } = globalThis; const cycle = {}; cycle.cycle = cycle;
         const sent = traps.know([cycle, { large: 'x'.repeat(20_000) }, { toJSON() { throw new Error('mine') } }]);",
        "const answers = traps.know([test.echo(sent[0]), test.echo(sent[1]), test.echo(sent[2])]);
         const messages = traps.know([]);
         for (let place = 0; place < 3; place++) try { await answers[place] } catch (error) { messages[place] = traps.know(error).message }
         return traps.end(messages);",
    ),
    (
        "search and describe",
        "",
        "const answers = traps.know([tools.search('echo', 2), tools.describe('test.echo', 'test.add'), tools.describe('no.where')]);
         const found = traps.know(await answers[0]);
         const described = traps.know(await answers[1]);
         let code; try { code = traps.know(await answers[2]) } catch (error) { code = traps.know(error).code }
         return traps.end([found, described, code]);",
    ),
    (
        "timers",
        "const { setTimeout, setInterval, clearTimeout, clearInterval, Promise } = globalThis; const said = [0, 0, 0, 0];",
        "const executor = traps.know((resolve) => {
           traps.know(resolve);
           setTimeout(traps.know((a, b) => { said[0] = a + b; }), 2, 3, 4);
           const gone = setTimeout(traps.know(() => { said[1] = 'not cleared'; }), 1);
           const again = setInterval(traps.know(() => { if (++said[2] === 3) { clearInterval(again); resolve(said); } }), 3);
           clearTimeout(gone);
         });
         const waited = traps.know(new Promise(executor));
         const result = await waited;
         return traps.end(result);",
    ),
    (
        "an error in a timer",
        "const { Error, Promise, setTimeout } = globalThis;",
        "setTimeout(traps.know(() => { throw traps.end(new Error('late')) }), 1);
         await traps.know(new Promise(traps.know((resolve) => { traps.know(resolve) })));",
    ),
    (
        "microtasks",
        "const { Error, queueMicrotask } = globalThis; let said = 0; const sent = traps.know({});",
        "queueMicrotask(traps.know(() => { said = 1 }));
         traps.know(await traps.know(test.echo(sent)));
         queueMicrotask(traps.know(() => { throw traps.end(new Error('in a microtask ' + said)) }));
         traps.know(await traps.know(test.echo(sent)));",
    ),
    (
        "the console",
        "class Own { a = 1 } const handler = traps.know({}); const values = traps.know([1, 2n, 'text', Symbol('s'), undefined, null, () => 1, function named() {}, [1, [2, [3, [4, [5]]]]],
           { a: { b: { c: { d: { e: 1 } } } }, 'no identifier': 1, $: 2 }, new Map([['k', new Set([1])]]), new Set([{}]), new Date(0), /re/g,
           new Error('shown'), new ToolError('failed'), new Own(), new Proxy({ p: 1 }, handler), Promise.resolve(1), { then: 1, toJSON: 2 }, [1, , 3],
           Array.from({ length: 120 }, (_, at) => at), Object.fromEntries(Array.from({ length: 120 }, (_, at) => ['k' + at, at])), '\\ud83d', '']);
         const inside = traps.know(values.map((value) => ({ value })));
         const { console } = globalThis; const shown = traps.know({ a: [1] });",
        "for (let place = 0; place < values.length; place++) console.log(values[place], inside[place]);
         console.debug(1); console.info(shown, 2); console.warn('w'); console.error('e'); console.trace('t'); console.dir(shown); console.table(shown);
         console.assert(false, 'a', 1); console.assert(true); console.assert(false); console.count(); console.count(); console.count('c');
         console.group('g'); console.log('in'); console.groupEnd(); console.groupEnd(); console.log(); console.time('x'); console.timeEnd('x');
         return traps.end(1);",
    ),
    (
        "an error with causes",
        "const cause = new RangeError('cause', { cause: 'of it' }); const errors = [new TypeError('one'), 'two', { message: 'three', code: 'E' }, 4, 5];
         const thrown = new AggregateError(errors, 'all of them', { cause });",
        "throw traps.end(thrown);",
    ),
    ("an error of the engine", "", "try { null.nothing } catch (error) { throw traps.end(error) }"),
    ("a thrown text", "", "throw traps.end('a text');"),
    ("a thrown object", "", "throw traps.end({ name: 'Mine', message: 'of mine', code: 'C', stack: 'at mine', cause: { toString: 1 } });"),
    ("a thrown tool error", "const own = new ToolError('of mine', { code: 'c', retryable: true, tool: 't' });", "throw traps.end(own);"),
    (
        "unhandled rejections",
        "const { Error } = globalThis;",
        "traps.know((async () => { throw traps.know(new Error('nobody')) })());\nreturn traps.end(1);",
    ),
    (
        "a result of every kind",
        "const inner = traps.know(new Map([[1, 2n]])); const result = { map: new Map([['a', inner]]), set: new Set([1, 'b']), big: 12345678901234567890n, date: new Date(0), url: new URL('a:b'),
           array: [1, , 3], typed: new Uint8Array([1, 2]), nothing: undefined, error: new Error('e'), half: '\\ud83d', own: { toJSON() { return 'own' } } };",
        "return traps.end(result);",
    ),
    ("a map as the result", "const list = traps.know([2]); const result = new Map([['a', 1], ['b', list]]);", "return traps.end(result);"),
    ("no result", "", "traps.end();"),
    (
        "raw JSON",
        "const { JSON } = globalThis;",
        "const raw = traps.know([JSON.rawJSON('1e999'), JSON.rawJSON('-1e999'), JSON.rawJSON('1e3'), JSON.rawJSON('\"text\"')]); return traps.end({ raw });",
    ),
    (
        "addresses",
        "const { URL } = globalThis;",
        "const url = traps.know(new URL('../c?q=1&q=2&e=%20+#h', 'https://user:word@example.com:8443/a/b'));
         const parts = traps.know([url.href, url.origin, url.protocol, url.username, url.password, url.host, url.hostname, url.port, url.pathname, url.search, url.hash]);
         url.pathname = '/new path'; url.hash = ''; url.search = '?x=1';
         let wrong; try { new URL('no') } catch (error) { wrong = traps.know(error).message }
         const params = traps.know(url.searchParams);
         params.append('a', \"b !'()~*\"); params.set('x', '2'); params.delete('none');
         return traps.end([parts, url.href, url.toString(), url.toJSON(), wrong, URL.canParse('a:b'), URL.canParse(''), traps.know(URL.parse('a:b')).href]);",
    ),
    (
        "queries",
        "const { URLSearchParams } = globalThis; const members = traps.know({ a: '1', b: 2 });",
        "const params = traps.know(new URLSearchParams('?b=2&a=1&a=%C3%BC+x&&=&c'));
         params.sort();
         const all = traps.know(params.getAll('a'));
         const empty = traps.know(new URLSearchParams(''));
         const of = traps.know(new URLSearchParams(members));
         let walked = ''; params.forEach(traps.know((value, name) => { walked += name + value }));
         return traps.end([params.toString(), all, params.get('b'), params.get('z'), params.has('c'), params.size, empty.toString(), of.toString(), walked]);",
    ),
    (
        "UTF-8",
        "const { TextEncoder, TextDecoder } = globalThis; const broken = traps.know(new Uint8Array([0xef, 0xbb, 0xbf, 97, 0xff, 0xe2, 0x82]));",
        "const encoder = traps.know(new TextEncoder()); const decoder = traps.know(new TextDecoder('utf-8', traps.know({ fatal: false })));
         const bytes = traps.know(encoder.encode('a\\u00fc\\u20ac\\u{1f600}\\ud83d'));
         const none = traps.know(encoder.encode(''));
         let fatal; try { traps.know(new TextDecoder('utf-8', traps.know({ fatal: true }))).decode(broken) } catch (error) { fatal = traps.know(error).message }
         return traps.end([bytes.length, none.length, decoder.decode(bytes), decoder.decode(broken), decoder.decode(), decoder.encoding, fatal]);",
    ),
    (
        "base64",
        "const { atob, btoa } = globalThis;",
        "let wrong; try { atob('a') } catch (error) { wrong = traps.know(error).message }
         let wide; try { btoa('\\u20ac') } catch (error) { wide = traps.know(error).message }
         return traps.end([btoa(''), btoa('a'), btoa('ab'), btoa('abc'), atob(''), atob('YQ=='), atob(' Y\\nWI= '), atob('YWJj'), wrong, wide]);",
    ),
    (
        "clones",
        "const { structuredClone } = globalThis; const bytes = new Uint8Array([1, 2, 3]);
         const value = traps.know({ array: [1, , [2]], map: new Map([['k', 'v']]), set: new Set([1]), date: new Date(5), re: /a/gi, error: new TypeError('e'),
           bytes, view: new DataView(bytes.buffer, 1), buffer: bytes.buffer, words: new BigUint64Array([1n]), floats: new Float64Array([1.5]).subarray(0, 1) }); value.self = value;",
        "const copy = traps.know(structuredClone(value));
         let refused; try { structuredClone(traps.know(() => 1)) } catch (error) { refused = traps.know(error).message }
         return traps.end([copy.self === copy, copy.array, copy.map, copy.set, copy.date, copy.re.source, copy.error.message, copy.error.name, copy.bytes, copy.view.byteLength,
           copy.buffer.byteLength, copy.words, copy.floats, refused]);",
    ),
    (
        "random and time",
        "const { crypto, Math, Date, Intl } = globalThis; const words = traps.know(new Uint32Array(2)); const format = traps.know(new Intl.DateTimeFormat('en', { timeZone: 'UTC' }));",
        "traps.know(crypto.getRandomValues(words));
         const date = traps.know(new Date());
         return traps.end([crypto.randomUUID(), words, Math.random(), Date.now(), Date(), date, traps.know(new Date(2020, 1)).getFullYear(), Date.UTC(2020), traps.know(format.format)()]);",
    ),
    (
        "buffers",
        "const { ArrayBuffer } = globalThis;",
        "const buffer = traps.know(new ArrayBuffer(8));
         let wrong; try { new ArrayBuffer(8, traps.know({ maxByteLength: 16 })) } catch (error) { wrong = traps.know(error).message }
         return traps.end([buffer.byteLength, wrong]);",
    ),
    (
        "aborting",
        "const { AbortController, AbortSignal, Promise } = globalThis; let heard = '';",
        "const controller = traps.know(new AbortController()); const { signal } = controller; traps.know(signal);
         const gone = traps.know(() => { heard += 'gone' });
         signal.addEventListener('abort', traps.know((event) => { traps.know(event); heard += event.type }));
         signal.addEventListener('abort', gone); signal.removeEventListener('abort', gone);
         signal.onabort = traps.know((event) => { traps.know(event); heard += 'on' });
         controller.abort(); traps.know(signal.reason); controller.abort(1);
         const past = traps.know(AbortSignal.abort('now'));
         const later = traps.know(AbortSignal.timeout(2));
         const executor = traps.know((resolve) => { traps.know(resolve); later.onabort = traps.know((event) => { traps.know(event); resolve(1) }) });
         await traps.know(new Promise(executor));
         let thrown; try { signal.throwIfAborted() } catch (error) { thrown = traps.know(error).name }
         return traps.end([heard, signal.aborted, signal.reason.message, past.reason, traps.know(later.reason).name, thrown]);",
    ),
];

fn program(prelude: &str, setup: &str, mode: &str, body: &str) -> String {
    // The same lines with and without traps.
    let padding = "\n".repeat(ARMED.lines().count() - prelude.lines().count());
    let prelude = prelude.trim_end();
    format!("{prelude}{padding}\n{{\n{setup}\ntraps.set({mode});\n{body}\n}}")
}

fn run(tokio: &tokio::runtime::Runtime, session: &Session, source: &str) -> Result<Outcome, Failed> {
    let mut limits = LowerLimits::default();
    limits.calls_in_flight_max = Some(2);
    limits.argument_bytes_max = Some(10_000);
    let options = RunOptions::default().with(|options| {
        options.limits = limits;
        options.clock_ms = Some(1_700_000_000_000);
        options.seed = Some([1, 2, 3, 4]);
    });
    Ok(tokio.block_on(session.run_with(source, options))?)
}

fn session(tokio: &tokio::runtime::Runtime) -> Result<Session, Failed> {
    let _entered = tokio.enter();
    Ok(Runtime::new(Config::default())?.session(cases::scope()?, cases::Tools))
}

/// All that can be compared of an outcome: the lines of calls, the place, the stack and the causes of an error among it.
fn text_of(outcome: &Outcome) -> String {
    format!("{}{:#?}", cases::text_of(outcome), outcome.end)
}

fn no_trap_sees_what_is_the_isolates() -> Result<(), Failed> {
    let tokio = tokio::runtime::Runtime::new()?;
    let session = session(&tokio)?;
    let mut wrong = String::new();
    for (name, setup, body) in FEATURES {
        let expected = text_of(&run(&tokio, &session, &program(UNARMED, setup, "", body))?);
        for (kind, mode) in [("traps", "false"), ("proxies", "true")] {
            let actual = text_of(&run(&tokio, &session, &program(ARMED, setup, mode, body))?);
            if actual != expected {
                wrong += &format!("== {name}, with {kind}:\n{actual}\n== without:\n{expected}\n");
            }
        }
    }
    if wrong.is_empty() { Ok(()) } else { Err(wrong.into()) }
}

/// The traps work: what would be told of the isolate is told of a program that does the same.
fn a_trap_sees_what_a_program_gives_away() -> Result<(), Failed> {
    let tokio = tokio::runtime::Runtime::new()?;
    let session = session(&tokio)?;
    for (body, told) in [
        ("const list = []; list.push(1); return traps.end(1)", "leak: call Array.prototype.push"),
        ("const list = []; list[3] = 1; return traps.end(1)", "leak: set Object.prototype.3, this"),
        ("for (const one of [1]); return traps.end(1)", "leak: get Array.prototype.Symbol(Symbol.iterator), this"),
        ("(async () => {})().then(() => {}); return traps.end(1)", "leak: get prototype of promise.constructor, this"),
        ("''[0]; return traps.end(1)", "leak: get Object.prototype.0, this"),
        ("JSON.stringify({}); return traps.end(1)", "leak: get Object.prototype.toJSON, this"),
    ] {
        let text = text_of(&run(&tokio, &session, &program(ARMED, "", "false", body))?);
        if !text.contains(told) {
            return Err(format!("{body} gave:\n{text}\nwithout `{told}`").into());
        }
    }
    Ok(())
}
