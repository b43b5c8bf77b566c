//! Tessera: the binary. It reads what it is told, prepares the process and starts one thread per shard.

mod allocator;
mod args;
mod boot;
mod check_aof;
mod check_rdb;
mod log;
mod signal;
mod sys;

use std::ffi::OsString;
use std::io::Write;
use std::process::ExitCode;

use args::Invocation;

#[global_allocator]
static ALLOCATOR: allocator::Allocator = allocator::Allocator;

fn main() -> ExitCode {
    let mut words: Vec<OsString> = std::env::args_os().collect();
    let program = if words.is_empty() { OsString::from("tessera") } else { words.remove(0) };
    match args::parse(&words) {
        Invocation::Run(sources) => boot::run(&program, &sources),
        Invocation::CheckSystem => boot::check_system(),
        Invocation::CheckAof { file, fix } => check_aof::run(&file, fix),
        Invocation::CheckRdb { file } => check_rdb::run(&file),
        Invocation::Refuse(text) => {
            // There is nobody else to tell.
            let _ = std::io::stderr().write_all(text.as_bytes());
            ExitCode::FAILURE
        }
        Invocation::Print(text) => {
            // Whoever closed the pipe does not want to read on.
            let _ = std::io::stdout().write_all(text.as_bytes());
            ExitCode::SUCCESS
        }
    }
}
