"""PyTorch, eager, as its own tutorials train: a DataLoader-free loop over shuffled batches already in memory."""

import sys

import torch
from torch import nn

from benchmarks.peers.data import BATCH, mnist
from benchmarks.timing import serve


class Lstm(nn.Module):
    def __init__(self):
        super().__init__()
        self.lstm, self.head = nn.LSTM(28, 64, num_layers=2, batch_first=True), nn.Linear(64, 10)

    def forward(self, x):
        return self.head(self.lstm(x)[0][:, -1])


def network(name):
    if name == "mlp":
        return nn.Sequential(nn.Flatten(), nn.Linear(784, 128), nn.ReLU(), nn.Dropout(0.2), nn.Linear(128, 10))
    if name == "lstm":
        return Lstm()
    return nn.Sequential(
        nn.Unflatten(1, (1, 28)), nn.Conv2d(1, 32, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(32, 64, 3), nn.ReLU(),
        nn.MaxPool2d(2), nn.Flatten(), nn.Linear(1600, 128), nn.ReLU(), nn.Linear(128, 10),
    )  # fmt: skip


def main(name):
    torch.manual_seed(0)
    x, y = (torch.from_numpy(a) for a in mnist(name))
    model, loss, batch = network(name), nn.CrossEntropyLoss(), BATCH[name]
    if name == "cnn":
        model = model.to(memory_format=torch.channels_last)
    optimizer = torch.optim.Adam(model.parameters())

    def run(epochs):
        for _ in range(epochs):
            for index in torch.randperm(len(x)).split(batch):
                optimizer.zero_grad()
                loss(model(x[index]), y[index]).backward()
                optimizer.step()

    serve({"name": "pytorch", "version": torch.__version__, "threads": torch.get_num_threads()}, run)


if __name__ == "__main__":
    main(sys.argv[1])
