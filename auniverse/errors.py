"""What can go wrong, sorted by whose fault it is.

::

    AuniverseError
    ├── UsageError (ValueError)             yours: fix the call
    │   ├── AddressError                    a `vnc://` text that cannot be read
    │   ├── UnknownRuntimeError (LookupError)
    │   ├── UnknownEnvError (LookupError)
    │   ├── InvalidActionError
    │   └── RecordingError                  a file that is no recording
    ├── ProvisionError                      this machine's: fix the machine
    │   ├── MissingDependencyError (ImportError)
    │   └── RemoteNotReadyError (TimeoutError)
    └── RemoteError                         the far side's: it ends one slot, never the pool
        ├── ConnectError
        ├── AuthenticationError
        ├── ConnectionLostError
        │   └── WorkerLostError         the process of ours that held the connection ended
        ├── RemoteTimeoutError (TimeoutError)
        └── ProtocolError                   it broke the protocol
            ├── RFBError
            │   ├── UnsupportedEncodingError
            │   └── MalformedRectangleError
            └── RewarderError
                └── RewarderReplyError      `v0.reply.error`, with its message

The branch tells the handler what to do (fix the call, fix the machine, replace the remote); the
leaf tells the reader what happened. Foreign errors are turned into these where they come in.
"""

from __future__ import annotations

from typing import ClassVar, Self


class AuniverseError(Exception):
    """The root of everything auniverse raises on purpose."""


class UsageError(AuniverseError, ValueError):
    """The call is wrong; the same call will fail again."""


class AddressError(UsageError):
    """An address of remotes cannot be read; the message says which part of it."""


class UnknownRuntimeError(UsageError, LookupError):
    """No runtime of that name is in `runtimes.yml`."""


class UnknownEnvError(UsageError, LookupError):
    """No runtime knows that environment id."""


class InvalidActionError(UsageError):
    """An action holds something that is no event, an unknown key or a point off the screen."""


class RecordingError(UsageError):
    """A file is no recording, or one that was not written by its rules."""


class ProvisionError(AuniverseError):
    """This machine could not bring a remote up."""


class MissingDependencyError(ProvisionError, ImportError):
    """An optional package is missing; the message names the extra that brings it."""


class RemoteNotReadyError(ProvisionError, TimeoutError):
    """A remote was started but did not get ready in time; the message ends with its log."""


class RemoteError(AuniverseError):
    """One remote failed.

    Attributes:
        remote: The remote's printable address (never with its password), "" where the sans-IO
            cores raise it; the link that knows the address fills it in.
        remedy: One sentence that says what to do about it.
        retryable: Whether connecting again may help.
    """

    retryable: ClassVar[bool] = True

    def __init__(self, reason: str, *, remote: str = "", remedy: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.remote = remote
        self.remedy = remedy

    def __str__(self) -> str:
        where = f"{self.remote}: " if self.remote else ""
        what_to_do = f" ({self.remedy})" if self.remedy else ""
        return f"{where}{self.reason}{what_to_do}"

    def without_frames(self) -> Self:
        """Itself, to be kept: the frames that it and its causes passed hold whatever failed."""
        error: BaseException | None = self
        while error is not None:
            error.__traceback__, error = None, error.__context__
        return self


class ConnectError(RemoteError):
    """Nobody answers at the address, or what answers is not ready yet."""


class AuthenticationError(RemoteError):
    """The remote refused the password, or offers no accepted kind of security."""

    retryable = False


class ConnectionLostError(RemoteError):
    """An established connection ended."""


class WorkerLostError(ConnectionLostError):
    """The process of ours that held the connection ended; the remote may be well."""


class RemoteTimeoutError(RemoteError, TimeoutError):
    """The remote was silent for longer than allowed."""


class ProtocolError(RemoteError):
    """The remote sent something that the protocol does not allow, or that exceeds a limit."""

    retryable = False


class RFBError(ProtocolError):
    """A breach of RFB (RFC 6143)."""


class UnsupportedEncodingError(RFBError):
    """A rectangle in an encoding that was never asked for."""


class MalformedRectangleError(RFBError):
    """A rectangle whose place, size or content is impossible."""


class RewarderError(ProtocolError):
    """A breach of the rewarder protocol."""


class RewarderReplyError(RewarderError):
    """The remote answered a request with `v0.reply.error`."""
