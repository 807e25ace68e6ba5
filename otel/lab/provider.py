"""What the functions of the laboratory call: DynamoDB, or an API."""

from lambda_latency.http import Handler


class Provider(Handler):
    """Whatever is asked of it: an empty answer."""

    def do_GET(self) -> None:
        self.body()
        self.answer(200, b"{}", {"Content-Type": "application/json"})

    do_POST = do_GET
