"""The structure that all networks share: a trunk of convolutions, global average pooling, one linear layer.

With that head, the class activation map of every class (Zhou et al. 2016) is a weighted sum of the features that
``forward`` returns, so saliency needs no second pass. See ``core.explain``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode


class NetworkOutput(NamedTuple):
    """The output of a network for N faces."""

    logits: Tensor  # (N, K)
    features: Tensor  # (N, C, h, w), the tensor that enters the pooling


class Network(nn.Module):
    """Trunk -> global average pooling -> dropout -> linear.

    ``stages`` maps the name of each stage at which saliency can be computed to the path of its module. The last stage
    is the end of the trunk, where the map has a closed form. ``default_stage`` has at least 6 x 6 cells at the size
    that the network is built for.
    """

    def __init__(
        self,
        trunk: nn.Sequential,
        features: int,
        classes: int,
        *,
        stages: Mapping[str, str],
        default_stage: str,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.trunk = trunk
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(features, classes)
        self.stages = dict(stages)
        self.default_stage = default_stage

    @property
    def closed_form_stage(self) -> str:
        """The stage whose output enters the pooling."""
        return list(self.stages)[-1]

    def forward(self, faces: Tensor) -> NetworkOutput:
        """faces: (N, channels, H, W), preprocessed. Logits are not normalized."""
        features = self.trunk(faces)
        pooled = features.mean(dim=(2, 3))
        return NetworkOutput(self.head(self.dropout(pooled)), features)

    def stage_module(self, stage: str) -> nn.Module:
        """The module of a stage. Raises KeyError naming the known stages."""
        if stage not in self.stages:
            raise KeyError(f"this network has no stage {stage!r}; its stages are {', '.join(self.stages)}")
        return self.get_submodule(self.stages[stage])


class WithoutRandomValues(TorchFunctionMode):
    """A context in which networks are built without drawing initial values, for networks whose weights are then
    loaded: drawing them takes as long as everything else for a large network."""

    def __torch_function__(
        self, function: Callable[..., Any], types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        kwargs = kwargs or {}
        if getattr(function, "__name__", "") in ("kaiming_uniform_", "uniform_", "normal_"):
            return args[0] if args else kwargs["tensor"]
        return function(*args, **kwargs)


def initialize(network: nn.Module) -> None:
    """He et al. 2015 for convolutions before a ReLU; unit batch norms."""
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
            if module.bias is not None:
                nn.init.zeros_(module.bias)
        elif isinstance(module, nn.BatchNorm2d):
            nn.init.ones_(module.weight)
            nn.init.zeros_(module.bias)
        elif isinstance(module, nn.Linear):
            nn.init.normal_(module.weight, std=0.01)
            nn.init.zeros_(module.bias)


def deepest_stage(network: Network, channels: int, size_px: int, cells: int = 6) -> str:
    """The deepest stage whose map has at least ``cells`` x ``cells`` cells for faces of ``size_px``, else the first."""
    sides: dict[str, int] = {}

    def record(stage: str) -> Callable[[nn.Module, object, Tensor], None]:
        return lambda _module, _inputs, output: sides.__setitem__(stage, min(output.shape[2:]))

    hooks = [network.stage_module(stage).register_forward_hook(record(stage)) for stage in network.stages]
    try:
        with torch.inference_mode():
            network.eval()(torch.zeros(1, channels, size_px, size_px))
    finally:
        for hook in hooks:
            hook.remove()
    return [stage for stage in network.stages if sides[stage] >= cells or stage == next(iter(network.stages))][-1]


def count_parameters(network: nn.Module) -> int:
    """Trainable and frozen parameters, without buffers."""
    return sum(p.numel() for p in network.parameters())


def count_macs(network: nn.Module, channels: int, size_px: int) -> int:
    """Multiply-accumulates of the convolutions and linear layers for one face of ``size_px`` squared."""
    total = 0

    def count(module: nn.Module, _inputs: object, output: Tensor) -> None:
        nonlocal total
        if isinstance(module, nn.Conv2d):
            per_output = module.in_channels // module.groups * module.kernel_size[0] * module.kernel_size[1]
            total += output.numel() * per_output
        elif isinstance(module, nn.Linear):
            total += output.numel() * module.in_features

    hooks = [m.register_forward_hook(count) for m in network.modules() if isinstance(m, nn.Conv2d | nn.Linear)]
    was_training = network.training
    try:
        network.eval()
        with torch.inference_mode():
            network(torch.zeros(1, channels, size_px, size_px))
    finally:
        network.train(was_training)
        for hook in hooks:
            hook.remove()
    return total
