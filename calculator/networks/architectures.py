"""Published architectures, layer by layer, as torchvision builds them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from calculator import CALCULATIONS
from calculator.blocks.chain import FUNCTION, MODULE, OPERATOR
from calculator.core.fields import InvalidField
from calculator.layers.layer import Layer
from calculator.layers.tensor_functions import Add


class Tensor(NamedTuple):
    """The shape of what flows between layers, and the number of its memory."""

    shape: tuple[int, ...]
    place: int


class Placed(NamedTuple):
    """A layer where it stands: its name, how it is run, the memory that it reads and writes."""

    label: str
    layer: Layer
    how: str
    tensors: tuple[int, int]


class _InPlace(Add):
    """A sum that takes the memory of its first tensor: `x += y`."""

    inplace = True

    def gives_a_view(self) -> bool:
        return True


class Builder:
    """Runs layers one after another, in branches if a tensor is used twice."""

    def __init__(self, **shared: Any) -> None:
        self.shared = shared
        self.placed: list[Placed] = []
        self.memories = 0

    def run(self, label: str, name: str, x: Tensor, how: str = MODULE, **fields: Any) -> Tensor:
        """Run a layer by the name of its calculation; return what comes out."""
        layer = self._on(label, name, x.shape, **fields)
        return self._put(label, layer, x, how)

    def add(self, label: str, x: Tensor, other: Tensor, *, in_place: bool) -> Tensor:
        """Add a residual, as Python's operator does."""
        owner: Any = _InPlace if in_place else Add
        layer = owner.on(x.shape, other.shape, **self._fields(owner))
        return self._put(label, layer, x, OPERATOR)

    def _on(self, label: str, name: str, shape: tuple[int, ...], **fields: Any) -> Layer:
        owner: Any = CALCULATIONS[name]
        try:
            layer: Layer = owner.on(shape, **self._fields(owner), **fields)
        except InvalidField as error:
            raise InvalidField("image_size", f"{label}: {error.message}", given=shape) from None
        return layer

    def _fields(self, owner: Any) -> dict[str, Any]:
        fields = {name: value for name, value in self.shared.items() if name in owner.fields}
        return fields | {"input_requires_grad": self._differentiable()}

    def _differentiable(self) -> bool:
        learns = self.shared["weight_requires_grad"] and self.placed
        return bool(self.shared["input_requires_grad"] or learns)

    def _put(self, label: str, layer: Layer, x: Tensor, how: str) -> Tensor:
        is_view = layer.gives_a_view()
        self.memories += not is_view
        y = Tensor(layer.output_shape, x.place if is_view else self.memories)
        self.placed.append(Placed(label, layer, how, (x.place, y.place)))
        return y

    def normalized(
        self, label: str, norm: str, x: Tensor, channels: int, kernel: int = 1, **more: Any
    ) -> Tensor:
        """Run a convolution without bias and the norm after it."""
        x = self.run(
            label, "conv2d", x, in_channels=x.shape[1], out_channels=channels,
            kernel_size=kernel, padding=(kernel - 1) // 2, bias=False, **more,
        )  # fmt: skip
        return self.run(norm, "batch_norm2d", x, num_features=channels)


def resnet(depth: int) -> Callable[..., Tensor]:
    """Return a residual network of so many layers: basic blocks below 50, bottlenecks from it.

    He et al., "Deep residual learning for image recognition", arXiv 1512.03385, 2015, table 1.
    torchvision's stride is in the 3×3 convolution of a bottleneck; the paper's in the first 1×1.
    """
    blocks = {18: (2, 2, 2, 2), 34: (3, 4, 6, 3), 50: (3, 4, 6, 3), 101: (3, 4, 23, 3),
              152: (3, 8, 36, 3)}[depth]  # fmt: skip
    expansion = 1 if depth < 50 else 4

    def block(net: Builder, name: str, x: Tensor, width: int, stride: int, early: bool) -> Tensor:
        identity, out = x, width * expansion
        kernels = [(3, width), (3, out)] if expansion == 1 else [(1, width), (3, width), (1, out)]
        strided = 0 if expansion == 1 or early else 1
        for place, (kernel, channels) in enumerate(kernels):
            step = stride if place == strided else 1
            x = net.normalized(
                f"{name}.conv{place + 1}", f"{name}.bn{place + 1}", x, channels, kernel, stride=step
            )
            if place < len(kernels) - 1:
                x = net.run(f"{name}.relu", "relu", x, inplace=True)
        if stride > 1 or identity.shape[1] != out:
            down = f"{name}.downsample"
            identity = net.normalized(f"{down}.0", f"{down}.1", identity, out, stride=stride)
        x = net.add(f"{name} +=", x, identity, in_place=True)
        return net.run(f"{name}.relu", "relu", x, inplace=True)

    def build(net: Builder, x: Tensor, *, num_classes: int, stride_in_1x1: bool = False) -> Tensor:
        x = net.normalized("conv1", "bn1", x, 64, 7, stride=2)
        x = net.run("relu", "relu", x, inplace=True)
        x = net.run("maxpool", "max_pool2d", x, kernel_size=3, stride=2, padding=1)
        for stage, count in enumerate(blocks):
            for place in range(count):
                stride = 2 if stage and not place else 1
                name = f"layer{stage + 1}.{place}"
                x = block(net, name, x, 64 * 2**stage, stride, stride_in_1x1)
        x = net.run("avgpool", "adaptive_avg_pool2d", x, output_size=1)
        x = net.run("flatten", "flatten", x, FUNCTION, start_dim=1)
        return net.run("fc", "linear", x, in_features=512 * expansion, out_features=num_classes)

    return build


def vgg(*stages: int) -> Callable[..., Tensor]:
    """Return stages of 3×3 convolutions with a pool after each, then three linear layers.

    Simonyan and Zisserman, "Very deep convolutional networks", arXiv 1409.1556, 2014, table 1.
    """

    def build(net: Builder, x: Tensor, *, num_classes: int) -> Tensor:
        place = 0
        for count, channels in zip(stages, (64, 128, 256, 512, 512), strict=True):
            for _ in range(count):
                x = net.run(
                    f"features.{place}", "conv2d", x, in_channels=x.shape[1], out_channels=channels,
                    kernel_size=3, padding=1,
                )  # fmt: skip
                x = net.run(f"features.{place + 1}", "relu", x, inplace=True)
                place += 2
            x = net.run(f"features.{place}", "max_pool2d", x, kernel_size=2, stride=2)
            place += 1
        x = net.run("avgpool", "adaptive_avg_pool2d", x, output_size=7)
        x = net.run("flatten", "flatten", x, FUNCTION, start_dim=1)
        return _classified(net, x, num_classes, linears=(0, 3, 6), relus=(1, 4), dropouts=(2, 5))

    return build


def alexnet(net: Builder, x: Tensor, *, num_classes: int) -> Tensor:
    """Build the one of a single tower, without groups.

    Krizhevsky, "One weird trick for parallelizing convolutional neural networks", arXiv 1404.5997,
    2014.
    """
    layers = [(64, 11, 4, 2), "pool", (192, 5, 1, 2), "pool", (384, 3, 1, 1), (256, 3, 1, 1),
              (256, 3, 1, 1), "pool"]  # fmt: skip
    place = 0
    for each in layers:
        if isinstance(each, str):
            x = net.run(f"features.{place}", "max_pool2d", x, kernel_size=3, stride=2)
            place += 1
            continue
        channels, kernel, stride, padding = each
        x = net.run(
            f"features.{place}", "conv2d", x, in_channels=x.shape[1], out_channels=channels,
            kernel_size=kernel, stride=stride, padding=padding,
        )  # fmt: skip
        x = net.run(f"features.{place + 1}", "relu", x, inplace=True)
        place += 2
    x = net.run("avgpool", "adaptive_avg_pool2d", x, output_size=6)
    x = net.run("flatten", "flatten", x, FUNCTION, start_dim=1)
    return _classified(net, x, num_classes, linears=(1, 4, 6), relus=(2, 5), dropouts=(0, 3))


def _classified(
    net: Builder,
    x: Tensor,
    num_classes: int,
    *,
    linears: tuple[int, ...],
    relus: tuple[int, ...],
    dropouts: tuple[int, ...],
) -> Tensor:
    """Run the three linear layers of AlexNet and VGG, at the places of torchvision's classifier."""
    for place in range(7):
        label = f"classifier.{place}"
        if place in relus:
            x = net.run(label, "relu", x, inplace=True)
        elif place in dropouts:
            x = net.run(label, "dropout", x, p=0.5)
        elif place in linears:
            out = num_classes if place == 6 else 4096
            x = net.run(label, "linear", x, in_features=x.shape[1], out_features=out)
    return x


def _divisible(channels: float) -> int:
    """Return channels to the nearest 8, the next if that takes off more than 10 %."""
    near = max(8, int(channels + 4) // 8 * 8)
    return near + 8 if near < 0.9 * channels else near


def mobilenet_v2(net: Builder, x: Tensor, *, num_classes: int, width_mult: float = 1.0) -> Tensor:
    """Build inverted residuals with linear bottlenecks; the last one widens, but never narrows.

    Sandler et al., "MobileNetV2", arXiv 1801.04381, 2018, table 2.
    """

    def block(name: str, x: Tensor, out: int, stride: int, expansion: int) -> Tensor:
        identity, hidden = x, x.shape[1] * expansion
        steps = [] if expansion == 1 else [(hidden, 1, 1, 1)]
        steps.append((hidden, 3, stride, hidden))
        for place, (channels, kernel, step, groups) in enumerate(steps):
            inner = f"{name}.conv.{place}"
            x = net.normalized(
                f"{inner}.0", f"{inner}.1", x, channels, kernel, stride=step, groups=groups
            )
            x = net.run(f"{inner}.2", "relu6", x, inplace=True)
        place = len(steps)
        x = net.normalized(f"{name}.conv.{place}", f"{name}.conv.{place + 1}", x, out)
        if stride == 1 and identity.shape == x.shape:
            return net.add(f"{name} +", identity, x, in_place=False)
        return x

    x = net.normalized("features.0.0", "features.0.1", x, _divisible(32 * width_mult), 3, stride=2)
    x = net.run("features.0.2", "relu6", x, inplace=True)
    stages = [(1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1),
              (6, 160, 3, 2), (6, 320, 1, 1)]  # fmt: skip
    number = 1
    for expansion, channels, count, first in stages:
        for place in range(count):
            stride = 1 if place else first
            out = _divisible(channels * width_mult)
            x = block(f"features.{number}", x, out, stride, expansion)
            number += 1
    last = _divisible(1280 * max(1.0, width_mult))
    x = net.normalized(f"features.{number}.0", f"features.{number}.1", x, last)
    x = net.run(f"features.{number}.2", "relu6", x, inplace=True)
    x = net.run("adaptive_avg_pool2d", "adaptive_avg_pool2d", x, FUNCTION, output_size=1)
    x = net.run("flatten", "flatten", x, FUNCTION, start_dim=1)
    x = net.run("classifier.0", "dropout", x, p=0.2)
    return net.run("classifier.1", "linear", x, in_features=last, out_features=num_classes)


ARCHITECTURES: dict[str, tuple[str, Callable[..., Tensor]]] = {
    "alexnet": ("AlexNet", alexnet),
    "vgg11": ("VGG-11", vgg(1, 1, 2, 2, 2)),
    "vgg13": ("VGG-13", vgg(2, 2, 2, 2, 2)),
    "vgg16": ("VGG-16", vgg(2, 2, 3, 3, 3)),
    "vgg19": ("VGG-19", vgg(2, 2, 4, 4, 4)),
    **{f"resnet{depth}": (f"ResNet-{depth}", resnet(depth)) for depth in (18, 34, 50, 101, 152)},
    "mobilenet_v2": ("MobileNetV2", mobilenet_v2),
}
"""The title and the builder of each, by torchvision's name."""
