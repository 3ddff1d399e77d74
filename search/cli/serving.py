"""A web application on a socket of this process, until Ctrl-C or SIGTERM."""

from __future__ import annotations

import gc
import socket
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fastapi import FastAPI

GRACE_S = 2
"""How long answers under way may take once the server is told to end: a stream of events has no end of its own."""


def listen(host: str, port: int) -> socket.socket:
    """Return a socket that listens. Raises ValueError for an address that is not this machine's, or is taken."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    made = socket.socket(family, socket.SOCK_STREAM)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        made.bind((host, port))
        made.listen(128)
    except OSError as error:
        made.close()
        reason = error.strerror or str(error)
        raise ValueError(f"cannot listen at {host} port {port}: {reason}; choose another --port, or 0") from error
    return made


def serve(app: FastAPI, at: socket.socket, root_path: str = "") -> None:
    """Answer requests until a signal ends it."""
    import uvicorn

    gc.freeze()  # what was imported stays: no collection need look at it again

    config = uvicorn.Config(
        app, log_level="warning", access_log=False, server_header=False, date_header=True, root_path=root_path,
        timeout_graceful_shutdown=GRACE_S, lifespan="off", ws="none",
    )  # fmt: skip
    uvicorn.Server(config).run(sockets=[at])
