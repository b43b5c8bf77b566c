//! FUNCTION LIST.

use net::{Args, Reply};
use storage::glob::{Case, glob_match};

use super::function::docs;
use crate::commands::parse::is_word;
use crate::core::SessionCtx;
use crate::exec::{CommandError, Outcome, Run};
use crate::script::functions::Library;
use crate::spec::{Argument, ArgumentKind, Arity, Command, Flag, Flags};

const NO_PATTERN: CommandError = CommandError::new("ERR library name argument was not given");

pub(super) const LIST: Command = Command {
    name: "list",
    arity: Arity::AtLeast(2),
    flags: Flags::of(&[Flag::Noscript]),
    tips: &["nondeterministic_output_order"],
    docs: docs(
        "Lists libraries and their functions.",
        "O(N) where N is the number of functions",
        &[
            Argument::new("library-name-pattern", ArgumentKind::String).after("LIBRARYNAME").optional(),
            Argument::word("withcode", "WITHCODE").optional(),
        ],
    ),
    run: Run::Session(list),
    ..Command::BLANK
};

fn list(ctx: &mut SessionCtx<'_>, args: &Args<'_>, reply: &mut Reply<'_>) -> Outcome {
    let (mut pattern, mut with_code) = (None, false);
    let mut place = 2;
    while let Some(option) = args.get(place) {
        place += 1;
        if !with_code && is_word(option, "withcode") {
            with_code = true;
        } else if pattern.is_none() && is_word(option, "libraryname") {
            pattern = Some(args.get(place).ok_or(NO_PATTERN)?);
            place += 1;
        } else {
            return Err(CommandError::bytes([b"ERR Unknown argument ", option].concat()));
        }
    }
    let libraries = ctx.core.shared.scripts.libraries();
    let fits = |library: &&std::sync::Arc<Library>| {
        pattern.is_none_or(|pattern| glob_match(pattern, library.name.as_bytes(), Case::Insensitive))
    };
    reply.array(libraries.all().filter(fits).count());
    for library in libraries.all().filter(fits) {
        write(library, with_code, reply);
    }
    Ok(())
}

fn write(library: &Library, with_code: bool, reply: &mut Reply<'_>) {
    reply.map(3 + usize::from(with_code));
    reply.bulk(b"library_name");
    reply.bulk(library.name.as_bytes());
    reply.bulk(b"engine");
    reply.bulk(b"LUA");
    reply.bulk(b"functions");
    reply.array(library.functions.len());
    for function in &library.functions {
        reply.map(3);
        reply.bulk(b"name");
        reply.bulk(&function.name);
        reply.bulk(b"description");
        match &function.description {
            Some(text) => reply.bulk(text),
            None => reply.null(),
        }
        reply.bulk(b"flags");
        reply.set(function.flags.names().count());
        function.flags.names().for_each(|name| reply.simple(name));
    }
    if with_code {
        reply.bulk(b"library_code");
        reply.bulk(&library.source);
    }
}
