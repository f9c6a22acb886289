"""docs/benchmarks.md from the newest stored results: python -m benchmarks.page"""

import json

from benchmarks.timing import ROOT

ABOUT = {  # the network, and its batch
    "mlp": ("MLP 784-128-10, dropout", "batch 32"),
    "cnn": ("CNN 3x3x32, pool, 3x3x64, pool, 128, 10", "batch 128"),
    "lstm": ("two LSTM of 64 on 28x28", "batch 128"),
    "gru": ("two GRU of 128, 100 steps, ragged", "batch 64"),
    "resnet18": ("ResNet-18 for 32x32", "batch 64"),
    "gpt": ("GPT of 128, 4 layers, 128 tokens", "batch 32"),
    "transformer": ("encoder-decoder of 256, 3 + 3 layers, 32 tokens", "batch 64"),
}
CHARACTERS = """nanoGPT's setting for a CPU, which the recipe `char-lm` trains: 4 layers, 4 heads, 128 wide, windows of
64 characters, batch 12, AdamW, float32; milliseconds a step."""
KERNELS = """A copy moves as many bytes as the kernel must, each array read or written once, and passes by the caches;
so its ratio is the part of the machine's bandwidth that the kernel reaches. oneDNN and MKL multiply inside PyTorch."""
HEAD = """# Benchmarks

Whole training steps (Adam), median milliseconds; in brackets how many times as long as ours. Every contender is a
process of its own, written as its documentation recommends, with the same data, batch and precision; they take turns
on one machine, A B C A B C, so that noise meets all of them. `make bench` in a clone measures all of it again and
writes this page; `thalweg bench` the steps of the networks that it is told.
"""


def newest(kind):
    found = sorted((ROOT / "benchmarks" / "results").glob(f"{kind}-2*.json"))
    return json.loads(found[-1].read_text()) if found else None


def head(title, record):
    m = record["machine"]
    return [f"## {title}", "", f"{m['cpu']}, {m['cores']} cores, {record['date']}.", ""]


def cell(peer, row):
    if row is None:
        return "–"
    ms = row["median_ms"]
    return (f"{ms:.0f}" if ms >= 100 else f"{ms:.3g}") + ("" if peer == "thalweg" else f" ({row['ratio']:.2f})")


def table(record):
    networks = record["networks"]
    peers = list(dict.fromkeys(r["name"] for n in networks.values() for r in n["rows"]))
    yield "| network | " + " | ".join(peers) + " | best peer / ours |"
    yield "|---|" + "---|" * (len(peers) + 1)
    for name in (n for n in ABOUT if n in networks):
        rows = {r["name"]: r for r in networks[name]["rows"]}
        cells = [cell(p, rows.get(p)) for p in peers]
        best = min(r["ratio"] for p, r in rows.items() if p != "thalweg")
        yield f"| {', '.join(ABOUT[name])} | " + " | ".join(cells) + f" | **{best:.2f}** |"


def costs(record):
    yield "| network | " + "contender: seconds to the end of the first epoch, peak memory in MB |"
    yield "|---|---|"
    for name in (n for n in ABOUT if n in record["networks"]):
        about = record["networks"][name]["about"]
        parts = (f"{p}: {a['first_epoch_s']:.1f} s, {a['peak_memory_mb']:.0f}" for p, a in about.items())
        yield f"| {name} | " + "; ".join(parts) + " |"


def characters(record):
    """A step of the GPT of `char-lm`."""
    yield "| " + " | ".join(r["name"] for r in record["rows"]) + " | ours / peer |"
    yield "|---" * (len(record["rows"]) + 1) + "|"
    yield "| " + " | ".join(cell(r["name"], r) for r in record["rows"]) + f" | **{record['share']:.2f}** |"


def predictions(record):
    """Microseconds of one prediction."""
    peers = [r["name"] for r in record["networks"]["mlp"]["rows"]]
    yield "| network | " + " | ".join(peers) + " | best peer / ours |"
    yield "|---|" + "---|" * (len(peers) + 1)
    for name, network in record["networks"].items():
        rows = {r["name"]: r for r in network["rows"]}
        cells = [f"{1e3 * rows[p]['median_ms']:.0f}" for p in peers]
        best = min(r["ratio"] for p, r in rows.items() if p != "thalweg")
        yield f"| {ABOUT[name][0]} | " + " | ".join(cells) + f" | **{best:.2f}** |"


def kernels(record):
    """Each kernel beside what the machine gave in the same run."""
    yield "| kernel | ours | beside it, in the same run: time / ours |"
    yield "|---|---|---|"
    for name, (ours, *others) in record["results"].items():
        rate = f"{ours['gflop_s']:.0f} GFLOP/s" if "gflop_s" in ours else f"{ours['gb_s']:.1f} GB/s"
        yield f"| {name} | {rate} | " + ", ".join(f"{r['name']} {r['ratio']:.2f}" for r in others) + " |"


def main():
    lines = [HEAD]
    for kind, title in (("networks", "float32"), ("networks-bfloat16", "bfloat16")):
        if record := newest(kind):
            lines += [*head(title, record), *table(record), "", *costs(record), ""]
    if record := newest("char-lm"):
        lines += [*head("A GPT for characters", record), CHARACTERS, "", *characters(record), ""]
    if record := newest("predict"):
        lines += [*head("One prediction from Python, in microseconds", record), *predictions(record), ""]
    if record := newest("kernels"):
        lines += [*head("Kernels beside the machine", record), KERNELS, "", *kernels(record), ""]
    (ROOT / "docs" / "benchmarks.md").write_text("\n".join(lines))


if __name__ == "__main__":
    main()
