"""Tables: columns of texts from files and frames, and what each column becomes as numbers."""

from thalweg.data.table.cells import as_table
from thalweg.data.table.columns import CodeColumn, NumberColumn, OneHotColumn
from thalweg.data.table.encoder import TableEncoder, from_csv
from thalweg.data.table.files import read_csv
from thalweg.data.table.numbers import NumberFormat

__all__ = [
    "CodeColumn",
    "NumberColumn",
    "NumberFormat",
    "OneHotColumn",
    "TableEncoder",
    "as_table",
    "from_csv",
    "read_csv",
]
