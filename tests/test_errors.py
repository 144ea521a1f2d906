"""The tree in the module's docstring is the tree of the classes, and messages say what to do."""

from __future__ import annotations

import inspect
import re

import pytest

from auniverse import errors


def classes() -> dict[str, type[Exception]]:
    return {
        name: kind
        for name, kind in vars(errors).items()
        if inspect.isclass(kind) and issubclass(kind, errors.AuniverseError)
    }


def test_the_tree_as_drawn() -> None:
    assert errors.__doc__ is not None
    path: list[str] = []
    drawn: dict[str, tuple[str, str]] = {}
    for line in errors.__doc__.splitlines():
        found = re.match(r"    ([│├└─ ]*)(\w+Error)(?: \((\w+)\))?", line)
        if not found:
            continue
        depth = len(found[1]) // 4
        path[depth:] = [found[2]]
        drawn[found[2]] = (path[depth - 1] if depth else "Exception", found[3] or "Exception")
    assert set(drawn) == set(classes())
    for name, (parent, builtin) in drawn.items():
        kind = classes()[name]
        assert parent in [base.__name__ for base in kind.__bases__], name
        assert builtin in [base.__name__ for base in kind.__mro__], name


def test_a_remote_error_names_remote_cause_and_remedy() -> None:
    error = errors.ConnectError("refused", remote="vnc://h:1+2", remedy="start it")
    assert str(error) == "vnc://h:1+2: refused (start it)"
    assert str(errors.ConnectError("refused")) == "refused"


@pytest.mark.parametrize(
    ("kind", "retryable"),
    [
        (errors.ConnectError, True),
        (errors.ConnectionLostError, True),
        (errors.RemoteTimeoutError, True),
        (errors.AuthenticationError, False),
        (errors.MalformedRectangleError, False),
        (errors.RewarderReplyError, False),
    ],
)
def test_what_may_help_is_tried_again(kind: type[errors.RemoteError], retryable: bool) -> None:
    assert kind("x").retryable is retryable
