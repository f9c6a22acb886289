"""A GPT for characters in nanoGPT's setting for a CPU: ours as `char-lm` trains it, and PyTorch eager as nanoGPT does.

python -m benchmarks.peers.char_lm TEXT thalweg|pytorch

Both: 4 layers, 4 heads, 128 wide, windows of 64 characters at random places, 12 a step, AdamW (0.9, 0.99) with decay
0.1, the gradient's norm at most 1, the rate set anew at each step; biases everywhere, and an output that is not tied to
the embedding. An epoch has `STEPS` steps, as the recipe's has. Where TEXT is "-", a text from a seed takes its place: a
step takes as long.
"""

import math
import sys
from pathlib import Path

import numpy as np

from benchmarks.timing import serve

STEPS, TOTAL, WARMUP, RATE, BATCH, CONTEXT = 250, 2000, 100, 1e-3, 12, 64


def text_of(place):
    if place == "-":
        return "".join(map(chr, np.random.default_rng(0).integers(58, 123, 1_000_000)))
    whole = Path(place).read_text(encoding="utf-8")
    return whole[: int(0.9 * len(whole))]


def thalweg(text):
    import jax

    import thalweg
    from thalweg.data import Characters
    from thalweg.kernels import level
    from thalweg.recipes import load
    from thalweg.recipes.base import Material
    from thalweg.recipes.language.windows import Everywhere

    tokenizer, recipe = Characters.fit(text), load("char-lm")
    source = Everywhere(tokenizer(text), CONTEXT)
    settings = recipe.settings()
    given = settings.steps, settings.learning_rate, settings.warmup, settings.batch_size, settings.context
    assert given == (TOTAL, RATE, WARMUP, BATCH, CONTEXT), "the recipe's defaults are no longer nanoGPT's"
    assert settings.epochs * STEPS == TOTAL, "the recipe's epochs are of another length"
    model = recipe.build(settings, Material(source, source, source, "", preprocessing={"tokenizer": tokenizer}))

    def run(epochs):
        model.fit(source, batch_size=BATCH, steps_per_epoch=STEPS, epochs=epochs, verbose=0)

    return {"name": "thalweg", "version": thalweg.__version__, "jax": jax.__version__, "kernels": level()}, run


def pytorch(text):
    import torch
    from torch.nn import functional

    from benchmarks.peers.pytorch import Gpt

    torch.manual_seed(0)
    known = {character: i for i, character in enumerate(sorted(set(text)), 2)}  # as many words as ours has
    ids = torch.tensor([known[character] for character in text])
    model = Gpt(words=len(known) + 2, context=CONTEXT)
    groups = [
        {"params": [p for p in model.parameters() if p.dim() >= 2], "weight_decay": 0.1},
        {"params": [p for p in model.parameters() if p.dim() < 2], "weight_decay": 0.0},
    ]
    optimizer, made = torch.optim.AdamW(groups, lr=RATE, betas=(0.9, 0.99)), iter(range(sys.maxsize))

    def run(epochs):
        for _ in range(epochs * STEPS):
            for group in optimizer.param_groups:
                group["lr"] = rate(next(made))
            places = torch.randint(len(ids) - CONTEXT, (BATCH,))
            x, y = (torch.stack([ids[i + k : i + k + CONTEXT] for i in places]) for k in (0, 1))
            z = model(x)
            loss = functional.cross_entropy(z.view(-1, z.shape[-1]), y.view(-1))
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)

    return {"name": "pytorch eager", "version": torch.__version__, "threads": torch.get_num_threads()}, run


def rate(n):
    if n < WARMUP:
        return RATE * n / WARMUP
    half = 0.5 * (1 + math.cos(math.pi * min((n - WARMUP) / (TOTAL - WARMUP), 1)))
    return 0.1 * RATE + 0.9 * RATE * half


if __name__ == "__main__":
    serve(*{"thalweg": thalweg, "pytorch": pytorch}[sys.argv[2]](text_of(sys.argv[1])))
