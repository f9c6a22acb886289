"""thalweg recipes: what can be trained, and with which settings."""

from typing import Annotated

import typer

from thalweg.cli.common import say, show


def recipes(name: Annotated[str | None, typer.Argument(help="A recipe, to see its settings.")] = None) -> None:
    """List the recipes, or the settings of one."""
    from thalweg.recipes import RECIPES, load

    if name is None:
        lines = sorted(RECIPES.items(), key=lambda pair: (pair[1].task, pair[0]))
        tasks = [line.task for _, line in lines]
        groups = (task if i == tasks.index(task) else "" for i, task in enumerate(tasks))  # once for each group
        rows = [(name, task, *line[2:]) for task, (name, line) in zip(groups, lines, strict=True)]
        show(["recipe", "task", "data", "time", "what it trains"], rows)
        say("thalweg recipes NAME shows the settings of one, thalweg train NAME runs it.")
        return
    from thalweg.recipes.settings import table

    show(["setting", "default", "meaning"], table(load(name).settings))
