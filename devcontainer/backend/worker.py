"""The record shop's worker: takes job ids from the Redis list `jobs` and marks those jobs done."""

import os
import signal
import sys
import time

import psycopg
from psycopg_pool import ConnectionPool
from redis import ConnectionError, Redis

DONE = "UPDATE jobs SET status = 'done', attempts = attempts + 1, finished_at = now() WHERE id = %s RETURNING kind"


def next_job(queue: Redis) -> str:
    """Waits for a job id as long as it takes, also while Redis itself is away."""
    while True:
        try:
            return queue.blpop("jobs")[1]
        except ConnectionError:
            time.sleep(1)


def work(pool: ConnectionPool, job: str) -> str:
    """Marks one job done and says what came of it; a bad message never ends the worker."""
    try:
        with pool.connection() as db:
            row = db.execute(DONE, [job]).fetchone()
    except psycopg.Error as error:
        return f"failed: {error}"
    # A message can outlive its row: the queue is not reset together with the database.
    return f"{row[0]} done" if row else "there is no such row"


def main() -> None:
    # Process 1 of a container ignores SIGTERM unless it says otherwise.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    # No read timeout: an empty queue is not a fault, and the wait may be long.
    queue = Redis.from_url(os.environ["REDIS_URL"], decode_responses=True, socket_timeout=None)
    pool = ConnectionPool(
        os.environ["DATABASE_URL"],
        min_size=1,
        max_size=1,
        check=ConnectionPool.check_connection,
        kwargs={"application_name": "record-shop-worker", "autocommit": True},
        open=False,
    )
    with pool:
        while True:
            job = next_job(queue)
            print(f"job {job}: {work(pool, job)}")


if __name__ == "__main__":
    main()
