"""Whole networks by their names, with branches and everything that stands between."""

from __future__ import annotations

from typing import Any

from calculator.blocks.chain import Chain
from calculator.core.calculation import fact, quantity
from calculator.core.fields import choice, flag, size
from calculator.core.measure_fields import real
from calculator.core.tensor_fields import per_axis
from calculator.layers.inputs import Sizes
from calculator.layers.layer import Layer, Work
from calculator.networks.architectures import ARCHITECTURES, Builder, Placed, Tensor

_WIDEST = 100  # far above any network that is published


class Network(Chain, name="network", axes="HW"):
    """A published network on an image, layer by layer, as torchvision builds it.

    Input `(N, 3, H, W)`, output one score per class. `stride_in_1x1` gives the residual networks of
    the paper, whose bottlenecks have their stride in the first 1×1 convolution; torchvision's,
    called v1.5, have it in the 3×3, which costs 6 % more.
    """

    architecture: str = choice(
        default="resnet50", label="Architecture", positional=True,
        options={name: title for name, (title, _) in ARCHITECTURES.items()},
        also={title: name for name, (title, _) in ARCHITECTURES.items()},
    )  # fmt: skip
    num_classes: int = size("K", default=1000, label="Classes")
    stride_in_1x1: bool = flag(
        default=False, label="Stride in the 1×1", help="In bottlenecks, as in the paper's ResNet.",
    )  # fmt: skip
    width_mult: float = real(
        default=1.0, label="Width multiplier", help="For MobileNetV2: multiplies all channels.",
    )  # fmt: skip
    batch_size: int = size("N", default=1, label="Batch size", role="input")
    image_size: Sizes = per_axis(
        "AXIS", default=224, label="Image size", role="input", lengths="",
        help="Height and width, such as 256, 128, or one number for a square image.",
    )  # fmt: skip
    training: bool = flag(default=False, label="In training", role="input")

    @fact
    def placed(self) -> tuple[Placed, ...]:
        """Every layer where it stands."""
        shared = {name: getattr(self, name) for name in Work.fields}
        net = Builder(**shared, training=self.training)
        options: dict[str, Any] = {"stride_in_1x1": True} if self.stride_in_1x1 else {}
        if self.width_mult != 1:
            options["width_mult"] = self.width_mult
        build = ARCHITECTURES[self.architecture][1]
        build(net, Tensor(self.input_shape, 0), num_classes=self.num_classes, **options)
        return tuple(net.placed)

    def has_bottlenecks(self) -> bool:
        """Return whether the architecture may have its stride in another place."""
        return self.architecture in ("resnet50", "resnet101", "resnet152")

    @fact
    def layers(self) -> tuple[Layer, ...]:
        """The layers in the order in which they run."""
        return tuple(each.layer for each in self.placed)

    @fact
    def labels(self) -> tuple[str, ...]:
        """What torchvision calls each."""
        return tuple(each.label for each in self.placed)

    @fact
    def tensors(self) -> tuple[tuple[int, int], ...]:
        """What each layer reads and writes; of a sum, which keeps neither, its first tensor."""
        return tuple(each.tensors for each in self.placed)

    @fact
    def runs(self) -> tuple[tuple[str, int], ...]:
        """How each layer is run; layers of one name are one module, such as a block's ReLU."""
        first: dict[str, int] = {}
        return tuple(
            (placed.how, first.setdefault(placed.label, place))
            for place, placed in enumerate(self.placed)
        )

    def validate(self) -> None:
        if self.stride_in_1x1 and not self.has_bottlenecks():
            title, _ = ARCHITECTURES[self.architecture]
            raise self.fields["stride_in_1x1"].refuse(
                f"has no effect on {title}, which has no bottlenecks. Switch it off", True
            )
        if self.width_mult != 1 and self.architecture != "mobilenet_v2":
            title, _ = ARCHITECTURES[self.architecture]
            raise self.fields["width_mult"].refuse(
                f"does not apply to {title}. Write 1", self.width_mult
            )
        if not 0 < self.width_mult <= _WIDEST:
            raise self.fields["width_mult"].refuse(
                f"must be above 0 and at most {_WIDEST}, such as 1.4", self.width_mult
            )
        assert self.placed  # built now, so that what does not fit is rejected now

    @quantity(label="Input shape")
    def input_shape(self) -> tuple[int, ...]:
        """A batch of images in three colours."""
        return (self.batch_size, 3, *self.image_size)

    @quantity()
    def output_shape(self) -> tuple[int, ...]:
        """A score for each image and class."""
        return self.layers[-1].output_shape
