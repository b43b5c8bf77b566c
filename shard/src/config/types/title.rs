//! `proc-title-template`: what `ps` shows.
//!
//! `{name}` stands for a variable, `{{` for a brace.

use crate::config::error::Reason;

/// The variables of a title.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TitleVariable {
    /// The command that started the server.
    Title,
    /// The first address and port, or the socket.
    ListenAddr,
    /// Nothing, or `[cluster]` or `[sentinel]`.
    ServerMode,
    /// The port of plain TCP.
    Port,
    /// The port of TLS.
    TlsPort,
    /// The path of the socket.
    UnixSocket,
    /// The configuration file.
    ConfigFile,
}

impl TitleVariable {
    fn named(name: &str) -> Option<Self> {
        Some(match name {
            "title" => Self::Title,
            "listen-addr" => Self::ListenAddr,
            "server-mode" => Self::ServerMode,
            "port" => Self::Port,
            "tls-port" => Self::TlsPort,
            "unixsocket" => Self::UnixSocket,
            "config-file" => Self::ConfigFile,
            _ => return None,
        })
    }
}

/// Fills in a template; `None` if a variable is unknown or not closed.
pub fn expand(template: &str, value: impl Fn(TitleVariable) -> String) -> Option<String> {
    let mut title = String::new();
    let mut rest = template;
    while let Some(brace) = rest.find('{') {
        title.push_str(&rest[..brace]);
        rest = &rest[brace + 1..];
        if let Some(after) = rest.strip_prefix('{') {
            title.push('{');
            rest = after;
            continue;
        }
        let (name, after) = rest.split_once('}')?;
        title.push_str(&value(TitleVariable::named(name)?));
        rest = after;
    }
    title.push_str(rest);
    Some(title.trim_end().to_owned())
}

/// The check of the directive: the template can be filled in, and not with nothing.
pub fn check(template: &str) -> Result<(), Reason> {
    match expand(template, |_| "x".to_owned()) {
        Some(title) if !title.is_empty() => Ok(()),
        _ => Err(Reason::TitleTemplate),
    }
}
