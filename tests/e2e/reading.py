"""A process that reads what `test_hostile_data.py` wrote: `reader TAB path` on a line, how it ended as JSON on a line.

Its memory is limited, and an outside program or an address on the net ends it.
"""

import json
import os
import resource
import sys
import warnings
from pathlib import Path

import numpy as np

from thalweg import data
from thalweg.datasets import cifar10, idx
from thalweg.errors import ThalwegError
from thalweg.recipes import folder, paths, settings, textfiles
from thalweg.recipes.image import files as pictures
from thalweg.recipes.language import files as languages
from thalweg.recipes.series import files as series
from thalweg.recipes.series.kind import SeriesSettings
from thalweg.recipes.sound import files as sounds
from thalweg.recipes.tags import files as tags
from thalweg.recipes.translation import files as translations

ROOM = 3 * 2**30  # bytes that reading may take beside what the process has
OUTSIDE = ("subprocess.", "os.system", "os.exec", "os.posix_spawn", "os.fork", "os.spawn", "socket.connect", "pickle.")

READERS = {
    "npz": data.from_npz,
    "folder": data.from_folder,
    "rows": lambda path: pictures.read(path, (8, 8)),
    "colours": lambda path: pictures.read(path, (8, 8, 3)),
    "own": pictures.read,
    "idx": lambda path: idx.read_idx(path, 3),
    "tar": lambda path: cifar10.extract(path, {"a/b.bin": 12}, path.parent),
    "cifar": lambda path: cifar10.read_batches([path]),
    "text": data.read_text,
    "texts": textfiles.read,
    "conll": tags.read,
    "untagged": tags.untagged,
    "parallel": lambda path: translations.read(path, "en-de"),
    "language": languages.read,
    "sound": lambda path: data.read_sound(path, 16000),
    "sounds": data.list_sounds,
    "clips": lambda path: sounds.read(path, 8000, ("label", "text")),
    "parts": paths.parts,
    "classes": data.read_classes,
    "series": lambda path: series.read(path, SeriesSettings()),
    "yaml": folder.read_config,
    "settings": lambda path: settings.settle(settings.Settings, folder.read_config(path)),
}


def refuse(event, arguments):
    if event.startswith(OUTSIDE):
        os.write(1, json.dumps({"end": "outside", "what": f"{event} {arguments!r}"[:200]}).encode() + b"\n")
        os._exit(1)


def ended(name, path):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    try:
        READERS[name](Path(path))
        out = {"end": "read"}
    except ThalwegError as error:
        out = {"end": "refused", "kind": type(error).__name__, "what": str(error)}
    except BaseException as error:  # noqa: BLE001  whatever else it is, it is what is looked for
        out = {"end": "foreign", "what": f"{type(error).__name__}: {error}"[:200]}
    return {**out, "megabytes": (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024}


def main():
    data.read_text(__file__), np.linalg.norm(np.ones(2))
    data.resample(np.ones(9, np.float32), 8000, 16000)  # what is imported late
    warnings.simplefilter("ignore")
    pages = int(Path("/proc/self/statm").read_text().split()[0]) if Path("/proc/self/statm").exists() else 0
    taken = pages * resource.getpagesize() + ROOM
    resource.setrlimit(resource.RLIMIT_AS, (taken, taken))
    sys.addaudithook(refuse)
    print(json.dumps({"end": "ready"}), flush=True)
    for line in sys.stdin:
        name, path = json.loads(line)
        print(json.dumps(ended(name, path)), flush=True)


if __name__ == "__main__":
    main()
