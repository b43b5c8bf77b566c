//! A small blocking client: what the tests need of a connection and no more.
//!
//! Replies are read with a time limit, so that a server that does not answer fails a test instead of hanging it.

use std::fs::File;
use std::io::{self, BufReader, Read, Write};
use std::net::{Ipv4Addr, Shutdown, TcpStream};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

use super::{PATIENCE, Value};

/// The version of the protocol a connection speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// What a connection begins with.
    Resp2,
    /// What `HELLO 3` switches to.
    Resp3,
}

enum Socket {
    Tcp(TcpStream),
    Unix(UnixStream),
}

impl Read for Socket {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Tcp(stream) => stream.read(buffer),
            Self::Unix(stream) => stream.read(buffer),
        }
    }
}

/// A connection. It costs this process one file, so that tests can have many.
pub struct Client {
    socket: BufReader<Socket>,
}

impl Client {
    /// Connects to a port of this machine.
    pub fn connect(port: u16) -> Self {
        Self::try_connect(port).unwrap_or_else(|error| panic!("cannot connect to port {port}: {error}"))
    }

    /// Connects to a port of this machine, if something listens there.
    pub fn try_connect(port: u16) -> io::Result<Self> {
        let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
        stream.set_nodelay(true)?;
        Ok(Self::new(Socket::Tcp(stream)))
    }

    /// Connects to a Unix socket.
    pub fn connect_unix(path: &Path) -> Self {
        let stream = UnixStream::connect(path).expect("the server listens on its Unix socket");
        Self::new(Socket::Unix(stream))
    }

    fn new(socket: Socket) -> Self {
        let mut client = Self { socket: BufReader::new(socket) };
        client.set_patience(PATIENCE);
        client
    }

    /// Sets how long reading a reply or writing a command may take.
    pub fn set_patience(&mut self, limit: Duration) {
        let limit = Some(limit);
        let outcome = match self.socket.get_ref() {
            Socket::Tcp(socket) => socket.set_read_timeout(limit).and_then(|()| socket.set_write_timeout(limit)),
            Socket::Unix(socket) => socket.set_read_timeout(limit).and_then(|()| socket.set_write_timeout(limit)),
        };
        outcome.expect("a limit above zero is legal");
    }

    /// Switches to `protocol`.
    pub fn hello(&mut self, protocol: Protocol) {
        if protocol == Protocol::Resp3 {
            let reply = self.call(&["HELLO", "3"]);
            assert!(matches!(reply, Value::Map(_)), "HELLO 3 answered {reply}");
        }
    }

    /// Sends a command and reads its reply.
    pub fn call<A: AsRef<[u8]>>(&mut self, args: &[A]) -> Value {
        self.send(args);
        self.read()
    }

    /// [`Client::call`] with the words of a line that holds no quotes.
    pub fn line(&mut self, words: &str) -> Value {
        let words: Vec<&str> = words.split_ascii_whitespace().collect();
        self.call(&words)
    }

    /// Sends a command whose reply must not be an error.
    pub fn must(&mut self, words: &str) -> Value {
        let reply = self.line(words);
        assert!(!reply.is_error(), "{words}: {reply}");
        reply
    }

    /// Sends a command; its reply is left for [`Client::read`].
    pub fn send<A: AsRef<[u8]>>(&mut self, args: &[A]) {
        self.raw(&encode(args));
    }

    /// Sends bytes as they are.
    pub fn raw(&mut self, bytes: &[u8]) {
        self.try_raw(bytes).unwrap_or_else(|error| panic!("the server does not take input: {error}"));
    }

    /// Sends bytes as they are, unless the server closed the connection.
    pub fn try_raw(&mut self, bytes: &[u8]) -> io::Result<()> {
        match self.socket.get_mut() {
            Socket::Tcp(stream) => stream.write_all(bytes),
            Socket::Unix(stream) => stream.write_all(bytes),
        }
    }

    /// Reads the next reply.
    pub fn read(&mut self) -> Value {
        self.try_read().unwrap_or_else(|error| panic!("no reply: {error}"))
    }

    /// Reads the next reply, unless the server closed the connection or patience ended.
    pub fn try_read(&mut self) -> io::Result<Value> {
        Value::read(&mut self.socket)
    }

    /// Sends a command; no reply is no failure.
    pub fn try_read_after(&mut self, words: &str) -> Option<Value> {
        let mut request = Vec::new();
        encode_line(&mut request, words);
        self.try_raw(&request).ok()?;
        self.try_read().ok()
    }

    /// Reads the next `count` replies.
    pub fn read_many(&mut self, count: usize) -> Vec<Value> {
        (0..count).map(|_| self.read()).collect()
    }

    /// Whether the server has closed the connection; what it still sent is thrown away.
    pub fn is_closed(&mut self) -> bool {
        let mut rest = Vec::new();
        match self.socket.read_to_end(&mut rest) {
            Ok(_) => true,
            Err(error) => !matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut),
        }
    }

    /// Tells the server that no more commands follow; replies can still be read.
    pub fn finish_writing(&mut self) {
        let outcome = match self.socket.get_ref() {
            Socket::Tcp(socket) => socket.shutdown(Shutdown::Write),
            Socket::Unix(socket) => socket.shutdown(Shutdown::Write),
        };
        outcome.expect("the connection is open");
    }

    /// Our own end of a TCP connection, as `CLIENT LIST` shows it.
    pub fn address(&self) -> String {
        match self.socket.get_ref() {
            Socket::Tcp(socket) => socket.local_addr().expect("it is connected").to_string(),
            Socket::Unix(_) => panic!("a Unix socket has no address"),
        }
    }

    /// A second handle, for a thread that writes while this one reads.
    pub fn writer(&self) -> File {
        let fd = match self.socket.get_ref() {
            Socket::Tcp(stream) => stream.as_fd(),
            Socket::Unix(stream) => stream.as_fd(),
        };
        File::from(fd.try_clone_to_owned().expect("a file to spare"))
    }
}

/// A command in RESP.
pub fn encode<A: AsRef<[u8]>>(args: &[A]) -> Vec<u8> {
    let mut bytes = Vec::new();
    encode_to(&mut bytes, args);
    bytes
}

/// Appends a command in RESP.
pub fn encode_to<A: AsRef<[u8]>>(bytes: &mut Vec<u8>, args: &[A]) {
    bytes.extend_from_slice(format!("*{}\r\n", args.len()).as_bytes());
    for arg in args {
        let arg = arg.as_ref();
        bytes.extend_from_slice(format!("${}\r\n", arg.len()).as_bytes());
        bytes.extend_from_slice(arg);
        bytes.extend_from_slice(b"\r\n");
    }
}

/// Appends a command whose words a line gives.
pub fn encode_line(bytes: &mut Vec<u8>, words: &str) {
    let words: Vec<&str> = words.split_ascii_whitespace().collect();
    encode_to(bytes, &words);
}
