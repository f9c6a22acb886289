"""Every message has a remedy: a second line, indented by two, that says what to write instead.

What a `raise` says is read from its source: the texts in it, in the variables it names (as the function assigns them),
and in the functions of the package that make it (`missing_extra`, `bad_cell`, ...). Not held to the rule, by kind:

- exceptions that Python's protocols ask for, whose message is a key or nothing: KeyError, IndexError, StopIteration,
  NotImplementedError of a method that a subclass must write; and those that end a program (typer.Exit, an interrupt);
- FormatError, and OSError with a number of the system's, which never leave the room that raises them: the error made of
  them has the remedy;
- what a rule of the contract says, called from their table: each rule is held to it by a test of its own;
- an error raised again, alone or with more words before it: it brings its own remedy.
"""

import ast
import inspect
import re
from pathlib import Path

import pytest

from thalweg import errors
from thalweg.train.contract.rules import RULES

ROOT = Path(__file__).resolve().parent.parent / "thalweg"
FILES = sorted(ROOT.rglob("*.py"))
REMEDY = re.compile(r"\n  (?! )")
MADE = re.compile(r"\bstr\b|\w+Error\b")
PROTOCOL = {"KeyError", "IndexError", "StopIteration", "NotImplementedError", "KeyboardInterrupt", "typer.Exit"}
WITHOUT = PROTOCOL | {"FormatError"}
OURS = {n for n, kind in vars(errors).items() if isinstance(kind, type) and issubclass(kind, errors.ThalwegError)}


def makers(trees):
    """The functions of the package that make a text or an error, by name: several may share one."""
    out = {}
    for tree in trees:
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef) and node.returns and MADE.search(ast.unparse(node.returns)):
                out.setdefault(node.name, []).append(node)
    return out


def name_of(error):
    return ast.unparse(error.func if isinstance(error, ast.Call) else error)


def said(node, scope, known, seen=None):
    """The texts that `node`, inside the function `scope`, may put into a message; each name is followed once."""
    seen = set() if seen is None else seen
    for part in ast.walk(node):
        if isinstance(part, ast.Constant) and isinstance(part.value, str):
            yield part.value
        elif isinstance(part, ast.Name) and (scope, part.id) not in seen:
            seen.add((scope, part.id))
            for assigned in assignments(scope, part.id):
                yield from said(assigned, scope, known, seen)
        elif isinstance(part, ast.Call) and (name := name_of(part).rpartition(".")[2]) not in seen:
            seen.add(name)
            for function in known.get(name, ()):
                for statement in without_docstring(function):
                    yield from said(statement, function, known, seen)


def assignments(scope, name):
    for node in ast.walk(scope):
        if isinstance(node, ast.Assign | ast.AugAssign | ast.AnnAssign | ast.NamedExpr) and node.value is not None:
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            if any(isinstance(part, ast.Name) and part.id == name for t in targets for part in ast.walk(t)):
                yield node.value


def without_docstring(function):
    return function.body[1:] if ast.get_docstring(function) else function.body


def raised_again(node, handlers):
    """Whether it is the error just caught, or carries the message of one that is ours."""
    for handler in handlers:
        caught = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
        named = handler.name and any(isinstance(n, ast.Name) and n.id == handler.name for n in ast.walk(node.exc))
        if named and (isinstance(node.exc, ast.Name) or {name_of(kind) for kind in caught} <= OURS):
            return True
    return False


def from_a_table(error, scope):
    """Whether the message is what `rule` gave, for each rule of a table."""
    tables = [n.iter for n in ast.walk(scope) if isinstance(n, ast.For) and ast.unparse(n.target) == "rule"]
    given = [ast.unparse(a) for n in ast.walk(error) if isinstance(n, ast.Name) for a in assignments(scope, n.id)]
    return bool(tables) and given == ["rule(facts)"]


def without_remedy(tree, known):
    """The lines of the `raise` statements of a file whose message has no remedy."""
    parents = {child: node for node in ast.walk(tree) for child in ast.iter_child_nodes(node)}
    for node in ast.walk(tree):
        if not isinstance(node, ast.Raise) or node.exc is None:
            continue
        above, at = [], node
        while at in parents:
            at = parents[at]
            above.append(at)
        scope = next((n for n in above if isinstance(n, ast.FunctionDef)), tree)
        handlers = [n for n in above if isinstance(n, ast.ExceptHandler)]
        if (
            name_of(node.exc) in WITHOUT
            or ast.unparse(node.exc).startswith("OSError(errno.")
            or (scope is not tree and from_a_table(node.exc, scope))
            or raised_again(node, handlers)
            or any(map(REMEDY.search, said(node.exc, scope, known)))
        ):
            continue
        yield node.lineno


TREES = {path: ast.parse(path.read_text()) for path in FILES}
KNOWN = makers(TREES.values())


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(ROOT)))
def test_every_error_says_what_to_write_instead(path):
    lines = list(without_remedy(TREES[path], KNOWN))
    assert lines == [], f"{path}: no remedy in the messages raised at these lines"


@pytest.mark.parametrize("rule", RULES, ids=lambda r: r.__name__)
def test_every_rule_of_the_contract_says_what_to_write_instead(rule):
    tree = ast.parse(inspect.getsource(rule))
    assert any(map(REMEDY.search, said(tree, tree, KNOWN)))


@pytest.mark.parametrize(
    ("code", "lines"),
    [
        ("raise ConfigError(f'rate={rate} is too large.')", [1]),
        ("raise ConfigError(f'rate={rate} is too large.\\n  Write rate=0.5.')", []),
        ("raise ValueError('what?')", [1]),
        ("raise AttributeError(f'no {name!r}')", [1]),
        ("raise missing_extra('flax', 'bridge', 'a bridge')", []),
        ("raise NotImplementedError", []),
        ("raise typer.Exit(2)", []),
        ("def f():\n    text = 'a'\n    raise DataError(text)", [3]),
        ("def f():\n    text = 'a'\n    text += '\\n  Write b.'\n    raise DataError(text)", []),
        ("try: f()\nexcept ConfigError as e:\n    raise DataError(f'row 3: {e}') from e", []),
        ("try: f()\nexcept ConfigError as e:\n    raise DataError('row 3') from e", [3]),
        ("try: f()\nexcept (OSError, ConfigError) as e:\n    raise DataError(f'row 3: {e}') from e", [3]),
        ("try: f()\nexcept OSError as e:\n    raise", []),
    ],
)
def test_what_counts_as_a_remedy(code, lines):
    assert list(without_remedy(ast.parse(code), KNOWN)) == lines
