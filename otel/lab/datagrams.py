"""What is sent to Lambda's X-Ray daemon, as far as the laboratory receives it: datagrams on a port of 127.0.0.1."""

import socket
import threading
from collections.abc import Callable


class Datagrams:
    """Calls `take` with the head and the body of each datagram, from its thread, until it is closed."""

    def __init__(self, take: Callable[[bytes, bytes], None]) -> None:
        self._take = take
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2**22)
        self._socket.bind(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self._socket.getsockname()[1]}"
        self._thread = threading.Thread(target=self._receive, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """End it, when all that was sent before is there; again: nothing happens."""
        if self._thread.is_alive():
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
                sender.sendto(b"", self._socket.getsockname())
            self._thread.join()
            self._socket.close()

    def _receive(self) -> None:
        while datagram := self._socket.recv(2**17):
            head, _, body = datagram.partition(b"\n")
            self._take(head, body)
