"""page: sections as one HTML file without scripts or addresses: styles, charts and pictures are inside it."""

from collections.abc import Sequence
from html import escape
from itertools import groupby
from pathlib import Path
from string import Template

from thalweg.errors import harmless
from thalweg.page.markup import to_html
from thalweg.page.sections import Section

TEMPLATE = Path(__file__).with_name("page.html")


def render(title: str, subtitle: str, *groups: Sequence[Section]) -> str:
    """The page.

    Args:
        title: at its top, and in the browser's bar.
        subtitle: the line below it.
        groups: sections, one below the other; halves that follow each other in a group stand side by side.

    >>> "<h1>1 &lt; 2</h1>" in render("1 < 2", "", [])
    True
    """
    body = "\n".join(html for group in groups for html in _rows(group))
    template = Template(TEMPLATE.read_text(encoding="utf-8"))
    return harmless(template.substitute(title=escape(title), subtitle=escape(subtitle), body=body))


def _rows(group: Sequence[Section]) -> list[str]:
    rows = ((half, "".join(map(to_html, row))) for half, row in groupby(group, key=lambda section: section.half))
    return [f'<div class="two">{html}</div>' if half else html for half, html in rows]
