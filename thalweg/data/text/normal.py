"""Texts before they are looked up: Unicode's normal forms, where a word ends, and the way back.

A word ends at a space; a punctuation mark and a Chinese character are words of their own, as in BERT's basic tokenizer
(Devlin et al. 2019). Chinese is written without spaces; its characters are the words that can be found without a
dictionary. Combining marks, and the joiners inside an emoji, stay with what they stand on.
"""

import unicodedata
from collections.abc import Iterable

from thalweg.errors import ConfigError

FORMS = ("NFC", "NFKC", "NFD", "NFKD")
CHINESE = (
    (0x4E00, 0x9FFF), (0x3400, 0x4DBF), (0x20000, 0x2EBEF), (0x30000, 0x323AF), (0xF900, 0xFAFF), (0x2F800, 0x2FA1F),
)  # fmt: skip
ASCII_PUNCTUATION = frozenset("!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~")  # some are symbols to Unicode: $ + < = > ^ ` | ~
OPENING = frozenset("([{（【《「『“‘")
CLOSING = frozenset(",.!?;:%)]}…，。！？；：、）】》」』”")
FULL_WIDTH = 0x3000  # marks from here on bring their own space
BINDING = frozenset("'’-_/")  # stand between letters more often than between spaces


def is_chinese(character: str) -> bool:
    """Whether it is a Chinese character (an ideograph of any plane; no kana, no hangul).

    >>> [is_chinese(c) for c in "学aか"]
    [True, False, False]
    """
    code = ord(character)
    return code >= CHINESE[1][0] and any(low <= code <= high for low, high in CHINESE)


def is_punctuation(character: str) -> bool:
    """Whether Unicode calls it punctuation, or it is a sign of ASCII.

    >>> [is_punctuation(c) for c in "，$é😀"]
    [True, True, False, False]
    """
    return character in ASCII_PUNCTUATION or unicodedata.category(character).startswith("P")


def normal(text: str, form: str | None, lowercase: bool = False) -> str:
    """`text` in one of Unicode's normal forms (None leaves it as it is), in small letters where asked for.

    NFC writes a letter and its accent as one character where there is one; NFKC also makes full-width letters and
    ligatures plain ones.

    >>> len("e\u0301"), len(normal("e\u0301", "NFC")), normal("ＡＢ①", "NFKC", lowercase=True)
    (2, 1, 'ab1')
    """
    if form is not None:
        if form not in FORMS:
            raise ConfigError(f"form={form!r} is no normal form of Unicode.\n  Write 'NFC', 'NFKC' or None.")
        text = unicodedata.normalize(form, text)
    return text.lower() if lowercase else text


class _Apart(dict[int, str]):
    """The table of `str.translate` that sets spaces around what is a word of its own, learned as characters come."""

    def __missing__(self, code: int) -> str:
        character = chr(code)
        alone = is_chinese(character) or is_punctuation(character)
        self[code] = f" {character} " if alone else character
        return self[code]


APART = _Apart()


def words(text: str) -> list[str]:
    """The words, punctuation marks and Chinese characters of `text`, in order.

    >>> words("It's 3.5 km, 我爱深度学习。")
    ['It', "'", 's', '3', '.', '5', 'km', ',', '我', '爱', '深', '度', '学', '习', '。']
    """
    return text.translate(APART).split()


def joined(tokens: Iterable[str]) -> str:
    """A text of `tokens`: no space beside a Chinese character, before a closing mark or after an opening one.

    `words(joined(tokens))` gives the tokens back.

    >>> joined(words("It's 3.5 km (or so), 我爱你。"))
    "It's 3. 5 km (or so), 我爱你。"
    """
    out, before = [], ""
    for token in tokens:
        if before and not _touch(before, token):
            out.append(" ")
        out.append(token)
        before = token
    return "".join(out)


def _touch(a: str, b: str) -> bool:
    if b in CLOSING or a in OPENING or a in BINDING or b in BINDING:
        return True
    if a in CLOSING:
        return ord(a) >= FULL_WIDTH or (not a.isascii() and _ideograph(b))
    return _ideograph(a) or _ideograph(b)


def _ideograph(token: str) -> bool:
    return len(token) == 1 and is_chinese(token)
