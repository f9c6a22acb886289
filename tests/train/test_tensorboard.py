"""Event files read back by TensorBoard itself."""

import numpy as np
import pytest

from tests.peers import relaxed
from thalweg.errors import ConfigError
from thalweg.train import tensorboard
from thalweg.train.callbacks import CallbackList, TensorBoard


class Model:
    def __init__(self):
        self.weights = {"layers.0.kernel": np.linspace(-1, 2, 50).reshape(5, 10), "layers.0.bias": np.zeros(3)}


def read(folder):
    with relaxed():
        from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

        events = EventAccumulator(str(folder), size_guidance={"scalars": 0, "histograms": 0})
        events.Reload()
    return events


def scalars(folder):
    events = read(folder)
    return {tag: [(e.step, e.value) for e in events.Scalars(tag)] for tag in events.Tags()["scalars"]}


def run(callback, epochs, restore=None):
    called = CallbackList([callback], Model())
    if restore:
        called.restore(*restore)
    called.on_train_begin()
    for epoch in epochs:
        logs = {"loss": 0.5**epoch, "val_loss": 2.0 + epoch, "confusion": np.eye(2), "learning_rate": 1e-3}
        called.on_epoch_end(epoch, logs)
    return called


def test_numbers_come_back(tmp_path):
    run(TensorBoard(tmp_path), range(3)).on_train_end()
    assert scalars(tmp_path / "train") == {
        "epoch_loss": [(0, 1.0), (1, 0.5), (2, 0.25)],
        "epoch_learning_rate": [(i, np.float32(1e-3)) for i in range(3)],
    }
    assert scalars(tmp_path / "validation") == {"epoch_loss": [(0, 2.0), (1, 3.0), (2, 4.0)]}


def test_histograms_come_back(tmp_path):
    run(TensorBoard(tmp_path, histogram_freq=2), range(4)).on_train_end()
    events = read(tmp_path / "train")
    assert sorted(events.Tags()["histograms"]) == ["layers/0/bias", "layers/0/kernel"]
    found = events.Histograms("layers/0/kernel")
    assert [e.step for e in found] == [1, 3]
    kernel, h = Model().weights["layers.0.kernel"], found[0].histogram_value
    np.testing.assert_allclose([h.min, h.max, h.num, h.sum], [-1, 2, 50, kernel.sum()])
    np.testing.assert_allclose(h.sum_squares, (kernel**2).sum())
    np.testing.assert_allclose(sum(h.bucket), 50)
    np.testing.assert_allclose(h.bucket_limit[-1], 2)


def test_a_resumed_run_goes_on_in_the_same_files(tmp_path):
    killed = run(TensorBoard(tmp_path), range(2))
    memory = killed.snapshot()
    killed.on_epoch_end(2, {"loss": 9.0})
    run(TensorBoard(tmp_path), range(2, 4), memory).on_train_end()
    assert scalars(tmp_path / "train")["epoch_loss"] == [(i, 0.5**i) for i in range(4)]
    assert len(list((tmp_path / "train").iterdir())) == 1


@pytest.mark.parametrize("number", [0, 1, 127, 128, 300, 2**31, 2**63 - 1])
def test_varint(number):
    data = tensorboard.varint(number)
    assert sum((byte & 0x7F) << 7 * i for i, byte in enumerate(data)) == number
    assert all(byte & 0x80 for byte in data[:-1])
    assert not data[-1] & 0x80


def test_crc32c_of_the_standard_s_examples():
    assert tensorboard.crc32c(b"123456789") == 0xE3069283
    assert tensorboard.crc32c(bytes(32)) == 0x8A9136AA  # RFC 3720, B.4
    assert tensorboard.crc32c(bytes(range(32))) == 0x46DD794E


def test_only_epochs():
    with pytest.raises(ConfigError, match="update_freq"):
        TensorBoard(update_freq="batch")
