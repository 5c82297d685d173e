"""The LM head gives what TRL's gives: log probabilities, entropy, accuracy, and the gradient."""

import pytest
import torch
from trl.kernels import ChunkedLogProbFunction
from trl.trainer import utils

from tuner_tui.recipes.kernels import head

OUTPUTS = ("log_probs", "entropy", "is_top1")


@pytest.fixture
def taken(monkeypatch: pytest.MonkeyPatch) -> None:
    """TRL with this head, until the test ends."""
    monkeypatch.setattr(utils, "_ChunkedLogProbFunction", ChunkedLogProbFunction)
    monkeypatch.setattr(utils, "_use_triton", utils._use_triton)
    assert head.take(torch.zeros(1))
    assert head.take()  # once more changes nothing


def problem(dtype: torch.dtype = torch.float32) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Hidden states, the head's weight, and targets of which some are the likeliest token."""
    torch.manual_seed(0)
    hidden, weight = torch.randn(300, 32, dtype=dtype, requires_grad=True), torch.randn(999, 32, dtype=dtype)
    targets = torch.randint(0, 999, (300,))
    targets[:50] = (hidden @ weight.t())[:50].argmax(-1)
    return hidden, weight, targets


def scored(function: object, hidden: torch.Tensor, weight: torch.Tensor, targets: torch.Tensor) -> tuple:
    """What a head gives, and the gradient by `hidden` of a weighted sum of the log probabilities."""
    made = function.apply(hidden, weight, None, targets, 1.0, 400, None, 1.0, OUTPUTS)  # type: ignore[attr-defined]
    weights = torch.linspace(-1, 2, len(hidden), dtype=made[0].dtype)
    (gradient,) = torch.autograd.grad((made[0] * weights).sum(), hidden)
    return made, gradient


def test_equal_to_trl(taken: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(head, "_TILE_BYTES", 64 * 999 * 4)  # five tiles
    plain, plain_gradient = scored(ChunkedLogProbFunction, *problem())
    made, gradient = scored(utils._ChunkedLogProbFunction, *problem())
    for place in (0, 1):
        torch.testing.assert_close(made[place], plain[place], rtol=1e-5, atol=1e-4)
    assert torch.equal(made[4], plain[4])
    assert made[4].sum() >= 50
    torch.testing.assert_close(gradient, plain_gradient, rtol=1e-4, atol=1e-5)


def test_one_that_is_wrong_is_not_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    def wrong(logits: torch.Tensor, *rest: torch.Tensor) -> None:
        right(logits, *rest)
        logits.neg_()

    right = head.score
    monkeypatch.setattr(utils, "_ChunkedLogProbFunction", ChunkedLogProbFunction)
    monkeypatch.setattr(head, "score", wrong)
    assert not head.take(torch.zeros(1))
    assert utils._ChunkedLogProbFunction is ChunkedLogProbFunction


def test_the_gradient_by_definition(taken: None) -> None:
    hidden, weight, targets = problem(torch.float64)
    _, gradient = scored(utils._ChunkedLogProbFunction, hidden, weight, targets)
    weights = torch.linspace(-1, 2, len(hidden), dtype=torch.float64)
    log_probs = torch.log_softmax(hidden @ weight.t(), -1).gather(-1, targets[:, None])[:, 0]
    (expected,) = torch.autograd.grad((log_probs * weights).sum(), hidden)
    torch.testing.assert_close(gradient, expected)


def test_what_it_does_not_serve_is_trls(taken: None) -> None:
    hidden, weight, targets = problem()
    warm = (hidden, weight, None, targets, 0.5, 400, None, 1.0, OUTPUTS)
    plain = ChunkedLogProbFunction.apply(*warm)
    made = utils._ChunkedLogProbFunction.apply(*warm)
    assert torch.equal(made[0], plain[0])
    capped = utils._ChunkedLogProbFunction.apply(
        hidden, weight, None, targets, 1.0, 400, 5.0, 1.0, ("log_probs", "mean_logits")
    )
    assert capped[3] is not None


def test_a_gradient_of_the_entropy_is_refused(taken: None) -> None:
    hidden, weight, targets = problem()
    made = utils._ChunkedLogProbFunction.apply(hidden, weight, None, targets, 1.0, 400, None, 1.0, OUTPUTS)
    with pytest.raises(NotImplementedError, match="entropy"):
        made[1].sum().backward()
