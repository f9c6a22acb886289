"""Recordings that anyone can make: tones, whose pitch is the class or the letter."""

import csv

import numpy as np

from thalweg.recipes.sound.clips import write_wav

RATE = 8000
PITCH = {"A": 400, "B": 900, "C": 1800}


def tone(letter, rng, seconds=0.12, rate=RATE):
    t = np.arange(int(rate * seconds * rng.uniform(0.8, 1.2))) / rate
    return 0.3 * np.sin(2 * np.pi * PITCH[letter] * rng.uniform(0.97, 1.03) * t + rng.uniform(0, 6))


def sound(text, rng, rate=RATE):
    """The tones of `text`, a pause after each, with noise."""
    parts = [part for letter in text.replace(" ", "") for part in (tone(letter, rng, rate=rate), np.zeros(rate // 20))]
    whole = np.concatenate(parts)
    return (whole + 0.01 * rng.normal(size=len(whole))).astype(np.float32)


def classes(folder, each, seed=0, rate=RATE):
    """A sub-folder for each letter."""
    rng = np.random.default_rng(seed)
    for letter in "ABC":
        (folder / letter).mkdir(parents=True)
        for n in range(each):
            write_wav(folder / letter / f"{n}.wav", sound(letter, rng, rate), rate)
    return folder


def table(path, texts, column="text", seed=0, rate=RATE):
    """A CSV of recordings in a folder beside it."""
    rng = np.random.default_rng(seed)
    (path.parent / path.stem).mkdir(parents=True)
    rows = [(f"{path.stem}/{n}.wav", text) for n, text in enumerate(texts)]
    for (name, text), _ in zip(rows, texts, strict=True):
        write_wav(path.parent / name, sound(text, rng, rate), rate)
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([("path", column), *rows])
    return path


def sentences(rows, seed=0, longest=3):
    rng = np.random.default_rng(seed)
    return ["".join(rng.choice(list("AB"), rng.integers(1, longest + 1))) for _ in range(rows)]
