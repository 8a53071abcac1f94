# Inserts, reads and updates a row of each mapped model, all in one transaction that is rolled back.
import datetime, decimal, uuid
import sqlalchemy as sa
from sqlalchemy.orm import Session
from sqlalchemy.types import TypeDecorator

NOW = datetime.datetime(2026, 1, 2, 3, 4, 5)


class Unfilled(Exception):
    pass


def sample(kind, n, name):
    if isinstance(kind, sa.Interval):
        return datetime.timedelta(seconds=n)
    while isinstance(kind, TypeDecorator):
        kind = kind.impl
    word = type(kind).__name__.upper()
    if isinstance(kind, sa.Enum):
        return list(kind.enum_class)[0] if kind.enum_class else kind.enums[0]
    if word == "UUID":
        return uuid.UUID(int=n) if getattr(kind, "as_uuid", True) else str(uuid.UUID(int=n))
    if word in ("INET", "CIDR"):
        return "127.0.0.1"
    if isinstance(kind, sa.ARRAY):
        return [sample(kind.item_type, n, name)]
    if isinstance(kind, sa.JSON) or word == "HSTORE":
        return {}
    # Rules are often on what is called so.
    text = f"{n}@example.com" if "mail" in name else f"https://example.com/{n}" if "url" in name else str(n)
    simple = [
        (sa.Boolean, True), (sa.String, text), (sa.Integer, n), (sa.Float, float(n)), (sa.Numeric, decimal.Decimal(n % 9)),
        (sa.Date, NOW.date()), (sa.Time, NOW.time()), (sa.LargeBinary, b"v"),
    ]
    if isinstance(kind, sa.DateTime):
        return NOW.replace(tzinfo=datetime.timezone.utc) if kind.timezone else NOW
    for known, value in simple:
        if isinstance(kind, known):
            return value
    raise Unfilled()


def fill(mapper, n, rows, unfilled, least):
    obj, changed = mapper.class_manager.new_instance(), None
    for prop in mapper.column_attrs:
        column = prop.columns[0]
        if not isinstance(column, sa.Column) or column.computed is not None or column.identity is not None:
            continue
        if column is column.table.autoincrement_column and not column.foreign_keys:
            continue
        foreign = next(iter(column.foreign_keys), None)
        if foreign is not None:
            row = rows.get(foreign.column.table.key)
            if row is not None:
                setattr(obj, prop.key, row[foreign.column.name])
            elif not column.nullable:
                unfilled.append(column.name)
            continue
        if least and column.nullable:
            continue
        if column.default is not None or column.server_default is not None or column is mapper.polymorphic_on:
            continue
        try:
            value = sample(column.type, n, column.name)
        except Unfilled:
            if not column.nullable:
                unfilled.append(column.name)
            continue
        setattr(obj, prop.key, value)
        if not column.primary_key and changed is None:
            changed = (prop.key, value)
    return obj, changed


# A row with every column first; where a rule of the table's refuses that, one with what it has to have.
def exercise(mapper, n, connection, rows):
    first = attempt(mapper, n, connection, rows, False)
    told[mapper.class_.__module__ + "." + mapper.class_.__qualname__] = (
        attempt(mapper, n, connection, rows, True) if first["code"] == "23514" else first
    )


def attempt(mapper, n, connection, rows, least):
    cls, unfilled, stage = mapper.class_, [], "fill"
    outer = connection.begin_nested()
    session = Session(bind=connection)
    error = code = None
    try:
        obj, changed = fill(mapper, n, rows, unfilled, least)
        if unfilled:
            raise Unfilled()
        stage = "insert"
        session.add(obj)
        session.flush()
        stage = "read"
        session.refresh(obj)
        if changed:
            stage = "update"
            sa.orm.attributes.flag_modified(obj, changed[0])
            session.flush()
        row = {prop.columns[0].name: getattr(obj, prop.key) for prop in mapper.column_attrs}
        session.commit()
        rows[mapper.local_table.key] = row
    except Unfilled:
        session.rollback()
        outer.rollback()
    except Exception as why:
        origin = getattr(why, "orig", None) or why
        error = str(origin).strip().splitlines()[0] if str(origin).strip() else type(why).__name__
        code = getattr(origin, "sqlstate", None) or getattr(origin, "pgcode", None)
        session.rollback()
        if outer.is_active:
            outer.rollback()
    finally:
        session.close()
    return {
        "table": mapper.local_table.key, "place": place(cls, "__tablename__"), "stage": stage, "error": error, "code": code, "unfilled": unfilled,
    }


def work(revision, context):
    connection, rows, n = context.connection, {}, 1
    whole = connection.begin_nested()
    for metadata in metadatas(context):
        found = classes(metadata)
        for table in metadata.sorted_tables:
            if table.key in found:
                n += 1
                exercise(sa.inspect(found[table.key]), n, connection, rows)
    whole.rollback()
    return []


run(work)
