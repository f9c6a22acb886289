"""The core: modules as frozen hyperparameters, arrays outside, two doors. It knows no layer."""

from thalweg.core.context import Call, Capture, Context, Slot
from thalweg.core.face import Variable, children, plain, walk
from thalweg.core.functional import apply, drawn, init, trace
from thalweg.core.module import Module, Through, replace_at, split_activation
from thalweg.core.network import ModuleNetwork, Network
from thalweg.core.policy import BFLOAT16, FLOAT32, FLOAT64, Policy, cast, policy

__all__ = [
    "BFLOAT16", "FLOAT32", "FLOAT64", "Call", "Capture", "Context", "Module", "ModuleNetwork", "Network", "Policy",
    "Slot", "Through", "Variable", "apply", "cast", "children", "drawn", "init", "plain", "policy", "replace_at",
    "split_activation", "trace", "walk",
]  # fmt: skip
