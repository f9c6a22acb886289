"""Texts as arrays: people's files, tokenizers that a model file keeps, rows of one length, windows over long texts."""

from thalweg.data.text.characters import Characters
from thalweg.data.text.files import read_classes, read_conll, read_jsonl, read_labelled, read_parallel
from thalweg.data.text.language import packed, windows
from thalweg.data.text.normal import is_chinese, joined
from thalweg.data.text.sequences import covering, pad, pad_sequences
from thalweg.data.text.subwords import BytePairs, WordPieces
from thalweg.data.text.vocabulary import END, PADDING, START, UNKNOWN
from thalweg.data.text.words import Words

__all__ = [
    "END",
    "PADDING",
    "START",
    "UNKNOWN",
    "BytePairs",
    "Characters",
    "WordPieces",
    "Words",
    "covering",
    "is_chinese",
    "joined",
    "packed",
    "pad",
    "pad_sequences",
    "read_classes",
    "read_conll",
    "read_jsonl",
    "read_labelled",
    "read_parallel",
    "windows",
]
