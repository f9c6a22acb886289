"""One row per optimizer: what it must equal, on the same gradients, after several steps."""

import dataclasses
from collections.abc import Callable
from typing import Any

from thalweg import optim


@dataclasses.dataclass(frozen=True)
class Row:
    """`ours` against Keras's class of the same name with the same arguments, and against `torch(parameters)`.

    `torch_ours` is ours with the settings under which PyTorch's rule is the same (epsilon stands elsewhere there).
    """

    ours: optim.Optimizer
    keras: dict[str, Any] | None = None
    why: str = ""
    torch: Callable[[Any, list[Any]], Any] | None = None
    torch_ours: optim.Optimizer | None = None

    @property
    def name(self) -> str:
        return type(self.ours).__name__

    @property
    def label(self) -> str:
        return repr(self.ours)


O = optim
ROWS = [
    Row(O.SGD(), {}, torch=lambda t, p: t.SGD(p, lr=0.01), torch_ours=O.SGD()),
    Row(
        O.SGD(0.1, 0.9),
        {"learning_rate": 0.1, "momentum": 0.9},
        torch=lambda t, p: t.SGD(p, lr=0.1, momentum=0.9),
        torch_ours=O.SGD(0.1, 0.9),
    ),
    Row(
        O.SGD(0.1, 0.9, True),
        {"learning_rate": 0.1, "momentum": 0.9, "nesterov": True},
        torch=lambda t, p: t.SGD(p, lr=0.1, momentum=0.9, nesterov=True),
        torch_ours=O.SGD(0.1, 0.9, nesterov=True),
    ),
    Row(O.Adam(), {}, torch=lambda t, p: t.Adam(p, lr=0.01, eps=1e-30), torch_ours=O.Adam(0.01, epsilon=1e-30)),
    Row(
        O.Adam(0.01, amsgrad=True, beta_1=0.8, beta_2=0.9, epsilon=1e-3),
        {"learning_rate": 0.01, "amsgrad": True, "beta_1": 0.8, "beta_2": 0.9, "epsilon": 1e-3},
    ),
    Row(
        O.AdamW(),
        {},
        torch=lambda t, p: t.AdamW(p, lr=0.01, weight_decay=0.1, eps=1e-30),
        torch_ours=O.AdamW(0.01, 0.1, epsilon=1e-30),
    ),
    Row(O.AdamW(0.01, 0.5), {"learning_rate": 0.01, "weight_decay": 0.5}),
    Row(O.Adamax(), {}, torch=lambda t, p: t.Adamax(p, lr=0.01, eps=1e-30), torch_ours=O.Adamax(0.01, epsilon=1e-30)),
    Row(
        O.Nadam(),
        {},
        torch=lambda t, p: t.NAdam(p, lr=0.01, eps=1e-8, momentum_decay=1.0),
        torch_ours=O.Nadam(0.01, epsilon=1e-8),
    ),
    Row(
        O.Adagrad(),
        {},
        torch=lambda t, p: t.Adagrad(p, lr=0.01, initial_accumulator_value=0.1, eps=0.0),
        torch_ours=O.Adagrad(0.01, epsilon=0.0),
    ),
    Row(O.Adadelta(), {}, torch=lambda t, p: t.Adadelta(p, lr=1.0, rho=0.95, eps=1e-7), torch_ours=O.Adadelta(1.0)),
    Row(
        O.RMSprop(),
        {},
        torch=lambda t, p: t.RMSprop(p, lr=0.01, alpha=0.9, eps=0.0, momentum=0.5),
        torch_ours=O.RMSprop(0.01, momentum=0.5, epsilon=0.0),
    ),
    Row(
        O.RMSprop(0.01, 0.8, 0.9, 1e-5, True),
        {"learning_rate": 0.01, "rho": 0.8, "momentum": 0.9, "epsilon": 1e-5, "centered": True},
    ),
    Row(O.Lion(), {}),
    Row(O.Lion(0.01, weight_decay=0.1), {"learning_rate": 0.01, "weight_decay": 0.1}),
    Row(O.Lamb(), {}),
    Row(O.Lamb(0.01, weight_decay=0.1), {"learning_rate": 0.01, "weight_decay": 0.1}),
    Row(O.Muon(), {}),
    Row(
        O.Muon(0.01, nesterov=False, rms_rate=None, exclude_layers=["dense"], adam_lr_ratio=0.5, ns_steps=3),
        {
            "learning_rate": 0.01,
            "nesterov": False,
            "rms_rate": None,
            "exclude_layers": ["dense"],
            "adam_lr_ratio": 0.5,
            "ns_steps": 3,
        },
    ),
    Row(O.LBFGS(), None, why="Keras has none; test_lbfgs.py has its oracle"),
    # what goes around a rule
    Row(O.SGD(weight_decay=0.5, momentum=0.9), {"weight_decay": 0.5, "momentum": 0.9}),
    Row(O.SGD(clipnorm=0.5), {"clipnorm": 0.5}),
    Row(O.Adagrad(clipvalue=0.1), {"clipvalue": 0.1}),
    Row(O.SGD(global_clipnorm=0.5), {"global_clipnorm": 0.5}),
    Row(O.Adam(clipnorm=0.5, gradient_accumulation_steps=3), {"clipnorm": 0.5, "gradient_accumulation_steps": 3}),
    Row(
        O.SGD(0.1, use_ema=True, ema_momentum=0.8, ema_overwrite_frequency=3),
        {"learning_rate": 0.1, "use_ema": True, "ema_momentum": 0.8, "ema_overwrite_frequency": 3},
    ),
    # schedules count the real steps, and the rate stands inside the momentum
    Row(
        O.SGD(O.schedules.ExponentialDecay(0.1, 2, 0.5), 0.9, gradient_accumulation_steps=2),
        {"learning_rate": ("ExponentialDecay", 0.1, 2, 0.5), "momentum": 0.9, "gradient_accumulation_steps": 2},
    ),
    Row(
        O.SGD(O.schedules.ExponentialDecay(0.1, 2, 0.5), 0.9, True),
        {"learning_rate": ("ExponentialDecay", 0.1, 2, 0.5), "momentum": 0.9, "nesterov": True},
    ),
]
