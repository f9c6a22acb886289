"""Models: whole architectures made of layers, and how those that write text generate it.

`Model`, `Sequential` and `load_model` are found here too, where listings of Keras look for them (`keras.models`). This
room does not know them: as in `thalweg/__init__.py` they are loaded by name when they are first used.
"""

import importlib
from typing import Any

from thalweg.layers import register
from thalweg.models.base import Cache, Generator, called
from thalweg.models.beam import Beam
from thalweg.models.generate import beam_search, generate, stream
from thalweg.models.gpt import GPT
from thalweg.models.recurrent import RecurrentLM
from thalweg.models.search import Greedy, Sample, top_k, top_p
from thalweg.models.seq2seq import Seq2Seq
from thalweg.models.transformer import Transformer

__all__ = [
    "GPT", "Beam", "Cache", "Generator", "Greedy", "RecurrentLM", "Sample", "Seq2Seq", "Transformer", "beam_search",
    "called", "generate", "stream", "top_k", "top_p",
]  # fmt: skip

ARCHITECTURES = (GPT, RecurrentLM, Seq2Seq, Transformer)
"""What a model file may name."""

for _cls in ARCHITECTURES:
    register(_cls)


def __getattr__(name: str) -> Any:
    if name in ("Model", "Sequential", "load_model"):
        return getattr(importlib.import_module("thalweg.model"), name)
    raise AttributeError(f"thalweg.models has no {name!r}; it has {', '.join(__all__)}.")
