"""What is wrong with a request, as the one line and the status that answer it."""

from __future__ import annotations


class Refusal(Exception):  # noqa: N818 - an answer, not an error
    """A request that is answered with a 4xx or 5xx status.

    Attributes:
      status: the HTTP status.
      message: one line: what is wrong, what to do.
    """

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status, self.message = status, message


def bad_request(message: str) -> Refusal:
    """Return the answer to a request that cannot be understood."""
    return Refusal(400, message)


def not_found(message: str) -> Refusal:
    """Return the answer to a request for what is not there."""
    return Refusal(404, message)


def conflict(message: str) -> Refusal:
    """Return the answer to a request that does not fit how things stand."""
    return Refusal(409, message)
