# Creates what the models describe in the database that the project's own env.py connects to. Nothing is migrated.
from alembic.autogenerate import render
from alembic.autogenerate.api import AutogenContext
from sqlalchemy import Enum
from sqlalchemy.schema import CreateSchema
from sqlalchemy.types import TypeDecorator


def enums(kind):
    while isinstance(kind, TypeDecorator):
        kind = kind.impl
    if isinstance(kind, Enum) and kind.native_enum and kind.name:
        yield kind
    for inner in (getattr(kind, "item_type", None), getattr(kind, "element_type", None)):
        if inner is not None:
            yield from enums(inner)


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
    connection = context.connection
    for metadata in metadatas(context):
        for schema in sorted({table.schema for table in metadata.tables.values() if table.schema}):
            connection.execute(CreateSchema(schema, if_not_exists=True))
        for table in metadata.sorted_tables:
            for column in table.columns:
                for kind in enums(column.type):
                    kind.dialect_impl(connection.dialect).create(connection, checkfirst=True)
        metadata.create_all(connection)
        told.update(describe(metadata, context))
    return []


run(create)
