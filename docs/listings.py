"""For the documentation pages: examples (`>>>`) become listings, and the fields of a record its parameters.

Griffe reads examples only below a title, and knows a dataclass only by its decorator.
"""

import re
import textwrap
from typing import Any

import griffe


class Listings(griffe.Extension):
    """Puts fences around every doctest."""

    def on_object(self, *, obj: griffe.Object, **_: Any) -> None:
        """Rewrite the docstring of a module, class or function."""
        if obj.docstring is not None and ">>>" in obj.docstring.value:
            obj.docstring.value = fenced(obj.docstring.value)

    def on_class_members(self, *, cls: griffe.Class, **_: Any) -> None:
        """Give a record the constructor that it has when it runs."""
        fields = [m for m in cls.members.values() if m.is_attribute and m.annotation is not None]
        fields = [m for m in fields if "ClassVar" not in str(m.annotation)]
        if fields and "__init__" not in cls.members:
            made = griffe.Function("__init__", parameters=griffe.Parameters(*map(parameter, fields)))
            cls.set_member("__init__", made)


def parameter(field: Any) -> griffe.Parameter:
    """A field as a parameter: `units: int`, `rate: float = field(default=0.5, kw_only=True)`."""
    value = None if field.value is None else str(field.value)
    inner = re.match(r"field\(default=(.*?)(, kw_only=True)?\)$", value or "")
    kind = griffe.ParameterKind.positional_or_keyword
    return griffe.Parameter(field.name, annotation=field.annotation, kind=kind, default=inner[1] if inner else value)


def fenced(text: str) -> str:
    """`text` with each run of lines from `>>>` to a blank line in fences."""
    out, block = [], []
    for line in [*textwrap.dedent(text).splitlines(), ""]:
        if line.lstrip().startswith(">>>") or (block and line.strip()):
            block.append(line)
            continue
        if block:
            indent = block[0][: len(block[0]) - len(block[0].lstrip())]
            out += ["", f"{indent}```pycon", *block, f"{indent}```"]
            block = []
        out.append(line)
    return "\n".join(out)
