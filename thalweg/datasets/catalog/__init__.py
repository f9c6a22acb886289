"""The named data sets: what each holds, in which published files, with which checksums, from which mirrors.

A data set is entered here and nowhere else: an `Entry` in one of these files, whose `place` says what loads it.
"""

from thalweg.datasets.catalog import pictures, series, sounds, texts
from thalweg.datasets.entry import Entry

CATALOG = {
    entry.name: entry
    for group in (pictures, series, sounds, texts)
    for entry in vars(group).values()
    if isinstance(entry, Entry)
}
