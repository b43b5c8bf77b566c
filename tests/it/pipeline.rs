//! Input in every shape a network can give it: pipelines, pieces, large values, a half-closed connection, garbage.

use std::io::Write;
use std::thread;
use std::time::Duration;

use crate::support::client::{encode, encode_line, encode_to};
use crate::support::{Random, Value, each_target, number_from_env};

#[test]
fn replies_keep_the_order_of_a_pipeline() {
    each_target(|server| {
        let mut client = server.client();
        let mut request = Vec::new();
        for n in 0..20_000 {
            encode_line(&mut request, &format!("SET key:{n} {n}"));
            encode_line(&mut request, &format!("GET key:{n}"));
            encode_line(&mut request, &format!("MGET key:{n} key:{} missing", n / 2));
            encode_line(&mut request, "PING");
        }
        let mut writer = client.writer();
        let sending = thread::spawn(move || writer.write_all(&request).unwrap());
        for n in 0..20_000 {
            assert_eq!(client.read(), Value::ok());
            assert_eq!(client.read(), Value::bulk(n.to_string()));
            let many = [Value::bulk(n.to_string()), Value::bulk((n / 2).to_string()), Value::Null];
            assert_eq!(client.read(), Value::Array(many.to_vec()));
            assert_eq!(client.read(), Value::Simple(b"PONG".to_vec()));
        }
        sending.join().unwrap();
    });
}

#[test]
fn a_whole_pipeline_may_be_written_before_any_reply_is_read() {
    each_target(|server| {
        let mut client = server.client();
        client.must(&format!("SET big {}", "x".repeat(1000)));
        let mut request = Vec::new();
        for _ in 0..20_000 {
            encode_line(&mut request, "GET big");
        }
        client.raw(&request);
        for _ in 0..20_000 {
            assert_eq!(client.read().as_bytes().map(<[u8]>::len), Some(1000));
        }
    });
}

#[test]
fn requests_may_come_byte_by_byte() {
    each_target(|server| {
        let mut client = server.client();
        let request = b"*3\r\n$3\r\nSET\r\n$3\r\nkey\r\n$7\r\nv\r\nlue!\r\n*2\r\n$3\r\nGET\r\n$3\r\nkey\r\nPING\r\n";
        for byte in request {
            client.raw(&[*byte]);
            thread::sleep(Duration::from_millis(1));
        }
        assert_eq!(client.read(), Value::ok());
        assert_eq!(client.read(), Value::bulk("v\r\nlue!"));
        assert_eq!(client.read(), Value::Simple(b"PONG".to_vec()));
    });
}

#[test]
fn requests_may_be_cut_anywhere() {
    each_target(|server| {
        let mut random = Random::new(1);
        let mut client = server.client();
        let mut request = Vec::new();
        let value = random.bytes(70_000);
        for n in 0..20 {
            encode_to(&mut request, &[b"SET".as_slice(), format!("key:{n}").as_bytes(), &value[..n * 3_500]]);
            encode_line(&mut request, &format!("STRLEN key:{n}"));
        }
        for round in 0..20 {
            let mut writer = client.writer();
            let bytes = request.clone();
            let sending = thread::spawn(move || {
                let mut random = Random::new(round);
                let mut rest = bytes.as_slice();
                while !rest.is_empty() {
                    let cut = (1 + random.below(40_000) as usize).min(rest.len());
                    writer.write_all(&rest[..cut]).unwrap();
                    rest = &rest[cut..];
                    if random.below(4) == 0 {
                        thread::sleep(Duration::from_micros(200));
                    }
                }
            });
            for n in 0..20 {
                assert_eq!(client.read(), Value::ok());
                assert_eq!(client.read(), Value::Integer(n * 3_500));
            }
            sending.join().unwrap();
        }
    });
}

#[test]
fn values_may_be_large() {
    let bytes = number_from_env("TESSERA_BIG_VALUE_MIB").unwrap_or(64) as usize * 1024 * 1024;
    each_target(|server| {
        let mut client = server.client();
        let value: Vec<u8> = (0..bytes).map(|index| (index % 251) as u8).collect();
        assert_eq!(client.call(&[b"SET".as_slice(), b"big", &value]), Value::ok());
        assert_eq!(client.line("STRLEN big"), Value::Integer(bytes as i64));
        assert!(client.line("GET big") == Value::bulk(&value), "the value came back changed");
        assert_eq!(client.line("GETRANGE big 1000 1003"), Value::bulk(&value[1000..1004]));
        // Others are served while a large value is on its way in and out.
        let mut other = server.client();
        let mut writer = client.writer();
        let sending = thread::spawn(move || writer.write_all(&encode(&[b"SET".as_slice(), b"big", &value])).unwrap());
        for _ in 0..100 {
            assert_eq!(other.line("PING"), Value::Simple(b"PONG".to_vec()));
        }
        sending.join().unwrap();
        assert_eq!(client.read(), Value::ok());
        assert_eq!(client.line("DEL big"), Value::Integer(1));
    });
}

#[test]
fn a_half_closed_connection_gets_all_its_replies() {
    each_target(|server| {
        let mut client = server.client();
        let mut request = Vec::new();
        for n in 0..1000 {
            encode_line(&mut request, &format!("SET key:{n} {n}"));
        }
        encode_line(&mut request, "GET key:999");
        client.raw(&request);
        // Redis treats the end of input as the end of the client: what it has read by then is answered.
        assert_eq!(client.read(), Value::ok());
        let mut replies = 1;
        while replies < 1001 {
            let reply = client.read();
            assert!(reply == Value::ok() || reply == Value::bulk("999"), "{reply}");
            replies += 1;
        }
        client.finish_writing();
        assert!(client.is_closed());
        assert_eq!(server.client().line("DBSIZE"), Value::Integer(1000));
    });
}

#[test]
fn writes_sent_before_a_close_take_effect() {
    each_target(|server| {
        let mut client = server.client();
        let mut request = Vec::new();
        for n in 0..100 {
            encode_line(&mut request, &format!("SET key:{n} {n}"));
        }
        client.raw(&request);
        client.finish_writing();
        assert!(client.is_closed());
        let mut other = server.client();
        crate::support::eventually("all writes to be there", || other.line("DBSIZE") == Value::Integer(100));
    });
}

#[test]
fn garbage_harms_only_its_sender() {
    each_target(|server| {
        let mut bystander = server.client();
        bystander.must("SET key value");
        let mut random = Random::new(7);
        for round in 0..200 {
            let mut client = server.client();
            client.set_patience(Duration::from_millis(500));
            let len = 1 + random.below(5000) as usize;
            let mut bytes = random.bytes(len);
            match round % 4 {
                0 => bytes.splice(0..0, *b"*3\r\n$3\r\nSET\r\n$").for_each(drop),
                1 => bytes.splice(0..0, *b"*2000000000\r\n$").for_each(drop),
                2 => bytes.splice(0..0, *b"*1\r\n$400000000\r\n").for_each(drop),
                _ => {}
            }
            // The server may close while we write: that is its right.
            let _ = client.try_raw(&bytes);
        }
        assert_eq!(bystander.line("GET key"), Value::bulk("value"));
        let connected = || server.info("clients", "connected_clients").parse::<u64>().unwrap();
        crate::support::eventually("the connections to be gone", || connected() <= 2);
    });
}

#[test]
fn a_request_that_never_ends_holds_nothing_up() {
    each_target(|server| {
        let mut slow = server.client();
        slow.raw(b"*2\r\n$4\r\nECHO\r\n$10\r\nhalf");
        let mut other = server.client();
        for n in 0..1000 {
            assert_eq!(other.line(&format!("SET key:{n} value")), Value::ok());
        }
        slow.raw(b" done!\r\n");
        assert_eq!(slow.read(), Value::bulk("half done!"));
    });
}
