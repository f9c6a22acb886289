"""Model files whose every part is made up: each is refused as a ModelFileError or is a model, within time and memory.

Good models of several kinds are saved; a seeded fuzzer changes their descriptions, their zip, the header of their
arrays or their bytes, mends the digests so that the change is reached, and hands them to a worker: a process of a
limited memory that loads each file, looks at its summary and predicts on a row. A worker that dies, hangs or meets
another error fails the test, which names the seed of the file.
"""

import contextlib
import functools
import hashlib
import json
import os
import random
import subprocess
import sys
import tempfile
import time
import zipfile
from pathlib import Path

import numpy as np
import pytest

from thalweg import layers, losses, metrics, optim, regularizers
from thalweg.architectures import GPT, RecurrentLM, Seq2Seq, Transformer
from thalweg.data import Labels, Standardize
from thalweg.export import modelfile
from thalweg.layers import Input
from thalweg.model import Model, Sequential
from thalweg.optim import schedules

MEMORY = 8 * 2**30  # bytes of address space, of which JAX and its threads take more than half before any file
SECONDS = 30  # for one file, on a busy machine
FILES = int(os.environ.get("THALWEG_FUZZ_FILES", "12000"))  # of the long test
WORKER = """
import resource, sys, warnings
warnings.simplefilter("ignore")
import jax, numpy as np
from thalweg.errors import ConfigError, ContractError, ModelFileError
from thalweg.model import load_model
resource.setrlimit(resource.RLIMIT_AS, (int(sys.argv[1]), int(sys.argv[1])))
print("ready", flush=True)
for line in sys.stdin:
    try:
        model = load_model(line.strip())
        model.summary(print_fn=None)
        row = jax.tree.map(lambda a: np.zeros(a.shape, a.dtype), model.input_spec)
        model.predict(row)
        said = "loaded"
    except ModelFileError as error:
        said = "refused " + ("" if "\\n  " in str(error) else "without a remedy ") + str(error)[:200]
    except ContractError as error:
        said = "loaded, of another input"
    except BaseException as error:
        said = f"foreign {type(error).__name__}: {error}"
    print(said.encode("ascii", "backslashreplace").decode().replace("\\n", " | ")[:500], flush=True)
"""


@functools.cache
def saved(folder):
    """Good model files of several kinds."""
    made = {
        "dense": compiled(
            Sequential([
                layers.Dense(4, "relu", kernel_regularizer=regularizers.L2(0.1), input_shape=(3,)),
                layers.BatchNormalization(), layers.Dropout(0.2), layers.Dense(2, "softmax"),
            ]),
            optim.Adam(schedules.CosineDecay(0.1, 10)), losses.CategoricalCrossentropy(label_smoothing=0.1),
            ["accuracy", metrics.F1Score(), losses.Huber()],
        ),
        "picture": compiled(Sequential([
            layers.Rescaling(1 / 255, input_shape=(8, 8, 1)), layers.Conv2D(2, 3, padding="same"),
            layers.MaxPooling2D(2), layers.ZeroPadding2D(1), layers.UpSampling2D(2), layers.DepthwiseConv2D(3),
            layers.GlobalAveragePooling2D(), layers.RepeatVector(3), layers.Flatten(), layers.Dense(2),
        ])),
        "sequence": compiled(Sequential([
            layers.Embedding(9, 4, input_shape=(6,)), layers.Bidirectional(layers.LSTM(3, return_sequences=True)),
            layers.Conv1D(2, 3, padding="causal"), layers.AveragePooling1D(2), layers.Reshape((6,)), layers.Dense(1),
        ])),
        "graph": graph(),
        "gpt": ran(GPT(7, context=4, num_layers=2, num_heads=2, width=4), np.ones((1, 4), np.int32)),
        "lm": ran(RecurrentLM(7, [layers.GRU(3)]), np.ones((1, 4), np.int32)),
        "transformer": ran(Transformer(7, num_layers=1, num_heads=2, width=4), (np.ones((1, 4), np.int32),) * 2),
        "seq2seq": ran(Seq2Seq(7, units=3), (np.ones((1, 4), np.int32),) * 2),
    }  # fmt: skip
    made["dense"].preprocessing = {"labels": Labels(("a", "b")), "scale": Standardize((0.0,) * 3, (1.0,) * 3)}
    return {name: model.save(Path(folder) / f"{name}.tw", {"recipe": "digits"}) for name, model in made.items()}


def compiled(model, optimizer="adam", loss="mse", measured=()):
    model.compile(optimizer, loss, list(measured))
    model.build()
    return model


def ran(module, x):
    model = Model(module)
    model.compile("sgd", "sparse_categorical_crossentropy")
    model.predict(x)
    return model


def graph():
    a, b = Input((4,)), Input((4,))
    shared = layers.Dense(3)
    both = layers.Concatenate()([shared(a), shared(b)])
    return compiled(Model([a, b], layers.Dense(1)(layers.Add()([both, layers.Softmax()(both)]))), loss="mse")


# The changes ----------------------------------------------------------------------------------------------------------

NUMBERS = [0, 1, -1, 2, 3, 7, 32, 1000, 2**16, 2**20, 2**31, 2**32, 2 * 10**9, 10**12, 2**63, 10**18, 10**400, -(2**31)]
ODD = [
    None,
    True,
    False,
    "",
    "x",
    "relu",
    "é\ud800",
    0.5,
    -0.5,
    1e-320,
    1e38,
    1e308,
    float("nan"),
    float("inf"),
    [],
    {},
]
TYPES = [*layers.ALLOWED, *optim.ALLOWED, *losses.ALLOWED, *metrics.ALLOWED, "Policy", "os.system", "Labels", ""]


def places(value, at=()):
    """The path of every value of a description."""
    yield at
    for key, child in value.items() if isinstance(value, dict) else enumerate(value if isinstance(value, list) else ()):
        yield from places(child, (*at, key))


def changed(value, r):
    """A description in which one value is another, is gone, doubled, nested, or has taken the place of its parent."""
    value = json.loads(json.dumps(value))
    *way, last = r.choice([at for at in places(value) if at])
    parent = functools.reduce(lambda node, key: node[key], way, value)
    old = parent[last]
    others = [functools.reduce(lambda n, k: n[k], at, value) for at in r.sample([*places(value)], 1)]
    new = r.choice([
        lambda: r.choice(NUMBERS), lambda: r.choice(NUMBERS), lambda: r.choice(ODD), lambda: [old] * r.randrange(4),
        lambda: {"type": r.choice(TYPES)}, lambda: [old] * r.choice([50, 400, 3000]), lambda: r.choice(TYPES),
        lambda: json.loads(json.dumps(others[0])), lambda: functools.reduce(lambda v, _: [v], range(300), old),
        lambda: "x" * r.choice([2000, 2**20]), lambda: {"type": "Sequential", "layers": [old]},
    ])()  # fmt: skip
    act = r.randrange(10)
    if act == 0:
        del parent[last]
    elif act == 1 and isinstance(parent, dict):
        parent[r.choice(["x", "name", "trainable", "input_shape", "y" * 2000, "\ud800"])] = new
    elif act == 2 and isinstance(parent, list):
        parent.insert(last, new)
    elif isinstance(old, dict) and "type" in old and act < 6:
        old["type"] = r.choice(TYPES)
    else:
        parent[last] = new
    return value


def text(data, r):
    return json.dumps(changed(json.loads(data), r)).encode()


def headers(data, r):
    """The arrays with a header that says something else."""
    length = int.from_bytes(data[:8], "little")
    header = changed(json.loads(data[8 : 8 + length]), r)
    if r.random() < 0.1:
        header |= {f"more.{i}": {"dtype": "F32", "shape": [0], "data_offsets": [0, 0]} for i in range(20_000)}
    text = json.dumps(header).encode()
    said = r.choice([len(text), len(text), len(text), 0, 2**63, len(text) - 1])
    return said.to_bytes(8, "little") + text + data[8 + length :]


def bytes_of(data, r):
    i, j = sorted(r.randrange(len(data) + 1) for _ in range(2))
    return r.choice([
        data[:i], data[i:], data[:i] + data[j:], data[:j] + data[i:], data + data, data[:i] + bytes(j - i) + data[j:],
        data[:i] + r.randbytes(8) + data[i:], bytes(b ^ (r.random() < 0.01) for b in data),
    ])  # fmt: skip


def hostile(source, path, seed):
    """A spoiled copy of the model file `source`; its digests are those of what it holds, but in a few."""
    r = random.Random(seed)
    with zipfile.ZipFile(source) as archive:
        parts = {info.filename: archive.read(info) for info in archive.infolist()}
    for _ in range(r.choice([1, 1, 1, 2, 4])):
        name = r.choice(
            ["architecture.json"] * 6 + ["preprocessing.json", "manifest.json"] + ["weights.safetensors"] * 2
        )
        with contextlib.suppress(ValueError, RecursionError, IndexError):  # what an earlier change has broken stays
            parts[name] = text(parts[name], r) if name.endswith(".json") else headers(parts[name], r)
        if r.random() < 0.1:
            parts[name] = bytes_of(parts[name], r)
    digests = {name: hashlib.sha256(data).hexdigest() for name, data in parts.items() if name != "manifest.json"}
    if r.random() < 0.95:
        parts["manifest.json"] = manifest(parts["manifest.json"], digests)
    with zipfile.ZipFile(path, "w", r.choice([zipfile.ZIP_STORED] * 20 + [zipfile.ZIP_DEFLATED])) as archive:
        for name, data in parts.items():
            archive.writestr(modelfile._member(name) if r.random() < 0.98 else name, data)
    if r.random() < 0.1:
        path.write_bytes(bytes_of(path.read_bytes(), r))
    return path


def manifest(data, digests):
    try:
        value = json.loads(data)
    except ValueError:
        return data
    return json.dumps(value | {"sha256": digests}).encode() if isinstance(value, dict) else data


# The workers ----------------------------------------------------------------------------------------------------------


class Worker:
    """A process of a limited memory that is given names of files and says what each one is."""

    def __init__(self):
        environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2]), "THALWEG_CACHE": "off"}
        environment |= {"XLA_FLAGS": "", "OMP_NUM_THREADS": "2", "MALLOC_ARENA_MAX": "2"}
        self.errors = tempfile.TemporaryFile()  # noqa: SIM115  as long as the process
        self.process = subprocess.Popen(
            [sys.executable, "-c", WORKER, str(MEMORY)], env=environment, text=True, bufsize=1,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.errors,
        )  # fmt: skip
        assert self.process.stdout.readline() == "ready\n", self.last_words()

    def says(self, path):
        """What becomes of the file: a line, or that the worker died or took too long."""
        os.set_blocking(self.process.stdout.fileno(), False)
        self.process.stdin.write(f"{path}\n")
        end, line = time.monotonic() + SECONDS, ""
        while not line.endswith("\n"):
            line += self.process.stdout.readline()
            if self.process.poll() is not None and not line:
                return f"died with {self.process.returncode}: {self.last_words()}"
            if time.monotonic() > end:
                return f"hangs for {SECONDS} s"
            time.sleep(0.002)
        return line.strip()

    def last_words(self):
        self.errors.seek(0)
        return self.errors.read()[-500:].decode(errors="replace")

    def end(self):
        self.process.kill()
        self.process.communicate()
        self.errors.close()


def fuzz(folder, seeds, seconds=float("inf")):
    """What each hostile file came to, by seed, until `seconds` have passed; the files that are faults stay."""
    sources, faults, counts = [*saved(str(folder)).values()], {}, {"loaded": 0, "refused": 0}
    end, worker, path = time.monotonic() + seconds, Worker(), folder / "hostile.tw"
    for seed in seeds:
        if time.monotonic() > end:
            break
        said = worker.says(hostile(sources[seed % len(sources)], path, seed))
        kind = said.partition(" ")[0].strip(",")
        counts[kind] = counts.get(kind, 0) + 1
        if kind not in ("loaded", "refused") or "without a remedy" in said:
            faults[seed] = said
        if kind in ("died", "hangs"):
            worker.end()
            worker = Worker()
    worker.end()
    return faults, counts


def test_hostile_models_are_refused_or_are_models(tmp_path):
    faults, counts = fuzz(tmp_path, range(400), seconds=20)
    assert faults == {}
    assert counts["refused"] > 20


@pytest.mark.long
def test_many_hostile_models(tmp_path):
    """`THALWEG_FUZZ_FILES` says how many, or 20 minutes of them."""
    faults, counts = fuzz(tmp_path, range(1000, 1000 + FILES), seconds=1200)
    assert faults == {}
    assert counts["refused"] > FILES // 100
