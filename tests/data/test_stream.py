import threading
import time

import numpy as np
import pytest

from thalweg.data import ArraySource, chunks, from_folder, order, save_folder
from thalweg.errors import ConfigError, DataError


class Watched:
    """A source that records what is asked of it and fails at one row."""

    def __init__(self, n, bad=None):
        self.n, self.bad, self.read = n, bad, []

    def __len__(self):
        return self.n

    def __getitem__(self, indices):
        self.read.append(indices.tolist())
        if self.bad in indices:
            raise OSError("the disk is gone")
        return indices.astype(np.float32)[:, None], indices


def test_chunks_are_the_rows_in_order():
    source = ArraySource(np.arange(23.0), np.arange(23))
    batches = order(23, 4, seed=3)
    parts = list(chunks(source, batches, steps=4))
    assert [p.x.shape for p in parts] == [(16,), (16,)]  # one shape, one program
    rows = np.concatenate([p.rows for p in parts])
    assert np.array_equal(rows[:6], batches)
    assert (rows[6:] == -1).all()
    real = rows.ravel() >= 0
    x, y = (np.concatenate([getattr(p, name) for p in parts]) for name in "xy")
    assert np.array_equal(x[real], batches.ravel()[:23])
    assert np.array_equal(y[real], batches.ravel()[:23])
    assert (x[~real] == parts[1].x[0]).all()
    assert parts[0].weight is None


def test_the_next_chunk_is_read_while_this_one_is_used():
    used, reading = threading.Event(), threading.Event()

    class Waiting(Watched):
        def __getitem__(self, indices):
            if self.read:  # any but the first chunk comes only when the first is in use
                reading.set()
                assert used.wait(5)
            return Watched.__getitem__(self, indices)

    source = Waiting(12)
    stream = chunks(source, order(12, 2, shuffle=False), steps=2)
    assert next(stream).y[0] == 0
    assert reading.wait(5)
    assert source.read == [[0, 1, 2, 3]]
    used.set()
    assert [p.y[0] for p in stream] == [4, 8]


def test_one_chunk_is_read_ahead_and_no_more():
    source = Watched(12)
    stream = chunks(source, order(12, 1, shuffle=False), steps=1)
    next(stream)
    time.sleep(0.02)
    assert len(source.read) <= 2
    stream.close()


def test_an_error_arrives_where_its_chunk_would_have():
    stream = chunks(Watched(12, bad=5), order(12, 2, shuffle=False), steps=2)
    assert next(stream).y.tolist() == [0, 1, 2, 3]
    with pytest.raises(OSError, match="the disk is gone"):
        next(stream)


def test_stopping_early_stops_the_reader():
    source, before = Watched(100), threading.active_count()
    stream = chunks(source, order(100, 1, shuffle=False), steps=1)
    next(stream)
    stream.close()
    assert threading.active_count() == before
    assert len(source.read) <= 2


def test_a_source_that_gives_too_few_rows():
    class Short(Watched):
        def __getitem__(self, indices):
            return (indices[1:],)

    with pytest.raises(DataError, match="Short gave 3 rows when asked for 4"):
        next(chunks(Short(4), order(4, 4), steps=1))
    with pytest.raises(ConfigError, match="steps=0"):
        next(chunks(Watched(4), order(4, 4), steps=0))


def test_a_file_larger_than_the_chunks_is_read_in_bounded_memory(tmp_path):
    import tracemalloc

    folder = save_folder(ArraySource(np.arange(400_000, dtype=np.float32).reshape(4000, 100)), tmp_path / "big")
    source = from_folder(folder)
    batches = order(4000, 50, seed=1)
    next(chunks(source, batches, steps=2))  # imports and threads
    tracemalloc.start()
    total = 0.0
    for part in chunks(source, batches, steps=2):
        total += float(part.x[part.rows.ravel() >= 0].sum(dtype=np.float64))
        del part
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert total == 400_000 * 399_999 / 2
    assert peak < 6 * 2 * 50 * 100 * 4  # two chunks and their copies, of forty
