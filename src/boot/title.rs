//! The title of the process: what `ps` shows instead of the command line.

use std::ffi::OsStr;
use std::sync::{Mutex, OnceLock};

use shard::config::Config;
use shard::config::types::title::{TitleVariable, expand};

use crate::sys::TitleMemory;

/// The memory of the title, and the command that started the server.
struct Title {
    memory: Mutex<TitleMemory>,
    program: String,
}

static TITLE: OnceLock<Title> = OnceLock::new();

/// Shows the title for the first time, if the configuration asks for one and there is memory for it.
pub(super) fn show(memory: Option<TitleMemory>, program: &OsStr, config: &Config) {
    let Some(memory) = memory.filter(|_| config.set_proc_title) else {
        return;
    };
    let program = program.to_string_lossy().into_owned();
    // A second call cannot have memory: it can be taken only once.
    let _ = TITLE.set(Title { memory: Mutex::new(memory), program });
    update(config);
}

/// Composes the title again after the configuration changed.
pub fn update(config: &Config) {
    let Some(title) = TITLE.get() else {
        return;
    };
    let text = expand(&config.proc_title_template, |variable| value_of(variable, &title.program, config));
    if let (Some(text), Ok(mut memory)) = (text, title.memory.lock()) {
        memory.write(&text);
    }
}

/// What stands for a variable.
pub(super) fn value_of(variable: TitleVariable, program: &str, config: &Config) -> String {
    match variable {
        TitleVariable::Title => program.to_owned(),
        TitleVariable::ListenAddr => listen_address(config),
        TitleVariable::ServerMode => if config.cluster_enabled { "[cluster]" } else { "" }.to_owned(),
        TitleVariable::Port => config.port.to_string(),
        TitleVariable::TlsPort => config.tls_port.to_string(),
        TitleVariable::UnixSocket => config.unixsocket.clone(),
        TitleVariable::ConfigFile => config.file.as_ref().map_or_else(String::new, |file| file.display().to_string()),
    }
}

fn listen_address(config: &Config) -> String {
    let host = config.bind.addresses().next().map_or("*", |address| address.host);
    match (config.port, config.tls_port) {
        (0, 0) if !config.unixsocket.is_empty() => config.unixsocket.clone(),
        (0, port) | (port, _) => format!("{host}:{port}"),
    }
}
