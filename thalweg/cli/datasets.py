"""thalweg datasets: the named data sets, and which of them are on this machine."""

from thalweg.cli.common import show


def datasets() -> None:
    """List the named data sets and where their files are."""
    from thalweg.datasets import Listing, table

    def state(line: Listing) -> str:
        if line.complete:
            return f"here: {line.where}"
        if line.found:
            return f"{line.found} of {len(line.entry.files)} files: {line.where}"
        return "is fetched at first use" if line.entry.mirrors else f"goes into DATA/{line.entry.folder}/"

    rows = [
        (line.entry.name, ", ".join(filter(None, (line.entry.title, shape))), counts, state(line))
        for line in table()
        for shape in [" x ".join(map(str, line.entry.shape))]
        for counts in [f"{line.entry.train:,}" + f" + {line.entry.test:,}" * bool(line.entry.test)]
    ]
    show(["name", "what", "train + test", "files"], rows, numbers=(2,))
