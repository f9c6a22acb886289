"""What the documentation prints runs: the examples of docstrings, the Python listings of the README and the guide."""

import doctest
import importlib
import pkgutil
import re
import warnings
from pathlib import Path

import jax
import pytest

import thalweg
from tests.peers import relaxed

ROOT = Path(__file__).resolve().parent.parent
MODULES = sorted(m.name for m in pkgutil.walk_packages(thalweg.__path__, "thalweg.") if not m.name.endswith("__main__"))
PAGES = [ROOT / "README.md", ROOT / "README.zh-CN.md", *sorted((ROOT / "docs" / "guide").glob("*.md"))]
LISTING = re.compile(r"```python\n(.*?)```", re.DOTALL)


@pytest.mark.parametrize("name", MODULES)
def test_the_examples_of_docstrings_run(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    module = importlib.import_module(name)
    with relaxed():
        found = doctest.testmod(module, optionflags=doctest.ELLIPSIS | doctest.IGNORE_EXCEPTION_DETAIL)
    assert found.failed == 0


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)
def test_the_listings_of_a_page_run(page, tmp_path, monkeypatch, request):
    monkeypatch.chdir(tmp_path)
    listings = LISTING.findall(page.read_text())
    if any("datasets.mnist" in code for code in listings):
        request.getfixturevalue("data_folder")
    space: dict[str, object] = {}
    with warnings.catch_warnings(), jax.numpy_dtype_promotion("standard"), jax.numpy_rank_promotion("allow"):
        warnings.simplefilter("ignore")
        for code in listings:
            exec(compile(code.replace("epochs=10,", "epochs=1,"), str(page), "exec"), space)


def test_both_readmes_print_the_same_listings():
    english, chinese = (LISTING.findall((ROOT / name).read_text()) for name in ("README.md", "README.zh-CN.md"))
    assert [_code(a) for a in english] == [_code(b) for b in chinese]


def _code(listing):
    return [line.partition("#")[0].rstrip() for line in listing.splitlines()]
