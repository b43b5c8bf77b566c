//! Fills in the replies that a file leaves out, by asking the referee in both versions of the protocol.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::{fs, io};

use super::expect::Expected;
use super::runner::{Host, Report, Run};
use super::script::{Reading, Script, Step};
use crate::support::{Protocol, Target, Value};

/// Asks for what the file does not say and writes it down under the commands.
pub fn fill_in(path: &Path) {
    let script = Script::read(path);
    let resp2 = replies(&script, Protocol::Resp2);
    let resp3 = replies(&script, Protocol::Resp3);
    let mut notes: BTreeMap<usize, Vec<String>> = BTreeMap::new();
    for line in resp2.keys().chain(resp3.keys()) {
        notes.insert(*line, notation(resp2.get(line), resp3.get(line)));
    }
    if notes.is_empty() {
        return;
    }
    let text = fs::read_to_string(path).expect("it was just read");
    let mut filled = String::new();
    for (index, line) in text.lines().enumerate() {
        filled.push_str(line);
        filled.push('\n');
        for note in notes.get(&(index + 1)).into_iter().flatten() {
            filled.push_str("  ");
            filled.push_str(note);
            filled.push('\n');
        }
    }
    fs::write(path, filled).expect("the folder is writable");
    eprintln!("{}: {} replies recorded", path.display(), notes.len());
}

/// What the referee replies to each command that has no reply yet, by line.
fn replies(script: &Script, protocol: Protocol) -> BTreeMap<usize, Value> {
    let mut host = Host::new(Target::Referee);
    let mut replies = BTreeMap::new();
    for section in &script.sections {
        if section.protocol.is_some_and(|only| only != protocol) {
            continue;
        }
        let server = host.server(&script.server_args);
        let mut report = Report::default();
        let mut run = Run::new(script, section, protocol, server, &mut report);
        for (line, step) in &section.steps {
            if let Err(error) = take(&mut run, *line, step, protocol, &mut replies) {
                // The check that follows fails here as well, and says so.
                eprintln!("{}:{line}: {error}; the rest of the section is not recorded", script.path.display());
                break;
            }
        }
        run.restore();
    }
    replies
}

fn take(
    run: &mut Run<'_>,
    line: usize,
    step: &Step,
    protocol: Protocol,
    replies: &mut BTreeMap<usize, Value>,
) -> io::Result<()> {
    let exchange = match step {
        Step::Eventually(_) => return Ok(()),
        Step::Exchange(exchange) => exchange,
        other => {
            run.act(line, other);
            return Ok(());
        }
    };
    match &exchange.expected {
        Reading::Nothing => run.send(exchange),
        Reading::Unwritten => {
            replies.insert(line, run.exchange(exchange)?);
        }
        Reading::Written(expected) => {
            // For what it captures only: a wrong reply is reported by the check that follows.
            expected.matches(&run.exchange(exchange)?, protocol, run.variables());
        }
    }
    Ok(())
}

/// The lines that stand for a reply: one if RESP3's notation covers both versions.
fn notation(resp2: Option<&Value>, resp3: Option<&Value>) -> Vec<String> {
    let (resp2, resp3) = match (resp2, resp3) {
        (Some(resp2), Some(resp3)) => (resp2, resp3),
        (Some(only), None) | (None, Some(only)) => return vec![written(only)],
        (None, None) => return Vec::new(),
    };
    for candidate in [resp3, resp2] {
        let text = written(candidate);
        let expected = Expected::parse(&[&text]).expect("what a value prints can be read");
        let variables = &mut HashMap::new();
        if expected.matches(resp2, Protocol::Resp2, variables) && expected.matches(resp3, Protocol::Resp3, variables) {
            return vec![text];
        }
    }
    vec![format!("2: {}", written(resp2)), format!("3: {}", written(resp3))]
}

/// The notation of a whole reply: simple strings and errors need no quotes.
fn written(value: &Value) -> String {
    let (mark, text) = match value {
        Value::Simple(text) => ('+', text),
        Value::Error(text) => ('-', text),
        other => return other.to_string(),
    };
    let plain = text.iter().all(|byte| (b' '..=b'~').contains(byte)) && !text.ends_with(b" ");
    if plain && !text.starts_with(b"\"") && !text.starts_with(b"~") && !text.is_empty() {
        format!("{mark}{}", String::from_utf8_lossy(text))
    } else {
        value.to_string()
    }
}
