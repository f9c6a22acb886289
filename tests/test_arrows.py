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


def code_lines(path):
    """Lines that are code: no blank lines, comments or docstrings."""
    text = path.read_text()
    docs = set()
    for node in ast.walk(ast.parse(text)):
        body = getattr(node, "body", None)
        first = body[0] if isinstance(body, list) and body else None
        if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and isinstance(first.value.value, str):
            docs |= set(range(first.lineno, first.end_lineno + 1))
    lines = enumerate(text.splitlines(), 1)
    return sum(1 for n, line in lines if line.strip() and not line.strip().startswith("#") and n not in docs)


def test_the_arrows_hold():
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"]
    out = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert out.returncode == 0, out.stdout


def test_the_core_stays_small():
    """The bound is in docs/decisions/0006: what a module needs to compute, without the summary and its FLOPs."""
    assert sum(code_lines(f) for f in FILES if f.parent.name == "core" and f.stem not in ("summary", "flops")) < 440


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
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef):
            assert node.end_lineno - node.body[0].lineno <= 60 or ast.get_docstring(node), node.name
