"""Layers in sequence, each on the output of the one before."""

from __future__ import annotations

from typing import Any

from calculator import CALCULATIONS
from calculator.blocks.chain import FUNCTION, MODULE, Chain
from calculator.core.calculation import fact, quantity
from calculator.core.fields import InvalidField, flag
from calculator.core.tensor_fields import shape
from calculator.layers.layer import Layer, Work
from calculator.networks.torch_source import Line, call, stack


def _unfit(owner: Any, before: Layer | None) -> str:
    """Return why a layer cannot follow another, or be in a sequence at all."""
    beside = before.gives_beside() if before else ""
    if beside:
        return (
            f"input must be Tensor, not tuple. {type(before).__name__} also returns {beside}. "
            "End the sequence with it"
        )
    if before is not None and owner.takes_indices:
        return (
            "Expected tensor for argument #1 'indices' to have one of the following scalar types: "
            "Long, Int; but got torch.FloatTensor instead. Begin the sequence with this layer"
        )
    if owner.more_inputs:
        missing = " and ".join(map(repr, owner.more_inputs))
        plural = "s" if len(owner.more_inputs) > 1 else ""
        return (
            f"forward() missing {len(owner.more_inputs)} required positional argument{plural}: "
            f"{missing}. A sequence passes on one tensor only"
        )
    return ""


def _refused(place: int, line: Line, reason: str) -> InvalidField:
    title = CALCULATIONS[line.layer].__name__
    given = call(title, line.fields)
    return InvalidField("modules", f"layer {place}, {title}: {reason}", given=given)


class Sequential(Chain, name="sequential"):
    """Layers run one after another, as `torch.nn.Sequential`: counts add up.

    A module that is used again counts again; its parameters count once.
    """

    modules: Any = stack(
        default="Linear(128, 64)\nReLU()\nLinear(64, 10)", label="Layers",
        help="One layer per line, as in the constructor or in print(model). fc = Linear(64, 64) "
        "names a layer, fc runs it again; F.relu(x) is a function.",
    )  # fmt: skip
    input_shape: tuple[int, ...] = shape(
        "n", default=(32, 128), label="Input shape", role="input",
        help="Batch first: 32, 128 or 1, 3, 32, 32.",
    )  # fmt: skip
    training: bool = flag(default=False, label="In training", role="input")

    @fact
    def layers(self) -> tuple[Layer, ...]:
        """Each layer on the output of the one before."""
        built: list[Layer] = []
        known: dict[tuple[object, ...], Layer] = {}  # a network repeats its layers
        size, differentiable = self.input_shape, self.input_requires_grad
        for place, line in enumerate(self.modules, start=1):
            key = (id(line.fields), line.trained, size, differentiable)
            reason = _unfit(CALCULATIONS[line.layer], built[-1] if built else None)
            if reason:
                raise _refused(place, line, reason)
            if key not in known:
                known[key] = self._layer(place, line, size, differentiable)
            built.append(known[key])
            size = built[-1].output_shape
            differentiable &= not built[-1].takes_indices
            differentiable |= built[-1].weight_requires_grad and built[-1].params > 0
        return tuple(built)

    def _layer(
        self,
        place: int,
        line: Line,
        size: tuple[int, ...],
        differentiable: bool,
    ) -> Layer:
        """Return the layer at a place, on an input of this size."""
        owner: Any = CALCULATIONS[line.layer]
        shared = {field: getattr(self, field) for field in Work.fields}
        shared["input_requires_grad"] = differentiable
        shared["weight_requires_grad"] &= line.trained
        if "training" in owner.fields:
            shared["training"] = self.training
        try:
            return owner.on(size, **shared, **line.fields)
        except InvalidField as error:
            about = "" if error.field == "input_shape" else f"{error.field}: "
            raise _refused(place, line, f"{about}{error.message}") from None

    @fact
    def tensors(self) -> tuple[tuple[int, int], ...]:
        """The input is tensor 0, and every layer that gives no view adds one."""
        found, last = [], 0
        for layer in self.layers:
            found.append((last, last if layer.gives_a_view() else last + 1))
            last = found[-1][1]
        return tuple(found)

    @fact
    def labels(self) -> tuple[str, ...]:
        """Each layer as it was given."""
        return tuple(line.written(place) for place, line in enumerate(self.modules))

    def validate(self) -> None:
        assert self.layers  # built now, so that what does not fit is rejected now

    @fact
    def runs(self) -> tuple[tuple[str, int], ...]:
        """Modules and functions, a module that is used again at its first place."""
        return tuple(
            (FUNCTION if each.is_function else MODULE, each.first) for each in self.modules
        )

    @fact
    def owners(self) -> tuple[bool, ...]:
        """Whether each layer is the first that a module is run as."""
        return tuple(first == place for place, (_, first) in enumerate(self.runs))

    @fact
    def batch_axis(self) -> int | None:
        """Where the first layer that tells a batch from other axes has it."""
        telling = (each for each in self.layers if "batch_size" in each.fields)
        first = next(telling, None)
        return super().batch_axis if first is None else first.batch_axis

    @quantity()
    def output_shape(self) -> tuple[int, ...]:
        """The shape that the last layer gives."""
        return self.layers[-1].output_shape
