//! Copying a key to another name, or to another database.
//!
//! Over two shards: unless the copy may replace what is there, a first hop looks whether there is something to copy and
//! room for it, so that no big value is copied for nothing. Then the copy is made, and put in.

use net::{Args, Reply};
use storage::{Detached, Expiry, Key, OwnedValue};

use crate::commands::parse::{is_word, parse_db};
use crate::config::types::events::Events;
use crate::exec::error::{COPY_DB_IN_CLUSTER, SAME_OBJECT, SYNTAX};
use crate::exec::hop::{HopOp, HopValue, Plan, PlanInput, Step};
use crate::exec::{CommandError, Ctx, Outcome, Run};
use crate::ids::{DbId, ShardId};
use crate::spec::{Argument, ArgumentKind, Arity, Categories, Category, Command, Docs, Flag, Flags, KeyFlag, KeySpec};

/// COPY source destination [DB destination-db] [REPLACE]
pub const COPY: Command = Command {
    name: "copy",
    arity: Arity::AtLeast(3),
    flags: Flags::of(&[Flag::Write, Flag::Denyoom]),
    categories: Categories::of(&[Category::Keyspace]),
    keys: &[KeySpec::one(1, &[KeyFlag::Ro, KeyFlag::Access]), KeySpec::one(2, &[KeyFlag::Ow, KeyFlag::Update])],
    docs: Docs {
        summary: "Copies what is stored at a key to another key.",
        since: "6.2.0",
        complexity: "O(N) where N is the number of elements in the value, or O(1) if it is a string",
        arguments: &[
            Argument::key("source"),
            Argument::new("destination", ArgumentKind::Key(1)),
            Argument::new("destination-db", ArgumentKind::Integer).after("DB").optional(),
            Argument::word("replace", "REPLACE").optional(),
        ],
        ..Docs::BLANK
    },
    run: Run::Hops { local: copy, plan: plan_copy },
    ..Command::BLANK
};

/// What the arguments ask for.
struct Request {
    target_db: DbId,
    replace: bool,
}

impl Request {
    fn parse(args: &Args<'_>, db: DbId, databases: usize) -> Result<Request, CommandError> {
        let mut request = Request { target_db: db, replace: false };
        let mut words = args.from(3);
        while let Some(word) = words.next() {
            if is_word(word, "REPLACE") {
                request.replace = true;
            } else if is_word(word, "DB") {
                request.target_db = parse_db(words.next().ok_or(SYNTAX)?, databases)?;
            } else {
                return Err(SYNTAX);
            }
        }
        Ok(request)
    }
}

fn copy(ctx: &mut Ctx<'_>, args: &Args<'_>, reply: &mut Reply<'_>) -> Outcome {
    let Request { target_db, replace } = Request::parse(args, ctx.db, ctx.shard.databases.len())?;
    if ctx.config().cluster_enabled && (ctx.db, target_db) != (DbId(0), DbId(0)) {
        return Err(COPY_DB_IN_CLUSTER);
    }
    let (source, target) = (Key::new(args.at(1)), Key::new(args.at(2)));
    if target_db == ctx.db && source.bytes() == target.bytes() {
        return Err(SAME_OBJECT);
    }
    let copies = ctx.read(source).is_some() && (ctx.on(target_db).write(target).is_none() || replace);
    if copies {
        let entry = ctx.peek(source).expect("it was there just now");
        let copy = (entry.value().to_owned(), entry.expire_at().map_or(Expiry::Clear, Expiry::At));
        store(&mut ctx.on(target_db), target, copy);
    }
    reply.integer(i64::from(copies));
    Ok(())
}

/// A value and what its key's expiry is to be. How often or when the original was used is not copied.
type Copied = (OwnedValue, Expiry);

fn store(ctx: &mut Ctx<'_>, key: Key<'_>, (value, expiry): Copied) {
    ctx.remove(key);
    ctx.set_value(key, value, expiry);
    ctx.notify(Events::GENERIC, "copy_to", key.bytes());
    ctx.changed(1);
}

/// COPY over two shards.
struct Copy {
    source: ShardId,
    target: ShardId,
    from: Vec<u8>,
    to: Vec<u8>,
    request: Request,
    stage: Stage,
}

enum Stage {
    Begin,
    Looked,
    Copied,
    Stored,
}

fn plan_copy(input: &PlanInput<'_>) -> Result<Box<dyn Plan>, CommandError> {
    let request = Request::parse(&input.args, input.db, input.databases as usize)?;
    Ok(Box::new(Copy {
        source: input.owners[0],
        target: input.owners[1],
        from: input.args.at(1).to_vec(),
        to: input.args.at(2).to_vec(),
        request,
        stage: Stage::Begin,
    }))
}

impl Copy {
    fn look(&mut self) -> Step {
        self.stage = Stage::Looked;
        let (from, to, db) = (self.from.clone(), self.to.clone(), self.request.target_db);
        let source: HopOp = Box::new(move |ctx| HopValue::Flag(ctx.read(&from).is_some()));
        let target: HopOp = Box::new(move |ctx| HopValue::Flag(ctx.on(db).write(&to).is_none()));
        Step::Run(vec![(self.source, source), (self.target, target)])
    }

    fn copy(&mut self) -> Step {
        self.stage = Stage::Copied;
        let (from, first_look) = (self.from.clone(), self.request.replace);
        let copy: HopOp = Box::new(move |ctx| {
            if first_look {
                ctx.read(&from);
            }
            let access = ctx.new_access();
            let copied = ctx.peek(&from).map(|entry| Detached {
                value: entry.value().to_owned(),
                expire_at: entry.expire_at(),
                access,
            });
            HopValue::Entry(copied.map(Box::new))
        });
        Step::Run(vec![(self.source, copy)])
    }

    fn store(&mut self, copied: Detached) -> Step {
        self.stage = Stage::Stored;
        let (to, db) = (std::mem::take(&mut self.to), self.request.target_db);
        let put: HopOp = Box::new(move |ctx| {
            let expiry = copied.expire_at.map_or(Expiry::Clear, Expiry::At);
            store(&mut ctx.on(db), Key::new(&to), (copied.value, expiry));
            ctx.on(db).effect_content(&to);
            HopValue::None
        });
        Step::RunLast(vec![(self.target, put)])
    }
}

impl Plan for Copy {
    fn step(&mut self, values: Vec<HopValue>) -> Step {
        let is_true = |value: &HopValue| matches!(value, HopValue::Flag(true));
        match self.stage {
            Stage::Begin if self.request.replace => self.copy(),
            Stage::Begin => self.look(),
            Stage::Looked if values.iter().all(is_true) => self.copy(),
            Stage::Looked => Step::Reply(b":0\r\n".to_vec()),
            Stage::Copied => match values.into_iter().next() {
                Some(HopValue::Entry(Some(copied))) => self.store(*copied),
                _ => Step::Reply(b":0\r\n".to_vec()),
            },
            Stage::Stored => Step::Reply(b":1\r\n".to_vec()),
        }
    }
}
