"""The memory that training a model takes: weights, gradients, states, activations."""

from __future__ import annotations

from calculator.core.calculation import Calculation, quantity
from calculator.core.dtypes import DTYPE_BYTES, DTYPE_LABELS, TORCH_DTYPES
from calculator.core.fields import choice, flag, size
from calculator.core.measure_fields import rate
from calculator.core.unit_families import BYTES, PARAMS

STATES = {"none": 0, "sgd": 0, "sgd_momentum": 1, "adam": 2}
"""The numbers that an optimizer keeps for each parameter."""


class ModelMemory(Calculation, name="model_memory"):
    """The bytes of a model on one device, part by part.

    With ZeRO a device holds its shard of what is sharded, and all of the rest. The bytes are those
    of the fullest device. What a framework sets aside besides them is not counted: buffers for
    communication, workspaces, fragments.

    Rajbhandari et al., "ZeRO", arXiv:1910.02054, 2019.
    """

    shares = (
        "weight_bytes",
        "gradient_bytes",
        "master_bytes",
        "optimizer_bytes",
        "activation_bytes",
    )

    params: int = rate(
        "N", units=PARAMS, default=6_738_415_616,
        label="Parameters", whole=True, optional=False,
        help="Such as 7B. For a mixture of experts, all of them.",
    )  # fmt: skip
    weight_dtype: str = choice(
        default="bf16", label="Data type of the weights", options=DTYPE_LABELS, also=TORCH_DTYPES,
    )  # fmt: skip
    gradient_dtype: str = choice(
        default="bf16", label="Data type of the gradients", options=DTYPE_LABELS, also=TORCH_DTYPES,
    )  # fmt: skip
    optimizer: str = choice(
        default="adam", label="Optimizer",
        options={
            "none": "none: weights only",
            "sgd": "SGD",
            "sgd_momentum": "SGD with momentum",
            "adam": "Adam, AdamW",
        },
        also={"adamw": "adam"}, help="Choose none for inference.",
    )  # fmt: skip
    state_dtype: str = choice(
        default="fp32", label="Data type of the states", options=DTYPE_LABELS, also=TORCH_DTYPES,
    )  # fmt: skip
    master_weights: bool = flag(
        default=True, label="Master weights",
        help="The optimizer's own copy of the weights in fp32.",
    )  # fmt: skip
    activation_bytes: int | None = rate(
        r"\text{bytes}_\text{activations}", units=BYTES, default=None, label="Activations",
        whole=True, minimum=0,
        help="Per device, such as 12 GB. Not counted if empty.",
    )  # fmt: skip
    zero_stage: str = choice(
        default="0", label="Sharded (ZeRO)", role="hardware",
        options={
            "0": "nothing",
            "1": "1: states and master weights",
            "2": "2: and gradients",
            "3": "3: and weights (FSDP)",
        },
    )  # fmt: skip
    devices: int = size("n", default=1, label="Devices", role="hardware")

    @quantity(r"N_\text{shard}", label="Parameters in a shard")
    def shard_params(self) -> int | None:
        """The parameters in the charge of one device; the last may have fewer."""
        if self.zero_stage == "0":
            return None
        return (self.params + self.devices - 1) // self.devices

    def held(self, stage: str) -> int:
        """Return the parameters that a device holds of what is sharded from this stage on."""
        shard = self.shard_params if self.zero_stage >= stage else None
        return self.params if shard is None else shard

    def is_trained(self) -> bool:
        """Return whether there is an optimizer."""
        return self.optimizer != "none"

    @quantity(r"\text{bytes}_\text{weight}", unit="B", label="Weights")
    def weight_bytes(self) -> int:
        """The parameters that the passes compute with; sharded in stage 3."""
        return DTYPE_BYTES[self.weight_dtype] * self.held("3")

    @quantity(r"\text{bytes}_\text{gradient}", unit="B", label="Gradients")
    def gradient_bytes(self) -> int:
        """One for each parameter, until the optimizer has used it; sharded from stage 2 on."""
        return DTYPE_BYTES[self.gradient_dtype] * self.held("2") if self.is_trained() else 0

    @quantity(r"\text{bytes}_\text{master}", unit="B", label="Master weights (fp32)")
    def master_bytes(self) -> int:
        """The copy that small updates are not lost in; sharded from stage 1 on.

        Micikevicius et al., "Mixed Precision Training", arXiv:1710.03740, 2017.
        """
        return DTYPE_BYTES["fp32"] * self.held("1") if self.keeps_master_weights() else 0

    def keeps_master_weights(self) -> bool:
        """Return whether an optimizer is there to keep them."""
        return self.master_weights and self.is_trained()

    @quantity(r"\text{bytes}_\text{states}", unit="B", label="Optimizer states")
    def optimizer_bytes(self) -> int:
        """Momentum, and for Adam the variance too; sharded from stage 1 on."""
        states = STATES[self.optimizer]
        return states * DTYPE_BYTES[self.state_dtype] * self.held("1") if states else 0

    def of_the_parameters(self) -> int:
        """Return the bytes of all parts that are there without any input."""
        return self.weight_bytes + self.gradient_bytes + self.master_bytes + self.optimizer_bytes

    @quantity(r"\text{bytes}", unit="B", label="Memory per device")
    def total_bytes(self) -> int:
        """All parts, those of the activations if they are given."""
        if self.activation_bytes is None:
            return self.of_the_parameters()
        return self.of_the_parameters() + self.activation_bytes

    @quantity("b", unit="B", label="Bytes per parameter")
    def bytes_per_param(self) -> float:
        """What a device holds for each parameter of the model, activations apart."""
        return self.of_the_parameters() / self.params
