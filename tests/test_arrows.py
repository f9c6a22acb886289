"""The arrows between the rooms, and the limits of files and functions."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

import thalweg

ROOT = Path(__file__).resolve().parent.parent
FILES = sorted((ROOT / "thalweg").rglob("*.py"))
MOST = {ast.FunctionDef: 40, ast.AsyncFunctionDef: 40, ast.ClassDef: 160, ast.Module: 240}
"""Lines of code; a docstring does not count, and exempts nothing."""
OPTIONAL = {"flax", "equinox", "torch", "keras", "onnx", "tensorflow", "pandas"}


def imported(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module == "thalweg":
            yield from (f"thalweg.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or ""


def named(path):
    """Modules of ours that a file names in strings, to be imported by name: import-linter cannot see those."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield from re.findall(r"^thalweg\.[\w.]+(?=:|$)", node.value)


def lines_of_code(tree, text):
    """The numbers of the lines that are code: no blank lines, comments or docstrings."""
    docs = set()
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        first = body[0] if isinstance(body, list) and body else None
        if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and isinstance(first.value.value, str):
            docs |= set(range(first.lineno, first.end_lineno + 1))
    numbered = enumerate(text.splitlines(), 1)
    return {n for n, line in numbered if line.strip() and not line.strip().startswith("#") and n not in docs}


def code_lines(path):
    return len(lines_of_code(ast.parse(path.read_text()), path.read_text()))


def too_long(text):
    """The functions, classes and the file itself that have more lines of code than the house allows."""
    tree = ast.parse(text)
    code = lines_of_code(tree, text)
    for node in ast.walk(tree):
        most = next((most for kind, most in MOST.items() if isinstance(node, kind)), None)
        if most is not None:
            last = node.end_lineno if hasattr(node, "end_lineno") else len(text)
            length = len(code & set(range(getattr(node, "lineno", 1), last + 1)))
            if length > most:
                yield f"{getattr(node, 'name', 'the file')}: {length} lines of code, {most} at most"


def test_the_arrows_hold():
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"]
    out = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert out.returncode == 0, out.stdout


def test_the_core_stays_small():
    """The bound is in docs/decisions/0006: what a module needs to compute, without summary, FLOPs, masks and face."""
    beside = ("summary", "flops", "masks", "face")
    assert sum(code_lines(f) for f in FILES if f.parent.name == "core" and f.stem not in beside) < 440


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(ROOT)))
def test_a_room_imports_by_name_from_itself_alone(path):
    room = path.relative_to(ROOT / "thalweg").parts[0].removesuffix(".py")
    if room != "__init__":  # the public face
        assert {name.split(".")[1] for name in named(path)} <= {room}


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(ROOT)))
def test_a_file_keeps_the_house_rules(path):
    names = set(imported(path))
    face = {f"thalweg.{name}" for name, place in thalweg.FACE.items() if place != f"thalweg.{name}"}
    face |= {"thalweg.__version__"}
    assert not names & {"thalweg", *face}, "nobody inside imports the public face"
    assert not {n.split(".")[0] for n in names} & {"pickle", "cloudpickle", "dill", "joblib"}, (
        "nothing is ever unpickled"
    )
    assert "tokenizers" not in names or path.name == "subwords.py"
    if path.parent.name not in ("bridge", "export"):
        assert not {n.split(".")[0] for n in names} & OPTIONAL
    assert path.read_text().count("\n") <= 400
    assert "static_arg" not in path.read_text(), "it would keep every network's program: see compilation.kept"
    assert list(too_long(path.read_text())) == []


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("def f():\n" + "    x = 1\n" * 40, ["f"]),
        ("def f():\n" + '    """One line."""\n' + "    x = 1\n" * 40, ["f"]),
        ("def f():\n" + '    """\n' + "    words\n" * 60 + '    """\n' + "    x = 1\n\n    # why\n" * 39, []),
        ("class C:\n" + "    x = 1\n" * 160, ["C"]),
        ("x = 1\n" * 241, ["the file"]),
    ],
)
def test_what_is_too_long(text, names):
    assert [line.partition(":")[0] for line in too_long(text)] == names
