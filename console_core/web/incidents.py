"""Errors that nobody foresaw: a number for people, the trace for the log."""

import logging
import secrets

_log = logging.getLogger(__name__)


def incident(where: str, error: BaseException) -> str:
    """Log an error with its trace; the number under which the log has it."""
    number = secrets.token_hex(4)
    _log.error("Incident %s: %s", number, where, exc_info=error)
    return number
