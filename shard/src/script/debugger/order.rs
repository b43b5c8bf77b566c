//! What a client orders, word by word.

use net::{Args, OwnedArgs};

/// An order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Order {
    /// Run up to the next line.
    Step,
    /// Run up to the next breakpoint.
    Continue,
    /// End the script.
    Abort,
    /// Show the orders.
    Help,
    /// Show lines around this one, or the current one if it is none, and so many before and behind it.
    List { around: i64, context: i64 },
    /// Show all lines.
    Whole,
    /// Show the variables of the function that runs.
    PrintAll,
    /// Show the variable of this name.
    Print(Vec<u8>),
    /// Show the breakpoints.
    Breakpoints,
    /// Set breakpoints in lines, or remove them from those with a sign; zero stands for all.
    Break(Vec<Vec<u8>>),
    /// Show which functions run.
    Trace,
    /// Run this piece of Lua.
    Evaluate(Vec<u8>),
    /// Run this command.
    Command(OwnedArgs),
    /// Show to how many bytes values and replies are cut, or set it.
    Limit(Option<i64>),
    /// There is no such order.
    Unknown,
}

/// So many lines are shown before and behind the one asked for.
const CONTEXT: i64 = 5;

impl Order {
    pub(super) fn parse(words: &Args<'_>) -> Order {
        let number = |place: usize| words.get(place).map(leading_integer);
        match words.at(0).to_ascii_lowercase().as_slice() {
            b"s" | b"step" | b"n" | b"next" => Order::Step,
            b"c" | b"continue" => Order::Continue,
            b"a" | b"abort" => Order::Abort,
            b"h" | b"help" => Order::Help,
            b"t" | b"trace" => Order::Trace,
            b"w" | b"whole" => Order::Whole,
            b"l" | b"list" => Order::List { around: number(1).unwrap_or(0), context: number(2).unwrap_or(CONTEXT) },
            b"p" | b"print" => match words.len() {
                2 => Order::Print(words.at(1).to_vec()),
                _ => Order::PrintAll,
            },
            b"b" | b"break" => match words.len() {
                1 => Order::Breakpoints,
                _ => Order::Break(words.from(1).map(<[u8]>::to_vec).collect()),
            },
            b"e" | b"eval" => Order::Evaluate(words.from(1).collect::<Vec<_>>().join(&b' ')),
            b"r" | b"redis" if words.len() > 1 => {
                let mut command = OwnedArgs::default();
                words.from(1).for_each(|word| command.push(word));
                Order::Command(command)
            }
            b"m" | b"maxlen" => Order::Limit(number(1).filter(|_| words.len() == 2)),
            _ => Order::Unknown,
        }
    }
}

/// The integer that a word begins with; zero if it begins with none.
fn leading_integer(word: &[u8]) -> i64 {
    let signed = usize::from(matches!(word.first(), Some(b'-' | b'+')));
    let digits = word[signed..].iter().take_while(|byte| byte.is_ascii_digit()).count();
    let text = std::str::from_utf8(&word[..signed + digits]).expect("a sign and digits are ASCII");
    text.parse().unwrap_or(0)
}
