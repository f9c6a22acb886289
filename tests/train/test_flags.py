"""Settings that are True or False, how much is shown, one number: another value is an error, not taken by its truth."""

import os
import subprocess
import sys
from pathlib import Path


def test_other_values_are_errors_with_a_remedy():
    env = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    run = subprocess.run(
        [sys.executable, "-m", "tests.train.flags"], env=env, capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr[-2000:]
