"""The protocol that training, the doctor, tuning and serving know: two functions.

    init(key, spec) -> (params, state)
    apply(params, state, x, *, key, train) -> (output, state)

`ModuleNetwork` makes a module into one. A Flax or Equinox module becomes one in ten lines (`bridge/`).
"""

from typing import Any, ClassVar, Protocol, runtime_checkable

from thalweg.core.context import Capture, Slot
from thalweg.core.functional import apply, init, trace
from thalweg.core.module import Module, split_activation
from thalweg.core.policy import FLOAT32, Policy
from thalweg.record import Record
from thalweg.types import Array, Spec, Tree


@runtime_checkable
class Network(Protocol):
    """What can be trained. It must hash, so that compiled programs can be kept by it.

    Optional attributes, read with `getattr`:
      activation   the name of the final activation that `apply` leaves off (`"softmax"`), so that losses see logits
      slots(spec)  the parameters' `Slot`s: which are trainable, which are constrained
      masks        True if `apply` reads `state["rows"]`: 1 for each real row of the batch, 0 for padding; it may then
                   return `state["mask"]`, True for each real step of the output, [batch, time]
      observe      `apply` that also returns the activations by path
    """

    def init(self, key: Array, spec: Spec) -> tuple[Tree, Tree]:
        """Parameters and state for inputs like `spec`."""
        ...

    def apply(self, params: Tree, state: Tree, x: Tree, *, key: Array | None, train: bool) -> tuple[Tree, Tree]:
        """The output (logits) for a batch, and the new state."""
        ...


class ModuleNetwork(Record):
    """A module as a `Network`: its final activation set apart, its precision fixed."""

    module: Module
    policy: Policy = FLOAT32
    masks: ClassVar[bool] = True

    @property
    def activation(self) -> Any:
        """The final activation as the module names it, or None."""
        return split_activation(self.module)[1]

    def init(self, key: Array, spec: Spec) -> tuple[Tree, Tree]:
        """See `thalweg.core.init`."""
        return init(self.module, key, spec, policy=self.policy)

    def apply(self, params: Tree, state: Tree, x: Tree, *, key: Array | None, train: bool) -> tuple[Tree, Tree]:
        """The logits: the module without its final activation. See `thalweg.core.apply`."""
        logits, _ = split_activation(self.module)
        return apply(logits, params, state, x, key=key, train=train, policy=self.policy)

    def observe(
        self, params: Tree, state: Tree, x: Tree, *, key: Array | None = None, train: bool = False
    ) -> dict[str, Tree]:
        """The output of each layer by dotted path, in the order in which they were computed."""
        capture = Capture()
        logits, _ = split_activation(self.module)
        apply(logits, params, state, x, key=key, train=train, policy=self.policy, capture=capture)
        return capture.activations

    def slots(self, spec: Spec) -> tuple[Slot, ...]:
        """The parameters as `init` would make them, in the order of the layers."""
        call, _ = trace(self.module, spec, self.policy)
        return tuple(call.slots.values())
