//! A bank: money that moves between accounts is neither lost nor made, whoever moves it and whoever looks.
//!
//! Accounts are keys of all shards. Money moves in four ways at once, and all of it is summed in two, again and again:
//!
//! | who | how |
//! |---|---|
//! | watchers | WATCH of both accounts, GET, MULTI, SET of both, EXEC |
//! | pipelines | several MULTI, DECRBY, INCRBY, EXEC in one write |
//! | scripts that declare | EVAL with both accounts in `KEYS` |
//! | scripts that do not | EVAL that makes the names of the accounts from its arguments |
//! | auditors | one EXEC of many MGETs, or one script that reads all accounts |

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::support::client::encode_to;
use crate::support::{Client, Random, Server, Value, each_target, soak};

const ACCOUNTS: u64 = 1_000;
const OPENING_BALANCE: i64 = 100;
const MONEY: i64 = ACCOUNTS as i64 * OPENING_BALANCE;
/// Accounts among which half of the transfers are, so that they meet.
const BUSY_ACCOUNTS: u64 = 8;
/// Clients that move money in each of the ways.
const MOVERS: u64 = 3;
const TRANSFERS_PER_PIPELINE: usize = 4;

const DECLARED: &str = "redis.call('DECRBY', KEYS[1], ARGV[1])
redis.call('INCRBY', KEYS[2], ARGV[1])
return redis.call('MGET', KEYS[1], KEYS[2])";

const UNDECLARED: &str = "local from, to = 'account:' .. ARGV[1], 'account:' .. ARGV[2]
local balance = tonumber(redis.call('GET', from))
redis.call('SET', from, balance - ARGV[3])
redis.call('INCRBY', to, ARGV[3])
return redis.call('MGET', from, to)";

const AUDIT: &str = "local sum = 0
for n = 0, ARGV[1] - 1 do sum = sum + redis.call('GET', 'account:' .. n) end
return sum";

/// A way to move money.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    Watching,
    Pipelined,
    Declared,
    Undeclared,
}

const WAYS: [Way; 4] = [Way::Watching, Way::Pipelined, Way::Declared, Way::Undeclared];

/// What is moved.
#[derive(Clone, Copy)]
struct Transfer {
    from: u64,
    to: u64,
    amount: i64,
}

fn account(number: u64) -> String {
    format!("account:{number}")
}

fn balance(value: &Value) -> i64 {
    value.text().parse().expect("a balance is a number")
}

impl Transfer {
    fn random(random: &mut Random) -> Transfer {
        let range = if random.below(2) == 0 { BUSY_ACCOUNTS } else { ACCOUNTS };
        let from = random.below(range);
        Transfer { from, to: (from + 1 + random.below(range - 1)) % range, amount: random.below(10) as i64 }
    }

    /// Reads both accounts while watching them, and writes what they then have. Whether it went through.
    fn watching(self, client: &mut Client) -> bool {
        let (from, to) = (account(self.from), account(self.to));
        let mut request = Vec::new();
        encode_to(&mut request, &["WATCH", &from, &to]);
        encode_to(&mut request, &["GET", &from]);
        encode_to(&mut request, &["GET", &to]);
        client.raw(&request);
        let replies = client.read_many(3);
        let (of_from, of_to) = (balance(&replies[1]), balance(&replies[2]));
        let mut request = Vec::new();
        encode_to(&mut request, &["MULTI"]);
        encode_to(&mut request, &["SET", &from, &(of_from - self.amount).to_string()]);
        encode_to(&mut request, &["SET", &to, &(of_to + self.amount).to_string()]);
        encode_to(&mut request, &["EXEC"]);
        client.raw(&request);
        match &client.read_many(4)[3] {
            Value::NullArray => false,
            done => {
                assert_eq!(done.elements(), [Value::ok(), Value::ok()]);
                true
            }
        }
    }

    /// Several transfers in one write.
    fn pipelined(transfers: &[Transfer], client: &mut Client) {
        let mut request = Vec::new();
        for Transfer { from, to, amount } in transfers {
            encode_to(&mut request, &["MULTI"]);
            encode_to(&mut request, &["DECRBY", &account(*from), &amount.to_string()]);
            encode_to(&mut request, &["INCRBY", &account(*to), &amount.to_string()]);
            encode_to(&mut request, &["EXEC"]);
        }
        client.raw(&request);
        for replies in client.read_many(4 * transfers.len()).chunks(4) {
            assert!(replies[3].elements().iter().all(|reply| matches!(reply, Value::Integer(_))), "{}", replies[3]);
        }
    }

    fn by_script(self, client: &mut Client, declared: bool) {
        let (from, to, amount) = (account(self.from), account(self.to), self.amount.to_string());
        let reply = if declared {
            client.call(&["EVAL", DECLARED, "2", &from, &to, &amount])
        } else {
            client.call(&["EVAL", UNDECLARED, "0", &self.from.to_string(), &self.to.to_string(), &amount])
        };
        assert_eq!(reply.elements().len(), 2, "{reply}");
    }
}

/// All the money, as one transaction of many MGETs sees it.
fn sum_by_transaction(client: &mut Client) -> i64 {
    const ACCOUNTS_PER_READ: u64 = 100;
    let mut request = Vec::new();
    encode_to(&mut request, &["MULTI"]);
    let reads = ACCOUNTS / ACCOUNTS_PER_READ;
    for read in 0..reads {
        let accounts = (0..ACCOUNTS_PER_READ).map(|i| account(read * ACCOUNTS_PER_READ + i));
        let command: Vec<String> = std::iter::once("MGET".to_owned()).chain(accounts).collect();
        encode_to(&mut request, &command);
    }
    encode_to(&mut request, &["EXEC"]);
    client.raw(&request);
    let replies = client.read_many(reads as usize + 2);
    let read = replies[reads as usize + 1].elements();
    read.iter().flat_map(Value::elements).map(balance).sum()
}

/// The same, as one script sees it.
fn sum_by_script(client: &mut Client) -> i64 {
    client.call(&["EVAL", AUDIT, "0", &ACCOUNTS.to_string()]).integer()
}

/// What has happened, and whether it is to go on.
#[derive(Default)]
struct Books {
    closed: AtomicBool,
    /// Transfers, by their way.
    moved: [AtomicU64; WAYS.len()],
    /// Transactions that failed for what they watched.
    refused: AtomicU64,
    /// Sums by transactions, and by scripts.
    audits: [AtomicU64; 2],
}

impl Books {
    fn are_open(&self) -> bool {
        !self.closed.load(Ordering::Relaxed)
    }

    fn move_money(&self, server: &Server, way: usize, seed: u64) {
        let mut client = server.client();
        let mut random = Random::new(seed);
        while self.are_open() {
            let transfer = Transfer::random(&mut random);
            let moved = match WAYS[way] {
                Way::Watching => u64::from(transfer.watching(&mut client)),
                Way::Pipelined => {
                    let transfers = [(); TRANSFERS_PER_PIPELINE].map(|()| Transfer::random(&mut random));
                    Transfer::pipelined(&transfers, &mut client);
                    transfers.len() as u64
                }
                Way::Declared | Way::Undeclared => {
                    transfer.by_script(&mut client, WAYS[way] == Way::Declared);
                    1
                }
            };
            self.moved[way].fetch_add(moved, Ordering::Relaxed);
            self.refused.fetch_add(u64::from(moved == 0), Ordering::Relaxed);
        }
    }

    fn audit(&self, server: &Server, by_script: bool) {
        let mut client = server.client();
        while self.are_open() {
            let sum = if by_script { sum_by_script(&mut client) } else { sum_by_transaction(&mut client) };
            if sum != MONEY {
                self.closed.store(true, Ordering::Relaxed);
                panic!("there are {sum} in all accounts, by script: {by_script}");
            }
            self.audits[usize::from(by_script)].fetch_add(1, Ordering::Relaxed);
        }
    }
}

#[test]
fn money_is_neither_lost_nor_made() {
    each_target(|server| {
        let mut client = server.client();
        for number in 0..ACCOUNTS {
            assert_eq!(client.call(&["SET", &account(number), &OPENING_BALANCE.to_string()]), Value::ok());
        }
        let books = Books::default();
        thread::scope(|scope| {
            let books = &books;
            for way in 0..WAYS.len() {
                for mover in 0..MOVERS {
                    scope.spawn(move || books.move_money(server, way, 1 + way as u64 * MOVERS + mover));
                }
            }
            scope.spawn(|| books.audit(server, false));
            scope.spawn(|| books.audit(server, true));
            let deadline = Instant::now() + soak();
            while Instant::now() < deadline && books.are_open() {
                thread::sleep(Duration::from_millis(20));
            }
            books.closed.store(true, Ordering::Relaxed);
        });
        let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let (moved, audits) = (books.moved.each_ref().map(count), books.audits.each_ref().map(count));
        let refused = count(&books.refused);
        eprintln!("{:?}: moved {moved:?} by {WAYS:?}, {refused} refused, {audits:?} audits", server.target());
        assert!(moved.iter().all(|&moved| moved > 20) && audits.iter().all(|&audits| audits > 2), "hardly anything");
        assert!(refused > 0, "no two transfers met: nothing was shown");
        assert_eq!((sum_by_transaction(&mut client), sum_by_script(&mut client)), (MONEY, MONEY));
    });
}
