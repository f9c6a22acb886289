"""generation: texts that a trained language model continues, however long, and what may be said of how."""

from typing import Annotated, Any

import numpy as np
from pydantic import Field

from thalweg.architectures import Sample, generate
from thalweg.model import Model
from thalweg.recipes.settings import Asking, Seed


class Generating(Asking):
    """How a text is continued."""

    temperature: Annotated[float, Field(gt=0, le=100, description="below 1 the probable becomes more so")] = 0.8
    top_k: Annotated[int | None, Field(ge=1, description="draw from so many tokens, the likeliest")] = None
    top_p: Annotated[float | None, Field(gt=0, le=1, description="draw from the likeliest that have this share")] = None
    length: Annotated[int, Field(ge=1, le=100_000, description="tokens to write at most")] = 200
    seed: Seed = 0

    @property
    def search(self) -> Sample:
        """How the next token is drawn."""
        return Sample(self.temperature, self.top_k, self.top_p)


def continue_text(model: Model, prompt: np.ndarray, how: Generating, end: int | None = None) -> np.ndarray:
    """The tokens that `model` writes after `prompt`, `how.length` of them; what follows `end` is padding.

    A model with a state remembers all of the prompt. One with a context, such as GPT, writes in stretches that fill it:
    each begins with the last half of a context of what is written so far, so every token is drawn with at least as
    much before it.
    """
    context = getattr(model.module, "context", None)
    if context is None:
        return generate(model, prompt[None], how.length, search=how.search, end=end, seed=how.seed)[0]
    text, length, stretch = prompt, len(prompt) + how.length, 0
    while len(text) < length:
        seen = text[-max(1, context // 2) :]
        options: Any = {"search": how.search, "end": end, "seed": seed_of(how.seed, stretch)}
        text = np.concatenate([text, generate(model, seen[None], context + 1 - len(seen), **options)[0]])
        stretch += 1
    return text[len(prompt) : length]


def seed_of(seed: int, stretch: int) -> int:
    """The seed of a stretch; the first has that of the whole."""
    return seed if stretch == 0 else int(np.random.SeedSequence([seed, stretch]).generate_state(1)[0] >> 1)
