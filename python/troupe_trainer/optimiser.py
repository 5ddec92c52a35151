"""AdamW over named parameters, with a bound on the global gradient norm and rows that stay as they are. Knows no model.

Loshchilov & Hutter 2019, algorithm 2; betas and eps as the embedded trainer's (src/gpu/trainers/embedded/service.ts, kernels/adamw.ts).
Decay is decoupled and never applied to norms. Moments are float32 and held from the start, so that memory does not grow with the first step.
"""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

BETAS = (0.9, 0.95)
EPS = 1e-8


class Optimiser:
    def __init__(self, parameters: Mapping[str, nn.Parameter], frozen: Mapping[str, int]) -> None:
        """`frozen`: parameter name -> how many of its first rows keep their value (a norm has one row per element)."""
        unknown = sorted(set(frozen) - set(parameters))
        if unknown:
            raise ValueError(f"there is no parameter {unknown[0]} to freeze rows of")
        self.parameters = dict(parameters)
        self.frozen = dict(frozen)
        self.steps = 0
        matrices = [parameter for parameter in parameters.values() if parameter.dim() > 1]
        norms = [parameter for parameter in parameters.values() if parameter.dim() <= 1]
        groups = [{"params": group} for group in (matrices, norms) if group]
        self._adamw = torch.optim.AdamW(groups, lr=0.0, betas=BETAS, eps=EPS, weight_decay=0.0)
        zeros = {name: torch.zeros_like(parameter) for name, parameter in parameters.items()}
        self.restore(0, zeros, zeros)
        self.clear()

    def clear(self) -> None:
        """Forgets the accumulated gradient. Zeros, not None: a step without gradient is a step for every parameter alike."""
        for parameter in self.parameters.values():
            if parameter.grad is None:
                parameter.grad = torch.zeros_like(parameter)
            else:
                parameter.grad.zero_()

    def step(self, learning_rate: float, weight_decay: float, clip: float) -> float:
        """Applies and clears the gradient; returns its norm before the bound. A norm that is not finite changes nothing and raises ValueError."""
        for name, rows in self.frozen.items():
            self._gradient(name)[:rows] = 0
        norm = self._norm()
        if norm != norm or norm == float("inf"):
            self.clear()
            raise ValueError(f"the gradient's norm is {norm}")
        if 0 < clip < norm:
            for name in self.parameters:
                self._gradient(name).mul_(clip / norm)
        for group in self._adamw.param_groups:
            group["lr"] = learning_rate
            group["weight_decay"] = weight_decay if group["params"][0].dim() > 1 else 0.0
        kept = {name: self.parameters[name].detach()[:rows].clone() for name, rows in self.frozen.items()}
        self._adamw.step()
        with torch.no_grad():
            for name, rows in kept.items():
                self.parameters[name][: len(rows)] = rows
        self.steps += 1
        self.clear()
        return norm

    def moments(self) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        """First and second moments by parameter name: the live tensors."""
        state = self._adamw.state
        return tuple({name: state[parameter][key] for name, parameter in self.parameters.items()} for key in ("exp_avg", "exp_avg_sq"))

    def restore(self, steps: int, first: Mapping[str, Tensor], second: Mapping[str, Tensor]) -> None:
        """Goes on after `steps` steps with these moments; copies them."""
        self.steps = steps
        for name, parameter in self.parameters.items():
            entry: dict[str, Any] = {"step": torch.tensor(float(steps))}
            for key, moments in (("exp_avg", first), ("exp_avg_sq", second)):
                entry[key] = moments[name].to(parameter).reshape(parameter.shape).clone()
            self._adamw.state[parameter] = entry

    def _gradient(self, name: str) -> Tensor:
        gradient = self.parameters[name].grad
        if gradient is None:
            raise RuntimeError(f"{name} lost its gradient")
        return gradient

    def _norm(self) -> float:
        norms = [torch.linalg.vector_norm(self._gradient(name), dtype=torch.float64) for name in self.parameters]
        return float(torch.stack(norms).norm())
