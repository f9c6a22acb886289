"""Data: sources, splits, the order of epochs, transforms, streams. Everything is a function of its seed."""

from thalweg.data.arrays import aligned, as_arrays
from thalweg.data.columns import CodeColumn, NumberColumn, OneHotColumn
from thalweg.data.digest import digest
from thalweg.data.encoder import TableEncoder, from_csv
from thalweg.data.encoding import read_lines, read_text
from thalweg.data.epochs import PADDING, order, permutation
from thalweg.data.files import from_folder, from_npz, save_folder
from thalweg.data.labels import Labels, class_weight, encode_labels, strata
from thalweg.data.sources import ArraySource, Source, as_source, from_arrays, is_source, row_bytes, take, walk, whole
from thalweg.data.splits import Split, kfold, split, split_by_time
from thalweg.data.stream import Chunk, chunks
from thalweg.data.table import as_table, read_csv
from thalweg.data.text import (
    BytePairs,
    Characters,
    WordPieces,
    Words,
    covering,
    packed,
    pad,
    pad_sequences,
    read_classes,
    read_conll,
    read_jsonl,
    read_labelled,
    read_parallel,
    windows,
)
from thalweg.data.transforms import MinMax, OneHot, Standardize

ALLOWED = {
    kind.__name__: kind
    for kind in (
        BytePairs,
        Characters,
        CodeColumn,
        Labels,
        MinMax,
        NumberColumn,
        OneHot,
        OneHotColumn,
        Standardize,
        TableEncoder,
        WordPieces,
        Words,
    )
}
"""What a model file's `preprocessing.json` may name."""

__all__ = [
    "ALLOWED",
    "PADDING",
    "ArraySource",
    "BytePairs",
    "Characters",
    "Chunk",
    "CodeColumn",
    "Labels",
    "MinMax",
    "NumberColumn",
    "OneHot",
    "OneHotColumn",
    "Source",
    "Split",
    "Standardize",
    "TableEncoder",
    "WordPieces",
    "Words",
    "aligned",
    "as_arrays",
    "as_source",
    "as_table",
    "chunks",
    "class_weight",
    "covering",
    "digest",
    "encode_labels",
    "from_arrays",
    "from_csv",
    "from_folder",
    "from_npz",
    "is_source",
    "kfold",
    "order",
    "packed",
    "pad",
    "pad_sequences",
    "permutation",
    "read_classes",
    "read_conll",
    "read_csv",
    "read_jsonl",
    "read_labelled",
    "read_lines",
    "read_parallel",
    "read_text",
    "row_bytes",
    "save_folder",
    "split",
    "split_by_time",
    "strata",
    "take",
    "walk",
    "whole",
    "windows",
]
