//! Targets that are no servers: what each does with a connection is the test's own affair.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

/// A target that a test makes up.
pub struct Fake {
    pub port: u16,
    connections: Arc<AtomicUsize>,
}

impl Fake {
    /// Has `serve` do with each connection what it likes; it is told which one that is, the first being 0.
    pub fn new(serve: impl Fn(TcpStream, usize) + Send + Sync + 'static) -> Fake {
        let listener = TcpListener::bind("127.0.0.1:0").expect("there are ports");
        let port = listener.local_addr().expect("it is bound").port();
        let connections = Arc::new(AtomicUsize::new(0));
        let (count, serve) = (Arc::clone(&connections), Arc::new(serve));
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (serve, number) = (Arc::clone(&serve), count.fetch_add(1, Ordering::SeqCst));
                thread::spawn(move || serve(stream, number));
            }
        });
        Fake { port, connections }
    }

    /// One that takes whatever comes and never answers.
    pub fn silent() -> Fake {
        Fake::new(|mut stream, _| {
            let mut sink = vec![0; 1 << 20];
            while stream.read(&mut sink).is_ok_and(|read| read > 0) {}
        })
    }

    /// One that answers this as soon as anything has come, and nothing more.
    pub fn answering(text: &'static str) -> Fake {
        Fake::new(move |mut stream, _| {
            answer(&mut stream, text);
            let mut sink = vec![0; 1 << 20];
            while stream.read(&mut sink).is_ok_and(|read| read > 0) {}
        })
    }

    /// One that answers `first` at once and `last` when `time` has passed.
    pub fn late(first: &'static str, last: &'static str, time: Duration) -> Fake {
        Fake::new(move |mut stream, _| {
            answer(&mut stream, first);
            thread::sleep(time);
            let _ = stream.write_all(last.as_bytes());
            let mut sink = vec![0; 1 << 20];
            while stream.read(&mut sink).is_ok_and(|read| read > 0) {}
        })
    }

    /// How many connections it has had.
    pub fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }
}

/// Answers what has come.
pub fn answer(stream: &mut TcpStream, text: &str) {
    if stream.read(&mut vec![0; 1 << 20]).is_ok_and(|read| read > 0) {
        // Whoever is gone needs no answer.
        let _ = stream.write_all(text.as_bytes());
    }
}
