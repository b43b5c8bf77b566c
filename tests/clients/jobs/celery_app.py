"""The Celery application of celery_job.py."""

import os

import redis
from celery import Celery

PORT = int(os.environ["STORE_PORT"])
URL = f"redis://127.0.0.1:{PORT}/"
app = Celery("jobs", broker=URL + "1", backend=URL + "2")
app.conf.update(worker_prefetch_multiplier=4, task_acks_late=True, broker_connection_retry_on_startup=True)
client = redis.Redis(port=PORT)


@app.task
def add(number, other):
    client.hincrby("celery:done", number, 1)
    return number + other


@app.task
def total(numbers):
    return sum(numbers)


@app.task(bind=True, max_retries=3)
def fail_once(self, number):
    if client.hincrby("celery:tries", number, 1) == 1:
        raise self.retry(countdown=0.1)
    return number
