"""The Triton kernels in Triton's own interpreter, on a CPU, beside the formulas in torch and bitsandbytes.

On a GPU they are compiled; there every run compares a fast layer with the plain one before it takes it.
"""

import os

import pytest
import torch

from tuner_tui.recipes.kernels import elementwise, head
from tuner_tui.recipes.kernels.norms import HeadNorms

pytest.importorskip("triton", reason="Triton is not installed; on Linux it comes with the extra dev")
if os.environ.get("TRITON_INTERPRET") != "1":
    pytest.skip("with a GPU the kernels are compiled, not interpreted", allow_module_level=True)

from tuner_tui.recipes.kernels import triton_nf4, triton_score, triton_stages

TOKENS, QUERIES, KEYS, SIZE = 5, 6, 3, 16
"""Three heads of keys and of values: with the queries twelve heads, in blocks of sixteen."""


@pytest.fixture(autouse=True)
def seed() -> None:
    torch.manual_seed(0)


def near(made: torch.Tensor | None, wanted: torch.Tensor | None) -> None:
    assert made is not None and wanted is not None
    torch.testing.assert_close(made, wanted, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("width", [64, 96])
@pytest.mark.parametrize("with_residual", [False, True])
def test_the_norm_and_its_gradient(width: int, with_residual: bool) -> None:
    x, weight = torch.randn(TOKENS, width + 8)[:, :width], torch.randn(width)
    made, scale = triton_stages.rms_norm(x, weight, 1e-5)
    wanted, wanted_scale = elementwise.rms_norm(x, weight, 1e-5)
    near(made, wanted)
    near(scale, wanted_scale)
    grad = torch.randn(TOKENS, width)
    residual = torch.randn(TOKENS, width) if with_residual else None
    expected = elementwise.rms_norm_backward(grad.clone(), x, weight, scale, residual)
    near(triton_stages.rms_norm_backward(grad, x, weight, scale, residual), expected)


def angles() -> tuple[torch.Tensor, torch.Tensor]:
    turns = torch.randn(TOKENS, SIZE // 2).repeat(1, 2)
    return turns.cos(), turns.sin()


@pytest.mark.parametrize("inverse", [False, True])
def test_positions_are_rotated_in_place_and_values_left_alone(inverse: bool) -> None:
    heads = torch.randn(TOKENS, QUERIES + 2 * KEYS, SIZE)
    wanted = heads.clone()
    elementwise.rotate(wanted, *angles(), QUERIES + KEYS, inverse=inverse)
    torch.manual_seed(0)
    torch.randn(TOKENS, QUERIES + 2 * KEYS, SIZE)
    triton_stages.rotate(heads, *angles(), QUERIES + KEYS, inverse)
    near(heads, wanted)


@pytest.mark.parametrize("normed", [False, True])
def test_heads_are_normed_rotated_and_brought_back(normed: bool) -> None:
    cos, sin = angles()
    norms = HeadNorms(torch.randn(SIZE), torch.randn(SIZE), 1e-6, QUERIES, KEYS)
    raw = torch.randn(TOKENS, QUERIES + 2 * KEYS, SIZE)
    made, scale = triton_stages.norm_and_rotate(raw, cos, sin, norms)
    wanted, wanted_scale = elementwise.norm_and_rotate(raw, cos, sin, norms)
    near(made, wanted)
    near(scale, wanted_scale)
    grads = tuple(torch.randn(TOKENS, count, SIZE) for count in (QUERIES, KEYS, KEYS))
    back = {"raw": raw, "scale": scale, "norms": norms} if normed else {}
    expected = elementwise.heads_backward(grads, cos, sin, **back)
    told = (raw, scale, norms) if normed else (None, None, None)
    near(triton_stages.heads_backward(grads, cos, sin, *told), expected)


@pytest.mark.parametrize("product", [False, True])
def test_the_gated_activation_and_its_gradient(product: bool) -> None:
    pair, grad = torch.randn(TOKENS, 2 * 2100), torch.randn(TOKENS, 2100)  # more than one block of 2,048
    near(triton_stages.gated(pair), elementwise.gated(pair))
    wanted_pair, wanted_grad = pair.clone(), grad.clone()
    wanted = elementwise.gated_backward(wanted_grad, wanted_pair, product=product)
    made = triton_stages.gated_backward(grad, pair, product)
    near(pair, wanted_pair)
    assert (made is None) is (wanted is None) is not product
    if product:
        near(made, wanted)


@pytest.mark.parametrize("grad", [False, True])
def test_the_score_of_targets_and_its_gradient(grad: bool) -> None:
    logits = torch.randn(TOKENS, 5000)  # more than one block of 4,096
    targets = torch.tensor([0, 17, 4095, 4096, 4999])
    logits[1, 17] = logits[3, 4096] = 9.0
    logits[3, 4000] = 9.0  # as large, and before it

    def room() -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        return torch.empty(TOKENS), torch.empty(TOKENS), torch.empty(TOKENS, dtype=torch.bool)

    wanted, made = (logits.clone(), *room()), (logits.clone(), *room())
    head.score(wanted[0], targets, *wanted[1:], grad)
    triton_score.score(made[0], targets, *made[1:], grad)
    for one, other in zip(made[:3], wanted[:3], strict=True):
        near(one, other)
    assert made[3].tolist() == wanted[3].tolist() == [False, True, False, False, False]


@pytest.mark.parametrize("double", [False, True])
@pytest.mark.parametrize("shape", [(64, 128), (3, 64)])
def test_four_bit_weights_are_unpacked(shape: tuple[int, int], double: bool) -> None:
    from bitsandbytes.functional import dequantize_4bit, quantize_4bit

    packed, state = quantize_4bit(torch.randn(shape), quant_type="nf4", compress_statistics=double)
    out = torch.empty(shape)
    triton_nf4.nf4(packed, state, out)
    near(out, dequantize_4bit(packed, state))
