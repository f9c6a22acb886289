"""thalweg doctor: what this machine gives, and what is missing."""

from typing import Annotated

import typer

from thalweg.cli.common import show
from thalweg.errors import ConfigError


def doctor(
    system: Annotated[bool, typer.Option("--system", help="Processor, devices, versions, native kernels.")] = False,
) -> None:
    """Say what this machine gives: processor, devices, versions, and whether the native kernels serve."""
    if not system:
        raise ConfigError("nothing was asked for.\n  Write thalweg doctor --system.")
    from thalweg.kernels.system import describe

    show(["what", "found"], describe())
