"""Tools of a small shop that can be executed (`grpo.tools`): the model calls them while it answers.

Each public function is a tool; its types and its docstring are what the model is shown. What it returns, or
the words of what it raises, is put into the conversation.
"""

import re
import zlib


def find_order(customer: str) -> dict[str, str]:
    """Find the order of a customer.

    Args:
        customer: Who ordered.
    """
    return {"order_id": f"b{_number(customer):05d}"}


def track_order(order_id: str) -> dict[str, str]:
    """Track an order.

    Args:
        order_id: As find_order gives it.
    """
    if not re.fullmatch(r"b\d{5}", order_id):
        raise LookupError(f"there is no order {order_id}")
    return {"status": ("packed", "sent", "delivered")[_number(order_id) % 3]}


def check_stock(product: str) -> dict[str, int]:
    """Check the stock of a product.

    Args:
        product: Its name.
    """
    return {"count": _number(product) % 50}


def _number(text: str) -> int:
    return zlib.crc32(text.encode()) % 100_000
