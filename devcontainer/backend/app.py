"""The record shop's backend: applies the migrations, then serves GET /health and GET /users."""

import json
import os
import signal
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import psycopg
from psycopg.rows import dict_row
from psycopg_pool import ConnectionPool

from migrate import migrate

URL = os.environ["DATABASE_URL"]
POOL = ConnectionPool(
    URL,
    min_size=4,
    max_size=8,
    timeout=2,
    reconnect_timeout=4,
    kwargs={"application_name": "record-shop-backend", "autocommit": True},
    open=False,
)
QUERIES = {
    "/health": "SELECT 1 AS ok",
    "/users": "SELECT count(*) AS users FROM users",
}


def first_row(query: str) -> dict[str, object]:
    with POOL.connection() as db:
        return db.cursor(row_factory=dict_row).execute(query).fetchone()


def answer(path: str) -> tuple[int, dict[str, object]]:
    """Status and body for a path: 200 only when its query went through the pool."""
    if path not in QUERIES:
        return 404, {"error": f"nothing at {path}"}
    try:
        try:
            return 200, first_row(QUERIES[path])
        except psycopg.OperationalError:
            # Sessions are cut together: replace all that are dead, or each would cost a request.
            POOL.check()
            return 200, first_row(QUERIES[path])
    except psycopg.Error as error:
        return 503, {"error": str(error)}


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        status, body = answer(self.path)
        content = json.dumps(body).encode() + b"\n"
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_request(self, code: object = "-", size: object = "-") -> None:
        """Silent: the healthcheck asks every other second."""


def main() -> None:
    # Process 1 of a container ignores SIGTERM unless it says otherwise.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    migrate(URL, Path(os.environ.get("MIGRATIONS", "/migrations")))
    with POOL:
        POOL.wait()
        ThreadingHTTPServer(("", 8000), Handler).serve_forever()


if __name__ == "__main__":
    main()
