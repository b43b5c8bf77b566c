//! DEBUG PROTOCOL: a reply of each type that the protocol has, for clients' tests.

use net::{Args, Reply};

use super::Word;
use crate::core::SessionCtx;
use crate::exec::{CommandError, Outcome, Run};

const NO_SUCH_TYPE: CommandError = CommandError::new(
    "ERR Wrong protocol type name. Please use one of the following: \
     string|integer|double|bignum|null|array|set|map|attrib|push|verbatim|true|false",
);
const RESP3_ONLY: CommandError = CommandError::new("ERR RESP2 is not supported by this command");

pub(super) const PROTOCOL: Word = Word {
    name: "PROTOCOL",
    usage: "<type>",
    summary: "Replies with a value of the type: string, integer, double, bignum, null, array, set, map, attrib, push, \
              verbatim, true, false.",
    arguments: 3..=3,
    run: Run::Session(protocol),
};

fn protocol(_: &mut SessionCtx<'_>, args: &Args<'_>, reply: &mut Reply<'_>) -> Outcome {
    match args.at(2).to_ascii_lowercase().as_slice() {
        b"string" => reply.bulk(b"Hello World"),
        b"integer" => reply.integer(12_345),
        b"double" => reply.double_text(b"3.141"),
        b"bignum" => reply.big_number(b"1234567999999999999999999999999999999"),
        b"null" => reply.null(),
        b"array" => {
            reply.array(3);
            (0..3).for_each(|i| reply.integer(i));
        }
        b"set" => {
            reply.set(3);
            (0..3).for_each(|i| reply.integer(i));
        }
        b"map" => {
            reply.map(3);
            for i in 0..3 {
                reply.integer(i);
                reply.boolean(i == 1);
            }
        }
        b"attrib" => {
            if reply.is_resp3() {
                reply.attribute(1);
                reply.bulk(b"key-popularity");
                reply.array(2);
                reply.bulk(b"key:123");
                reply.integer(90);
            }
            reply.bulk(b"Some real reply following the attribute");
        }
        b"push" if !reply.is_resp3() => return Err(RESP3_ONLY),
        b"push" => {
            reply.push(2);
            reply.bulk(b"server-cpu-usage");
            reply.integer(42);
            reply.bulk(b"Some real reply following the push reply");
        }
        b"verbatim" => reply.verbatim("txt", b"This is a verbatim\nstring"),
        b"true" => reply.boolean(true),
        b"false" => reply.boolean(false),
        _ => return Err(NO_SUCH_TYPE),
    }
    Ok(())
}
