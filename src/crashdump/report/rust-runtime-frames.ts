/**
 * Frames of Rust's runtime on the stack of a crash. A panic runs through std and core, and through handlers of crates
 * like esp-backtrace, before the chip stops: the place of the crash is the function that panicked. Names may lack their
 * path, where debug information does: `panic_fmt`.
 */

/** Entry points of a panic: what they call only reports it. */
const PANIC_PATHS =
  /^(?:core::panicking::|core::(?:option|result)::(?:unwrap_failed|expect_failed|expect_none_failed)|core::(?:slice|str)::(?:[a-z_]+::)*(?:[a-z_]+_fail(?:_rt|_ct)?)|core::cell::panic_|alloc::alloc::handle_alloc_error|alloc::raw_vec::(?:handle_error|capacity_overflow)|std::panicking::(?:begin_panic|rust_panic|panic_|default_hook)|std::alloc::(?:rust_oom|handle_alloc_error))/;
const PANIC_NAMES =
  /^(?:rust_begin_unwind|rust_panic\w*|__rust_start_panic|__rust_abort|__rust_(?:alloc_error_handler|foreign_exception|drop_panic)|__rust_end_short_backtrace|begin_panic(?:_handler|_fmt)?|panic_(?:fmt|nounwind(?:_fmt)?|bounds_check|display|explicit|str(?:_2015|_nounwind)?|misaligned_pointer_dereference|null_pointer_dereference|cannot_unwind|in_cleanup|const_[a-z_]+)|(?:unwrap|expect|assert)_failed(?:_inner)?|unreachable_display|slice_\w+_fail|handle_alloc_error|abort_internal)$/;

/** What surrounds the application's code: starts of threads, calls of closures, allocation, the backtrace printers. */
const RUNTIME_PATHS =
  /^(?:std::(?:panicking|panic|rt|sys|sys_common|thread)::|std::process::abort|core::ops::function::|alloc::boxed::|core::intrinsics::|core::ptr::drop_in_place|esp_backtrace::|esp_println::|panic_(?:abort|unwind|halt|probe|rtt_target)::|esp_idf_(?:sys|svc|hal)::(?:panic|patches|start)|alloc::alloc::(?:alloc|dealloc|realloc|exchange_malloc))/;
const RUNTIME_NAMES = /^(?:__rust_\w+|__rg_\w+|__rdl_\w+|rust_eh_personality|lang_start(?:_internal)?)$/;

/** Functions of the runtime have short names. */
const MAX_NAME_LENGTH = 400;

/** True for the frame in which a panic begins to be reported. */
export function isRustPanic(name: string): boolean {
  const path = plainPath(name);
  return PANIC_PATHS.test(path) || PANIC_NAMES.test(lastPart(path, 'std::panicking::'));
}

/** True for functions of Rust's runtime, which are never the place of a crash. */
export function isRustRuntime(name: string): boolean {
  const path = plainPath(name);
  return isRustPanic(name) || RUNTIME_PATHS.test(path) || RUNTIME_NAMES.test(lastPart(path, 'std::'));
}

/** The frames outside of the panic, innermost first: those inside only report it. All where nothing panicked. */
export function framesOfPanic<T extends { function: string | null }>(frames: readonly T[]): readonly T[] {
  return frames.slice(
    frames.findLastIndex((frame) => frame.function !== null && isRustPanic(frame.function)) + 1,
  );
}

/** `<core::option::Option<T>>::unwrap` and `core::option::Option<T>::unwrap` are one function. */
function plainPath(name: string): string {
  if (name.length > MAX_NAME_LENGTH) return name;
  const trait = /^<.* as ([^>]+)(?:<.*>)?>(::.*)$/.exec(name);
  if (trait !== null) return `${trait[1]}${trait[2]}`;
  return name.replace(/^<(.*?)(?:<.*>)?>::/, '$1::');
}

/** The name alone, if it has no path or one of these. */
function lastPart(path: string, runtime: string): string {
  const name = path.startsWith(runtime) ? path.slice(path.lastIndexOf('::') + 2) : path;
  return name.replace(/::h[0-9a-f]{16}$/, '');
}
