"""rq: many jobs over several workers, dependencies, retries, jobs of a later time."""

import os
import subprocess
import sys
import time
from datetime import timedelta

import redis
import rq

PORT = int(sys.argv[1])
os.environ["STORE_PORT"] = str(PORT)
sys.path.insert(0, os.path.dirname(__file__))
import rq_tasks  # noqa: E402  (reads STORE_PORT)

JOBS = 1200
WORKERS = 3
WORKER = """
import sys, redis, rq
sys.path.insert(0, sys.argv[2])
queue = rq.Queue("work", connection=redis.Redis(port=int(sys.argv[1])))
rq.SimpleWorker([queue], connection=queue.connection).work(logging_level="ERROR", with_scheduler=True)
"""

connection = redis.Redis(port=PORT)
queue = rq.Queue("work", connection=connection)
here = os.path.dirname(os.path.abspath(__file__))
workers = [subprocess.Popen([sys.executable, "-c", WORKER, str(PORT), here]) for _ in range(WORKERS)]
try:
    jobs = [queue.enqueue(rq_tasks.count, number) for number in range(JOBS)]
    retried = [queue.enqueue(rq_tasks.fail_once, JOBS + n, retry=rq.Retry(max=2)) for n in range(50)]
    first = queue.enqueue(rq_tasks.count, JOBS + 50)
    behind = queue.enqueue(rq_tasks.count, JOBS + 51, depends_on=first)
    later = queue.enqueue_in(timedelta(seconds=2), rq_tasks.count, JOBS + 52)
    everything = jobs + retried + [first, behind, later]
    deadline = time.time() + 100
    waiting = everything
    while waiting and time.time() < deadline:
        time.sleep(0.2)
        waiting = [job for job in waiting if job.get_status() != rq.job.JobStatus.FINISHED]
    if waiting:
        sys.exit(f"rq: {len(waiting)} jobs are not done, the first is {waiting[0].get_status()}")
    wrong = [job for number, job in enumerate(jobs) if job.return_value() != number * 2]
    done = {int(number): int(times) for number, times in connection.hgetall("rq:done").items()}
    if wrong or done != {number: 1 for number in range(len(everything))}:
        sys.exit(f"rq: {len(wrong)} wrong results; not done exactly once: {[n for n, t in done.items() if t != 1][:10]}")
finally:
    for worker in workers:
        worker.terminate()
    for worker in workers:
        worker.wait(timeout=30)
print(f"rq: {len(everything)} jobs over {WORKERS} workers, each done once")
