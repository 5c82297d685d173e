"""Attention over rows laid end to end, for any model of transformers that takes its attention from the
`AttentionInterface`: no mask of tokens by tokens is built, and no row sees another.
"""

from __future__ import annotations

from typing import Any

import torch

from tuner_tui.recipes.kernels.attention import attend, attend_backward
from tuner_tui.recipes.kernels.flash import Heads
from tuner_tui.recipes.kernels.layouts import Layout, layout_of

NAME = "tuner_varlen"


def register() -> None:
    """Make `attn_implementation="tuner_varlen"` known to transformers."""
    from transformers import AttentionInterface, AttentionMaskInterface
    from transformers.masking_utils import sdpa_mask

    AttentionInterface.register(NAME, varlen_attention)
    AttentionMaskInterface.register(NAME, sdpa_mask)


def unfit(base: Any) -> str:
    """Why a model's attention cannot be taken over, or ""."""
    config = base.config.get_text_config()
    if not getattr(base, "_supports_attention_backend", False):
        return "the model has an attention of its own"
    if getattr(config, "attn_logit_softcapping", None):
        return "its attention caps the scores"
    if any(name.endswith(".sinks") for name, _ in base.named_parameters()):
        return "its attention has sinks"
    device = next(base.parameters()).device
    if device.type != "cuda" or torch.cuda.get_device_capability(device) < (8, 0):
        return "there is no flash kernel for this device"
    return ""


class Rows:
    """Tells a backbone's attention where the rows of a batch lie, when none is padded."""

    def __init__(self, backbone: Any) -> None:
        self._hook = backbone.register_forward_pre_hook(self._begin, with_kwargs=True)

    def remove(self) -> None:
        """Leave the backbone as it was."""
        self._hook.remove()

    @staticmethod
    def _begin(module: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        if len(args) > 1 or any(kwargs.get(name) is not None for name in ("cache", "past_key_values")):
            return None
        if kwargs.get("use_cache") or kwargs.get("output_attentions"):
            return None
        tokens = args[0] if args else kwargs.get("input_ids", kwargs.get("inputs_embeds"))
        layout = None if tokens is None else layout_of(tokens, kwargs)
        if layout is None or layout.keep is not None:
            return None
        # A mask with four dimensions is passed on as it is, so that none of tokens by tokens is made.
        kwargs["attention_mask"] = torch.empty((1, 1, 1, 1), dtype=torch.bool, device=layout.starts.device)
        kwargs.update(cu_seq_lens_q=layout.starts, cu_seq_lens_k=layout.starts)
        kwargs.update(max_length_q=layout.longest, max_length_k=layout.longest)
        return args, kwargs


def varlen_attention(
    module: Any,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    **options: Any,
) -> tuple[torch.Tensor, None]:
    """What transformers calls in each layer: (rows, heads, width, D) each -> (rows, width, heads, D).

    Where nothing was said about the rows (padding, generation with a cache) it is sdpa.
    """
    starts = options.get("cu_seq_lens_q")
    if starts is None:
        from transformers.integrations.sdpa_attention import sdpa_attention_forward

        made: tuple[torch.Tensor, None] = sdpa_attention_forward(
            module, query, key, value, attention_mask, **options
        )
        return made
    rows, _, width, _ = query.shape
    if query.is_cuda and query.dtype == torch.float32:  # rotated in float32; the flash kernels want 16 bits
        narrow = torch.get_autocast_dtype("cuda") if torch.is_autocast_enabled("cuda") else torch.bfloat16
        query, key, value = (t.to(narrow) for t in (query, key, value))
    scale = options.get("scaling")
    heads = Heads(query.shape[-1] ** -0.5 if scale is None else float(scale), options.get("sliding_window"))
    layout = Layout(starts, int(options["max_length_q"]))
    flat = [t.transpose(1, 2).flatten(0, 1) for t in (query, key, value)]
    out: torch.Tensor = _Attend.apply(*flat, layout, heads)  # type: ignore[no-untyped-call]
    return out.view(rows, width, *out.shape[1:]), None


class _Attend(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, layout: Layout, heads: Heads
    ) -> torch.Tensor:
        out, saved = attend(q, k, v, layout, heads)
        ctx.save_for_backward(q, k, v, out, *saved)
        ctx.layout, ctx.heads = layout, heads
        return out

    @staticmethod
    def backward(ctx: Any, grad: torch.Tensor) -> tuple[Any, ...]:
        q, k, v, out, *saved = ctx.saved_tensors
        return (*attend_backward(grad, q, k, v, out, tuple(saved), ctx.layout, ctx.heads), None, None)
