//! The mesh without cores around it: nanoseconds per command from routing to the other side, all in one thread.

#![allow(missing_docs, reason = "criterion's macros make public functions without documentation")]

use std::hint::black_box;
use std::sync::Arc;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use net::{ConnId, OwnedArgs};
use shard::ids::{ClientId, DbId, ShardId};
use shard::mesh::{Batch, Head, Mesh, Message, Pushed, ReplyBatch, ReplyHead, Rules, Spare, Taken, Wake};
use shard::spec::CommandTable;
use storage::UnixMillis;

/// Nobody sleeps here.
struct Awake;

impl Wake for Awake {
    fn wake(&self) {}
}

const HERE: ShardId = ShardId(0);
const CONN: ConnId = ConnId { slot: 0, generation: 1 };

fn mesh(cores: usize) -> Mesh {
    Mesh::new((0..cores).map(|_| Arc::new(Awake) as Arc<dyn Wake>).collect(), Rules::default())
}

fn head(seq: u32) -> Head {
    let command = CommandTable::global().find(b"set").expect("SET is a command").id;
    Head {
        conn: CONN,
        client: ClientId(1),
        seq,
        part: 0,
        is_part: false,
        command,
        db: DbId(0),
        first_span: 0,
        spans: 0,
        resp3: false,
        no_touch: false,
        tracks: false,
    }
}

/// Routes `count` commands to each of `cores` shards, pushes them together, and reads them there.
fn round(mesh: &Mesh, batches: &mut [Batch], spare: &mut Spare, args: &OwnedArgs, count: u32) -> usize {
    let args = args.as_args();
    for batch in batches.iter_mut() {
        for seq in 0..count {
            batch.push(head(seq), &args, 0..args.len(), false);
        }
    }
    assert_eq!(mesh.push(batches, spare, || UnixMillis(1)), Pushed::Done);
    let mut bytes = 0;
    for shard in 0..mesh.len() {
        let mut taken = Taken::default();
        mesh.take(ShardId(shard as u16), &mut taken);
        for mut batch in taken.batches {
            for message in &batch.messages {
                let Message::Command(head) = message else { unreachable!("only such were pushed") };
                bytes += batch.args(head).at(1).len();
            }
            batch.reset();
            spare.put(batch, 4 * mesh.len());
        }
    }
    bytes
}

fn pushing(criterion: &mut Criterion) {
    let args: OwnedArgs = [&b"SET"[..], b"key:000000012345", &[b'x'; 64]].into_iter().collect();
    let mut group = criterion.benchmark_group("inbox");
    for (name, cores, count) in
        [("1 command", 1, 1), ("16 commands", 1, 16), ("16 commands to each of 4 shards", 4, 16)]
    {
        let mesh = mesh(cores);
        let mut batches: Vec<Batch> = (0..cores).map(|_| Batch::new(HERE)).collect();
        let mut spare = Spare::default();
        group.throughput(Throughput::Elements(u64::from(count) * cores as u64));
        group.bench_function(name, |bencher| {
            bencher.iter(|| black_box(round(&mesh, &mut batches, &mut spare, &args, count)));
        });
    }
    group.finish();
}

fn answering(criterion: &mut Criterion) {
    const REPLIES: u32 = 16;
    let mesh = mesh(1);
    let mut group = criterion.benchmark_group("inbox");
    group.throughput(Throughput::Elements(u64::from(REPLIES)));
    group.bench_function("16 answers", |bencher| {
        let mut kept = ReplyBatch::default();
        bencher.iter(|| {
            for seq in 0..REPLIES {
                kept.bytes.extend_from_slice(b"+OK\r\n");
                kept.heads.push(ReplyHead { conn: CONN, seq, part: 0, len: 5 });
            }
            mesh.answer(HERE, std::mem::take(&mut kept));
            let mut taken = Taken::default();
            mesh.take(HERE, &mut taken);
            kept = taken.replies.pop().expect("one batch was sent");
            let bytes = black_box(kept.bytes.len());
            kept.reset();
            bytes
        });
    });
    group.finish();
}

criterion_group!(benches, pushing, answering);
criterion_main!(benches);
