"""Measuring the claims, and writing the report from what was measured."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from os import PathLike
from pathlib import Path
from typing import Any

from ..errors import BadInput
from ..progress import Progress
from .claim import Claim, Numbers, Setting
from .hurry import page
from .learning import CLAIMS as LEARNING
from .minimising import CLAIMS as MINIMISING
from .mnist import CLAIMS as ON_MNIST
from .multimodal import CLAIMS as MULTIMODAL
from .readings import CLAIMS as READINGS
from .theory import CLAIMS as THEORY
from .white_box import CLAIMS as WHITE_BOX

CLAIMS: dict[str, Claim] = {
    claim.key: claim for claim in (*THEORY, *MINIMISING, *READINGS, *MULTIMODAL, *LEARNING, *ON_MNIST, *WHITE_BOX)
}
"""All claims by key, in the order of the report."""

SECONDS = {
    "variance": 33.0,
    "figure3": 9.0,
    "tables": 12.0,
    "figure7": 3.0,
    "choices": 14.0,
    "readings": 2.0,
    "memory": 8.0,
    "table3": 29.0,
    "white-box": 200.0,
}
"""About how long measuring a claim takes, of those that take longer than one: what the estimate of the rest is made of."""

FORMAT = "tinyspad reproduction 1"


def measure(
    keys: Iterable[str] | None = None,
    *,
    small: bool = False,
    workers: int | None = None,
    folder: str | PathLike[str] = "figures/data",
    known: dict[str, Numbers] | None = None,
    tell: Callable[[str], Any] | None = None,
    keep: Callable[[dict[str, Numbers]], Any] | None = None,
    progress: bool = False,
) -> dict[str, Numbers]:
    """The numbers behind claims, by key: those asked for (all if left out) measured anew, the others from ``known``.

    ``small``: at a reduced size. ``workers``: so many processes; the numbers do not depend on it. ``folder``: where the
    results of the networks' and of the sensitivity table's long runs are. ``tell`` hears what is being measured; ``keep``
    gets the numbers after each claim; ``progress`` shows how far it is. Raises BadInput for a key that is none. Cost: about
    five minutes for all, one if small.

    >>> from tinyspad import reproduction
    >>> reproduction.measure(["figure2"])["figure2"]  # doctest: +ELLIPSIS
    {'minima': 7, 'nearest': 5.474..., 'value': 30.100...}
    """
    wanted = list(CLAIMS) if keys is None else list(keys)
    for key in wanted:
        if key not in CLAIMS:
            raise BadInput(f"There is no claim {key!r:.40}; there are {', '.join(CLAIMS)}.")
    found = dict(known or {})
    setting = Setting(small, workers, Path(folder))
    own = list(dict.fromkeys(CLAIMS[key].of or key for key in wanted))
    with Progress(len(own), "claim", progress, costs=[SECONDS.get(key, 1.0) for key in own]) as bar:
        for key in own:
            if tell is not None:
                bar.clear()
                tell(f"{key}: {CLAIMS[key].says}")
            found[key] = CLAIMS[key].measure(setting)
            if keep is not None:
                keep(found)
            bar.one_more()
    return found


def unsupported(numbers: dict[str, Numbers]) -> list[str]:
    """The claims, of those that were measured, whose verdict the numbers do not bear out.

    >>> from tinyspad import reproduction
    >>> reproduction.unsupported({"figure2": {"minima": 3, "nearest": 5.0, "value": 0.0}})
    ['figure2']
    """
    return [
        key
        for key, claim in CLAIMS.items()
        if (claim.of or key) in numbers and not claim.supports(numbers[claim.of or key])
    ]


def section(key: str, numbers: Numbers) -> str:
    """One claim's part of the report, in Markdown, from its numbers.

    >>> from tinyspad import reproduction
    >>> print(reproduction.section("figure2", {"minima": 7, "nearest": 5.475, "value": 30.1}).splitlines()[4])
    **holds**: 7 minima in [-6, 6]; the one that traps at x = 5.475 has value 30.10.
    """
    claim = CLAIMS[key]
    verdict = f"**{claim.verdict}**: {claim.because(numbers)}."
    return f"### {key}\n\n*{claim.where}.* {claim.says}\n\n{verdict}\n\n{claim.told(numbers)}\n"


def report(numbers: dict[str, Numbers]) -> str:
    """The whole report in Markdown, from the numbers of all claims. Raises BadInput where some are missing."""
    missing = [key for key, claim in CLAIMS.items() if (claim.of or key) not in numbers]
    if missing:
        raise BadInput(f"The report lacks {', '.join(missing)}: measure them first.")
    parts = [
        HEAD,
        page(CLAIMS, {key: numbers[claim.of or key] for key, claim in CLAIMS.items()}),
        "## Claim by claim\n",
    ]
    parts += [section(key, numbers[claim.of or key]) for key, claim in CLAIMS.items()]
    return "\n".join([*parts, NEIGHBOURS])


def to_json(numbers: dict[str, Numbers]) -> str:
    """The numbers as JSON, one claim a line."""
    lines = [f"{json.dumps(key)}: {json.dumps(value, ensure_ascii=False)}" for key, value in numbers.items()]
    return "{" + ",\n".join([f'"format": {json.dumps(FORMAT)}', *lines]) + "}\n"


def from_json(text: str) -> dict[str, Numbers]:
    """The inverse of ``to_json``. Raises BadInput for anything else."""
    try:
        read = json.loads(text)
        if read.pop("format") != FORMAT:
            raise ValueError
        found = {key: read[key] for key in CLAIMS if key in read}
        for key, claim in CLAIMS.items():
            if (claim.of or key) in found:
                section(key, found[claim.of or key])  # which needs all of its numbers
                claim.supports(found[claim.of or key])
    except Exception:  # whatever a damaged file leads to
        raise BadInput(
            "This is no file of reproduced numbers, or one of another version; delete it, and measure all."
        ) from None
    return found


HEAD = """# What of the paper holds

*Selective Path Automatic Differentiation* (Peseux, Berar, Paquet, Nicollet, IEEE Access 2023), claim by claim: what it says, what tinyspad measures, and a verdict. The first table is for readers in a hurry.

The numbers in the tables and verdicts are written by one command, from fixed seeds, in about five minutes on two cores (`--small`: every claim at a reduced size, in about a minute; a test does that, and checks that the verdicts are borne out). What takes hours is read from `figures/data`, where its own command leaves it: `networks` (networks, competitive, mnist), `sensitivity` (readings), `multimodal`.

```text
python -m tinyspad reproduce --workers 2
```

`python -m tinyspad reproduce KEY` measures one claim and prints its section; KEY is in the first column. Intervals are 95 %: Wilson's for rates, order statistics for medians. "Holds" is said of what was measured, with these programs, sizes and seeds.

## In a hurry
"""  # noqa: E501

NEIGHBOURS = """## What the neighbours have

What tinyspad offers beside engines that people would take instead, and beside the released code of the two papers. Each column is from the project's own documentation or source, named below the table.

| | tinyspad | micrograd | autograd | MyGrad | brunoflow | TinyTorch | RAD's code | SPAD's code |
|---|---|---|---|---|---|---|---|---|
| takes plain NumPy code | yes (137 functions with a rule, 120 written in others) | no, scalars | yes, its wrapped `numpy` | yes (ufuncs and functions) | its own functions | no, own tensors | no, PyTorch | no, PyTorch |
| derivatives of any order | yes | no | yes, forward and reverse | no | no | no | no | no |
| lists, counts, ranks and draws paths | yes | no | no | no | no (semirings per node) | no | no (random matrices) | no (random matrices) |
| semirings | a table, and your own | no | no | no | gradient, max, entropy | no | no | no |
| RAD, SPAD for any function | yes | no | no | no | no | no | networks alone | networks alone |
| exact bias and variance | yes | no | no | no | no | no | no | no |
| memory saved by sampling | measured on the tape | - | - | - | - | - | yes, layer by layer | yes, layer by layer |
| network layers | linear, convolution, pooling, dropout, IRNN | linear | SciPy's convolve | convolution, pooling, GRU, batch norm | linear, embedding, layer norm, BERT | convolution, attention, and more | linear, convolution, IRNN | linear, convolution |
| GPU | no | no | no | no | through JAX | no | yes | yes |
| RAD on a differential equation | no | no | no | no | no | no | yes | no |
| exercises that check themselves | 27 | no | no | no | no | yes, 20 modules | no | no |
| graph drawings, stepping | yes | graphviz | no | graphviz | graphviz | no | no | no |

Where they are ahead: autograd has complex numbers, and a decade of use; MyGrad has batch normalisation, GRUs, in-place assignment and views; brunoflow a BERT; RAD's released code the diffusion experiment that is not built here; a GPU all that stand on PyTorch or JAX.

Sources: [micrograd](https://github.com/karpathy/micrograd) (README, `engine.py`); [autograd](https://github.com/HIPS/autograd) (README, `autograd/test_util.py`); [MyGrad](https://github.com/rsokl/MyGrad) (README, `src/mygrad/nnet`); [brunoflow](https://github.com/kdu4108/brunoflow) (README, `brunoflow/net`) and Du et al., *Generalizing
backpropagation for gradient-based interpretability*, ACL 2023; [TinyTorch](https://github.com/harvard-edge/cs249r_book) (its module list); [RAD](https://github.com/PrincetonLIPS/RandomizedAutomaticDifferentiation) (Oktay et al. 2020; `nn_experiments`, `diffusionsim_experiments`) and [SPAD](https://github.com/ppmdatix/RandomizedAutomaticDifferentiation), a fork of it.
"""  # noqa: E501
