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
        self.send(&request)?;
        self.skip_reply().map(drop)
    }

    /// Sends a request of `count` GETs, and says of each whether there was a value.
    pub fn are_found(&mut self, request: &[u8], count: usize) -> io::Result<Vec<bool>> {
        self.send(request)?;
        (0..count).map(|_| self.read_reply().map(|(_, is_found)| is_found)).collect()
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

    /// Sends bytes as they are: whole commands, whose replies are read later.
    pub fn send(&mut self, request: &[u8]) -> io::Result<()> {
        self.stream.get_mut().write_all(request)
    }

    /// Reads so many replies, none of which is or holds an error; their bytes.
    pub fn skip_replies(&mut self, count: usize) -> io::Result<usize> {
        (0..count).map(|_| self.skip_reply()).sum()
    }

    /// Reads so many bytes, whatever they say.
    pub fn skip_bytes(&mut self, count: usize) -> io::Result<()> {
        let mut missing = count;
        while missing > 0 {
            let read = self.stream.fill_buf()?.len().min(missing);
            if read == 0 {
                return Err(io::Error::other("the server has closed the connection"));
            }
            self.stream.consume(read);
            missing -= read;
        }
        Ok(())
    }

    /// Sends a command that is answered with a bulk string, and returns that.
    pub fn text(&mut self, args: &[&str]) -> io::Result<String> {
        let mut request = Vec::new();
        encode(&mut request, args);
        self.send(&request)?;
        let mut line = String::new();
        self.stream.read_line(&mut line)?;
        let len = line.strip_prefix('$').and_then(|len| len.trim_end().parse::<usize>().ok());
        let len = len.ok_or_else(|| io::Error::other(format!("the server replied {:?}", line.trim_end())))?;
        let mut text = vec![0; len + 2];
        self.stream.read_exact(&mut text)?;
        text.truncate(len);
        String::from_utf8(text).map_err(io::Error::other)
    }

    fn skip_reply(&mut self) -> io::Result<usize> {
        self.read_reply().map(|(bytes, _)| bytes)
    }

    /// Reads a reply: its bytes, and whether it is anything but null.
    fn read_reply(&mut self) -> io::Result<(usize, bool)> {
        let mut line = String::new();
        let head = self.stream.read_line(&mut line)?;
        let number = || line[1..].trim_end().parse::<i64>().map_err(io::Error::other);
        match line.as_bytes().first() {
            Some(b'+' | b':') => Ok((head, true)),
            Some(b'$') => {
                let body = usize::try_from(number()?).ok().map(|len| len + 2);
                self.skip_bytes(body.unwrap_or(0))?;
                Ok((head + body.unwrap_or(0), body.is_some()))
            }
            Some(b'*') => {
                let count =
                    usize::try_from(number()?).map_err(|_| io::Error::other("the server replied a null array"))?;
                Ok((head + self.skip_replies(count)?, true))
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
