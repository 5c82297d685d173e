"""The base model as it is loaded: what an evaluation must not change."""

from pathlib import Path

import torch

from tuner_tui.recipes.model import load_base


def test_an_evaluation_leaves_four_bits_and_their_gradients_as_they_were(tiny_model: Path) -> None:
    model = load_base(str(tiny_model), torch.float32, bits=4, double=True)
    layer = model.model.layers[0].mlp.down_proj
    given = torch.linspace(-1, 1, 4 * 128).reshape(4, 128)

    def trained() -> tuple[torch.Tensor, torch.Tensor]:
        model.train()
        asked = given.clone().requires_grad_()
        answer = layer(asked)
        answer.sum().backward()
        assert asked.grad is not None
        return answer.detach(), asked.grad

    stored = layer.weight.data.clone()
    before = trained()
    model.eval()
    with torch.no_grad():
        evaluated = model.model.layers[0].mlp.down_proj(given)
    torch.testing.assert_close(evaluated, before[0])
    assert torch.equal(layer.weight.data, stored)
    for one, other in zip(before, trained(), strict=True):
        assert torch.equal(one, other)
