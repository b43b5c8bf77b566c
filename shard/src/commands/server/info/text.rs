//! Writing INFO's sections and lines.

use std::fmt::{Display, Write as _};

/// The text as it grows.
#[derive(Debug, Default)]
pub(super) struct Report(String);

impl Report {
    /// Begins a section.
    pub(super) fn section(&mut self, title: &str) {
        let gap = if self.0.is_empty() { "" } else { "\r\n" };
        self.write(format_args!("{gap}# {title}\r\n"));
    }

    /// One line.
    pub(super) fn line(&mut self, name: &str, value: impl Display) {
        self.write(format_args!("{name}:{value}\r\n"));
    }

    /// Two lines: a number of bytes, and the same to be read by people.
    pub(super) fn bytes(&mut self, name: &str, bytes: usize) {
        self.line(name, bytes);
        self.write(format_args!("{name}_human:{}\r\n", human(bytes as u64)));
    }

    /// Lines of zeros, for what does not exist here.
    pub(super) fn zeros(&mut self, names: &[&str]) {
        for name in names {
            self.line(name, 0);
        }
    }

    fn write(&mut self, text: std::fmt::Arguments<'_>) {
        self.0.write_fmt(text).expect("a String takes any text");
    }

    /// All of it.
    pub(super) fn text(&self) -> &str {
        &self.0
    }
}

/// A number of bytes in the largest unit that it fills.
pub(super) fn human(bytes: u64) -> String {
    const UNITS: [&str; 5] = ["K", "M", "G", "T", "P"];
    if bytes < 1024 {
        return format!("{bytes}B");
    }
    let power = (bytes.ilog2() / 10).min(UNITS.len() as u32);
    format!("{:.2}{}", bytes as f64 / 1024f64.powi(power as i32), UNITS[power as usize - 1])
}
