//! What can be told of CLIENT without a socket.

use net::OwnedArgs;
use net::service::{ConnId, Endpoint};
use storage::UnixMillis;

use super::kill::Filter;
use super::line_of;
use crate::acl::Users;
use crate::ids::ClientId;
use crate::session::Session;

fn args(text: &str) -> OwnedArgs {
    text.split(' ').map(str::as_bytes).collect()
}

fn session() -> Session {
    let endpoint = Endpoint::Tcp {
        peer: "127.0.0.1:50000".parse().expect("an address"),
        local: "127.0.0.1:6379".parse().expect("an address"),
    };
    let conn = ConnId { slot: 1, generation: 1 };
    Session::new(conn, ClientId(7), endpoint, 9, UnixMillis(1_000), &Users::new(b""))
}

#[test]
fn a_line_has_the_fields_of_redis_7_2_in_order() {
    let command = args("client list");
    let line = line_of(&session(), UnixMillis(3_500), Some(&command.as_args()));
    let names: Vec<&str> = line.split(' ').map(|field| field.split_once('=').expect("name=value").0).collect();
    let expected = "id addr laddr fd name age idle flags db sub psub ssub multi qbuf qbuf-free argv-mem multi-mem rbs rbp \
                    obl oll omem tot-mem events cmd user redir resp lib-name lib-ver";
    assert_eq!(names.join(" "), expected);
    assert!(line.starts_with("id=7 addr=127.0.0.1:50000 laddr=127.0.0.1:6379 fd=9 name= age=2 idle=2 flags=N db=0 "));
    assert!(line.contains(" qbuf=26 "), "the command that asks counts as its request does: {line}");
    assert!(line.contains(" argv-mem=10 "));
}

#[test]
fn filters_are_checked_as_redis_does() {
    let error = |text: &str| {
        let owned = args(text);
        let error = Filter::parse(&owned.as_args()).expect_err(text);
        String::from_utf8(error.as_bytes().to_vec()).expect("text")
    };
    assert_eq!(error("client kill id 10 wrong_arg"), "ERR syntax error");
    assert_eq!(error("client kill id str"), "ERR client-id should be greater than 0");
    assert_eq!(error("client kill id 0"), "ERR client-id should be greater than 0");
    assert_eq!(error("client kill type wrong_type"), "ERR Unknown client type 'wrong_type'");
    assert_eq!(error("client kill skipme yes_or_no"), "ERR syntax error");
    assert_eq!(error("client kill maxage 0"), "ERR maxage should be greater than 0");
    let owned = args("client kill 127.0.0.1:1 ");
    assert!(Filter::parse(&owned.as_args()).is_err(), "an empty last argument is one too many");
}
