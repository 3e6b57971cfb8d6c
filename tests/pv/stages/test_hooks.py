"""Ways to see a stage, on models that are made to be difficult."""

from __future__ import annotations

import doctest
import sys
from typing import Any

import pytest
import torch
from torch import Tensor, nn

import pv.stages.capture
from pv.finding import Exit, PvError
from pv.stages.capture import Capture, capture
from pv.stages.generic import generic_map
from pv.stages.map import Stage, StageMap
from pv.stages.places import input_places
from pv.stages.statistics import statistics
from pv.stages.watch import with_axes
from pv.tensors.place import Place

AXES = {"n": "position", "E": "width", "H": "heads", "D": "head_dim"}


class Block(nn.Module):
    def __init__(self, index: int) -> None:
        super().__init__()
        self.layer_idx = index
        self.up = nn.Linear(4, 4)
        self.act = nn.ReLU(inplace=True)

    def forward(self, x: Tensor) -> Tensor:
        return halved(self, self.act(self.up(x)))


class Model(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.layers = nn.ModuleList([Block(0), Block(1)])
        self.head = nn.Linear(4, 3, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        for layer in self.layers:
            x = layer(x)
        return self.head(x)


def halved(module: Block, value: Tensor) -> Tensor:
    steps = value + 1
    steps = steps * 0.5
    steps = steps - module.layer_idx
    steps.add_(0)
    return steps


HERE = f"{__name__}:halved"


def mapped(*hooks: dict[str, Any], **more: Any) -> StageMap:
    rows = [Stage(f"s{at}", "mlp", ("n", "E"), hook, **more) for at, hook in enumerate(hooks)]
    return StageMap("block", "block.yaml", AXES, tuple(rows), layers="layers")


def run(stage_map: StageMap | None, model: nn.Module | None = None) -> Capture:
    own = model or Model()
    with torch.no_grad(), capture(own, stage_map=stage_map) as seen:
        own(torch.ones(1, 2, 4))
    return seen


def test_the_nth_value_of_a_name_is_told_from_the_others_in_every_layer() -> None:
    hooks = [{"local": HERE, "name": "steps", "layer": "module.layer_idx", "nth": nth} for nth in (1, 2, 3)]
    last = {"local": HERE, "name": "steps", "layer": "module.layer_idx"}
    given = {"local": HERE, "name": "value", "layer": "module.layer_idx", "nth": 1}
    seen = run(mapped(*hooks, last, given))
    assert seen.missing == ()
    for layer in (0, 1):
        first, second, third, end, value = (seen[Place(f"s{at}", layer)] for at in range(5))
        assert torch.equal(first, value + 1)
        assert torch.equal(second, first * 0.5)
        assert torch.equal(third, second - layer)
        assert torch.equal(end, third)


def test_a_value_that_a_name_never_takes_is_missing() -> None:
    hooks = [
        {"local": HERE, "name": "steps", "nth": 4},
        {"local": HERE, "name": "stepz"},
        {"local": HERE, "name": "module"},
    ]
    seen = run(mapped(*({**hook, "layer": "module.layer_idx"} for hook in hooks)))
    assert (seen.places, len(seen.missing)) == ((), 6)


def test_what_a_module_gives_is_kept_as_it_was_given() -> None:
    """The activation works in place: what `up` gave is another tensor a moment later."""
    model = Model()
    seen = run(mapped({"module": "layers.{layer}.up"}, {"module": "layers.{layer}.act"}), model)
    x = torch.ones(2, 4)
    assert torch.equal(seen[Place("s0", 0)], model.layers[0].up(x))
    assert torch.equal(seen[Place("s1", 0)], seen[Place("s0", 0)].clamp(min=0))
    assert (seen[Place("s0", 0)] < 0).any()


def test_what_a_module_takes_is_seen_before_it_runs() -> None:
    seen = run(mapped({"module": "layers.{layer}.act", "take": "input"}, {"module": "layers.{layer}.up"}))
    assert torch.equal(seen[Place("s0", 1)], seen[Place("s1", 1)])


class Named(nn.Module):
    """Calls what it holds with its inputs named, and not in their order."""

    class Scaled(nn.Module):
        def forward(self, x: Tensor, factor: Tensor, **others: Tensor) -> Tensor:
            return x * factor + others["shift"]

    def __init__(self) -> None:
        super().__init__()
        self.scaled, self.up = self.Scaled(), nn.Linear(4, 4)

    def forward(self, x: Tensor) -> Tensor:
        return self.up(input=self.scaled(shift=x - 3, factor=x + 1, x=x))


def test_what_is_given_by_name_is_seen_in_the_order_of_the_parameters() -> None:
    own, x = Named(), torch.ones(1, 2, 4)
    rows: list[dict[str, Any]] = [{"module": "scaled", "take": "input", "index": at} for at in range(3)]
    rows += [{"before_bias": ["up"]}, {"module": "up", "take": "input"}]
    stages = tuple(Stage(f"s{at}", "mlp", ("n", "E"), hook, scope="model") for at, hook in enumerate(rows))
    seen = run(StageMap("named", "named.yaml", AXES, stages), own)
    for at, value in enumerate((x, x + 1, x - 3)):
        assert torch.equal(seen[Place(f"s{at}", None)], value[0])
    assert torch.equal(seen[Place("s3", None)], seen[Place("s4", None)] @ own.up.weight.T)


def test_parts_lie_side_by_side_with_and_without_their_bias() -> None:
    own = Model()
    paths = ["layers.0.up", "layers.1.up"]
    seen = run(mapped({"before_bias": paths}, {"after_bias": paths}, scope="first"), own)
    after, before = seen[Place("s1", 0)], seen[Place("s0", 0)]
    torch.testing.assert_close(after, before + torch.cat([layer.up.bias for layer in own.layers]))
    torch.testing.assert_close(before[:, :4], torch.ones(2, 4) @ own.layers[0].up.weight.T)
    assert before.shape == (2, 8)


@pytest.mark.parametrize(
    ("hook", "said"),
    [
        ({"module": "layers.{layer}.down"}, "layer 0 s1 is seen at layers.0.down, and Model has no module there"),
        ({"module": "layers.{layer}.layer_idx"}, "has no module there"),
        ({"before_bias": ["layers.{layer}.act"]}, "a ReLU is none"),
        ({"after_bias": ["layers.{layer}.nothing"]}, "has no module there"),
        ({"local": f"{__name__}:nothing", "name": "x"}, "which is no function here"),
        ({"local": "no.such.module:f", "name": "x"}, "which is no function here"),
    ],
)
def test_a_hook_on_what_is_not_there_is_to_be_mended_and_leaves_none_behind(hook: dict[str, Any], said: str) -> None:
    own, before = Model(), sys.gettrace()
    with (
        pytest.raises(PvError, match=said) as error,
        capture(own, stage_map=mapped({"module": "layers.{layer}.up"}, hook)),
    ):
        pass
    assert error.value.exit is Exit.MEND
    assert sys.gettrace() is before
    assert not any(module._forward_hooks or module._forward_pre_hooks for module in own.modules())


def test_hooks_are_gone_when_the_model_raises() -> None:
    own = Model()
    with pytest.raises(RuntimeError), capture(own) as seen:
        own(torch.ones(1, 2, 5))
    assert seen.values == {}
    assert not any(module._forward_hooks or module._forward_pre_hooks for module in own.modules())


def test_a_model_of_no_family_is_seen_module_by_module() -> None:
    seen = run(None)
    assert [str(place) for place in seen.places] == ["layer 0 up", "layer 0 act", "layer 1 up", "layer 1 act", "head"]
    assert seen.axes(Place("head", None)) == ("a", "b", "c")


def test_names_of_modules_become_names_that_a_file_can_have() -> None:
    odd = nn.ModuleDict({"/up": nn.Linear(1, 1), "UP": nn.ReLU(), "up": nn.ReLU(), "0": nn.ReLU(), "é": nn.ReLU()})
    names = [stage.name for stage in generic_map(odd).stages]
    assert names == ["up", "up_2", "up_3", "m0", "m"]
    with capture(odd) as seen:
        for module in odd.values():
            module(torch.ones(1))
    assert len(seen.places) == 5


def test_a_model_that_is_one_module_is_its_own_stage() -> None:
    own = nn.Linear(4, 3)
    with capture(own) as seen:
        output = own(torch.ones(4))
    assert torch.equal(seen[Place("output", None)], output)


def test_a_layer_that_has_a_module_the_others_have_not() -> None:
    own = Model()
    own.layers[1].extra = nn.Linear(4, 4)
    assert [str(place) for place in run(None, own).missing] == ["layer 1 extra"]


class Repeated(nn.Module):
    """One block several times, or several blocks with one activation."""

    def __init__(self, *blocks: nn.Module) -> None:
        super().__init__()
        self.layers = nn.ModuleList(blocks)

    def forward(self, x: Tensor) -> Tensor:
        for layer in self.layers:
            x = layer(x)
        return x


@pytest.mark.parametrize(
    ("hook", "where"),
    [
        ({"module": "layers.{layer}"}, "layers.1"),
        ({"module": "layers.{layer}.up", "take": "input"}, "layers.1.up"),
        ({"after_bias": ["head", "layers.{layer}.up"]}, "layers.1.up"),
    ],
)
def test_a_module_that_layers_share_is_refused_whichever_of_them_is_asked_for(hook: dict[str, Any], where: str) -> None:
    own = Repeated(Block(0), *[Block(1)] * 2)
    for layers in (None, range(1), range(2, 3)):
        with (
            pytest.raises(PvError, match=f"layers 1, 2 share one module, {where}: what is s0 of which cannot be told"),
            capture(own, stage_map=mapped(hook), layers=layers),
        ):
            pytest.fail("it was watched")
    assert not any(module._forward_hooks or module._forward_pre_hooks for module in own.modules())


def test_layers_that_share_another_module_than_what_is_asked_for_are_seen() -> None:
    first, second = Block(0), Block(1)
    second.act = first.act
    own = Repeated(first, second)
    hook = {"module": "layers.{layer}.act"}
    with (
        pytest.raises(PvError, match=r"layers 0, 1 share one module, layers\.0\.act"),
        capture(own, stage_map=mapped(hook)),
    ):
        pytest.fail("it was watched")
    with torch.no_grad(), capture(own) as seen:
        own(torch.ones(1, 2, 4))
    assert "act" not in {place.stage for place in seen.places}
    assert not torch.equal(seen[Place("up", 0)], seen[Place("up", 1)])


def test_an_activation_of_one_layer_alone_is_a_stage_of_it() -> None:
    own = Repeated(Block(0), Block(1))
    assert {str(place) for place in run(None, own).places} >= {"layer 0 act", "layer 1 act"}


def test_a_block_that_layers_share_is_refused_and_not_left_out() -> None:
    own = Repeated(*[Block(0)] * 2)
    with pytest.raises(PvError, match="layers 0, 1 share one module"):
        run(None, own)


def test_what_is_no_module_is_refused() -> None:
    with pytest.raises(PvError, match=r"a function is no torch\.nn\.Module"), capture(halved):
        pass


def test_the_same_statistics_as_of_the_tensor_itself() -> None:
    own, x = Model(), torch.randn(1, 7, 4)
    with torch.no_grad(), capture(own, keep="statistics") as seen:
        output = own(x)
    found = seen[Place("head", None)]
    assert (found.shape, found.dtype, found.nan, found.inf) == ((1, 7, 3), "float32", 0, 0)
    assert (found.min, found.max) == (output.min().item(), output.max().item())
    assert found.mean == pytest.approx(output.double().mean().item(), rel=1e-4)
    assert found.rms == pytest.approx(output.double().square().mean().sqrt().item(), rel=1e-5)


def test_the_statistics_of_a_large_tensor_are_not_those_of_a_float32_sum_one_by_one() -> None:
    """A sum of 2^24 float32 one by one is off by 6e-4."""
    large = torch.randn(2**24, generator=torch.Generator().manual_seed(0)) + 1
    found, wide = statistics(large), large.double()
    assert found.rms == pytest.approx(wide.square().mean().sqrt().item(), rel=1e-4)
    assert found.mean == pytest.approx(wide.mean().item(), rel=1e-4)


def test_the_statistics_of_numbers_whose_squares_float32_has_not() -> None:
    found = statistics(torch.full((3, 5), -1e-30))
    assert (found.rms, found.mean) == (pytest.approx(1e-30), pytest.approx(-1e-30))


def test_the_statistics_of_numbers_whose_squares_float64_has_not() -> None:
    for size in (1e-200, 1e200, 1.5e308):
        found = statistics(torch.tensor([size, -size, size], dtype=torch.float64))
        assert (found.min, found.max, found.rms) == (-size, size, pytest.approx(size))
        assert found.mean == pytest.approx(size / 3)


def test_the_statistics_of_integers_and_of_complex_numbers() -> None:
    found = statistics(torch.tensor([2**24 + 1, 5]))
    assert (found.min, found.max, found.dtype) == (5, 2**24 + 1, "int64")
    found = statistics(torch.tensor([3 + 4j]).conj())
    assert (found.min, found.max, found.shape) == (-4, 3, (1,))
    assert found.rms == pytest.approx(12.5**0.5)


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"layers": 1}, "layers are a range"),
        ({"layers": [0]}, "layers are a range"),
        ({"stages": 5}, "stages are names"),
        ({"stages": [None]}, "stages are names"),
        ({"keep": []}, "keep 'values' or 'statistics'"),
    ],
)
def test_what_is_no_choice_of_stages_or_layers_is_refused(asked: dict[str, Any], said: str) -> None:
    with pytest.raises(PvError, match=said), capture(Model(), **asked):
        pass


def test_statistics_before_a_bias_are_those_of_the_product() -> None:
    """For them it is the output minus the bias, and no product is made again."""
    own, x = Model(), torch.ones(1, 2, 4)
    with (
        torch.no_grad(),
        capture(
            own, stage_map=mapped({"before_bias": ["layers.{layer}.up"]}), layers=range(1), keep="statistics"
        ) as seen,
    ):
        own(x)
    found, product = seen[Place("s0", 0)], x @ own.layers[0].up.weight.T
    assert (found.min, found.max) == pytest.approx((product.min().item(), product.max().item()), rel=1e-5)


def test_values_that_are_none_are_counted_and_left_out() -> None:
    odd = torch.tensor([1.0, float("nan"), 3.0, float("inf"), float("-inf")])
    found = statistics(odd)
    assert (found.nan, found.inf, found.min, found.max, found.mean) == (1, 2, 1.0, 3.0, 2.0)
    none = statistics(torch.full((2,), float("nan")))
    assert (none.nan, none.rms != none.rms) == (2, True)
    assert statistics(torch.zeros(0)).nan == 0
    overflow = statistics(torch.full((4,), 3e38))
    assert (overflow.nan, overflow.inf, overflow.rms) == (0, 0, pytest.approx(3e38))


@pytest.mark.parametrize(
    ("seen", "axes", "shape", "wanted"),
    [
        ((), ("n", "E"), (1, 5, 4), (5, 4)),
        ((), ("n", "E"), (5, 4), (5, 4)),
        (("B", "H", "n", "D"), ("n", "H", "D"), (1, 2, 5, 3), (5, 2, 3)),
        (("n", "B", "E"), ("n", "E"), (5, 1, 4), (5, 4)),
        (("B", "H", "n", "n"), ("n", "n", "H"), (1, 2, 5, 6), (5, 6, 2)),
    ],
)
def test_axes_are_brought_into_the_maps_order(
    seen: tuple[str, ...], axes: tuple[str, ...], shape: tuple[int, ...], wanted: tuple[int, ...]
) -> None:
    stage = Stage("s", "mlp", axes, {}, seen=seen)
    assert tuple(with_axes(Place("s", 0), stage, torch.zeros(shape)).shape) == wanted


@pytest.mark.parametrize(
    ("shape", "said"), [((2, 5, 4), "a batch of 2"), ((5,), "seen with the shape"), ((1, 1, 5, 4), "seen with")]
)
def test_axes_that_are_others_than_the_map_says_are_refused(shape: tuple[int, ...], said: str) -> None:
    with pytest.raises(PvError, match=said):
        with_axes(Place("s", 0), Stage("s", "mlp", ("n", "E"), {}), torch.zeros(shape))


def test_inputs_are_the_first_that_was_seen_and_the_residual_is_of_the_layer_before() -> None:
    rows = (
        Stage("first", "mlp", ("n", "E"), {}, scope="first", inputs=(("tokens",),)),
        Stage("plain", "mlp", ("n", "E"), {}, inputs=(("residual",),)),
        Stage("biased", "mlp", ("n", "E"), {}, inputs=(("plain",),)),
        Stage("last", "mlp", ("n", "E"), {}, inputs=(("biased", "plain"), ("first",))),
        Stage("end", "mlp", ("n", "E"), {}, scope="model", inputs=(("last",),)),
    )
    own = StageMap("f", "f.yaml", AXES, rows, layers="layers", residual=("first", "last"))

    def of(stage: str, layer: int | None, *seen: Place) -> tuple[Place | None, ...]:
        return input_places(own, Place(stage, layer), seen, 3)

    assert of("first", 0) == (None,)
    assert of("plain", 0) == (Place("first", 0),)
    assert of("plain", 2) == (Place("last", 1),)
    assert of("last", 1, Place("plain", 1)) == (Place("plain", 1), Place("first", 0))
    assert of("last", 1, Place("plain", 1), Place("biased", 1))[0] == Place("biased", 1)
    assert of("end", None) == (Place("last", 2),)


def test_the_example_of_capture_runs() -> None:
    assert doctest.testmod(pv.stages.capture) == doctest.TestResults(0, 5)


def test_one_module_at_the_places_of_two_stages_is_refused() -> None:
    own = Model()
    own.norm = own.layers[0].up
    within = StageMap("block", "block.yaml", AXES, layers="layers", stages=(
        Stage("up", "mlp", (), {"module": "layers.{layer}.up"}),
        Stage("final", "mlp", (), {"module": "norm"}, scope="model"),
    ))  # fmt: skip
    with pytest.raises(
        PvError, match=r"layers\.0\.up and norm are one module: what is up and what final cannot be told"
    ):
        run(within, own)
    own.norm = nn.Identity()
    assert [str(place) for place in run(within, own).places] == ["layer 0 up", "layer 1 up"]


class Experts(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.gate = nn.Linear(4, 4)
        self.experts = nn.ModuleList([nn.Linear(4, 4) for _ in range(5)])

    def forward(self, x: Tensor) -> Tensor:
        return self.gate(x) + sum(expert(x) for expert in self.experts)


def test_a_list_of_experts_within_the_layers_is_not_taken_for_them() -> None:
    own = Repeated(Experts(), Experts())
    assert generic_map(own).layers == "layers"
    seen = run(None, own)
    assert {str(place) for place in seen.places} == {
        f"layer {layer} {name}" for layer in (0, 1) for name in ("gate", *(f"experts_{at}" for at in range(5)))
    }


def test_an_activation_of_a_layer_that_the_model_has_too_is_no_stage() -> None:
    own = Model()
    own.act = own.layers[0].act
    assert "act" not in {place.stage for place in run(None, own).places}


class Adapted(nn.Linear):
    """Adds something of its own to the product."""

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x) + 1


def test_a_product_before_the_bias_is_that_of_a_plain_linear_module() -> None:
    own = Model()
    hook = {"before_bias": ["layers.{layer}.up"]}
    assert len(run(mapped(hook), own).places) == 2
    own.layers[1].up = Adapted(4, 4)
    with pytest.raises(PvError, match="a Adapted is none"):
        run(mapped(hook), own)
