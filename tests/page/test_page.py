"""Pages: one file that shows every kind of section, reaches nowhere, and believes no text."""

import base64
import io
import re
from html.parser import HTMLParser
from typing import get_args

import numpy as np
import pytest
from PIL import Image

from thalweg import page
from thalweg.page import markup

EVIL = "<script>alert('a&b')</script>"
SAFE = "&lt;script&gt;alert(&#x27;a&amp;b&#x27;)&lt;/script&gt;"
VOID = {"meta", "img", "br", "line", "polyline", "circle"}
PIXELS = np.arange(16, dtype=np.uint8).reshape(4, 4)
SECTIONS = [
    page.Score(EVIL, [page.Measure(EVIL, 1.0, EVIL), page.Measure(EVIL, 0.5, EVIL)], 2.0, {EVIL: EVIL}),
    page.Facts(EVIL, {EVIL: EVIL, "absent": None}),
    page.Table(EVIL, [EVIL, EVIL], [[EVIL, EVIL]], numbers=(1,), prose=(0,)),
    page.Confusion(EVIL, np.eye(2, dtype=int), (EVIL, EVIL)),
    page.Figures(EVIL, [page.Figure(EVIL, PIXELS, 16, (EVIL, EVIL), (EVIL, EVIL), EVIL)]),
    page.Curve(EVIL, {EVIL: [1.0, 2.0]}, axis=EVIL),
    page.Curve(EVIL, {EVIL: [1.0, 2.0]}, heading=False),
    page.Samples(EVIL, [page.Sample(EVIL, EVIL)]),
    page.Passages(EVIL, [page.Passage([page.Piece(EVIL), page.Piece(EVIL, EVIL, EVIL)], EVIL)]),
]


@pytest.fixture(scope="module")
def html():
    return page.render(EVIL, EVIL, SECTIONS)


def test_every_kind_of_section_is_shown():
    kinds = set(get_args(page.Section))
    assert set(markup.WRITERS) == kinds == {type(section) for section in SECTIONS}
    assert all(isinstance(section.title, str) and isinstance(section.half, bool) for section in SECTIONS)


@pytest.mark.parametrize("section", SECTIONS, ids=lambda section: type(section).__name__)
def test_no_text_becomes_markup(section):
    html = markup.to_html(section)
    assert EVIL not in html
    texts = repr(section).count(repr(EVIL)) - (isinstance(section, page.Score))  # its first name is its number's
    assert html.count(SAFE) >= texts


def test_the_page_believes_no_title(html):
    assert "<script" not in html.lower()
    assert html.count(f"<h1>{SAFE}</h1>") == html.count(f"<title>{SAFE}</title>") == 1


def test_it_is_one_file_that_reaches_nowhere(html):
    assert "http" not in html
    assert not re.search(r'(?:src|href)="(?!data:image/png;base64,)', html)
    assert "url(" not in html
    assert "@import" not in html
    assert not re.search(r"\bon\w+=", html)


def test_its_tags_are_closed_in_order(html):
    open_tags = []

    class Checker(HTMLParser):
        def handle_starttag(self, tag, attrs):
            if tag not in VOID:
                open_tags.append(tag)

        def handle_startendtag(self, tag, attrs):
            assert tag in VOID

        def handle_endtag(self, tag):
            assert open_tags.pop() == tag

    checker = Checker()
    checker.feed(html)
    checker.close()
    assert not open_tags


def test_halves_of_a_group_stand_side_by_side():
    half, whole = page.Facts("half", {}), page.Samples("whole", [])
    html = page.render("", "", [half, half, whole, half], [half])
    rows = re.findall(r'<div class="two">(.*?)</div>', html)
    assert [row.count("<h2>half</h2>") for row in rows] == [2, 1, 1]
    assert html.index("whole") < html.rindex(rows[1])


def test_what_is_none_is_left_out(html):
    assert "absent" not in html


def test_colour_pictures_are_shown_in_colour():
    pixels = np.random.default_rng(0).integers(0, 256, (4, 4, 3)).astype(np.uint8)
    content = base64.b64decode(markup.picture(pixels, 255).partition(",")[2])
    np.testing.assert_array_equal(np.asarray(Image.open(io.BytesIO(content))), pixels)


def test_a_name_is_neither_markup_nor_a_command_of_a_terminal():
    name = "<script>x</script>\x1b[31m\u202e\ud800"
    html = page.render(name, name, [page.Facts(name, {name: name})])
    assert "<script>x" not in html
    assert not {"\x1b", "\u202e", "\ud800"} & set(html)
    assert html.count("&lt;script&gt;x&lt;/script&gt;\\u001b[31m\\u202e\\ud800") == 6  # the title stands there twice
    html.encode()
