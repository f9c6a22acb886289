"""corpora: the named series, and what is usual for them."""

from pathlib import Path
from typing import Any, NamedTuple

from thalweg.datasets import airline_passengers, daily_min_temperatures, ett, exchange_rate, store, sunspots
from thalweg.datasets.catalog.series import AIRLINE_PASSENGERS, DAILY_MIN_TEMPERATURES, ETT, EXCHANGE_RATE, SUNSPOTS
from thalweg.datasets.entry import Entry
from thalweg.recipes.series.reach import Reach


class Corpus(NamedTuple):
    """A named series: its entry, its module, how far a forecast of it usually looks, the results stated on it."""

    entry: Entry
    module: Any
    usual: Reach
    published: tuple[tuple[str, float, float], ...] = ()  # at the usual horizon: name, MSE, MAE

    def is_at(self, path: Path) -> bool:
        """Whether `path` is a folder that has its file."""
        return path.is_dir() and store.find(self.entry, self.entry.files[0].name, path) is not None


SOURCE = "Zeng et al. 2023 (arXiv:2205.13504), table 2"
CORPORA = {
    "ett": Corpus(
        ETT,
        ett,
        Reach(336, 96, 24),
        (("NLinear", 0.374, 0.394), ("DLinear", 0.375, 0.399), ("FEDformer", 0.376, 0.419), ("Repeat", 1.295, 0.713)),
    ),
    "airline": Corpus(AIRLINE_PASSENGERS, airline_passengers, Reach(24, 12, 12)),
    "exchange": Corpus(
        EXCHANGE_RATE,
        exchange_rate,
        Reach(96, 96, 7),
        (("NLinear", 0.089, 0.208), ("DLinear", 0.081, 0.203), ("FEDformer", 0.148, 0.278), ("Repeat", 0.081, 0.196)),
    ),
    "temperatures": Corpus(DAILY_MIN_TEMPERATURES, daily_min_temperatures, Reach(365, 7, 365)),
    "sunspots": Corpus(SUNSPOTS, sunspots, Reach(264, 12, 132)),
}
"""The named series by the setting `corpus`."""
