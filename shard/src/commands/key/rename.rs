//! Giving a key another name.
//!
//! On one shard the entry is taken out and put in again. Over two shards that takes two hops: the first takes the entry
//! out of its shard (and, for RENAMENX, looks whether the new name is free), the second puts it in, or puts it back.
//! Both names are locked meanwhile, so nobody sees the entry missing.

use net::{Args, Reply};
use storage::{Detached, Key};

use crate::config::types::events::Events;
use crate::exec::error::NO_SUCH_KEY;
use crate::exec::hop::{HopOp, HopValue, Plan, PlanInput, Step};
use crate::exec::{CommandError, Ctx, Outcome, Run};
use crate::ids::ShardId;
use crate::spec::{Argument, ArgumentKind, Arity, Categories, Category, Command, Docs, Flag, Flags, KeyFlag, KeySpec};

const ARGUMENTS: &[Argument] = &[Argument::key("key"), Argument::new("newkey", ArgumentKind::Key(1))];

/// RENAME key newkey
pub const RENAME: Command = Command {
    name: "rename",
    arity: Arity::Exactly(3),
    flags: Flags::of(&[Flag::Write]),
    categories: Categories::of(&[Category::Keyspace]),
    keys: &[
        KeySpec::one(1, &[KeyFlag::Rw, KeyFlag::Access, KeyFlag::Delete]),
        KeySpec::one(2, &[KeyFlag::Ow, KeyFlag::Update]),
    ],
    docs: Docs {
        summary: "Gives a key another name, whatever has that name.",
        since: "1.0.0",
        complexity: "O(1)",
        arguments: ARGUMENTS,
        ..Docs::BLANK
    },
    run: Run::Hops { local: rename, plan: plan_rename },
    ..Command::BLANK
};

/// RENAMENX key newkey
pub const RENAMENX: Command = Command {
    name: "renamenx",
    arity: Arity::Exactly(3),
    flags: Flags::of(&[Flag::Write, Flag::Fast]),
    categories: Categories::of(&[Category::Keyspace]),
    keys: &[
        KeySpec::one(1, &[KeyFlag::Rw, KeyFlag::Access, KeyFlag::Delete]),
        KeySpec::one(2, &[KeyFlag::Ow, KeyFlag::Insert]),
    ],
    docs: Docs {
        summary: "Gives a key another name if no key has that name.",
        since: "1.0.0",
        complexity: "O(1)",
        history: &[("3.2.0", "Two names that are the same are no error any more.")],
        arguments: ARGUMENTS,
        ..Docs::BLANK
    },
    run: Run::Hops { local: renamenx, plan: plan_renamenx },
    ..Command::BLANK
};

fn rename(ctx: &mut Ctx<'_>, args: &Args<'_>, reply: &mut Reply<'_>) -> Outcome {
    rename_here(ctx, args, true)?;
    reply.ok();
    Ok(())
}

fn renamenx(ctx: &mut Ctx<'_>, args: &Args<'_>, reply: &mut Reply<'_>) -> Outcome {
    let renamed = rename_here(ctx, args, false)?;
    reply.integer(i64::from(renamed));
    Ok(())
}

/// Renames on one shard; says whether anything changed.
fn rename_here(ctx: &mut Ctx<'_>, args: &Args<'_>, overwrite: bool) -> Result<bool, CommandError> {
    let (old, new) = (Key::new(args.at(1)), Key::new(args.at(2)));
    if ctx.write(old).is_none() {
        return Err(NO_SUCH_KEY);
    }
    if old.bytes() == new.bytes() || (ctx.write(new).is_some() && !overwrite) {
        return Ok(false);
    }
    let entry = ctx.take(old).expect("it was there just now");
    ctx.put(new, entry);
    ctx.notify(Events::NEW, "new", new.bytes());
    ctx.notify(Events::GENERIC, "rename_from", old.bytes());
    ctx.notify(Events::GENERIC, "rename_to", new.bytes());
    ctx.changed(1);
    Ok(true)
}

/// RENAME or RENAMENX over two shards.
struct Rename {
    source: ShardId,
    target: ShardId,
    old: Vec<u8>,
    new: Vec<u8>,
    overwrite: bool,
    stage: Stage,
}

enum Stage {
    Begin,
    Taken,
    Put,
    PutBack,
}

fn plan_rename(input: &PlanInput<'_>) -> Result<Box<dyn Plan>, CommandError> {
    Ok(Rename::plan(input, true))
}

fn plan_renamenx(input: &PlanInput<'_>) -> Result<Box<dyn Plan>, CommandError> {
    Ok(Rename::plan(input, false))
}

impl Rename {
    fn plan(input: &PlanInput<'_>, overwrite: bool) -> Box<dyn Plan> {
        Box::new(Rename {
            source: input.owners[0],
            target: input.owners[1],
            old: input.args.at(1).to_vec(),
            new: input.args.at(2).to_vec(),
            overwrite,
            stage: Stage::Begin,
        })
    }

    fn take(&self) -> Step {
        let old = self.old.clone();
        let take: HopOp = Box::new(move |ctx| {
            let old = Key::new(&old);
            ctx.write(old);
            HopValue::Entry(ctx.take(old).map(Box::new))
        });
        let mut ops = vec![(self.source, take)];
        if !self.overwrite {
            let new = self.new.clone();
            ops.push((self.target, Box::new(move |ctx| HopValue::Flag(ctx.write(&new).is_some()))));
        }
        Step::Run(ops)
    }

    fn put(&mut self, entry: Detached) -> Step {
        let (old, new) = (std::mem::take(&mut self.old), std::mem::take(&mut self.new));
        let tell: HopOp = Box::new(move |ctx| {
            ctx.notify(Events::GENERIC, "rename_from", &old);
            ctx.effect(&old, &["DEL".into(), (&old).into()]);
            HopValue::None
        });
        let put: HopOp = Box::new(move |ctx| {
            ctx.put(&new, entry);
            ctx.notify(Events::NEW, "new", &new);
            ctx.notify(Events::GENERIC, "rename_to", &new);
            ctx.changed(1);
            ctx.effect_content(&new);
            HopValue::None
        });
        Step::RunLast(vec![(self.source, tell), (self.target, put)])
    }

    fn put_back(&mut self, entry: Detached) -> Step {
        let old = std::mem::take(&mut self.old);
        let put: HopOp = Box::new(move |ctx| {
            ctx.put(&old, entry);
            HopValue::None
        });
        Step::RunLast(vec![(self.source, put)])
    }

    fn taken(&mut self, values: Vec<HopValue>) -> Step {
        let mut values = values.into_iter();
        let Some(HopValue::Entry(Some(entry))) = values.next() else { return Step::error(&NO_SUCH_KEY) };
        if matches!(values.next(), Some(HopValue::Flag(true))) {
            self.stage = Stage::PutBack;
            return self.put_back(*entry);
        }
        self.stage = Stage::Put;
        self.put(*entry)
    }
}

impl Plan for Rename {
    fn step(&mut self, values: Vec<HopValue>) -> Step {
        match self.stage {
            Stage::Begin => {
                self.stage = Stage::Taken;
                self.take()
            }
            Stage::Taken => self.taken(values),
            Stage::Put if self.overwrite => Step::Reply(b"+OK\r\n".to_vec()),
            Stage::Put => Step::Reply(b":1\r\n".to_vec()),
            Stage::PutBack => Step::Reply(b":0\r\n".to_vec()),
        }
    }
}
