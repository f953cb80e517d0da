import { describe, expect, it } from 'vitest';
import { framesOfPanic, isRustRuntime } from '../../src/crashdump/report/rust-runtime-frames.js';

const frames = (...names: string[]) => names.map((name) => ({ function: name }));

describe('frames of a panic', () => {
  it.each([
    'rust_begin_unwind',
    'core::panicking::panic_fmt',
    'core::panicking::panic_bounds_check',
    'core::option::unwrap_failed',
    'core::result::unwrap_failed',
    'core::option::expect_failed',
    'core::slice::index::slice_end_index_len_fail',
    'core::str::slice_error_fail',
    'alloc::alloc::handle_alloc_error',
    'std::panicking::begin_panic_handler::{closure#0}',
    'std::panicking::rust_panic_with_hook',
    'std::sys::backtrace::__rust_end_short_backtrace<std::panicking::begin_panic_handler::{closure_env#0}, !>',
    'core::ops::function::FnOnce::call_once<fw::main::{closure_env#0}, ()>',
    '<fw::main::{closure#0} as core::ops::function::FnOnce<()>>::call_once::{shim:vtable#0}',
    '__rust_start_panic',
    '__rust_alloc',
    'panic_fmt',
    'unwrap_failed',
    'esp_backtrace::arch::backtrace',
    'std::thread::Builder::spawn_unchecked_::{closure#1}',
  ])('%s belongs to the runtime', (name) => {
    expect(isRustRuntime(name)).toBe(true);
  });

  it.each([
    'fw::main::{closure#0}',
    'fw::net::Conn<u8>::recv<&str>',
    'fw::panicking::retry',
    'read_sensor',
    'core::fmt::write',
    'alloc::vec::Vec<u8, alloc::alloc::Global>::push',
    'my_std::panicking::x',
    'esp_wifi_start',
  ])('%s does not', (name) => {
    expect(isRustRuntime(name)).toBe(false);
  });

  it('end where the application panicked, whatever its panic handler calls', () => {
    const stack = frames(
      'reset',
      'fw::on_panic',
      'rust_begin_unwind',
      'core::panicking::panic',
      'fw::read',
      'main',
    );

    expect(framesOfPanic(stack)).toEqual(frames('fw::read', 'main'));
  });

  it('are none where threads only start through the runtime', () => {
    const stack = frames(
      'fw::work',
      'std::panicking::catch_unwind::do_call',
      'std::panic::catch_unwind',
      'start',
    );

    expect(framesOfPanic(stack)).toEqual(stack);
  });
});
