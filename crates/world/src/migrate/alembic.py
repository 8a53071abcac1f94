# What slate-migrate asks of alembic, in a folder of its own: nothing is written among the project's migrations.
import atexit, contextlib, io, json, os, shutil, sys, tempfile
from alembic import command
from alembic.config import Config
from alembic.operations import ops
from alembic.script import ScriptDirectory
from sqlalchemy import ARRAY, Enum
from sqlalchemy.dialects import postgresql

asked = json.loads(ARGUMENTS)
told = {}
sys.path.insert(0, os.getcwd())
config = Config(CONFIG)
folder = tempfile.mkdtemp()
atexit.register(shutil.rmtree, folder, ignore_errors=True)
located = ScriptDirectory.from_config


def from_config(config):
    script = located(config)
    own = script.version_locations or [os.path.join(script.dir, "versions")]
    script.version_locations = [folder] + (list(own) if asked["beside"] else [])
    return script


ScriptDirectory.from_config = from_config


def written():
    for top, _, names in os.walk(folder):
        for name in names:
            if name.endswith(".py"):
                return os.path.join(top, name)
    return None


# Several tables may share a type, and a table that makes its own fails at the second one: each is made once, first.
def named(kind, types):
    if isinstance(kind, Enum) and kind.native_enum and kind.name:
        types[(kind.schema, kind.name)] = list(kind.enums)
        return postgresql.ENUM(*kind.enums, name=kind.name, schema=kind.schema, create_type=False)
    if isinstance(kind, ARRAY):
        kind.item_type = named(kind.item_type, types)
    return kind


def literal(text):
    return "'" + text.replace("'", "''") + "'"


def directives(context, revision, scripts):
    if not scripts:
        return
    script = scripts[0]
    told["empty"] = script.upgrade_ops.is_empty()
    if asked["beside"]:
        return
    types = {}
    for op in script.upgrade_ops.ops:
        for column in getattr(op, "columns", []):
            if hasattr(column, "type"):
                column.type = named(column.type, types)
    quote = context.dialect.identifier_preparer.quote
    first = list(asked["first"])
    last = []
    for (schema, name), labels in types.items():
        full = (quote(schema) + "." if schema else "") + quote(name)
        first.append(f"CREATE TYPE {full} AS ENUM ({', '.join(map(literal, labels))})")
        last.append(f"DROP TYPE {full}")
    script.upgrade_ops.ops[0:0] = [ops.ExecuteSQLOp(sql) for sql in first]
    script.downgrade_ops.ops.extend(ops.ExecuteSQLOp(sql) for sql in last)


def statements(target):
    out = io.StringIO()
    config.output_buffer = out
    with contextlib.redirect_stdout(out):
        command.upgrade(config, target, sql=True)
    return out.getvalue()


def revision():
    try:
        command.revision(
            config, message=asked["name"], autogenerate=True, rev_id=asked["id"], version_path=folder,
            process_revision_directives=directives,
        )
    except Exception as why:
        # Its hooks run on the file that is written.
        if written() is None:
            raise
        told["said"] = str(why)
    file = written()
    if file is None:
        return
    told["file"] = os.path.relpath(file, folder)
    with open(file, encoding="utf-8") as text:
        told["text"] = text.read()
    script = ScriptDirectory.from_config(config)
    made = next(found for found in script.walk_revisions() if found.path == file)
    down = made.down_revision
    try:
        told["sql"] = statements(f"{down}:{made.revision}" if isinstance(down, str) else made.revision)
    except Exception:
        told["sql"] = None


if asked["verb"] == "revision":
    revision()
elif asked["verb"] == "prove":
    with open(os.path.join(folder, "baseline.py"), "w", encoding="utf-8") as file:
        file.write(asked["text"])
    command.upgrade(config, "head")
elif asked["verb"] == "down":
    command.downgrade(config, asked["target"])
else:
    told["sql"] = statements(asked["target"])
print("\ncleanslate " + json.dumps(told))
