"""Downloads: from the first mirror that has the published bytes, under a temporary name until they are verified."""

import hashlib
import http.client
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from thalweg.datasets.entry import Published
from thalweg.errors import FormatError
from thalweg.files import replacing

BLOCK = 2**18
TIMEOUT = 30.0  # seconds without an answer
FAILURES = (urllib.error.URLError, http.client.HTTPException, OSError, ValueError)


def download(published: Published, mirrors: tuple[str, ...], folder: Path) -> list[str]:
    """Bring `published` into `folder` from the first of `mirrors` that has it.

    Returns:
        What failed, a line for each mirror tried in vain. The file is there unless every mirror has a line.
    """
    failed: list[str] = []
    for mirror in mirrors:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with replacing(folder / published.name) as temporary:
                _receive(mirror + published.name, published, temporary)
        except FAILURES as error:
            failed.append(f"{mirror}{published.name}: {error}")
        else:
            break
    return failed


def _receive(address: str, published: Published, path: Path) -> None:
    if not address.startswith(("https://", "http://")):
        raise FormatError("not a web address")
    request = urllib.request.Request(address, headers={"User-Agent": "thalweg"})  # noqa: S310  checked above
    content, received = hashlib.sha256(), 0
    with urllib.request.urlopen(request, timeout=TIMEOUT) as answer, path.open("wb") as file:  # noqa: S310
        for block in _shown(iter(lambda: answer.read(BLOCK), b""), published):
            received += len(block)
            if received > published.size:
                raise FormatError(f"longer than the published {published.size:,} bytes")
            content.update(block)
            file.write(block)
    if received < published.size:
        raise FormatError(f"stopped after {received:,} of {published.size:,} bytes")
    if content.hexdigest() != published.sha256:
        raise FormatError(f"its sha256 is {content.hexdigest()}, not the published {published.sha256}")


def _shown(blocks: Iterator[bytes], published: Published) -> Iterator[bytes]:
    # a line that counts up, where a person watches
    received, shown, screen = 0, 0.0, sys.stderr
    if not screen.isatty():
        yield from blocks
        return
    for block in blocks:
        received += len(block)
        if received == published.size or time.monotonic() - shown > 0.1:
            shown = time.monotonic()
            screen.write(f"\r{published.name}: {received / 1e6:.1f} of {published.size / 1e6:.1f} MB")
            screen.flush()
        yield block
    screen.write("\n")
