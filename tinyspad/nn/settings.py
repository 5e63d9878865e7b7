"""How ``fit`` reads its arguments, and how a run's settings are told apart from another's."""

from __future__ import annotations

import types
import zlib
from dataclasses import is_dataclass
from typing import Any

import numpy as np

from ..arguments import integer
from ..errors import BadInput
from .datasets import Dataset
from .functional import checked_labels
from .layers import Sequential


def check_choices(paths: Any, optimizer: Any, schedule: Any) -> None:
    for name, value, methods, example in (
        ("paths", paths, ("init", "draw"), "RandomPaths(0.1)"),
        ("optimizer", optimizer, ("init", "update"), "Adam(lr=0.001)"),
    ):
        if isinstance(value, type) or not all(hasattr(value, method) for method in methods):
            shown = value.__name__ if isinstance(value, type) else repr(value)
            raise BadInput(f"fit: {name}= is a value with {' and '.join(methods)}, such as {example}, not {shown:.60}.")
    if getattr(optimizer, "moments", "parameter") != "parameter":
        raise BadInput(
            f'fit: {type(optimizer).__name__}(moments="path") keeps a state for each path; here a set of inputs stands for '
            'a path, and there are too many sets. Take moments="parameter".'
        )
    if isinstance(schedule, type) or (schedule is not None and not callable(schedule)):
        raise BadInput(f"fit: schedule= is a function of iteration and iterations, not {schedule!r:.60}.")
    if schedule is not None and not (is_dataclass(optimizer) and hasattr(optimizer, "lr")):
        raise BadInput("fit: schedule= changes the optimizer's lr, which this one has not.")


def check_run(net: Any, data: Any, iterations: Any, batch_size: Any, every: Any, weight_decay: Any) -> None:
    if not isinstance(net, Sequential):
        raise BadInput(f"fit trains a Sequential, such as small_fc_net(), not {net!r:.60}.")
    if not isinstance(data, Dataset):
        raise BadInput(f"fit takes a Dataset, such as datasets.glyphs(1000), not {type(data).__name__}.")
    for name, value, least in (("iterations", iterations, 0), ("batch_size", batch_size, 1), ("every", every, 1)):
        integer(value, f"fit: {name}=", least)
    if batch_size > len(data.y):
        raise BadInput(f"fit: there are {len(data.y)} images, too few for a batch of {batch_size}.")
    if not isinstance(weight_decay, (int, float, np.floating)) or not 0 <= weight_decay < np.inf:
        raise BadInput(f"fit: weight_decay= is a number, at least 0, not {weight_decay!r:.40}.")
    for told, x, y in (("train on", data.x, data.y), ("test with", data.x_test, data.y_test)):
        if len(x) != len(y) or not len(y) or np.asarray(y).dtype.kind not in "iu":
            raise BadInput(
                f"fit: to {told} there are {len(x)} images and {len(y)} labels, which are to be whole numbers."
            )
        logits = net.predict(x[:1])
        if logits.ndim != 2:
            raise BadInput(
                f"fit: the network's outputs for an image have shape {logits.shape[1:]}, and are to be a row."
            )
        checked_labels(f"fit, images to {told}", y, (len(x), logits.shape[1]))


def all_layers(layer: Any) -> list[Any]:
    inside = getattr(layer, "layers", None) or ([layer.block] if hasattr(layer, "block") else [])
    return [layer, *(found for part in inside for found in all_layers(part))]


def layer_text(layer: Any) -> str:
    """A layer's own settings: whatever it keeps beside parameters and other layers."""
    own = {k: v for k, v in vars(layer).items() if k not in ("params", "layers", "block", "_own")}
    return f"{type(layer).__qualname__} {sorted(own.items())}"


def setting_text(setting: Any) -> str:
    """A setting as text that is the same in another process: of a function its name."""
    if isinstance(setting, types.FunctionType):
        code, inside = setting.__code__, setting.__closure__ or ()
        about = (code.co_code, code.co_consts, setting.__defaults__, [cell.cell_contents for cell in inside])
        return f"{setting.__module__}.{setting.__qualname__} {zlib.crc32(repr(about).encode())}"
    own = vars(setting) if hasattr(setting, "__dict__") else {}
    return f"{type(setting).__qualname__} {sorted(own.items())} {repr(setting).partition(' object at 0x')[0]}"
