"""What a user allows an assistant, and the settings of the reports that it reads."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence


class AccountOptions:
    """The AWS account that tools may read, and the most US dollars that one call may cost."""

    def __init__(
        self, profile: str | None, region: str | None, endpoint_url: str | None = None, most_usd: float = 0.1
    ) -> None:
        self.profile, self.region, self.endpoint_url, self.most_usd = profile, region, endpoint_url, most_usd


class Options:
    """The folders that may be read, and settings: patterns of owners, where a request begins, what is slow.

    `slow_ns` is a duration; `ignored` are rules of the doctor.
    """

    def __init__(
        self,
        roots: Sequence[str],
        *,
        ours: tuple[str, ...] = (),
        theirs: tuple[str, ...] = (),
        from_lambda: bool = False,
        slow_ns: int | None = None,
        ignored: tuple[str, ...] = (),
        account: AccountOptions | None = None,
    ) -> None:
        self.roots, self.ours, self.theirs, self.from_lambda = roots, ours, theirs, from_lambda
        self.slow_ns, self.ignored, self.account = slow_ns, ignored, account
