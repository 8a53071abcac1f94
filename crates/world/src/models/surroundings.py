# What creating and exercising models share: the project's own env.py is run, and its target_metadata looked at.
import inspect, json, os, re, sys
from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from alembic.script import ScriptDirectory

sys.path.insert(0, os.getcwd())
told = {}


def classes(metadata):
    seen = {}
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


def metadatas(context):
    wanted = context.opts["target_metadata"]
    if wanted is None:
        sys.exit("env.py has no target_metadata: it does not know the models")
    return wanted if isinstance(wanted, (list, tuple)) else [wanted]


def run(work):
    config = Config(CONFIG)
    script = ScriptDirectory.from_config(config)
    with EnvironmentContext(config, script, fn=work):
        script.run_env()
    print("cleanslate " + json.dumps(told))
