"""Training: it learns, resumes to the bit, survives interruptions."""

import copy
import dataclasses
import json
import signal
import threading

import numpy as np
import pytest

import tinyspad as ts
from tinyspad import nn
from tinyspad.errors import BadInput
from tinyspad.nn.update import first_moments, update
from tinyspad.rules import Rows

DATA = nn.datasets.glyphs(400, rng=0)
CHOICES = {
    "all": nn.AllPaths(),
    "same": nn.RandomPaths(0.2),
    "different": nn.RandomPaths(0.2, "different"),
    "projection": nn.RandomPaths(0.2, "projection"),
    "selective": nn.SelectivePaths(0.2, m=3, k_max=7),
    "layers": nn.LayerOut(0.5),
    "frozen": nn.SelectivePaths(0.2, m=3, k_max=7, frozen=True),
}


def small_net():
    return nn.small_fc_net(hidden=30, dropout=0.1, rng=0)


def train(choice="all", net=None, **settings):
    net = small_net() if net is None else net
    options = {"paths": CHOICES[choice], "iterations": 40, "every": 10, "batch_size": 50, "rng": 1} | settings
    return nn.fit(net, DATA, **options), net


@pytest.mark.parametrize("choice", CHOICES)
def test_training_learns_and_records(choice):
    run, net = train(choice, iterations=120, every=40, optimizer=ts.Adam(lr=0.003))
    assert run.status == "done" and run.iteration.tolist() == [0, 40, 80, 120]
    assert run.train_loss[-1] < 0.7 * run.train_loss[0] and run.test_accuracy[-1] > 0.25
    assert np.all(run.held > 0) and str(run).startswith("done after 120 iterations")
    loss, accuracy = nn.evaluate(net, DATA.x_test, DATA.y_test)
    assert (loss, accuracy) == (run.test_loss[-1], run.test_accuracy[-1])
    rows = run.to_csv().splitlines()
    assert rows[0].startswith("iteration,train_loss") and len(rows) == 5


def same(a, b):
    for field in dataclasses.fields(nn.Training):
        if field.compare:
            np.testing.assert_array_equal(getattr(a, field.name), getattr(b, field.name))


@pytest.mark.parametrize("choice", CHOICES)
def test_a_run_that_was_stopped_goes_on_to_the_same_end(tmp_path, choice):
    whole, net = train(choice)
    file = tmp_path / "run.npz"
    part, _ = train(choice, checkpoint=file, callback=lambda iteration, so_far: iteration == 20)
    assert part.iteration[-1] == 20
    other = nn.small_fc_net(hidden=30, dropout=0.1, rng=0)
    resumed, other = train(choice, other, checkpoint=file)
    same(whole, resumed)
    for name, array in net.state().items():
        np.testing.assert_array_equal(array, other.state()[name])
    again, _ = train(choice, checkpoint=file)  # it is done: nothing is trained any more
    same(again, whole)


def test_ctrl_c_ends_after_the_iteration_and_can_be_resumed(tmp_path):
    whole, _ = train("same")

    calls = []

    @dataclasses.dataclass(frozen=True)
    class Choice(nn.RandomPaths):
        def draw(self, *args, **kwargs):
            calls.append(1)
            if len(calls) == 13:
                signal.raise_signal(signal.SIGINT)
            return super().draw(*args, **kwargs)

    before = signal.getsignal(signal.SIGINT)
    stopped, _ = train(paths=Choice(0.2), checkpoint=tmp_path / "run.npz")
    assert stopped.status == "interrupted" and stopped.iteration.tolist() == [0, 10, 13] and len(calls) == 13
    assert signal.getsignal(signal.SIGINT) is before
    resumed, _ = train(paths=Choice(0.2), checkpoint=tmp_path / "run.npz")
    same(resumed, whole)  # the record out of turn is not kept


def test_a_checkpoint_of_another_run_is_refused(tmp_path):
    file = tmp_path / "run.npz"
    train(checkpoint=file, callback=lambda iteration, so_far: True)
    before = file.read_bytes()
    others = [
        {"rng": 2},
        {"batch_size": 40},
        {"weight_decay": 0.1},
        {"paths": nn.RandomPaths(0.3)},
        {"bootstrap": False},
    ]
    others += [
        {"net": nn.small_fc_net(hidden=30, dropout=0.1, rng=0, dtype=np.float64)},
        {"schedule": nn.StepSchedule()},
    ]
    for settings in others:
        with pytest.raises(BadInput, match="keeps another training run"):
            train(checkpoint=file, **settings)
    with pytest.raises(BadInput, match="keeps another training run"):
        nn.fit(small_net(), DATA.centered(), iterations=40, every=10, batch_size=50, rng=1, checkpoint=file)
    file.write_bytes(before[:100])
    with pytest.raises(BadInput, match="not a tinyspad training"):
        train(checkpoint=file)


def test_a_checkpoint_knows_functions_and_layers_by_what_they_do(tmp_path):
    def rate(factor):
        return lambda iteration, iterations: factor

    class Power(nn.Layer):
        def __init__(self, k):
            super().__init__()
            self.k = k

        def run(self, x, params, way):
            return x * self.k

    class Mine(nn.AllPaths):
        def __init__(self, k):
            object.__setattr__(self, "k", k)

    def settings(k):
        net = nn.Sequential(nn.Flatten(), Power(1.0 if k == "net" else 2.0), nn.Linear(784, 10, rng=0))
        return {"net": net, "schedule": rate(0.5 if k == "rate" else 0.1), "paths": Mine(3 if k == "paths" else 4)}

    file = tmp_path / "run.npz"
    first, _ = train(checkpoint=file, **settings(None))
    again, _ = train(checkpoint=file, **settings(None))  # other objects of the same kind
    same(first, again)
    for k in ("net", "rate", "paths"):
        with pytest.raises(BadInput, match="keeps another training run"):
            train(checkpoint=file, **settings(k))


def test_the_same_call_on_the_same_network_goes_on(tmp_path):
    whole, _ = train("same")
    file, net = tmp_path / "run.npz", small_net()
    stopped, _ = train("same", net, checkpoint=file, callback=lambda iteration, so_far: iteration == 20)
    assert stopped.status == "stopped"
    resumed, _ = train("same", net, checkpoint=file)
    same(resumed, whole)
    same(train("same", net, checkpoint=file)[0], whole)


def test_a_damaged_checkpoint_changes_nothing(tmp_path):
    file = tmp_path / "run.npz"
    train(checkpoint=file, callback=lambda iteration, so_far: iteration == 20)
    with np.load(file) as kept:
        arrays = {name: kept[name] for name in kept.files}
    told = json.loads(str(arrays["told"]))
    damages = [
        {"moments.0.1.weight": None},
        {"moments.0.1.weight": np.zeros(3)},
        {"rows": None},
        {"rows": np.zeros((0, 6))},
    ]
    damages += [{"order": np.array([10**6])}, {"order": np.array([0.5])}, {"net.1.bias": np.zeros(2, np.float32)}]
    damages += [
        {"told": np.array(json.dumps(told | change))}
        for change in ({"iteration": "x"}, {"iteration": -1}, {"batches": {}})
    ]
    damages += [{"told": np.array("{}")}, {"told": np.array("no json")}]
    for damage in damages:
        np.savez(file, **{name: a for name, a in (arrays | damage).items() if a is not None})
        net = small_net()
        before = net.state()
        with pytest.raises(BadInput, match="not a tinyspad training"):
            train(net=net, checkpoint=file)
        for name, array in before.items():
            np.testing.assert_array_equal(net.state()[name], array)


def test_labels_of_another_form_are_refused():
    net = small_net()
    for labels in (DATA.y[:, None], DATA.y - 5, DATA.y[:5], DATA.y.astype(float), DATA.y + 5):
        with pytest.raises(BadInput, match="labels"):
            nn.evaluate(net, DATA.x, labels)
        with pytest.raises(BadInput, match="labels"):
            nn.fit(net, dataclasses.replace(DATA, y=labels), iterations=1, batch_size=2)


def test_runs_of_one_seed_see_the_same_batches():
    seen = {}
    for choice, value in CHOICES.items():

        @dataclasses.dataclass(frozen=True)
        class Watched(type(value)):
            def draw(self, net, x, labels, *rest):
                seen.setdefault(choice, []).append(labels.copy())
                return super().draw(net, x, labels, *rest)

        train(paths=Watched(**vars(value)))
    for labels in seen.values():
        np.testing.assert_array_equal(labels, seen["all"])
    first = np.concatenate(seen["all"][:8])  # one time through the bootstrapped set
    assert len(np.unique(first)) == 10 and not np.array_equal(first, np.concatenate(seen["all"][8:16]))


def test_a_loss_that_is_not_finite_stops_before_the_step():
    net = small_net()
    state = net.state() | {"1.weight": np.full((784, 30), np.nan)}
    net.load_state(state)
    with pytest.raises(BadInput, match="After 0 iterations the loss is nan"):
        train(net=net)
    for name, array in state.items():
        np.testing.assert_array_equal(net.state()[name], array)


def test_parameters_that_become_infinite_are_told_and_not_kept(tmp_path):
    file = tmp_path / "run.npz"
    with pytest.raises(BadInput, match=r"not finite in iteration|the loss is (nan|inf)"):
        train(optimizer=ts.SGD(lr=1e300), checkpoint=file, every=1)
    with np.load(file) as kept:
        assert all(np.all(np.isfinite(kept[name])) for name in kept.files if name.startswith("net."))


def test_training_changes_no_array_that_somebody_else_has():
    net = small_net()
    mine = np.zeros(30, np.float32)
    mine.flags.writeable = False
    net.params["1.bias"].data = mine  # shared, since nobody can change it
    copies = {name: (copy.copy(value), value.data.copy()) for name, value in net.params.items()}
    best = {}

    def keep(iteration, so_far):
        if iteration == 20:
            best.update({name: (copy.copy(value), np.array(value._data)) for name, value in net.params.items()})

    train(net=net, callback=keep)
    assert np.all(mine == 0)
    for kept in (copies, best):
        for name, (value, array) in kept.items():
            np.testing.assert_array_equal(value.data, array)
            assert not np.array_equal(net.state()[name], array)


def test_a_failed_update_and_another_thread_leave_the_network_usable():
    net = small_net()
    before = net.state()
    with pytest.raises((ValueError, IndexError)):
        update(net.params["1.weight"], np.ones((4, 7)), ts.SGD(lr=0.1), [])
    errors, stop = [], threading.Event()

    def look():
        while not stop.is_set():
            try:
                net(DATA.x[:5])
            except Exception as error:
                errors.append(error)

    thread = threading.Thread(target=look)
    thread.start()
    train(net=net)
    stop.set()
    thread.join()
    assert not errors and before.keys() == net.state().keys()


def test_a_scalar_parameter_and_one_that_no_path_reaches():
    class Odd(nn.Layer):
        def __init__(self):
            super().__init__()
            self.own("scale", np.float32(1.5))
            self.own("idle", np.ones(3, np.float32))

        def run(self, x, params, way):
            return x * params["scale"]

    net = nn.Sequential(nn.Flatten(), nn.Linear(784, 10, rng=0), Odd())
    nn.fit(net, DATA, iterations=3, batch_size=50, rng=0)
    assert net.state()["2.scale"] != 1.5 and np.all(net.state()["2.idle"] == 1)


def test_the_callers_gradients_stay():
    net = small_net()
    nn.cross_entropy(net(DATA.x[:5]), DATA.y[:5]).backward()
    before = {name: value.grad.copy() for name, value in net.params.items()}
    nn.gradients(net, DATA.x[:5], DATA.y[:5])
    for name, value in net.params.items():
        np.testing.assert_array_equal(value.grad, before[name])


def test_an_update_in_blocks_is_the_optimizers_step():
    rng = np.random.default_rng(0)
    array, g = rng.normal(size=(900, 70)), rng.normal(size=(900, 70))
    for optimizer in (ts.Adam(lr=0.1), ts.Momentum(lr=0.1), ts.SGD(lr=0.1)):
        for gradient in (g, Rows(np.array([3, 500, 899]), g[[3, 500, 899]], g.shape)):
            value, expected = ts.Value(array), array
            moments, state = list(optimizer.init(np.zeros_like(array))), optimizer.init(np.zeros_like(array))
            for _ in range(3):
                update(value, gradient, optimizer, moments, weight_decay=0.1)
                step, state = optimizer.update(np.asarray(gradient) + 0.1 * expected, state)
                expected = expected + step
            np.testing.assert_allclose(value.data, expected, rtol=1e-12)
            for m, s in zip(moments, state):
                np.testing.assert_allclose(m, s, rtol=1e-12)


@pytest.mark.parametrize("make", [ts.Adam, ts.Momentum, ts.SGD])
def test_frozen_rows_stay_and_each_row_has_a_run_of_its_own(make):
    """Rows that are followed now and then move as if every row were trained by itself, in the steps in which it is."""
    optimizer, rng = make(lr=0.1), np.random.default_rng(0)
    array, index = rng.normal(size=(900, 70)), [np.array(i) for i in ([3, 500], [3, 899], [500], [], [3, 500, 899])]
    value, moments = ts.Value(array), first_moments(optimizer, array, frozen=True)
    rows = {i: (array[i], optimizer.init(np.zeros(70))) for i in (3, 500, 899)}
    for followed in index:
        followed = followed.astype(int)
        g = rng.normal(size=(len(followed), 70))
        update(value, Rows(followed, g, array.shape), optimizer, moments, weight_decay=0.1, frozen=True)
        for i, gradient in zip(followed.tolist(), g):
            row, state = rows[i]
            step, state = optimizer.update(gradient + 0.1 * row, state)
            rows[i] = row + step, state
    others = np.delete(np.arange(900), list(rows))
    np.testing.assert_array_equal(value.data[others], array[others])
    for i, (row, _) in rows.items():
        np.testing.assert_allclose(value.data[i], row, rtol=1e-12)


def test_what_is_not_followed_is_frozen_or_moved_on_by_momentum():
    def moved(paths):
        _, net = train(paths=paths, iterations=12, every=4, net=nn.small_fc_net(hidden=30, rng=0))
        start = nn.small_fc_net(hidden=30, rng=0).state()
        return {name: np.any(np.atleast_2d((net.state()[name] != array).T), axis=0) for name, array in start.items()}

    ink = DATA.x.reshape(len(DATA.x), -1).any(axis=0)  # a pixel that is always empty leads nowhere
    for frozen in (False, True):
        held = nn.SelectivePaths(0.2, m=3, k_max=12, select="net", frozen=frozen)
        share = moved(held)["1.weight"][ink].mean()
        assert share == pytest.approx(0.2, abs=0.06)  # one set all the time
        drawn = moved(nn.RandomPaths(0.2, frozen=frozen))["1.weight"][ink].mean()
        assert drawn == pytest.approx(1 - 0.8**12, abs=0.06)

    class First(nn.RandomPaths):
        """Each draw is that of a generator that starts again, but for the first."""

        def draw(self, net, x, labels, state, rng, count=False):
            number = 0 if state is None else 1
            step = super().draw(net, x, labels, None, np.random.default_rng(number), count)
            return step._replace(state=number)

    sets = [nn.Way("same", 0.2, seed=int(np.random.default_rng(k).integers(2**63))).at(1) for k in (0, 1)]
    first, second = (np.isin(np.arange(784), way.inputs(DATA.x.reshape(400, -1)).index) for way in sets)
    start = nn.small_fc_net(hidden=30, rng=0).state()["1.weight"]
    for frozen in (False, True):
        ends = []
        for iterations in (1, 6):
            choice = First(0.2, frozen=frozen)
            _, net = train(paths=choice, iterations=iterations, every=6, net=nn.small_fc_net(hidden=30, rng=0))
            ends.append(net.state()["1.weight"])
        once, alone = ends[0] != ends[1], first & ~second & ink
        assert np.all(ends[0][~first] == start[~first])
        assert np.any(once[alone]) != frozen  # after the first step: momentum, or nothing


def test_layers_left_out_are_frozen_with_their_biases():
    net = nn.small_fc_net(hidden=30, rng=0)
    choice, rng = nn.LayerOut(0.5, frozen=True), np.random.default_rng(0)
    for _ in range(5):
        step = choice.draw(net, DATA.x[:9], DATA.y[:9], None, rng)
        for name, g in step.gradients.items():
            assert isinstance(g, Rows) == isinstance(step.gradients[name.split(".")[0] + ".weight"], Rows)
    before = net.state()
    train(paths=nn.LayerOut(1e-9, frozen=True), net=net, weight_decay=0.1)
    for name, array in before.items():
        np.testing.assert_array_equal(net.state()[name], array)


def test_with_all_paths_nothing_is_frozen():
    ends = [train(paths=nn.RandomPaths(1.0, frozen=frozen))[1].state() for frozen in (False, True)]
    for name, array in ends[0].items():
        np.testing.assert_allclose(ends[1][name], array, rtol=1e-6, atol=1e-9)


def test_the_schedule_and_a_smaller_rate():
    assert [nn.StepSchedule(0.5, 4)(i, 8) for i in range(8)] == [1, 1, 0.5, 0.5, 0.25, 0.25, 0.125, 0.125]
    frozen, net = train(schedule=lambda iteration, iterations: 0.0)
    assert np.ptp(frozen.test_loss) == 0 and all(
        np.array_equal(a, small_net().state()[n]) for n, a in net.state().items()
    )


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"net": "net"}, "trains a Sequential"),
        ({"paths": nn.AllPaths}, "such as RandomPaths"),
        ({"optimizer": 0.1}, "such as Adam"),
        ({"schedule": 0.5}, "schedule= is a function"),
        ({"checkpoint": "x", "rng": None}, "needs a seed"),
        ({"net": nn.Sequential(nn.Flatten(), nn.Linear(784, 5, rng=0))}, "labels go from 0 to 4"),
        ({"net": nn.Sequential(nn.ReLU())}, "outputs for an image have shape"),
        ({"schedule": nn.StepSchedule}, "schedule= is a function"),
        ({"schedule": lambda i, n: None}, r"schedule\(0, 40\) gave None"),
        ({"iterations": -1}, "iterations="),
        ({"batch_size": 0}, "batch_size="),
        ({"batch_size": 401}, "too few for a batch"),
        ({"every": 2.5}, "every="),
        ({"weight_decay": -1}, "weight_decay="),
        ({"weight_decay": np.inf}, "weight_decay="),
    ],
)
def test_settings_without_meaning(settings, says):
    with pytest.raises(BadInput, match=says):
        train(**settings)
    with pytest.raises(BadInput, match="takes a Dataset"):
        nn.fit(small_net(), [1, 2])


def test_progress_is_told(capsys, monkeypatch):
    monkeypatch.setattr("tinyspad.progress.is_watched", lambda: True)
    train(progress=True)
    assert "40" in capsys.readouterr().err
