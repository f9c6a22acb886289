"""Data: sources, splits, the order of epochs, transforms, streams. Everything is a function of its seed."""

from thalweg.data.arrays import aligned, as_arrays
from thalweg.data.columns import CodeColumn, NumberColumn, OneHotColumn
from thalweg.data.digest import digest
from thalweg.data.encoder import TableEncoder, from_csv
from thalweg.data.epochs import PADDING, order, permutation
from thalweg.data.files import from_folder, from_npz, save_folder
from thalweg.data.labels import Labels, class_weight, encode_labels, strata
from thalweg.data.sources import ArraySource, Source, as_source, from_arrays, is_source, row_bytes, take, walk, whole
from thalweg.data.splits import Split, kfold, split, split_by_time
from thalweg.data.stream import Chunk, chunks
from thalweg.data.table import as_table, read_csv
from thalweg.data.transforms import MinMax, OneHot, Standardize

ALLOWED = {
    kind.__name__: kind
    for kind in (CodeColumn, Labels, MinMax, NumberColumn, OneHot, OneHotColumn, Standardize, TableEncoder)
}
"""What a model file's `preprocessing.json` may name."""

__all__ = [
    "ALLOWED",
    "PADDING",
    "ArraySource",
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
    "aligned",
    "as_arrays",
    "as_source",
    "as_table",
    "chunks",
    "class_weight",
    "digest",
    "encode_labels",
    "from_arrays",
    "from_csv",
    "from_folder",
    "from_npz",
    "is_source",
    "kfold",
    "order",
    "permutation",
    "read_csv",
    "row_bytes",
    "save_folder",
    "split",
    "split_by_time",
    "strata",
    "take",
    "walk",
    "whole",
]
