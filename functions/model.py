"""An order, as every module here speaks of it."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

__all__ = ["Line", "Order", "Position", "Status"]

# pending -> confirmed | declined; confirmed -> cancelling -> cancelled. The two states in -ing say that money may have
# moved already while the table does not know: whoever repeats the request brings them to an end.
Status = Literal["pending", "confirmed", "declined", "cancelling", "cancelled"]

Position = tuple[str, str]  # of an order among its customer's: created_at, order_id


@dataclass(frozen=True, slots=True)
class Line:
    """So many pieces of one article, at a price in cents each."""

    sku: str
    quantity: int
    unit_price: int


@dataclass(frozen=True, slots=True)
class Order:
    """One order. `created_at` is UTC in ISO 8601 of fixed width, so that its order as text is its order in time."""

    order_id: str
    customer: str
    items: tuple[Line, ...]
    currency: str
    payment_method: str
    created_at: str
    status: Status = "pending"
    charge_id: str | None = None
    refund_id: str | None = None

    @property
    def amount(self) -> int:
        """What it costs, in cents."""
        return sum(line.quantity * line.unit_price for line in self.items)

    def asks_the_same_as(self, other: "Order") -> bool:
        """Whether both ask for the same purchase: then the second request is the first one, repeated."""
        return (self.customer, self.items, self.currency, self.payment_method) == (
            other.customer,
            other.items,
            other.currency,
            other.payment_method,
        )

    def shown(self) -> dict[str, Any]:
        """What a caller sees: everything but the payment method, which is the customer's secret."""
        shown = asdict(self)
        del shown["payment_method"]
        return shown | {"items": [asdict(line) for line in self.items], "amount": self.amount}

    def stored(self) -> dict[str, Any]:
        """What the table keeps: everything, without the names that have no value yet."""
        return {name: value for name, value in asdict(self).items() if value is not None}

    @classmethod
    def restored(cls, item: Mapping[str, Any]) -> "Order":
        """The order that `stored` was made of; DynamoDB gives whole numbers back as Decimal."""
        lines = tuple(Line(line["sku"], int(line["quantity"]), int(line["unit_price"])) for line in item["items"])
        return cls(**{**item, "items": lines})
