"""Data: sources, splits, the order of epochs, transforms, streams. Everything is a function of its seed."""

from thalweg.data.arrays import aligned, as_arrays
from thalweg.data.baselines import LinearForecast, drift, naive, score_forecast, seasonal_naive
from thalweg.data.buckets import BucketSource, bucketed
from thalweg.data.columns import CodeColumn, NumberColumn, OneHotColumn
from thalweg.data.digest import digest
from thalweg.data.encoder import TableEncoder, from_csv
from thalweg.data.encoding import read_lines, read_text
from thalweg.data.epochs import PADDING, order, permutation
from thalweg.data.files import from_folder, from_npz, save_folder
from thalweg.data.forecasting import SeriesSplit, split_series
from thalweg.data.labels import Labels, class_weight, encode_labels, strata
from thalweg.data.series import Series, next_times, read_series, time_step
from thalweg.data.sound import (
    MFCC,
    LogMel,
    Padded,
    PerUtterance,
    Recordings,
    Sound,
    SoundEncoder,
    SoundSource,
    check_sound,
    frame_mask,
    list_sounds,
    load_sounds,
    pad_rows,
    read_sound,
    read_sound_table,
    resample,
)
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
from thalweg.data.window_source import WindowSource, forecast_windows, timeseries_dataset_from_array

ALLOWED = {
    kind.__name__: kind
    for kind in (
        BytePairs,
        Characters,
        CodeColumn,
        Labels,
        LogMel,
        MFCC,
        MinMax,
        NumberColumn,
        OneHot,
        OneHotColumn,
        PerUtterance,
        SoundEncoder,
        Standardize,
        TableEncoder,
        WordPieces,
        Words,
    )
}
"""What a model file's `preprocessing.json` may name."""

__all__ = [
    "ALLOWED",
    "MFCC",
    "PADDING",
    "ArraySource",
    "BucketSource",
    "BytePairs",
    "Characters",
    "Chunk",
    "CodeColumn",
    "Labels",
    "LinearForecast",
    "LogMel",
    "MinMax",
    "NumberColumn",
    "OneHot",
    "OneHotColumn",
    "Padded",
    "PerUtterance",
    "Recordings",
    "Series",
    "SeriesSplit",
    "Sound",
    "SoundEncoder",
    "SoundSource",
    "Source",
    "Split",
    "Standardize",
    "TableEncoder",
    "WindowSource",
    "WordPieces",
    "Words",
    "aligned",
    "as_arrays",
    "as_source",
    "as_table",
    "bucketed",
    "check_sound",
    "chunks",
    "class_weight",
    "covering",
    "digest",
    "drift",
    "encode_labels",
    "forecast_windows",
    "frame_mask",
    "from_arrays",
    "from_csv",
    "from_folder",
    "from_npz",
    "is_source",
    "kfold",
    "list_sounds",
    "load_sounds",
    "naive",
    "next_times",
    "order",
    "packed",
    "pad",
    "pad_rows",
    "pad_sequences",
    "permutation",
    "read_classes",
    "read_conll",
    "read_csv",
    "read_jsonl",
    "read_labelled",
    "read_lines",
    "read_parallel",
    "read_series",
    "read_sound",
    "read_sound_table",
    "read_text",
    "resample",
    "row_bytes",
    "save_folder",
    "score_forecast",
    "seasonal_naive",
    "split",
    "split_by_time",
    "split_series",
    "strata",
    "take",
    "time_step",
    "timeseries_dataset_from_array",
    "walk",
    "whole",
    "windows",
]
