"""Applies the SQL migrations to DATABASE_URL as `sqlx migrate run` does.

Table, lock number, checksum and refusals are sqlx's own, so both can take turns on one database.
"""

import hashlib
import os
import time
import zlib
from pathlib import Path
from typing import NamedTuple

import psycopg

TABLE = """
CREATE TABLE IF NOT EXISTS _sqlx_migrations (
    version BIGINT PRIMARY KEY,
    description TEXT NOT NULL,
    installed_on TIMESTAMPTZ NOT NULL DEFAULT now(),
    success BOOLEAN NOT NULL,
    checksum BYTEA NOT NULL,
    execution_time BIGINT NOT NULL
)"""
RECORD = """
INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
VALUES (%s, %s, TRUE, %s, -1)"""


class Migration(NamedTuple):
    version: int
    description: str
    sql: bytes

    @property
    def checksum(self) -> bytes:
        return hashlib.sha384(self.sql).digest()


def read(folder: Path) -> list[Migration]:
    """The folder's migrations, oldest first, from names such as `20260101000000_initial.sql`."""
    found = []
    for file in folder.glob("*_*.sql"):
        version, description = file.name.removesuffix(".sql").split("_", 1)
        found.append(Migration(int(version), description.replace("_", " "), file.read_bytes()))
    return sorted(found)


def pending(migrations: list[Migration], applied: dict[int, bytes]) -> list[Migration]:
    """The migrations still to apply; an applied one that changed or vanished is an error."""
    checksums = {m.version: m.checksum for m in migrations}
    for version, checksum in applied.items():
        if version not in checksums:
            raise SystemExit(f"migration {version} was applied but is missing from the folder")
        if checksums[version] != checksum:
            raise SystemExit(f"migration {version} was applied but has been modified since")
    return [m for m in migrations if m.version not in applied]


def apply(db: psycopg.Connection, migration: Migration) -> None:
    started = time.monotonic_ns()
    with db.transaction():
        db.execute(migration.sql)
        db.execute(RECORD, [migration.version, migration.description, migration.checksum])
    took = time.monotonic_ns() - started
    db.execute("UPDATE _sqlx_migrations SET execution_time = %s WHERE version = %s", [took, migration.version])
    print(f"applied {migration.version} {migration.description} in {took // 1_000_000} ms")


def migrate(url: str, folder: Path) -> None:
    with psycopg.connect(url, autocommit=True, application_name="record-shop-migrate") as db:
        # Held until this session ends: a second starter waits here, then finds nothing to do.
        lock = 0x3D32AD9E * zlib.crc32(db.info.dbname.encode())
        db.execute("SELECT pg_advisory_lock(%s)", [lock])
        db.execute(TABLE)
        applied = dict(db.execute("SELECT version, checksum FROM _sqlx_migrations ORDER BY version"))
        todo = pending(read(folder), applied)
        for migration in todo:
            apply(db, migration)
    if not todo:
        print("migrations: nothing to apply")


if __name__ == "__main__":
    migrate(os.environ["DATABASE_URL"], Path(os.environ.get("MIGRATIONS", "/migrations")))
