"""A shop: products, a cart, orders."""

from typing import Any

from tuner_tui.evaluation.suites.environments.base import (
    Environment,
    EnvironmentTool,
    Result,
    State,
    ToolFault,
    drop,
    new_id,
    number,
    parameters,
    put,
    text,
    tools,
)


def _product(state: State, product: str) -> dict[str, Any]:
    found: dict[str, Any] | None = state["products"].get(product)
    if found is None:
        raise ToolFault(f"There is no product {product}.")
    return found


def _order(state: State, order: str) -> dict[str, Any]:
    found: dict[str, Any] | None = state["orders"].get(order)
    if found is None:
        raise ToolFault(f"There is no order {order}.")
    return found


def _total(state: State) -> float:
    """The price of the cart in euros, after the coupon."""
    full = sum(state["products"][id]["price"] * count for id, count in state["cart"].items())
    return float(round(full * (1 - state["coupons"].get(state["coupon"], 0) / 100), 2))


def search_products(
    state: State, words: str = "", category: str = "", max_price: float | None = None
) -> tuple[Result, State]:
    """Products whose name has all the words."""
    found = [
        {"product": id, "name": one["name"], "price": one["price"]}
        for id, one in state["products"].items()
        if all(word in one["name"].casefold() for word in words.casefold().split())
        and category in ("", one["category"])
        and (max_price is None or one["price"] <= max_price)
    ]
    return {"products": found}, state


def product_details(state: State, product: str) -> tuple[Result, State]:
    """All that is known of a product."""
    return {"product": product, **_product(state, product)}, state


def add_to_cart(state: State, product: str, quantity: int = 1) -> tuple[Result, State]:
    """More of a product, as far as there is stock."""
    stock, count = _product(state, product)["stock"], state["cart"].get(product, 0) + quantity
    if count > stock:
        raise ToolFault(f"Only {stock} of {product} in stock.")
    after = put(state, ("cart", product), count)
    return {"cart": after["cart"], "total": _total(after)}, after


def remove_from_cart(state: State, product: str) -> tuple[Result, State]:
    """A product leaves the cart, all of it."""
    if product not in state["cart"]:
        raise ToolFault(f"{product} is not in the cart.")
    after = drop(state, ("cart", product))
    return {"cart": after["cart"], "total": _total(after)}, after


def view_cart(state: State) -> tuple[Result, State]:
    """What is in the cart and what it costs."""
    lines = [
        {"product": id, "name": state["products"][id]["name"], "quantity": count}
        for id, count in state["cart"].items()
    ]
    return {"cart": lines, "coupon": state["coupon"], "total": _total(state)}, state


def apply_coupon(state: State, code: str) -> tuple[Result, State]:
    """A coupon counts for the whole cart; the last one counts."""
    if code not in state["coupons"]:
        raise ToolFault(f"The coupon {code} is not valid.")
    after = {**state, "coupon": code}
    return {"coupon": code, "total": _total(after)}, after


def checkout(state: State, address: str) -> tuple[Result, State]:
    """The cart becomes an order, and stock goes down."""
    if not state["cart"]:
        raise ToolFault("The cart is empty.")
    id = new_id("o", state["orders"], *sorted(state["cart"]))
    order = {"items": state["cart"], "total": _total(state), "address": address, "status": "placed"}
    after = put(state, ("orders", id), order)
    for product, count in state["cart"].items():
        after = put(after, ("products", product, "stock"), state["products"][product]["stock"] - count)
    return {"order": id, **order}, {**after, "cart": {}, "coupon": ""}


def list_orders(state: State, status: str = "") -> tuple[Result, State]:
    """Orders, all or of one status."""
    found = [
        {"order": id, "status": one["status"], "total": one["total"], "items": one["items"]}
        for id, one in state["orders"].items()
        if status in ("", one["status"])
    ]
    return {"orders": found}, state


def cancel_order(state: State, order: str) -> tuple[Result, State]:
    """Only before it is shipped."""
    one = _order(state, order)
    if one["status"] != "placed":
        raise ToolFault(f"{order} is {one['status']} and cannot be cancelled.")
    after = put(state, ("orders", order, "status"), "cancelled")
    return {"order": order, "status": "cancelled"}, after


def change_address(state: State, order: str, address: str) -> tuple[Result, State]:
    """Only before it is shipped."""
    one = _order(state, order)
    if one["status"] != "placed":
        raise ToolFault(f"{order} is {one['status']}; its address cannot be changed.")
    return {"order": order, "address": address}, put(state, ("orders", order, "address"), address)


def return_item(state: State, order: str, product: str, reason: str) -> tuple[Result, State]:
    """Only of an order that was delivered."""
    one = _order(state, order)
    if one["status"] != "delivered":
        raise ToolFault(f"{order} is {one['status']}; only delivered orders can be returned.")
    if product not in one["items"]:
        raise ToolFault(f"{product} is not part of {order}.")
    return {"order": order, "returned": product}, put(state, ("returns", f"{order}/{product}"), reason)


_PRODUCT = text("Identifier of the product, such as p-00")
_ORDER = text("Identifier of the order, such as o-000")
_ADDRESS = text("Where to send it", "home", "office")

SHOP = Environment(
    name="shop",
    title="Shop",
    instructions=(
        "You serve a customer of a web shop. Prices are in euros. Use the tools to look things up, to fill "
        "the cart and to handle orders; never guess an identifier. Order, cancel and return only what the "
        "customer asks for. When everything is done, answer in words."
    ),
    tools=tools(
        EnvironmentTool(
            "search_products",
            "Find products by words of the name, category and price.",
            parameters(
                {
                    "words?": text("Words of the name"),
                    "category?": text("Category", "kitchen", "office", "garden"),
                    "max_price?": number("Highest price in euros", "number", 0),
                }
            ),
            search_products,
        ),
        EnvironmentTool(
            "product_details",
            "Price, stock and more of a product.",
            parameters({"product": _PRODUCT}),
            product_details,
            ids=("product",),
        ),
        EnvironmentTool(
            "add_to_cart",
            "Put a product into the cart.",
            parameters({"product": _PRODUCT, "quantity?": number("How many; 1 if left out")}),
            add_to_cart,
            ids=("product",),
        ),
        EnvironmentTool(
            "remove_from_cart",
            "Take a product out of the cart.",
            parameters({"product": _PRODUCT}),
            remove_from_cart,
            ids=("product",),
        ),
        EnvironmentTool("view_cart", "What is in the cart, and the total.", parameters({}), view_cart),
        EnvironmentTool(
            "apply_coupon",
            "Use a coupon.",
            parameters({"code": text("The code")}),
            apply_coupon,
            ids=("code",),
        ),
        EnvironmentTool(
            "checkout", "Order what is in the cart.", parameters({"address": _ADDRESS}), checkout
        ),
        EnvironmentTool(
            "list_orders",
            "Orders of the customer.",
            parameters({"status?": text("Only these", "placed", "shipped", "delivered", "cancelled")}),
            list_orders,
        ),
        EnvironmentTool(
            "cancel_order",
            "Cancel an order that is not shipped.",
            parameters({"order": _ORDER}),
            cancel_order,
            ids=("order",),
        ),
        EnvironmentTool(
            "change_address",
            "Send an order that is not shipped to another address.",
            parameters({"order": _ORDER, "address": _ADDRESS}),
            change_address,
            ids=("order",),
        ),
        EnvironmentTool(
            "return_item",
            "Register the return of a delivered product.",
            parameters(
                {
                    "order": _ORDER,
                    "product": _PRODUCT,
                    "reason": text("Why", "broken", "wrong_item", "not_needed"),
                }
            ),
            return_item,
            ids=("order", "product"),
        ),
    ),
)
