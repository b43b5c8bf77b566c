#![allow(clippy::unwrap_used, reason = "a test that fails loudly is what is wanted")]

use std::sync::{Arc, Mutex};
use std::time::{Duration, UNIX_EPOCH};

use tracing::{Event, Level, Subscriber};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};

use super::{Message, line, mark};

#[test]
fn a_line_looks_like_one_of_redis() {
    let now = UNIX_EPOCH + Duration::from_millis(1_700_000_000_042);
    let text = line(Level::INFO, "Ready to accept connections", now);
    let pid = std::process::id();
    assert!(text.starts_with(&format!("{pid}:")), "{text}");
    assert!(text.ends_with(":20.042 * Ready to accept connections\n"), "{text}");
    assert!(text.contains(" Nov 2023 "), "{text}");
    let marks = [Level::TRACE, Level::DEBUG, Level::INFO, Level::WARN, Level::ERROR].map(mark);
    assert_eq!(marks, ['.', '-', '*', '#', '#']);
}

/// Collects the texts of events.
struct Collector(Arc<Mutex<Vec<String>>>);

impl<S: Subscriber> Layer<S> for Collector {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let mut message = Message::default();
        event.record(&mut message);
        self.0.lock().unwrap().push(message.text);
    }
}

#[test]
fn fields_follow_the_message_and_control_characters_do_not_get_through() {
    let texts = Arc::new(Mutex::new(Vec::new()));
    let subscriber = tracing_subscriber::registry().with(Collector(Arc::clone(&texts)));
    tracing::subscriber::with_default(subscriber, || {
        tracing::info!(port = 7, host = "a\u{1b}[0mb", "listening on {}", "x");
        tracing::warn!("plain");
    });
    assert_eq!(*texts.lock().unwrap(), ["listening on x port=7 host=a?[0mb", "plain"]);
}
