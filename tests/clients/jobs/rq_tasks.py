"""What rq's workers run."""

import os

import redis

client = redis.Redis(port=int(os.environ["STORE_PORT"]))


def count(number):
    client.hincrby("rq:done", number, 1)
    return number * 2


def fail_once(number):
    if client.hincrby("rq:tries", number, 1) == 1:
        raise RuntimeError("the first try fails")
    client.hincrby("rq:done", number, 1)
