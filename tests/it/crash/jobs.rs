//! Jobs: a client sends `SET job:i` and `LPUSH q i` in one write. Who finds an id in the queue finds its job.

use std::io;

use super::{Writer, good};
use crate::support::client::encode_line;
use crate::support::{Client, Random, Value};

/// Jobs in one write.
const DEPTH: u64 = 10;

struct Jobs {
    queue: String,
    acknowledged: u64,
    sent: u64,
    /// Jobs up to this one were taken out of the queue.
    taken: u64,
}

pub(super) fn writers() -> Vec<Box<dyn Writer>> {
    let writer = |number| -> Box<dyn Writer> {
        Box::new(Jobs { queue: format!("q{number}"), acknowledged: 0, sent: 0, taken: 0 })
    };
    (0..3).map(writer).collect()
}

impl Jobs {
    fn job(&self, id: u64) -> String {
        format!("job:{}:{id}", self.queue)
    }
}

impl Writer for Jobs {
    fn step(&mut self, client: &mut Client, random: &mut Random) -> io::Result<()> {
        let mut request = Vec::new();
        let count = 1 + random.below(DEPTH);
        for id in self.sent + 1..=self.sent + count {
            encode_line(&mut request, &format!("SET {} {id}", self.job(id)));
            encode_line(&mut request, &format!("LPUSH {} {id}", self.queue));
        }
        self.sent += count;
        client.try_raw(&request)?;
        for _ in 0..count {
            good(client)?;
            good(client)?;
            self.acknowledged += 1;
        }
        Ok(())
    }

    fn check(&mut self, client: &mut Client) {
        let queue = &self.queue;
        let found = client.call(&["LRANGE", queue, "0", "-1"]);
        let mut ids: Vec<u64> = found.elements().iter().map(|id| id.text().parse().expect("an id")).collect();
        ids.reverse();
        let last = self.taken + ids.len() as u64;
        assert_eq!(ids, (self.taken + 1..=last).collect::<Vec<u64>>(), "{queue}: ids are missing");
        let Self { acknowledged, sent, .. } = self;
        assert!((*acknowledged..=*sent).contains(&last), "{queue}: {last} of {acknowledged} to {sent}");
        for &id in &ids {
            let job = self.job(id);
            assert_eq!(client.call(&["GET", &job]), Value::bulk(id.to_string()), "{queue} has an id without its job");
            assert_eq!(client.call(&["DEL", &job]), Value::Integer(1));
        }
        client.call(&["DEL", queue]);
        // Of a pipeline that was cut a job may be there whose id is not.
        client.call(&["DEL", &self.job(last + 1)]);
        (self.acknowledged, self.sent, self.taken) = (last, last, last);
    }
}
