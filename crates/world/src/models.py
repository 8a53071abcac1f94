# Creates what the models describe in the database that the project's own env.py connects to. Nothing is migrated.
import inspect, json, os, re, sys
from alembic.autogenerate import render
from alembic.autogenerate.api import AutogenContext
from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from alembic.script import ScriptDirectory
from sqlalchemy import Enum
from sqlalchemy.schema import CreateSchema
from sqlalchemy.types import TypeDecorator

sys.path.insert(0, os.getcwd())
told = {}


def enums(kind):
    while isinstance(kind, TypeDecorator):
        kind = kind.impl
    if isinstance(kind, Enum) and kind.native_enum and kind.name:
        yield kind
    for inner in (getattr(kind, "item_type", None), getattr(kind, "element_type", None)):
        if inner is not None:
            yield from enums(inner)


def classes(metadata):
    seen = {}
    for base in object.__subclasses__():
        pass
    stack = list(object.__subclasses__())
    known = set()
    while stack:
        cls = stack.pop()
        if cls in known or cls is type:
            continue
        known.add(cls)
        table = cls.__dict__.get("__table__")
        if getattr(table, "metadata", None) is metadata:
            seen[table.key] = cls
        try:
            stack.extend(cls.__subclasses__())
        except TypeError:
            pass
    return seen


def place(cls, attribute):
    try:
        lines, start = inspect.getsourcelines(cls)
        file = os.path.relpath(inspect.getsourcefile(cls))
    except (OSError, TypeError):
        return None
    for number, line in enumerate(lines):
        if re.match(r"\s*" + re.escape(attribute) + r"\s*[:=]", line):
            return f"{file}:{start + number}"
    return f"{file}:{start}"


def attribute(cls, column):
    for name, value in vars(cls).items():
        columns = getattr(getattr(value, "property", None), "columns", ())
        if any(own is column for own in columns):
            return name
    return column.name


def describe(metadata, context):
    found = classes(metadata)
    autogen = AutogenContext(context, metadata, opts=context.opts)
    out = {}
    for table in metadata.tables.values():
        cls = found.get(table.key)
        before = None
        for column in table.columns:
            try:
                line = render._render_column(column, autogen)
            except Exception:
                line = None
            where = place(cls, attribute(cls, column)) if cls else None
            out[f"{table.schema or 'public'}.{table.name}.{column.name}"] = {"line": line, "place": where, "after": before}
            before = column.name
        out[f"{table.schema or 'public'}.{table.name}"] = {"line": None, "place": place(cls, "__tablename__") if cls else None, "after": None}
    return out


def create(revision, context):
    connection, wanted = context.connection, context.opts["target_metadata"]
    if wanted is None:
        sys.exit("env.py has no target_metadata: it does not know the models")
    for metadata in wanted if isinstance(wanted, (list, tuple)) else [wanted]:
        for schema in sorted({table.schema for table in metadata.tables.values() if table.schema}):
            connection.execute(CreateSchema(schema, if_not_exists=True))
        for table in metadata.sorted_tables:
            for column in table.columns:
                for kind in enums(column.type):
                    kind.dialect_impl(connection.dialect).create(connection, checkfirst=True)
        metadata.create_all(connection)
        told.update(describe(metadata, context))
    return []


config = Config(CONFIG)
script = ScriptDirectory.from_config(config)
with EnvironmentContext(config, script, fn=create):
    script.run_env()
print("cleanslate " + json.dumps(told))
