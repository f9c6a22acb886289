"""Data files that are damaged or hostile: a right result or an error with a remedy, soon, in bounded memory.

Each is read in a process of its own kind (`reading.py`) whose memory is limited and which may start no other program.
`THALWEG_FUZZ` says how many spoiled files of each kind the long test reads.
"""

import gzip
import io
import json
import os
import random
import select
import struct
import subprocess
import sys
import tarfile
import zipfile
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

WAIT = 30  # seconds for one file; a machine may be busy
MEGABYTES = 1500
CASES = 40  # spoiled files of each kind in the gate
LONG = int(os.environ.get("THALWEG_FUZZ", "2000"))


class Reader:
    """A process that reads files one after the other, and is started anew where one ended it."""

    def __init__(self):
        self.process = None

    def start(self):
        command = [sys.executable, str(Path(__file__).with_name("reading.py"))]
        source = os.pathsep.join(filter(None, [str(Path.cwd()), os.environ.get("PYTHONPATH")]))
        env = {**os.environ, "PYTHONPATH": source, "JAX_PLATFORMS": "cpu", "XLA_FLAGS": ""}
        env["THALWEG_LIMIT_UNPACKED_BYTES"] = str(2**27)  # so that a bomb of 256 MB is one
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
        self.process = subprocess.Popen(command, env=env, text=True, bufsize=1, **pipes)
        assert self.answer(240)["end"] == "ready"

    def answer(self, wait):
        if not select.select([self.process.stdout], [], [], wait)[0]:
            self.stop()
            return {"end": "hang"}
        line = self.process.stdout.readline()
        if line:
            return json.loads(line)
        code = self.process.wait()
        self.process = None
        return {"end": "crash", "what": str(code)}

    def __call__(self, name, path):
        if self.process is None or self.process.poll() is not None:
            self.start()
        self.process.stdin.write(json.dumps([name, str(path)]) + "\n")
        return self.answer(WAIT)

    def stop(self):
        if self.process is not None:
            self.process.kill()
            self.process.communicate()
            self.process = None


@pytest.fixture(scope="module")
def read():
    reader = Reader()
    yield reader
    reader.stop()


def faultless(out):
    assert out["end"] in ("read", "refused"), out
    assert out["megabytes"] < MEGABYTES, out
    if out["end"] == "refused":
        assert "\n  " in out["what"], out
        assert len(out["what"]) < 2000, out
        assert not any(ord(c) < 32 and c not in "\n\t" for c in out["what"]), out


# Formats ------------------------------------------------------------------------------------------------------------


def header(text, version=1):
    body = text.encode("latin-1") if isinstance(text, str) else text
    length = struct.pack("<H" if version == 1 else "<I", len(body) % (2**16 if version == 1 else 2**32))
    return b"\x93NUMPY" + bytes([version, 0]) + length + body


def described(descr="'<f4'", shape="(2, 3)", order="False"):
    return f"{{'descr': {descr}, 'fortran_order': {order}, 'shape': {shape}, }}\n"


def npy(descr="'<f4'", shape="(2, 3)", data=b"\0" * 24, version=1):
    return header(described(descr, shape), version) + data


def stored(array):
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


def zipped(members, method=zipfile.ZIP_STORED):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return file.getvalue()


def wav(data=b"\0\1" * 4000, rate=8000, channels=1, bits=16, kind=1, chunks=b"", size=None):
    form = struct.pack("<HHIIHH", kind, channels, rate, 0, 0, bits)
    body = b"WAVEfmt " + struct.pack("<I", 16) + form + chunks + b"data"
    body += struct.pack("<I", len(data) if size is None else size) + data
    return b"RIFF" + struct.pack("<I", len(body)) + body


def png(width=8, height=8, bits=8, colour=0, data=None):
    def chunk(name, body):
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    rows = zlib.compress(b"\0" * (9 * 8)) if data is None else data
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def drawn(form, mode="L", size=(8, 8), frames=1, **options):
    file = io.BytesIO()
    pictures = [
        Image.new(
            mode,
            size,
            tuple([40 * n + 40] * len(Image.new(mode, (1, 1)).getbands()))
            if len(Image.new(mode, (1, 1)).getbands()) > 1
            else 40 * n + 40,
        )
        for n in range(frames)
    ]
    more = {"save_all": True, "append_images": pictures[1:]} if frames > 1 else {}
    pictures[0].save(file, form, **more, **options)
    return file.getvalue()


def flac(total=2**36 - 1):
    import soundfile

    file = io.BytesIO()
    soundfile.write(file, np.zeros(8000, "float32"), 8000, format="FLAC")
    data = bytearray(file.getvalue())
    data[21] = data[21] & 0xF0 | total >> 32  # 36 bits of STREAMINFO
    data[22:26] = struct.pack(">I", total & 0xFFFFFFFF)
    return bytes(data)


def ogg():
    import soundfile

    file = io.BytesIO()
    soundfile.write(file, np.sin(np.arange(8000) / 9) / 2, 8000, format="OGG")
    return file.getvalue()


def idx(shape=(2, 3, 4), data=None):
    count = 24 if data is None else len(data)
    return struct.pack(f">HBB{len(shape)}I", 0, 8, len(shape), *shape) + (b"\1" * count if data is None else data)


def tar(members):
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w:gz") as archive:
        for name, content in members:
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return file.getvalue()


def laughs(levels=9):
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, levels)]
    return "\n".join(lines)


def dense(content):
    """A gzip of 256 MB of one byte, in a few kB."""
    block = gzip.compress(content * 2**24)
    return block * 16


def bomb():
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        archive.writestr("x.npy", npy(shape=f"({2**26},)", data=bytes(2**28)))
    return file.getvalue()


def twice():
    with pytest.warns(UserWarning, match="Duplicate"):
        return zipped([("x.npy", stored(np.ones(2)))] * 2)


def flagged(data, flags):
    """A zip whose members say they are encrypted."""
    out = bytearray(data)
    for sign, place in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
        start = -1
        while (start := out.find(sign, start + 1)) >= 0:
            out[start + place] |= flags
    return bytes(out)


def names(count):
    return ("{" + ",".join(f'"n{n}": 1' for n in range(count)) + ', "text": "a"}').encode()


LINES = "".join(f'{{"text": "a text {n}", "label": "{n % 2}"}}\n' for n in range(4))
CONLL = "London B-LOC\nis O\ngrey O\n\nAnn B-PER\nsaw O\nit O\n"
YAML = "recipe: digits\nepochs: 3\nfilters: [8, 16]\nlearning_rate: 0.01\n"
SERIES = "Month,Rain\n" + "".join(f"1949-{m:02},{m * 3}\n" for m in range(1, 13))

GOOD = {
    "npz": ("a.npz", zipped([("x.npy", stored(np.ones((4, 2), "f4"))), ("y.npy", stored(np.arange(4)))], 8)),
    "rows": ("a.npy", stored(np.ones((3, 8, 8), "u1"))),
    "colours": ("a.png", drawn("PNG", "RGB")),
    "idx": ("a.gz", gzip.compress(idx())),
    "tar": ("a.tar.gz", tar([("a/b.bin", b"\1" * 12), ("a/c", b"2")])),
    "texts": ("a.jsonl", LINES.encode()),
    "text": ("a.txt", "深度 learning\r\nb\n".encode()),
    "conll": ("a.conll", CONLL.encode()),
    "parallel": ("a.tsv", b"one\teins\ntwo\tzwei\n"),
    "sound": ("a.wav", wav()),
    "series": ("a.csv", SERIES.encode()),
    "settings": ("a.yaml", YAML.replace("recipe: digits\n", "").replace("filters: [8, 16]\n", "").encode()),
}
"""A good file of each kind, which the fuzzer spoils."""

MORE = {
    "jpeg": ("colours", "a.jpg", lambda: drawn("JPEG", "RGB")),
    "gif": ("rows", "a.gif", lambda: drawn("GIF", "P")),
    "tiff": ("rows", "a.tif", lambda: drawn("TIFF", "L")),
    "bmp": ("rows", "a.bmp", lambda: drawn("BMP", "L")),
    "webp": ("colours", "a.webp", lambda: drawn("WEBP", "RGB")),
    "flac": ("sound", "a.flac", lambda: flac(8000)),
    "ogg": ("sound", "a.ogg", ogg),
    "text.gz": ("text", "a.txt.gz", lambda: gzip.compress(b"a text\n" * 9)),
    "npy": ("folder", "x.npy", lambda: stored(np.ones((3, 2), "f4"))),
}

HUGE = str(10**30)
POSTSCRIPT = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 8 8\n%%EndComments\n0 0 8 8 rectfill\nshowpage\n%%EOF\n"

HOSTILE = {
    # name: (reader, file name, content, what the error says, or None where it is read)
    "no literal": ("npz", "a.npz", lambda: zipped([("x.npy", header("__import__('os').abort()\n"))]), "header"),
    "deep literal": ("npz", "a.npz", lambda: zipped([("x.npy", header("(" * 9000 + ")" * 9000))]), "header"),
    "minus literal": ("npz", "a.npz", lambda: zipped([("x.npy", header("-" * 9000 + "1\n"))]), "header"),
    "long header": ("npz", "a.npz", lambda: zipped([("x.npy", header(" " * 2**25, 2))]), "header"),
    "shape 10^30": ("npz", "a.npz", lambda: zipped([("x.npy", npy(shape=f"({HUGE},)"))]), "announces"),
    "shape 10^10": ("npz", "a.npz", lambda: zipped([("x.npy", npy(shape=f"({10**10},)"))]), "announces"),
    "0 x 10^30": ("npz", "a.npz", lambda: zipped([("x.npy", npy(shape=f"(0, {HUGE})"))]), "x.npy"),
    "negative": ("npz", "a.npz", lambda: zipped([("x.npy", npy(shape="(-2, -3)"))]), "announces"),
    "true shape": ("npz", "a.npz", lambda: zipped([("x.npy", npy(shape="(True, 6)"))]), "announces"),
    "objects": ("npz", "a.npz", lambda: zipped([("x.npy", npy("'|O'"))]), "objects"),
    "dtype of nothing": ("npz", "a.npz", lambda: zipped([("x.npy", npy("'<f4, ('"))]), "header"),
    "dtype dict": ("npz", "a.npz", lambda: zipped([("x.npy", npy("{'a': [1]}"))]), "header"),
    "array of 9 PB": ("folder", "x.npy", lambda: npy(shape="(1000000000000000,)"), "announces"),
    "mapped 10^30": ("folder", "x.npy", lambda: npy(shape=f"({HUGE}, {HUGE})"), "announces"),
    "rows of 10^30": ("rows", "a.npy", lambda: npy(shape=f"({HUGE},)"), "announces"),
    "npy that is a zip": ("rows", "a.npy", lambda: GOOD["npz"][1], "a.npy"),
    "npy that is a pickle": ("rows", "a.npy", lambda: b"\x80\x04N.", "a.npy"),
    "npz bomb": ("npz", "a.npz", bomb, "unpacked_bytes"),
    "many members": ("npz", "a.npz", lambda: zipped([(f"{n}.npy", b"") for n in range(60_000)]), "zip_directory"),
    "twice": ("npz", "a.npz", twice, "twice"),
    "encrypted": ("npz", "a.npz", lambda: flagged(GOOD["npz"][1], 1), "encrypted"),
    "bzip2": ("npz", "a.npz", lambda: zipped([("x.npy", stored(np.ones(3)))], zipfile.ZIP_BZIP2), "packed"),
    "gzip bomb": ("text", "a.txt.gz", lambda: dense(b"a"), "unpacked_bytes"),
    "gzip bomb of a table": ("own", "a.csv.gz", lambda: gzip.compress(b"x"), "kinds"),
    "gzip cut": ("text", "a.txt.gz", lambda: gzip.compress(random.Random(0).randbytes(99))[:40], "damaged"),
    "idx bomb": ("idx", "a.gz", lambda: gzip.compress(idx((2**14, 2**14, 1), b"")) + b"\1" * 2**20, "unpacked_bytes"),
    "idx without end": ("idx", "a.gz", lambda: gzip.compress(idx((2**10, 2**9, 4), b"")), "ends after|can hold"),
    "idx 0 x": ("idx", "a.idx", lambda: idx((0, 2**32 - 1, 2**32 - 1), b""), "a.idx"),
    "tar bomb": ("tar", "a.tar.gz", lambda: tar([("n", b"\0" * 2**20)])[:-20], "damaged"),
    "laughs": ("settings", "a.yaml", lambda: laughs().encode(), "yaml_aliases"),
    "long yaml": ("yaml", "a.yaml", lambda: b"a: [" + b"1," * 10**6 + b"]", "yaml_bytes"),
    "deep yaml": ("yaml", "a.yaml", lambda: b"a: " + b"[" * 5000 + b"]" * 5000, "yaml_depth"),
    "yaml of a date": ("yaml", "a.yaml", lambda: b"a: 2020-99-99", "YAML"),
    "yaml int": ("yaml", "a.yaml", lambda: b"a: !!int x", "YAML"),
    "yaml digits": ("yaml", "a.yaml", lambda: b"a: " + b"9" * 5000, "YAML"),
    "yaml object": ("yaml", "a.yaml", lambda: b"a: !!python/object/apply:os.abort []", "YAML"),
    "yaml twice": ("yaml", "a.yaml", lambda: b"epochs: 1\nepochs: 2\n", "twice"),
    "yaml key": ("yaml", "a.yaml", lambda: b"? [a]\n: 1\n", "YAML"),
    "setting of 100 kB": ("settings", "a.yaml", lambda: b"epochs: " + b"x" * 10**5, "yaml_bytes"),
    "deep json": ("texts", "a.jsonl", lambda: b'{"text": ' + b"[" * 10**6 + b"]" * 10**6 + b"}", "json_depth"),
    "deep objects": (
        "texts",
        "a.jsonl",
        lambda: b'{"text": ' + b'{"a":' * 10**5 + b"1" + b"}" * 10**5 + b"}",
        "json_d",
    ),
    "an open string": ("texts", "a.jsonl", lambda: b"[" * 100 + b'"' + b'\\"' * 10**6, "json_depth"),
    "a long time": ("series", "a.csv", lambda: b"t,v\n" + (b"2020" + b" 1" * 60_000 + b",1\n") * 3, "number"),
    "many names": ("texts", "a.jsonl", lambda: names(10**5), "json_names"),
    "digits": ("texts", "a.jsonl", lambda: b'{"text": ' + b"1" * 10**6 + b"}", "no JSON"),
    "a surrogate": ("texts", "a.jsonl", lambda: b'{"text": "a\\ud800", "label": "b"}', "surrogate"),
    "a surrogate name": ("texts", "a.jsonl", lambda: b'{"text": "a", "\\udfff": "b"}', "surrogate"),
    "names twice": ("texts", "a.jsonl", lambda: b'{"text": "a", "text": "b"}', "twice"),
    "NaN": ("texts", "a.jsonl", lambda: b'{"text": "a", "label": NaN}', "no JSON"),
    "labels of 10^30": ("own", "a.csv", f"a,y\n1,{HUGE}\n2,{HUGE}1\n".encode, None),
    "labels of 2^40": ("own", "a.csv", f"a,y\n1,{2**40}\n2,{2**40 + 1}\n".encode, None),
    "labels of ²": ("own", "a.csv", "a,y\n1,²\n2,³\n".encode, None),
    "labels of --1": ("own", "a.csv", lambda: b"a,y\n1,--1\n2,-\n", None),
    "integers of 2^62": ("npz", "a.npz", lambda: zipped([("x.npy", stored(np.array([2**62])))]), "int32|y"),
    "columns": ("conll", "a.conll", lambda: b"a " * 10**6, "line_columns"),
    "columns of tabs": ("parallel", "a.tsv", lambda: b"a\t" * 10**6 + b"\n", None),
    "a line of 20 MB": ("untagged", "a.txt", lambda: b"word " * 4 * 10**6, None),
    "a word of 4 MB": ("untagged", "a.txt", lambda: b"a.b" * 10**6, None),
    "NUL": ("texts", "a.txt", lambda: b"a\0b", "NUL"),
    "escape": ("conll", "a.conll", lambda: b"a \x1b]0;x\x07-\x1b[31m\n", "tag"),
    "rate of 1 Hz": ("sound", "a.wav", lambda: wav(rate=1), "sound_stretch"),
    "rate of 2^32": ("sound", "a.wav", lambda: wav(rate=2**32 - 1), "sound_rate"),
    "rate of a prime": ("sound", "a.wav", lambda: wav(rate=767_957), None),
    "65,535 channels": ("sound", "a.wav", lambda: wav(channels=65535, data=b"\0" * 131070), "sound_channels"),
    "chunks": ("sound", "a.wav", lambda: wav(chunks=b"junk\0\0\0\0" * 10**6), "sound_chunks"),
    "data of 4 GB": ("sound", "a.wav", lambda: wav(size=2**32 - 1), "cut off"),
    "flac of 2^36": ("sound", "a.flac", flac, "sound_samples"),
    "flac of none": ("sound", "a.flac", lambda: flac(0), "a.flac"),
    "EPS as PNG": ("rows", "a.png", lambda: POSTSCRIPT, "picture"),
    "EPS as JPEG": ("rows", "a.jpg", lambda: POSTSCRIPT, "picture"),
    "EPS": ("rows", "a.eps", lambda: POSTSCRIPT, "kinds"),
    "a picture of 10^10": ("rows", "a.png", lambda: png(10**5, 10**5), "picture_pixels"),
    "a picture of 2^31": ("rows", "a.png", lambda: png(2**31 - 1, 1), "picture_pixels"),
    "a picture of 0": ("rows", "a.png", lambda: png(0, 8), "picture"),
    "animated GIF": ("rows", "a.gif", lambda: drawn("GIF", "L", frames=3), "several"),
    "animated PNG": ("rows", "a.png", lambda: drawn("PNG", "L", frames=3), "several"),
    "animated WEBP": ("colours", "a.webp", lambda: drawn("WEBP", "RGB", frames=3), "several"),
    "TIFF of pages": ("rows", "a.tif", lambda: drawn("TIFF", "L", frames=3), "several"),
    "32-bit picture": ("rows", "a.tif", lambda: drawn("TIFF", "I"), "bits"),
    "float picture": ("rows", "a.tif", lambda: drawn("TIFF", "F"), "bits"),
    "empty": ("text", "a.txt", lambda: b"", "empty"),
    "empty npz": ("npz", "a.npz", lambda: b"", "a.npz"),
    "empty npy": ("rows", "a.npy", lambda: b"", "a.npy"),
    "empty png": ("rows", "a.png", lambda: b"", "picture"),
    "empty wav": ("sound", "a.wav", lambda: b"", "empty"),
    "empty yaml": ("yaml", "a.yaml", lambda: b"", "names"),
    "empty idx": ("idx", "a.idx", lambda: b"", "damaged"),
    "empty jsonl": ("texts", "a.jsonl", lambda: b"\n", "empty"),
    "no rows": ("rows", "a.npy", lambda: stored(np.ones((0, 8, 8))), "no rows"),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_a_hostile_file(read, tmp_path, case):
    reader, name, content, message = HOSTILE[case]
    path = tmp_path / name
    path.write_bytes(content())
    out = read(reader, tmp_path if reader == "folder" else path)
    faultless(out)
    assert out["end"] == ("read" if message is None else "refused"), out
    if message is not None:
        assert any(word in out["what"] for word in message.split("|")), out


# What is no file ------------------------------------------------------------------------------------------------------

PATHS = {"npz": "a.npz", "rows": "a.npy", "colours": "a.png", "own": "a.csv", "idx": "a.gz", "text": "a.txt"}
PATHS |= {"texts": "a.jsonl", "conll": "a.conll", "parallel": "a.tsv", "sound": "a.wav", "clips": "a.csv"}
PATHS |= {"series": "a.csv", "yaml": "a.yaml", "tar": "a.tar.gz", "language": "a.txt", "untagged": "a.conll"}


def fifo(path):
    os.mkfifo(path)


def circle(path):
    path.symlink_to(path)


def device(path):
    path.symlink_to("/dev/zero")


def nothing(path):
    pass


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs pipes and links")
@pytest.mark.parametrize("make", [Path.mkdir, fifo, circle, device, nothing], ids=lambda f: f.__name__)
@pytest.mark.parametrize("reader", PATHS)
def test_what_is_no_file_is_refused_at_once(read, tmp_path, reader, make):
    path = tmp_path / PATHS[reader]
    make(path)
    out = read(reader, path)
    faultless(out)
    assert out["end"] == "refused", out


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs pipes and links")
@pytest.mark.parametrize("make", [Path.mkdir, fifo, circle, device], ids=lambda f: f.__name__)
@pytest.mark.parametrize(
    ("reader", "name"), [("classes", "x.txt"), ("sounds", "x.wav"), ("language", "x.txt"), ("folder", "../x.npy")]
)
def test_a_folder_that_holds_what_is_no_file(read, tmp_path, reader, name, make):
    for kind in ("one", "two"):
        (tmp_path / kind).mkdir()
        (tmp_path / kind / Path(name).name).write_bytes(b"a text\n" if name.endswith("txt") else wav())
    make(tmp_path / "two" / ("../x.npy" if reader == "folder" else f"y{Path(name).suffix}"))
    faultless(read(reader, tmp_path))


@pytest.mark.parametrize("reader", ["classes", "sounds", "language", "parts", "clips"])
def test_folders_in_a_circle(read, tmp_path, reader):
    (tmp_path / "one").mkdir()
    (tmp_path / "one" / "a.wav").write_bytes(wav())
    (tmp_path / "one" / "a.txt").write_bytes(b"a text\n")
    (tmp_path / "one" / "up").symlink_to(tmp_path)
    (tmp_path / "two").symlink_to(tmp_path / "two")
    faultless(read(reader, tmp_path))


def test_folders_a_thousand_deep(read, tmp_path):
    place, here = tmp_path / "one", Path.cwd()
    place.mkdir()
    try:
        os.chdir(place)
        for _ in range(1500):
            Path("d").mkdir()
            os.chdir("d")
    finally:
        os.chdir(here)
    (place / "a.wav").write_bytes(wav())
    for reader in ("sounds", "language"):
        faultless(read(reader, tmp_path))
    subprocess.run(["rm", "-rf", str(place)], check=True)


@pytest.mark.skipif(sys.platform != "linux", reason="names are bytes on Linux alone")
def test_a_class_whose_name_is_no_text(read, tmp_path):
    for kind in (b"caf\xe9", b"two"):
        place = tmp_path / os.fsdecode(kind)
        place.mkdir()
        (place / "a.txt").write_bytes(b"a text")
        (place / "a.wav").write_bytes(wav())
    for reader in ("classes", "sounds"):
        out = read(reader, tmp_path)
        faultless(out)
        assert "not UTF-8" in out["what"]


def test_a_table_of_paths_that_no_system_knows(read, tmp_path):
    (tmp_path / "a.csv").write_text(f"path,label\n{'x' * 5000}.wav,a\nb.wav,b\n")
    out = read("clips", tmp_path / "a.csv")
    faultless(out)
    assert "row 0" in out["what"]


# Accidents ------------------------------------------------------------------------------------------------------------

NUMBERS = (b"0 -1 1e999 NaN 0x10 1_0 '' [] {} null \xd9\xa1 " + b"9" * 40 + b" " + b"9" * 5000).split()
SIGNS = [*b'\0\r\n\t"\\{[&*!:,}', b"\x1b[31m", b"&a ", b"*a ", b"!!int ", b"\xff", b"\xed\xa0\x80", b"\\ud800"]
SIGNS = [bytes([sign]) if isinstance(sign, int) else sign for sign in SIGNS]
SIGNS += ["\u202e".encode(), b"B-", b"I-X ", b"\xef\xbb\xbf", b"(" * 300, b"[" * 300]
WORDS = [0, 1, 2**8 - 1, 2**15, 2**16 - 1, 2**31 - 1, 2**31, 2**32 - 1]


def spoiled(data, r):
    """`data` with one to four accidents: those of the bytes, and those of the numbers and signs that formats are of."""
    for _ in range(r.choice([1, 1, 2, 4])):
        data = accident(data, r)
    return data


def accident(data, r):
    i, j = sorted(r.randrange(len(data) + 1) for _ in range(2))
    k, number = min(i, max(len(data) - 4, 0)), r.choice(WORDS)
    d = r.choice([place for place in range(len(data)) if data[place : place + 1].isdigit()] or [i])
    ways = [
        data[:i] + bytes([r.randrange(256)]) + data[i + 1 :],
        data[:k] + struct.pack("<I", number) + data[k + 4 :],
        data[:k] + struct.pack(">I", number) + data[k + 4 :],
        data[:k] + struct.pack("<H", number % 2**16) + data[k + 2 :],
        data[:d] + r.choice(NUMBERS) + data[d + 1 :],
        data[:i] + r.choice(SIGNS) + data[i:],
        data[:i] + data[j:],
        data[:j] + data[i:],
        data[:i],
        data[:i] + bytes(j - i) + data[j:],
        data[:i] + data[i:j] * r.choice([2, 99]) + data[j:],
    ]
    return r.choice(ways)


def unpacked(name, data, r):
    """What a packed file holds, spoiled before it is packed: the accident is past the checksums."""
    if name.endswith(".npz"):
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = [(n, archive.read(n)) for n in archive.namelist()]
        return zipped([(n, spoiled(content[:120], r) + content[120:]) for n, content in members], 8)
    if name.endswith(".gz"):
        return gzip.compress(spoiled(gzip.decompress(data), r))
    if name.endswith(".png"):  # a chunk's content, with a checksum that fits
        sizes = [0, 1, 8, 9, 2**13, *WORDS]
        return png(r.choice(sizes), r.choice(sizes), r.choice([0, 1, 8, 16]), r.choice(range(8)))
    return spoiled(data, r)


KINDS = {**{reader: (reader, *file) for reader, file in GOOD.items()}, **MORE}


def fuzz(read, place, kind, cases):
    reader, name, content = KINDS[kind]
    good = content() if callable(content) else content
    path, ends = place / name, {"read": 0, "refused": 0}
    path.write_bytes(good)
    assert read(reader, place if reader == "folder" else path)["end"] == "read"
    for case in range(cases):
        r = random.Random(f"{kind} {case}")
        path.write_bytes(spoiled(good, r) if r.random() < 0.5 else unpacked(name, good, r))
        out = read(reader, place if reader == "folder" else path)
        if out["end"] not in ends:
            path.rename(place / f"found-{name}")
        faultless(out)
        ends[out["end"]] += 1
    return ends


@pytest.mark.parametrize("kind", KINDS)
def test_spoiled_files(read, tmp_path, kind):
    assert fuzz(read, tmp_path, kind, CASES)["refused"] > 0


@pytest.mark.long
@pytest.mark.parametrize("kind", KINDS)
def test_many_spoiled_files(read, tmp_path, kind):
    assert fuzz(read, tmp_path, kind, LONG)["refused"] > 0
