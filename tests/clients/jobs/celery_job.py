"""Celery with the Redis broker and result backend: groups, chains, chords, retries, countdowns."""

import os
import subprocess
import sys

PORT = int(sys.argv[1])
os.environ["STORE_PORT"] = str(PORT)
here = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, here)
from celery import chain, chord, group  # noqa: E402
from celery_app import add, client, fail_once, total  # noqa: E402  (reads STORE_PORT)

TASKS = 1500
command = [sys.executable, "-m", "celery", "-A", "celery_app", "worker", "-c", "4", "-l", "ERROR", "--without-mingle"]
quiet = {**os.environ, "PYTHONWARNINGS": "ignore"}  # it warns of the superuser, who may run tests
worker = subprocess.Popen(command, cwd=here, env=quiet, stdout=subprocess.DEVNULL)


def expect(what, got, wanted):
    if got != wanted:
        sys.exit(f"celery: {what}: got {str(got)[:300]}, wanted {str(wanted)[:300]}")


try:
    sums = group(add.s(number, 1) for number in range(TASKS))()
    expect("a group's results", sums.get(timeout=120), [number + 1 for number in range(TASKS)])
    done = {int(number): int(times) for number, times in client.hgetall("celery:done").items()}
    expect("tasks done once", done, {number: 1 for number in range(TASKS)})
    expect("a chain", chain(add.s(TASKS, 1), add.s(10), add.s(100))().get(timeout=60), TASKS + 111)
    together = chord((add.s(TASKS + 1 + number, 0) for number in range(100)), total.s())()
    expect("a chord", together.get(timeout=60), sum(range(TASKS + 1, TASKS + 101)))
    expect("retries", [r.get(timeout=60) for r in [fail_once.delay(n) for n in range(20)]], list(range(20)))
    expect("a countdown", add.apply_async((9999, 1), countdown=1).get(timeout=60), 10000)
finally:
    worker.terminate()
    worker.wait(timeout=60)
print(f"celery: {TASKS} tasks of a group, a chain, a chord, retries, a countdown")
