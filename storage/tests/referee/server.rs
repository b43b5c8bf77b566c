//! A Redis server of our own, and a client for it.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// A reply, as far as these commands have any.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    Status(Vec<u8>),
    Int(i64),
    Bulk(Option<Vec<u8>>),
    Array(Vec<Reply>),
}

impl Reply {
    pub fn bulk(text: impl AsRef<[u8]>) -> Self {
        Self::Bulk(Some(text.as_ref().to_vec()))
    }

    pub fn bytes(self) -> Vec<u8> {
        match self {
            Self::Bulk(Some(bytes)) => bytes,
            other => panic!("no string: {other:?}"),
        }
    }

    pub fn array(self) -> Vec<Self> {
        match self {
            Self::Array(items) => items,
            other => panic!("no array: {other:?}"),
        }
    }
}

/// A server and a connection to it.
pub struct Server {
    connection: BufReader<TcpStream>,
    _process: Process,
}

/// A process, ended when it is dropped.
struct Process(Child);

impl Server {
    pub fn start() -> Self {
        let free = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
        let address = free.expect("there is a free port");
        let arguments = ["--port", &address.port().to_string(), "--save", "", "--rdbcompression", "no"];
        let spawned = Command::new("redis-server").args(arguments).stdout(Stdio::null()).spawn();
        let process = Process(spawned.expect("redis-server is installed"));
        let connected = (0..500).find_map(|_| {
            std::thread::sleep(Duration::from_millis(10));
            TcpStream::connect(address).ok()
        });
        Self { connection: BufReader::new(connected.expect("redis-server answers")), _process: process }
    }

    /// Runs a command whose arguments are separated by blanks.
    pub fn run(&mut self, command: &str) -> Reply {
        let arguments: Vec<&[u8]> = command.split(' ').map(str::as_bytes).collect();
        self.call(&arguments)
    }

    pub fn call(&mut self, arguments: &[&[u8]]) -> Reply {
        let mut request = format!("*{}\r\n", arguments.len()).into_bytes();
        for argument in arguments {
            request.extend(format!("${}\r\n", argument.len()).bytes());
            request.extend(*argument);
            request.extend(b"\r\n");
        }
        self.connection.get_mut().write_all(&request).expect("the server reads");
        self.reply()
    }

    fn reply(&mut self) -> Reply {
        let mut line = Vec::new();
        self.connection.read_until(b'\n', &mut line).expect("the server answers");
        line.truncate(line.len() - 2);
        let number = || std::str::from_utf8(&line[1..]).ok().and_then(|text| text.parse::<i64>().ok());
        match line[0] {
            b'$' => {
                let Ok(len) = usize::try_from(number().expect("it is a length")) else { return Reply::Bulk(None) };
                let mut bytes = vec![0; len + 2];
                self.connection.read_exact(&mut bytes).expect("the server answers");
                bytes.truncate(len);
                Reply::Bulk(Some(bytes))
            }
            b'*' => {
                let len = number().expect("it is a length").max(0);
                Reply::Array((0..len).map(|_| self.reply()).collect())
            }
            b':' => Reply::Int(number().expect("it is a number")),
            _ => Reply::Status(line),
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let ended = self.0.kill().and_then(|()| self.0.wait());
        if let Err(error) = ended {
            eprintln!("redis-server was not ended: {error}");
        }
    }
}
