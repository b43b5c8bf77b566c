//! A pipelining client: what filling a server and asking it a few things needs.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::time::Duration;

/// Commands sent before their replies are read.
const PIPELINE: usize = 1000;
/// How long one reply may take.
const REPLY_LIMIT: Duration = Duration::from_secs(30);

/// A connection.
pub struct Client {
    stream: BufReader<TcpStream>,
}

impl Client {
    /// Connects to a port of this machine.
    pub fn connect(port: u16) -> io::Result<Self> {
        let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(REPLY_LIMIT))?;
        Ok(Self { stream: BufReader::new(stream) })
    }

    /// Sends a command and reads its reply; an error reply is an error.
    pub fn call(&mut self, args: &[&str]) -> io::Result<()> {
        let mut request = Vec::new();
        encode(&mut request, args);
        self.stream.get_mut().write_all(&request)?;
        self.skip_reply()
    }

    /// Sends a request of `count` GETs, and says of each whether there was a value.
    pub fn are_found(&mut self, request: &[u8], count: usize) -> io::Result<Vec<bool>> {
        self.stream.get_mut().write_all(request)?;
        (0..count).map(|_| self.read_reply()).collect()
    }

    /// Sends `count` commands, which `write` appends by number, and reads their replies.
    pub fn fill(&mut self, count: usize, write: impl FnMut(usize, &mut Vec<u8>)) -> io::Result<()> {
        self.fill_in_batches(count, PIPELINE, write)
    }

    /// [`Client::fill`] with `batch` commands sent before their replies are read.
    pub fn fill_in_batches(
        &mut self,
        count: usize,
        batch: usize,
        mut write: impl FnMut(usize, &mut Vec<u8>),
    ) -> io::Result<()> {
        let mut request = Vec::new();
        for first in (0..count).step_by(batch) {
            let last = (first + batch).min(count);
            request.clear();
            (first..last).for_each(|number| write(number, &mut request));
            self.stream.get_mut().write_all(&request)?;
            for _ in first..last {
                self.skip_reply()?;
            }
        }
        Ok(())
    }

    fn skip_reply(&mut self) -> io::Result<()> {
        self.read_reply().map(drop)
    }

    /// Reads a reply; whether it is anything but null.
    fn read_reply(&mut self) -> io::Result<bool> {
        let mut line = String::new();
        self.stream.read_line(&mut line)?;
        match line.as_bytes().first() {
            Some(b'+' | b':') => Ok(true),
            Some(b'$') => {
                let len: i64 = line[1..].trim_end().parse().map_err(io::Error::other)?;
                let mut rest = (&mut self.stream).take(if len < 0 { 0 } else { len as u64 + 2 });
                io::copy(&mut rest, &mut io::sink()).map(|_| len >= 0)
            }
            _ => Err(io::Error::other(format!("the server replied {:?}", line.trim_end()))),
        }
    }
}

/// Appends a command in RESP.
pub fn encode<A: AsRef<[u8]>>(request: &mut Vec<u8>, args: &[A]) {
    request.extend_from_slice(format!("*{}\r\n", args.len()).as_bytes());
    for arg in args {
        let arg = arg.as_ref();
        request.extend_from_slice(format!("${}\r\n", arg.len()).as_bytes());
        request.extend_from_slice(arg);
        request.extend_from_slice(b"\r\n");
    }
}
