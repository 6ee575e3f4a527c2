//! The one isolate of a guest process: boot from a snapshot, take the way out away, install bindings, run a program.
//!
//! deno_core makes the isolate; its event loop, its error conversion and its callbacks are taken out at boot, before any
//! guest text is there (ENGINE.md §5.4). Nothing here reads a property of a value that the guest controls.

use std::cell::{Cell, RefCell};
use std::ffi::c_char;

use deno_core::{JsRuntime, RuntimeOptions, v8};
use isolet_snapshots::stack::{self, PROGRAM_NAME, Position};
use isolet_snapshots::{bootstrap, flags, ops};

use super::exit::exit;
use super::{allocator, memory, parsing};
use crate::contract::boot::Boot;
use crate::contract::guest_process::{EXIT_DATA, EXIT_HEAP};
use crate::contract::v8_flags::Jit;

static SNAPSHOT_JIT_OFF: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/base-jit-off.snapshot"));
static SNAPSHOT_JIT_ON: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/base-jit-on.snapshot"));

/// What every import is answered: it depends on no file and no network.
const NO_IMPORTS: &str = "imports are not available: call the tools of this program, they are global";

/// The most rejected promises that are kept to be told of at the end.
const UNHANDLED_MAX: usize = 16;

/// The functions of the bootstrap JavaScript that the loop calls.
struct Functions {
    begin: v8::Global<v8::Function>,
    finish: v8::Global<v8::Function>,
    fire_timer: v8::Global<v8::Function>,
    install: v8::Global<v8::Function>,
    move_clock: v8::Global<v8::Function>,
    next_timer: v8::Global<v8::Function>,
    begin_calls: v8::Global<v8::Function>,
    refused: v8::Global<v8::Function>,
    settle: v8::Global<v8::Function>,
    start: v8::Global<v8::Function>,
    threw: v8::Global<v8::Function>,
    unhandled: v8::Global<v8::Function>,
}

/// Maps a place in the JavaScript that V8 runs to one in the program.
type MapPosition = Box<dyn Fn(Position) -> Position>;

thread_local! {
    static UNHANDLED: RefCell<Vec<(v8::Global<v8::Promise>, v8::Global<v8::Value>)>> = const { RefCell::new(Vec::new()) };
    static STACK_TEXT: RefCell<Option<v8::Global<v8::Function>>> = const { RefCell::new(None) };
    static MAPPED: RefCell<Option<MapPosition>> = const { RefCell::new(None) };
    static HEAP_LIMIT: Cell<usize> = const { Cell::new(0) };
}

/// A booted isolate. It is never dropped: its process ends.
pub(super) struct Isolate {
    runtime: JsRuntime,
    functions: Functions,
    /// The snapshot had the bindings of the scope in it.
    has_bindings: bool,
}

impl Isolate {
    /// Starts V8 in this process and boots the isolate from the base snapshot.
    pub(super) fn boot(boot: &Boot) -> Self {
        let base = match boot.jit {
            Jit::Off => SNAPSHOT_JIT_OFF,
            Jit::On => SNAPSHOT_JIT_ON,
        };
        Self::boot_from(base, boot, false)
    }

    /// Starts V8 in this process and boots the isolate from the snapshot of a scope, which this build has made.
    pub(super) fn boot_scope(boot: &Boot, snapshot: &'static [u8]) -> Self {
        Self::boot_from(snapshot, boot, true)
    }

    /// # Panics
    ///
    /// When the snapshot does not fit this build: the process ends, and the host sees it.
    fn boot_from(snapshot: &'static [u8], boot: &Boot, has_bindings: bool) -> Self {
        memory::keep_v8_together();
        flags::set(boot.jit.v8_flags());
        v8::V8::set_flags_from_string("--disallow-code-generation-from-strings");
        JsRuntime::init_platform(Some(v8::new_single_threaded_default_platform(false).make_shared()));
        // deno_core asks for a runtime that it could spawn on. This one has no drivers, and nothing is ever spawned.
        let entered = tokio::runtime::Builder::new_current_thread().build().expect("a runtime without drivers");
        let guard = entered.enter();
        let parameters = v8::CreateParams::default()
            .heap_limits(0, boot.heap_bytes_max)
            .array_buffer_allocator(allocator::bounded().make_shared())
            .allow_atomics_wait(false);
        let mut runtime = JsRuntime::new(RuntimeOptions {
            startup_snapshot: Some(snapshot),
            skip_op_registration: true,
            extensions: vec![ops::extension(ops::Use::Guest)],
            create_params: Some(parameters),
            ..RuntimeOptions::default()
        });
        drop(guard);
        std::mem::forget(entered);
        HEAP_LIMIT.set(boot.heap_bytes_max);
        take_callbacks_away(runtime.v8_isolate());
        // ICU looks for the machine's time zone with the first local time, and would find files that the jail has closed.
        runtime.v8_isolate().date_time_configuration_change_notification(v8::TimeZoneDetection::Redetect);
        let functions = take_functions(&mut runtime);
        let mut isolate = Self { runtime, functions, has_bindings };
        parsing::watch(isolate.heap_bytes());
        isolate
    }

    /// Makes the namespaces of a scope's tools, unless they came with the snapshot. `manifest`: JSON that the host made.
    pub(super) fn install(&mut self, manifest: &str) {
        if self.has_bindings {
            return;
        }
        deno_core::scope!(scope, self.runtime);
        let manifest: serde_json::Value = serde_json::from_str(manifest).expect("the host sends JSON");
        let manifest = serde_v8::to_v8(scope, manifest).expect("a manifest is plain data");
        call(scope, &self.functions.install, &[manifest]);
    }

    /// Sets what differs between runs: clock, random numbers, and the limits that the isolate keeps itself.
    pub(super) fn begin(&mut self, start: &crate::contract::run::RunStart) {
        allocator::set_budget(start.buffer_bytes_max);
        self.lower_heap_limit(start.heap_bytes_max);
        deno_core::scope!(scope, self.runtime);
        let clock = v8::Number::new(scope, start.clock_ms as f64).into();
        let [first, second, third, fourth] = start.seed.map(|word| v8::Integer::new_from_unsigned(scope, word).into());
        call(scope, &self.functions.begin, &[clock, first, second, third, fourth]);
        let argument_length = v8::Number::new(scope, start.argument_bytes_max as f64).into();
        let in_flight = v8::Number::new(scope, start.calls_in_flight_max.into()).into();
        let keeps_content = v8::Boolean::new(scope, start.keeps_content).into();
        call(scope, &self.functions.begin_calls, &[argument_length, in_flight, keeps_content]);
    }

    /// A limit below that of the isolate. V8 sets it when a callback goes that was never called.
    fn lower_heap_limit(&mut self, bytes: usize) {
        if bytes >= HEAP_LIMIT.get() {
            return;
        }
        HEAP_LIMIT.set(bytes);
        let isolate = self.runtime.v8_isolate();
        isolate.add_near_heap_limit_callback(unchanged_limit, std::ptr::null_mut());
        isolate.remove_near_heap_limit_callback(unchanged_limit, bytes);
    }

    /// Compiles the program and starts it. `position` maps places in `javascript` to places in the program.
    pub(super) fn start(&mut self, javascript: &str, position: impl Fn(Position) -> Position + 'static) {
        MAPPED.set(Some(Box::new(position)));
        deno_core::scope!(scope, self.runtime);
        v8::tc_scope!(let tried, scope);
        let function = compile(tried, javascript).and_then(|script| script.run(tried));
        match function.and_then(|function| v8::Local::<v8::Function>::try_from(function).ok()) {
            Some(function) => {
                call(tried, &self.functions.start, &[function.into()]);
            }
            None => {
                let exception = tried.exception().unwrap_or_else(|| v8::undefined(tried).into());
                tried.reset();
                call(tried, &self.functions.refused, &[exception]);
            }
        }
    }

    /// Runs microtasks until there are none.
    pub(super) fn drain_microtasks(&mut self) {
        self.runtime.v8_isolate().perform_microtask_checkpoint();
    }

    /// Moves the guest's clock to `milliseconds` since 1970, never back.
    pub(super) fn move_clock(&mut self, milliseconds: u64) {
        deno_core::scope!(scope, self.runtime);
        let milliseconds = v8::Number::new(scope, milliseconds as f64).into();
        call(scope, &self.functions.move_clock, &[milliseconds]);
    }

    /// When the next timer is due, milliseconds since 1970.
    pub(super) fn next_timer(&mut self) -> Option<u64> {
        deno_core::scope!(scope, self.runtime);
        let due = call(scope, &self.functions.next_timer, &[])?.number_value(scope)?;
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked: not negative, and a time")]
        (due >= 0.0).then_some(due as u64)
    }

    /// Calls the first timer that is due, and says whether there was one.
    pub(super) fn fire_timer(&mut self) -> bool {
        deno_core::scope!(scope, self.runtime);
        v8::tc_scope!(let tried, scope);
        let function = v8::Local::new(tried, &self.functions.fire_timer);
        let receiver = v8::undefined(tried).into();
        if let Some(fired) = function.call(tried, receiver, &[]) {
            return fired.is_true();
        }
        if let Some(exception) = tried.exception() {
            tried.reset();
            call(tried, &self.functions.threw, &[exception]);
        }
        true
    }

    /// Settles the promise of a call with the host's JSON text.
    pub(super) fn settle(&mut self, call_id: u32, succeeded: bool, text: &str) {
        deno_core::scope!(scope, self.runtime);
        let Some(text) = string_of(scope, text) else { return };
        let arguments =
            [v8::Integer::new_from_unsigned(scope, call_id).into(), v8::Boolean::new(scope, succeeded).into(), text];
        call(scope, &self.functions.settle, &arguments);
    }

    /// Makes the value of a program that has returned. `is_over`: its calls are waited for no longer.
    pub(super) fn finish(&mut self, is_over: bool) {
        deno_core::scope!(scope, self.runtime);
        let is_over = v8::Boolean::new(scope, is_over).into();
        call(scope, &self.functions.finish, &[is_over]);
    }

    /// Says the rejections that nobody handled, as console lines.
    pub(super) fn say_unhandled_rejections(&mut self) {
        deno_core::scope!(scope, self.runtime);
        for (_, reason) in UNHANDLED.take() {
            let reason = v8::Local::new(scope, reason);
            call(scope, &self.functions.unhandled, &[reason]);
        }
    }

    /// Forgets rejections of an earlier program: that of the warm-up.
    pub(super) fn forget_rejections(&mut self) {
        UNHANDLED.take();
    }

    /// Bytes of V8's heap in use.
    pub(super) fn heap_bytes(&mut self) -> u64 {
        self.runtime.v8_isolate().get_heap_statistics().used_heap_size() as u64
    }
}

/// Calls a function of the bootstrap, and forgets an exception: those of the guest are caught inside.
fn call<'scope>(
    scope: &mut v8::PinScope<'scope, '_>,
    function: &v8::Global<v8::Function>,
    arguments: &[v8::Local<'scope, v8::Value>],
) -> Option<v8::Local<'scope, v8::Value>> {
    v8::tc_scope!(let tried, scope);
    let function = v8::Local::new(tried, function);
    let receiver = v8::undefined(tried).into();
    function.call(tried, receiver, arguments)
}

/// A string of V8; one byte a character where that is possible.
fn string_of<'scope>(scope: &mut v8::PinScope<'scope, '_>, text: &str) -> Option<v8::Local<'scope, v8::Value>> {
    let string = if text.is_ascii() {
        v8::String::new_from_one_byte(scope, text.as_bytes(), v8::NewStringType::Normal)
    } else {
        v8::String::new_from_utf8(scope, text.as_bytes(), v8::NewStringType::Normal)
    };
    string.map(Into::into)
}

fn compile<'scope>(scope: &mut v8::PinScope<'scope, '_>, javascript: &str) -> Option<v8::Local<'scope, v8::Script>> {
    let name = v8::String::new(scope, PROGRAM_NAME)?.into();
    let origin = v8::ScriptOrigin::new(scope, name, 0, 0, false, -1, None, false, false, false, None);
    let source = v8::String::new(scope, javascript)?;
    v8::Script::compile(scope, source, Some(&origin))
}

/// Replaces what deno_core put in the isolate, and sets what ends the process.
fn take_callbacks_away(isolate: &mut v8::Isolate) {
    isolate.set_microtasks_policy(v8::MicrotasksPolicy::Explicit);
    isolate.set_promise_reject_callback(remember_rejection);
    isolate.set_prepare_stack_trace_callback(stack_text);
    isolate.set_host_import_module_dynamically_callback(refuse_import);
    isolate.set_host_import_module_with_phase_dynamically_callback(refuse_import_with_phase);
    isolate.set_host_initialize_import_meta_object_callback(leave_import_meta_empty);
    isolate.set_allow_wasm_code_generation_callback(refuse_wasm);
    isolate.set_oom_error_handler(end_out_of_memory);
}

/// Takes the functions of the bootstrap in hand, and deletes the names of everything that is not for the guest.
fn take_functions(runtime: &mut JsRuntime) -> Functions {
    deno_core::scope!(scope, runtime);
    let context = scope.get_current_context();
    context.set_allow_generation_from_strings(false);
    let global = context.global(scope);
    let name = |scope: &mut v8::PinScope<'_, '_>, name: &str| -> v8::Global<v8::String> {
        let name = v8::String::new(scope, name).expect("a short name");
        v8::Global::new(scope, name)
    };
    let key = name(scope, "__isolet");
    let key = v8::Local::new(scope, key);
    let isolet = global.get(scope, key.into()).expect("the bootstrap ran");
    let isolet = v8::Local::<v8::Object>::try_from(isolet).expect("the bootstrap leaves an object");
    let mut function = |member: &str| {
        let key = name(scope, member);
        let key = v8::Local::new(scope, key);
        let value = isolet.get(scope, key.into()).expect("a member of the bootstrap");
        let function = v8::Local::<v8::Function>::try_from(value).expect("a function of the bootstrap");
        v8::Global::new(scope, function)
    };
    let functions = Functions {
        begin: function("begin"),
        finish: function("finish"),
        fire_timer: function("fireTimer"),
        install: function("install"),
        move_clock: function("moveClock"),
        next_timer: function("nextTimer"),
        begin_calls: function("beginCalls"),
        refused: function("refused"),
        settle: function("settle"),
        start: function("start"),
        threw: function("threw"),
        unhandled: function("unhandled"),
    };
    STACK_TEXT.set(Some(function("stackText")));
    for deleted in bootstrap::DELETED_AT_BOOT {
        let key = name(scope, deleted);
        let key = v8::Local::new(scope, key);
        global.delete(scope, key.into());
    }
    functions
}

/// Keeps what was rejected without a handler, and forgets it when a handler comes.
extern "C" fn remember_rejection(message: v8::PromiseRejectMessage<'_>) {
    v8::callback_scope!(unsafe scope, &message);
    let promise = v8::Global::new(scope, message.get_promise());
    UNHANDLED.with_borrow_mut(|unhandled| match message.get_event() {
        v8::PromiseRejectEvent::PromiseRejectWithNoHandler if unhandled.len() < UNHANDLED_MAX => {
            if let Some(reason) = message.get_value() {
                unhandled.push((promise, v8::Global::new(scope, reason)));
            }
        }
        v8::PromiseRejectEvent::PromiseHandlerAddedAfterReject => unhandled.retain(|(known, _)| *known != promise),
        _ => {}
    });
}

/// The `stack` of an error: its head, then the frames that are the guest's. Never asks `Error.prepareStackTrace`.
fn stack_text<'scope>(
    scope: &mut v8::PinScope<'scope, '_>,
    error: v8::Local<'scope, v8::Value>,
    _sites: v8::Local<'scope, v8::Array>,
) -> v8::Local<'scope, v8::Value> {
    let mut frames = stack::frames_of(scope, error);
    MAPPED.with_borrow(|mapped| {
        if let Some(mapped) = mapped {
            for (_, position) in &mut frames {
                *position = mapped(*position);
            }
        }
    });
    let frames = v8::String::new(scope, &stack::frames_text(&frames)).map_or_else(|| v8::undefined(scope).into(), Into::into);
    let text = STACK_TEXT.with_borrow(Clone::clone).and_then(|function| call(scope, &function, &[error, frames]));
    text.unwrap_or_else(|| v8::undefined(scope).into())
}

fn refuse_import<'scope>(
    scope: &mut v8::PinScope<'scope, '_>,
    _options: v8::Local<'scope, v8::Data>,
    _resource: v8::Local<'scope, v8::Value>,
    _specifier: v8::Local<'scope, v8::String>,
    _attributes: v8::Local<'scope, v8::FixedArray>,
) -> Option<v8::Local<'scope, v8::Promise>> {
    let resolver = v8::PromiseResolver::new(scope)?;
    let message = v8::String::new(scope, NO_IMPORTS)?;
    let error = v8::Exception::type_error(scope, message);
    resolver.reject(scope, error);
    Some(resolver.get_promise(scope))
}

fn refuse_import_with_phase<'scope>(
    scope: &mut v8::PinScope<'scope, '_>,
    options: v8::Local<'scope, v8::Data>,
    resource: v8::Local<'scope, v8::Value>,
    specifier: v8::Local<'scope, v8::String>,
    _phase: v8::ModuleImportPhase,
    attributes: v8::Local<'scope, v8::FixedArray>,
) -> Option<v8::Local<'scope, v8::Promise>> {
    refuse_import(scope, options, resource, specifier, attributes)
}

extern "C" fn leave_import_meta_empty(
    _: v8::Local<'_, v8::Context>,
    _: v8::Local<'_, v8::Module>,
    _: v8::Local<'_, v8::Object>,
) {
}

extern "C" fn refuse_wasm(_: v8::Local<'_, v8::Context>, _: v8::Local<'_, v8::String>) -> bool {
    false
}

unsafe extern "C" fn unchanged_limit(_: *mut std::ffi::c_void, current: usize, _initial: usize) -> usize {
    current
}

/// V8 is out of memory and cannot go on: the process ends with a code of its own. V8 calls it the heap's fault also when the
/// system gave no page for a heap below its limit.
unsafe extern "C" fn end_out_of_memory(_location: *const c_char, details: &v8::OomDetails) {
    let of_heap = details.is_heap_oom && memory::is_given_by_system();
    exit(if of_heap { EXIT_HEAP } else { EXIT_DATA })
}
