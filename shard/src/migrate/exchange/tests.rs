#![allow(clippy::unwrap_used, reason = "a test that fails loudly is what is wanted")]

use super::*;

const NOW: UnixMillis = UnixMillis(1_000_000);

/// A dialogue about the keys `a`, `b` and so on.
fn exchange(options: &str, keys: usize) -> Exchange {
    let text = format!("migrate host 6379 k 3 100 {options}");
    let args: net::OwnedArgs = text.split_whitespace().map(str::as_bytes).collect();
    let (request, _) = Request::parse(&args.as_args()).unwrap();
    let parcel =
        |number| Parcel { key: vec![b'a' + number as u8], payload: Arc::new(b"payload".to_vec()), expire_at: None };
    Exchange::new(request, (0..keys).map(parcel).collect())
}

/// Has all sent that is to be sent: what that was, and the step behind it.
fn send(exchange: &mut Exchange, mut step: Step) -> (String, Step) {
    let mut bytes = Vec::new();
    while let Step::Send(piece, from) = step {
        let sent = (piece.len() - from).min(1000);
        bytes.extend_from_slice(&piece[from..from + sent]);
        step = exchange.went(Event::Sent(Ok(sent)), NOW);
    }
    (String::from_utf8_lossy(&bytes).replace("\r\n", " "), step)
}

/// Begins with a socket at whose other end database 3 is selected: what is sent.
fn begin(exchange: &mut Exchange) -> String {
    let step = exchange.begin(Some(Some(3)), NOW);
    let (sent, step) = send(exchange, step);
    assert_eq!(step, Step::Receive);
    sent
}

fn receive(exchange: &mut Exchange, text: &str) -> Step {
    exchange.went(Event::Received(Ok(text.as_bytes())), NOW)
}

fn end(exchange: Exchange) -> (String, String) {
    let Outcome { moved, error } = exchange.outcome();
    let error = error.map_or(String::new(), |error| String::from_utf8_lossy(error.as_bytes()).into_owned());
    (String::from_utf8(moved.concat()).unwrap(), error)
}

#[test]
fn a_new_socket_is_told_everything() {
    let mut one = exchange("REPLACE AUTH2 user secret", 1);
    assert_eq!(one.begin(None, NOW), Step::Resolve);
    let (first, second) = ("127.0.0.1:1".parse().unwrap(), "127.0.0.1:2".parse().unwrap());
    assert_eq!(one.went(Event::Resolved(vec![first, second]), NOW), Step::Connect(first));
    assert_eq!(one.went(Event::Connected(Err(io::ErrorKind::ConnectionRefused.into())), NOW), Step::Connect(second));
    let step = one.went(Event::Connected(Ok(())), NOW);
    let (sent, step) = send(&mut one, step);
    let restore = "*5 $7 RESTORE $1 a $1 0 $7 payload $7 REPLACE ";
    assert_eq!(sent, format!("*3 $4 AUTH $4 user $6 secret *2 $6 SELECT $1 3 {restore}"));
    assert_eq!(step, Step::Receive);
    assert_eq!(receive(&mut one, "+OK\r\n+OK\r\n+O"), Step::Receive);
    assert_eq!(receive(&mut one, "K\r\n"), Step::Over);
    assert_eq!(one.kept(), Some(Some(3)));
    assert_eq!(end(one), ("a".to_owned(), String::new()));
}

#[test]
fn a_kept_socket_is_told_what_it_needs() {
    let mut one = exchange("", 1);
    assert_eq!(begin(&mut one), "*4 $7 RESTORE $1 a $1 0 $7 payload ");
    let mut one = exchange("AUTH secret", 1);
    let step = one.begin(Some(Some(2)), NOW);
    assert!(send(&mut one, step).0.starts_with("*2 $4 AUTH $6 secret *2 $6 SELECT $1 3 *4 $7 RESTORE"));
}

#[test]
fn what_is_refused_stays() {
    let mut three = exchange("", 3);
    begin(&mut three);
    assert_eq!(receive(&mut three, "+OK\r\n-BUSYKEY It\rexists.\r\n-OOM\r\n"), Step::Over);
    assert_eq!(three.kept(), Some(None), "what is selected is not known behind an error");
    let error = "ERR Target instance replied with error: BUSYKEY It exists.";
    assert_eq!(end(three), ("a".to_owned(), error.to_owned()));
}

#[test]
fn who_is_not_let_in_moves_nothing() {
    let mut two = exchange("AUTH secret", 2);
    begin(&mut two);
    assert_eq!(receive(&mut two, "-ERR no password is set\r\n+OK\r\n-OOM\r\n"), Step::Over);
    assert_eq!(end(two), (String::new(), "ERR Target instance replied with error: ERR no password is set".to_owned()));
}

#[test]
fn a_broken_socket_is_replaced_once() {
    let broken = || Event::Received(Ok(&[]));
    let mut one = exchange("", 1);
    begin(&mut one);
    assert_eq!(one.went(broken(), NOW), Step::Resolve);
    assert_eq!(
        one.went(Event::Resolved(vec!["[::1]:1".parse().unwrap()]), NOW),
        Step::Connect("[::1]:1".parse().unwrap())
    );
    let step = one.went(Event::Connected(Ok(())), NOW);
    let (sent, step) = send(&mut one, step);
    assert_eq!((sent.as_str(), step), ("*2 $6 SELECT $1 3 *4 $7 RESTORE $1 a $1 0 $7 payload ", Step::Receive));
    assert_eq!(one.went(broken(), NOW), Step::Over);
    assert_eq!(one.kept(), None);
    assert_eq!(end(one).1, "IOERR error or timeout reading to target instance");
}

#[test]
fn what_was_answered_is_not_asked_again() {
    let mut two = exchange("", 2);
    begin(&mut two);
    assert_eq!(receive(&mut two, "+OK\r\n"), Step::Receive);
    assert_eq!(two.went(Event::Received(Err(io::ErrorKind::ConnectionReset.into())), NOW), Step::Over);
    assert_eq!(end(two), ("a".to_owned(), "IOERR error or timeout reading to target instance".to_owned()));
}

#[test]
fn nobody_waits_twice() {
    let late = || io::Error::from(io::ErrorKind::TimedOut);
    let mut one = exchange("", 1);
    begin(&mut one);
    assert_eq!(one.went(Event::Received(Err(late())), NOW), Step::Over);
    assert_eq!(end(one).1, "IOERR error or timeout reading to target instance");
    let mut one = exchange("", 1);
    assert!(matches!(one.begin(Some(None), NOW), Step::Send(..)));
    assert_eq!(one.went(Event::Sent(Err(late())), NOW), Step::Over);
    assert_eq!(end(one).1, "IOERR error or timeout writing to target instance");
    let mut one = exchange("", 1);
    one.begin(None, NOW);
    assert_eq!(one.went(Event::Resolved(Vec::new()), NOW), Step::Over);
    assert_eq!(end(one).1, "IOERR error or timeout connecting to the client");
}

#[test]
fn who_is_sent_away_is_told_as_redis_tells_it() {
    for (kind, done) in [
        (io::ErrorKind::ConnectionRefused, "writing to target instance"),
        (io::ErrorKind::TimedOut, "connecting to the client"),
    ] {
        let mut one = exchange("", 1);
        one.begin(None, NOW);
        one.went(Event::Resolved(vec!["127.0.0.1:1".parse().unwrap()]), NOW);
        assert_eq!(one.went(Event::Connected(Err(kind.into())), NOW), Step::Over);
        assert_eq!(end(one).1, format!("IOERR error or timeout {done}"));
    }
}

#[test]
fn garbage_ends_it() {
    let mut two = exchange("", 2);
    begin(&mut two);
    assert_eq!(receive(&mut two, "+OK\r\nHTTP/1.1 400 Bad Request\r\n"), Step::Over);
    assert_eq!(two.kept(), None);
    assert_eq!(end(two), ("a".to_owned(), "IOERR error or timeout reading to target instance".to_owned()));
    let mut one = exchange("", 1);
    begin(&mut one);
    assert_eq!(receive(&mut one, "+OK\r\n+OK\r\n"), Step::Over);
    assert_eq!(one.kept(), None, "nobody knows what the rest is an answer to");
}

#[test]
fn time_left_is_sent_and_what_is_past_is_not() {
    let mut three = exchange("", 3);
    three.parcels[0].expire_at = Some(UnixMillis(NOW.0 + 1500));
    three.parcels[1].expire_at = Some(UnixMillis(NOW.0 - 1));
    three.parcels[2].expire_at = Some(NOW);
    let sent = begin(&mut three);
    assert_eq!(sent, "*4 $7 RESTORE $1 a $4 1500 $7 payload *4 $7 RESTORE $1 c $1 1 $7 payload ");
    assert_eq!(receive(&mut three, "+OK\r\n+OK\r\n"), Step::Over);
    assert_eq!(end(three), ("ac".to_owned(), String::new()));
    let mut none = exchange("", 1);
    none.parcels[0].expire_at = Some(UnixMillis(NOW.0 - 1));
    assert_eq!(none.begin(Some(Some(3)), NOW), Step::Over);
}

#[test]
fn a_large_payload_is_sent_from_where_it_is() {
    let mut two = exchange("", 2);
    two.parcels[0].payload = Arc::new(vec![b'x'; PIECE_BYTES_MIN]);
    let step = two.begin(Some(Some(3)), NOW);
    assert_eq!(two.pieces.len(), 3);
    assert!(Arc::ptr_eq(&two.pieces[1], &two.parcels[0].payload));
    let (sent, _) = send(&mut two, step);
    let large = "x".repeat(PIECE_BYTES_MIN);
    let first = format!("*4 $7 RESTORE $1 a $1 0 ${PIECE_BYTES_MIN} {large} ");
    assert_eq!(sent, format!("{first}*4 $7 RESTORE $1 b $1 0 $7 payload "));
}

#[test]
fn who_gives_up_tries_nothing_else() {
    let mut one = exchange("", 1);
    begin(&mut one);
    one.give_up();
    assert_eq!(one.went(Event::Received(Ok(&[])), NOW), Step::Over);
    let mut one = exchange("", 1);
    one.begin(None, NOW);
    one.went(Event::Resolved(vec!["127.0.0.1:1".parse().unwrap(); 2]), NOW);
    one.give_up();
    assert_eq!(one.went(Event::Connected(Err(io::ErrorKind::ConnectionRefused.into())), NOW), Step::Over);
}
