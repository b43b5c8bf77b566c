"""redis-py: locks, optimistic transactions, pipelines, scripts, streams, pub/sub."""

import sys
import threading

import redis

PORT = int(sys.argv[1])
THREADS = 8
ROUNDS = 150


def connect(**options):
    return redis.Redis(port=PORT, decode_responses=True, **options)


def in_threads(work):
    """Runs `work(number)` in THREADS threads; an exception of any ends the program."""
    failures = []

    def run(number):
        try:
            work(number)
        except Exception as failure:  # reported by the caller, whatever it is
            failures.append(failure)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]


def locks():
    """A counter that is read, and written in another command, under a lock."""

    def work(_):
        client = connect()
        for _ in range(ROUNDS):
            with client.lock("guard", timeout=20, sleep=0.001):
                value = int(client.get("guarded") or 0)
                client.set("guarded", value + 1)

    in_threads(work)
    expect("locked increments", int(connect().get("guarded")), THREADS * ROUNDS)


def optimistic():
    """WATCH, MULTI, EXEC until nobody was in the way, on keys of several slots."""

    def work(number):
        client = connect()
        for round_ in range(ROUNDS):

            def move(pipe):
                source, target = int(pipe.get("left") or 0), int(pipe.get("right") or 0)
                pipe.multi()
                pipe.set("left", source - 1)
                pipe.set("right", target + 1)
                pipe.rpush("moves", f"{number}:{round_}")

            client.transaction(move, "left", "right")

    in_threads(work)
    client = connect()
    total = THREADS * ROUNDS
    expect("moved", (int(client.get("left")), int(client.get("right"))), (-total, total))
    moves = client.lrange("moves", 0, -1)
    expect("moves, each once", (len(moves), len(set(moves))), (total, total))


def pipelines():
    client = connect()
    with client.pipeline(transaction=False) as pipe:
        for number in range(5000):
            pipe.set(f"p:{number}", number).incr(f"p:{number}")
        replies = pipe.execute()
    expect("pipelined replies", replies[1::2], list(range(1, 5001)))
    with client.pipeline(transaction=True) as pipe:
        for number in range(2000):
            pipe.get(f"p:{number}")
        replies = pipe.execute()
    expect("a transaction of many keys", replies, [str(number + 1) for number in range(2000)])
    seen = sorted(client.scan_iter(match="p:*", count=100))
    expect("scanned keys", len(set(seen)), 5000)


def scripts():
    client = connect()
    limiter = client.register_script(
        "local n = redis.call('INCR', KEYS[1]) "
        "if n == 1 then redis.call('PEXPIRE', KEYS[1], ARGV[1]) end "
        "if n > tonumber(ARGV[2]) then return 0 end return 1"
    )
    allowed = []
    in_threads(lambda _: allowed.extend(limiter(keys=["limit"], args=[60000, 100]) for _ in range(ROUNDS)))
    expect("let through by the limiter", sum(allowed), 100)


def streams():
    client = connect()
    client.xgroup_create("events", "group", id="0", mkstream=True)
    total = 2000
    for number in range(total):
        client.xadd("events", {"number": number})
    seen = []

    def work(number):
        consumer = connect()
        while True:
            read = consumer.xreadgroup("group", f"c{number}", {"events": ">"}, count=20, block=200)
            if not read:
                return
            for _, entries in read:
                for entry, fields in entries:
                    seen.append(int(fields["number"]))
                    consumer.xack("events", "group", entry)

    in_threads(work)
    expect("entries, each once", sorted(seen), list(range(total)))
    expect("nothing pending", client.xpending("events", "group")["pending"], 0)


def pubsub():
    listener = connect().pubsub()
    listener.subscribe("news")
    listener.psubscribe("ne*")
    for _ in range(2):
        listener.get_message(timeout=5)
    publisher = connect()
    for number in range(1000):
        publisher.publish("news", number)
    got = {"message": [], "pmessage": []}
    while sum(map(len, got.values())) < 2000:
        message = listener.get_message(timeout=5)
        if message is None:
            break
        got[message["type"]].append(int(message["data"]))
    expect("messages in order", got["message"], list(range(1000)))
    expect("messages of the pattern in order", got["pmessage"], list(range(1000)))


def expect(what, got, wanted):
    if got != wanted:
        sys.exit(f"redis-py: {what}: got {str(got)[:300]}, wanted {str(wanted)[:300]}")


for job in (locks, optimistic, pipelines, scripts, streams, pubsub):
    job()
print("redis-py: locks, transactions, pipelines, scripts, streams, pub/sub")
