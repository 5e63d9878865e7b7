"""Neural networks whose backward pass keeps and computes only the paths that are followed, on the one tape."""

from .checkpoint import Checkpoint, checkpoint
from .choice import AllPaths, LayerOut, PathChoice, RandomPaths, SelectivePaths, Step, gradients
from .followed import ALL, Different, Followed, Nothing, Projection, Same, Way
from .functional import avg_pool2d, conv2d, cross_entropy, dropout, flatten, linear, log_softmax, relu
from .layers import AvgPool2d, Conv2d, Dropout, Flatten, Layer, Linear, ReLU, Sequential, small_conv_net, small_fc_net
from .memory import counted_memory, saved_bytes
