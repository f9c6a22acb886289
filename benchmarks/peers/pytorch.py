"""PyTorch as its own tutorials train: shuffled batches already in memory, eager or through `torch.compile`.

python -m benchmarks.peers.pytorch NETWORK [eager|compile] [float32|bfloat16]
"""

import contextlib
import sys

import torch
import torch.nn.functional as F
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence

from benchmarks.peers.data import BATCH, CHARACTERS, WORDS, data
from benchmarks.timing import serve


class Lstm(nn.Module):
    def __init__(self):
        super().__init__()
        self.lstm, self.head = nn.LSTM(28, 64, num_layers=2, batch_first=True), nn.Linear(64, 10)

    def forward(self, x):
        return self.head(self.lstm(x)[0][:, -1])


class Gru(nn.Module):
    def __init__(self):
        super().__init__()
        self.gru, self.head = nn.GRU(64, 128, num_layers=2, batch_first=True), nn.Linear(128, 10)

    def forward(self, x, lengths):
        packed = pack_padded_sequence(x, lengths.long(), batch_first=True, enforce_sorted=False)
        return self.head(self.gru(packed)[1][-1])


class Residual(nn.Module):
    def __init__(self, ins, outs, stride):
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(ins, outs, 3, stride, 1, bias=False), nn.BatchNorm2d(outs), nn.ReLU(),
            nn.Conv2d(outs, outs, 3, 1, 1, bias=False), nn.BatchNorm2d(outs),
        )  # fmt: skip
        same = ins == outs and stride == 1
        self.skip = (
            nn.Identity() if same else nn.Sequential(nn.Conv2d(ins, outs, 1, stride, bias=False), nn.BatchNorm2d(outs))
        )

    def forward(self, x):
        return F.relu(self.body(x) + self.skip(x))


def resnet18():
    blocks, ins = [], 64
    for stage, outs in enumerate((64, 128, 256, 512)):
        for i in range(2):
            blocks.append(Residual(ins, outs, 2 if stage and not i else 1))
            ins = outs
    stem = [nn.Conv2d(3, 64, 3, 1, 1, bias=False), nn.BatchNorm2d(64), nn.ReLU()]
    return nn.Sequential(*stem, *blocks, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(512, 10))


class Attention(nn.Module):
    def __init__(self, d, heads):
        super().__init__()
        self.heads, self.qkv, self.out = heads, nn.Linear(d, 3 * d), nn.Linear(d, d)

    def forward(self, x):
        batch, time, d = x.shape
        q, k, v = (
            p.view(batch, time, self.heads, d // self.heads).transpose(1, 2) for p in self.qkv(x).split(d, dim=-1)
        )
        y = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        return self.out(y.transpose(1, 2).reshape(batch, time, d))


class Block(nn.Module):
    def __init__(self, d, heads):
        super().__init__()
        self.norm1, self.attention, self.norm2 = nn.LayerNorm(d), Attention(d, heads), nn.LayerNorm(d)
        self.mlp = nn.Sequential(nn.Linear(d, 4 * d), nn.GELU(), nn.Linear(4 * d, d))

    def forward(self, x):
        x = x + self.attention(self.norm1(x))
        return x + self.mlp(self.norm2(x))


class Gpt(nn.Module):
    def __init__(self, d=128, layers=4, heads=4, words=CHARACTERS, context=128):
        super().__init__()
        self.words, self.places = nn.Embedding(words, d), nn.Embedding(context, d)
        self.blocks = nn.Sequential(*(Block(d, heads) for _ in range(layers)))
        self.norm, self.head = nn.LayerNorm(d), nn.Linear(d, words)

    def forward(self, x):
        places = torch.arange(x.shape[1])
        return self.head(self.norm(self.blocks(self.words(x) + self.places(places))))


class EncoderDecoder(nn.Module):
    def __init__(self, d=256, layers=3, heads=8):
        super().__init__()
        self.source, self.target, self.places = nn.Embedding(WORDS, d), nn.Embedding(WORDS, d), nn.Embedding(32, d)
        self.body = nn.Transformer(d, heads, layers, layers, 4 * d, dropout=0.0, batch_first=True, norm_first=True)
        self.head = nn.Linear(d, WORDS)

    def forward(self, source, target):
        places = self.places(torch.arange(32))
        mask = nn.Transformer.generate_square_subsequent_mask(32)
        y = self.body(self.source(source) + places, self.target(target) + places, tgt_mask=mask, tgt_is_causal=True)
        return self.head(y)


def cnn():
    return nn.Sequential(
        nn.Unflatten(1, (1, 28)), nn.Conv2d(1, 32, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(32, 64, 3), nn.ReLU(),
        nn.MaxPool2d(2), nn.Flatten(), nn.Linear(1600, 128), nn.ReLU(), nn.Linear(128, 10),
    )  # fmt: skip


def mlp():
    return nn.Sequential(nn.Flatten(), nn.Linear(784, 128), nn.ReLU(), nn.Dropout(0.2), nn.Linear(128, 10))


NETWORKS = {
    "mlp": mlp, "cnn": cnn, "lstm": Lstm, "gru": Gru, "resnet18": resnet18, "gpt": Gpt, "transformer": EncoderDecoder,
}  # fmt: skip


def main(name, how="eager", precision="float32"):
    torch.manual_seed(0)
    inputs, y = data(name)
    if name == "resnet18":
        inputs = (inputs[0].transpose(0, 3, 1, 2),)
    inputs, y = [torch.from_numpy(a) for a in inputs], torch.from_numpy(y).long()
    model, batch = NETWORKS[name](), BATCH[name]
    if name in ("cnn", "resnet18"):
        model = model.to(memory_format=torch.channels_last)
        inputs = [x.to(memory_format=torch.channels_last) if x.ndim == 4 else x for x in inputs]
    optimizer = torch.optim.Adam(model.parameters())
    forward = torch.compile(model) if how == "compile" else model
    low = precision == "bfloat16"

    def run(epochs):
        for _ in range(epochs):
            for index in torch.randperm(len(y)).split(batch):
                optimizer.zero_grad()
                with torch.autocast("cpu", torch.bfloat16) if low else contextlib.nullcontext():
                    output = forward(*(x[index] for x in inputs))
                    loss = F.cross_entropy(output.flatten(0, -2), y[index].flatten())
                loss.backward()
                optimizer.step()

    serve({"name": f"pytorch {how}", "version": torch.__version__, "threads": torch.get_num_threads()}, run)


if __name__ == "__main__":
    main(*sys.argv[1:])
