//! HELP of every command that has subcommands, made of what the table declares.

#![allow(clippy::unnecessary_wraps, reason = "handlers have one type, and many of them cannot fail")]

use net::{Args, Reply};

use crate::core::SessionCtx;
use crate::exec::{Outcome, Run};
use crate::spec::{Argument, ArgumentKind, Arity, Command, CommandTable, Docs, Flag, Flags, Group};

/// The subcommand HELP for a command of `group`.
pub const fn command(group: Group, since: &'static str) -> Command {
    Command {
        name: "help",
        arity: Arity::Exactly(2),
        flags: Flags::of(&[Flag::Loading, Flag::Stale]),
        docs: Docs { summary: "Lists the subcommands and what they do.", since, group, ..Docs::BLANK },
        run: Run::Session(help),
        ..Command::BLANK
    }
}

fn help(_: &mut SessionCtx<'_>, args: &Args<'_>, reply: &mut Reply<'_>) -> Outcome {
    let row = CommandTable::global().find(args.at(0)).expect("the command was found in the table before it ran");
    let command = row.command;
    let mut lines = Vec::new();
    if !matches!(command.run, Run::Container) {
        lines.push("(no subcommand)".to_owned());
        lines.push(format!("    {}", command.docs.summary));
    }
    for subcommand in command.subcommands {
        lines.push(usage(subcommand));
        lines.push(format!("    {}", subcommand.docs.summary));
    }
    write(&String::from_utf8_lossy(args.at(0)), &lines, reply);
    Ok(())
}

/// The reply of HELP: a heading, then `lines`.
pub fn write(name: &str, lines: &[String], reply: &mut Reply<'_>) {
    reply.array(lines.len() + 1);
    let name = name.to_ascii_uppercase();
    reply.simple(&format!("{name} <subcommand> [<arg> [value] [opt] ...]. Subcommands are:"));
    for line in lines {
        reply.simple(line);
    }
}

/// `NAME <arg> [<arg>]`.
fn usage(command: &Command) -> String {
    let mut words = vec![command.name.to_ascii_uppercase()];
    words.extend(command.docs.arguments.iter().map(syntax));
    words.join(" ")
}

/// One argument as it is written in a usage line.
fn syntax(argument: &Argument) -> String {
    let own = match argument.kind {
        ArgumentKind::PureToken => String::new(),
        ArgumentKind::OneOf(choices) => {
            format!("({})", choices.iter().map(syntax).collect::<Vec<_>>().join("|"))
        }
        ArgumentKind::Block(parts) => parts.iter().map(syntax).collect::<Vec<_>>().join(" "),
        _ => format!("<{}>", argument.name),
    };
    let mut text = match (argument.token, own.as_str()) {
        ("", own) => own.to_owned(),
        (token, "") => token.to_owned(),
        (token, own) => format!("{token} {own}"),
    };
    if argument.multiple {
        let again = if argument.multiple_token { text.clone() } else { own };
        text = format!("{text} [{again} ...]");
    }
    if argument.optional { format!("[{text}]") } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn usage_lines_show_what_the_arguments_are() {
        const YES_OR_NO: &[Argument] = &[Argument::word("yes", "YES"), Argument::word("no", "NO")];
        let choice = Argument::new("answer", ArgumentKind::OneOf(YES_OR_NO));
        assert_eq!(syntax(&choice), "(YES|NO)");
        let count = Argument::new("count", ArgumentKind::Integer).after("COUNT").optional();
        assert_eq!(syntax(&count), "[COUNT <count>]");
        let ids = Argument::new("id", ArgumentKind::Integer).after("ID").multiple();
        assert_eq!(syntax(&ids), "ID <id> [<id> ...]");
        let prefix = Argument { multiple_token: true, ..Argument::new("prefix", ArgumentKind::String).after("PREFIX") };
        assert_eq!(syntax(&prefix.multiple()), "PREFIX <prefix> [PREFIX <prefix> ...]");
    }
}
