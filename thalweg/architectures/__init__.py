"""Architectures: whole networks made of layers alone, and how those that write text generate it."""

from thalweg.architectures.base import Cache, Generator, called
from thalweg.architectures.beam import Beam
from thalweg.architectures.generate import beam_search, generate, stream
from thalweg.architectures.gpt import GPT
from thalweg.architectures.recurrent import RecurrentLM
from thalweg.architectures.search import Greedy, Sample, top_k, top_p
from thalweg.architectures.seq2seq import Seq2Seq
from thalweg.architectures.transformer import Transformer
from thalweg.layers import register

__all__ = [
    "GPT", "Beam", "Cache", "Generator", "Greedy", "RecurrentLM", "Sample", "Seq2Seq", "Transformer", "beam_search",
    "called", "generate", "stream", "top_k", "top_p",
]  # fmt: skip

ARCHITECTURES = (GPT, RecurrentLM, Seq2Seq, Transformer)
"""What a model file may name."""

for _cls in ARCHITECTURES:
    register(_cls)
