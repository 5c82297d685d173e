"""Ticks for people: round values inside a range, linear or logarithmic, and short labels for them."""

import math


def number(value: float) -> str:
    """A figure of about four characters: 0.0213, 1.24, 310, 2.0e-4, 12.4k, 3.1M."""
    size = abs(value)
    if value == 0:
        return "0"
    if size < 0.001:
        return f"{value:.1e}".replace("e-0", "e-")
    if size < 1:
        return f"{value:.3g}"
    if size < 1000:
        return f"{value:.3g}"
    for factor, unit in ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")):
        if size >= factor:
            return f"{value / factor:.3g}{unit}" if size < 1e15 else f"{value:.1e}"
    return f"{value:.3g}"


def ticks(low: float, high: float, count: int) -> list[float]:
    """About `count` multiples of 1, 2 or 5 × a power of ten that enclose `low` to `high`."""
    if not high - low > 1e-9 * max(abs(low), abs(high)):
        # All the same, or as good as: an average of equal values may differ in its last digit.
        margin = abs(low) * 0.1 or 1.0
        low, high = low - margin, high + margin
    rough = (high - low) / max(1, count)
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * factor for factor in (1, 2, 5, 10) if power * factor >= rough * 0.999)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [round(index * step, 12) for index in range(first, max(last, first + 1) + 1)]


def log_ticks(low: float, high: float, count: int) -> list[float]:
    """Powers of ten (with 2 and 5 between, where there is room) that enclose `low` to `high`, both
    positive.
    """
    first, last = math.floor(math.log10(low) + 1e-9), math.ceil(math.log10(high) - 1e-9)
    last = max(last, first + 1)
    decades = last - first
    if decades == 1 and high / low < 4:
        # Less than a decade of loss is better told by round linear values, drawn on the logarithmic
        # scale.
        values = [value for value in ticks(low, high, count) if value > 0]
        if len(values) > 1 and values[0] <= low:
            return values
    if decades * 3 <= count + 1:
        values = [factor * 10.0**power for power in range(first, last) for factor in (1, 2, 5)] + [10.0**last]
        start = max(index for index, value in enumerate(values) if value <= low * 1.001)
        stop = min(index for index, value in enumerate(values) if value >= high * 0.999)
        return values[start : max(stop, start + 1) + 1]
    stride = math.ceil(decades / max(1, count))
    return [10.0**power for power in range(first, last + stride, stride)]
