"""Neural networks whose backward pass keeps and computes only the paths that are followed, on the one tape."""

from . import datasets, training
from .checkpoint import Checkpoint, checkpoint
from .choice import AllPaths, LayerOut, PathChoice, RandomPaths, SelectivePaths, Step, gradients
from .datasets import Dataset
from .followed import ALL, Different, Identity, Nothing, Projection, Same, Way
from .functional import cross_entropy, dropout, flatten, linear, log_softmax, relu
from .images import avg_pool2d, conv2d
from .layers import AvgPool2d, Conv2d, Dropout, Flatten, Layer, Linear, ReLU, Sequential, small_conv_net, small_fc_net
from .memory import counted_memory, saved_bytes
from .recurrent import Recurrent, small_irnn
from .training import StepSchedule, Training, evaluate, fit

__all__ = [
    "ALL",
    "AllPaths",
    "AvgPool2d",
    "Checkpoint",
    "Conv2d",
    "Dataset",
    "Different",
    "Dropout",
    "Flatten",
    "Identity",
    "Layer",
    "LayerOut",
    "Linear",
    "Nothing",
    "PathChoice",
    "Projection",
    "RandomPaths",
    "ReLU",
    "Recurrent",
    "Same",
    "SelectivePaths",
    "Sequential",
    "Step",
    "StepSchedule",
    "Training",
    "Way",
    "avg_pool2d",
    "checkpoint",
    "conv2d",
    "counted_memory",
    "cross_entropy",
    "datasets",
    "dropout",
    "evaluate",
    "fit",
    "flatten",
    "gradients",
    "linear",
    "log_softmax",
    "relu",
    "saved_bytes",
    "small_conv_net",
    "small_fc_net",
    "small_irnn",
    "training",
]
