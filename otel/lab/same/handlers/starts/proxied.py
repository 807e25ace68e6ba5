"""Each new socket goes through a proxy, as PySocks does it: here there is none."""

import os
import socket


class Proxied(socket.socket):
    def connect(self, address):
        raise OSError("no proxy")


socket.socket = Proxied


def handler(event, context):
    import urllib.request

    try:
        return urllib.request.urlopen(f"{os.environ['PEER']}/http/x", timeout=10).status
    except OSError as error:
        return str(error)
