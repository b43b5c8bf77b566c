//! Values of Lua as text.
//!
//! ```text
//!   1.5   "text\n"   true   nil   {1; 2}   {["field"]=1; [3]=nil}   "function@0x7f733d6df860"
//! ```
//!
//! Nothing that a script has defined is called for it. Of what is cut no more is read than is shown.

use storage::words::quoted;

use crate::script::number::write_g;
use crate::script::stack::{Stack, Type};

/// What stands within so many tables is not shown.
const NESTING_MAX: usize = 10;
const TOO_DEEP: &[u8] = b"<max recursion level reached! Nested table?>";

/// Digits of a number.
const DIGITS: usize = 6;

/// So many places of the stack are needed: a key, a value and the next ones at each level.
pub(super) const PLACES: i32 = 4 * NESTING_MAX as i32;

/// Appends the text of the topmost value, at least up to `bytes_max` bytes of `out`.
pub(super) fn write_top(stack: &mut Stack, out: &mut Vec<u8>, bytes_max: usize) {
    write_nested(stack, out, bytes_max, 0);
}

fn write_nested(stack: &mut Stack, out: &mut Vec<u8>, bytes_max: usize, depth: usize) {
    if out.len() > bytes_max {
        return;
    }
    if depth == NESTING_MAX {
        return out.extend_from_slice(TOO_DEEP);
    }
    match stack.type_of(-1) {
        Type::Nil => out.extend_from_slice(b"nil"),
        Type::Boolean => out.extend_from_slice(if stack.truth(-1) { b"true" } else { b"false" }),
        Type::Number => write_g(out, stack.number(-1).unwrap_or_default(), DIGITS),
        Type::String => write_quoted(out, stack.bytes(-1).unwrap_or_default()),
        Type::Table => write_table(stack, out, bytes_max, depth),
        Type::Function => write_address(out, "function", stack.address(-1)),
        Type::Thread => write_address(out, "thread", stack.address(-1)),
        Type::Userdata => write_address(out, "userdata", stack.address(-1)),
        Type::LightUserdata => write_address(out, "light-userdata", stack.address(-1)),
        Type::Other => write_address(out, "unknown", stack.address(-1)),
    }
}

fn write_table(stack: &mut Stack, out: &mut Vec<u8>, bytes_max: usize, depth: usize) {
    let is_list = is_list(stack);
    let start = out.len();
    out.push(b'{');
    stack.push_nil();
    while stack.next(-2) {
        if out.len() > bytes_max {
            stack.pop(2);
            return;
        }
        if out.len() > start + 1 {
            out.extend_from_slice(b"; ");
        }
        if !is_list {
            out.push(b'[');
            stack.push_copy(-2);
            write_nested(stack, out, bytes_max, depth + 1);
            stack.pop(1);
            out.extend_from_slice(b"]=");
        }
        write_nested(stack, out, bytes_max, depth + 1);
        stack.pop(1);
    }
    out.push(b'}');
}

/// Whether the keys of the topmost table come as 1, 2, 3 and so on.
fn is_list(stack: &mut Stack) -> bool {
    let mut expected = 1.0;
    stack.push_nil();
    while stack.next(-2) {
        stack.pop(1);
        if stack.number(-1) != Some(expected) {
            stack.pop(1);
            return false;
        }
        expected += 1.0;
    }
    true
}

fn write_address(out: &mut Vec<u8>, kind: &str, address: usize) {
    let text = if address == 0 { format!("\"{kind}@(nil)\"") } else { format!("\"{kind}@{address:#x}\"") };
    out.extend_from_slice(text.as_bytes());
}

/// Appends a string in quotes, what is not printed escaped.
pub(super) fn write_quoted(out: &mut Vec<u8>, text: &[u8]) {
    out.extend_from_slice(&quoted(text));
}
