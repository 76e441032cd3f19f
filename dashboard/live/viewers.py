"""Who may send frames: the live views of the sessions that are open now, by their token."""

from __future__ import annotations

import secrets
import weakref
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dashboard.live.frame_analysis import FrameAnalysis


class Viewer:
    """The live view of one session, owned by that session: its token is invalid after the session has ended."""

    def __init__(self, session_id: str, analysis: FrameAnalysis) -> None:
        self.session_id = session_id
        self.analysis = analysis
        self.token = secrets.token_urlsafe(32)
        self._connections = 0
        _viewers[self.token] = self

    def connect(self) -> int:
        """Begin a connection and return its number; an older connection of this viewer is no longer current."""
        self._connections += 1
        self.analysis.reset()
        return self._connections

    def is_current(self, connection: int) -> bool:
        """Whether no newer connection has begun."""
        return connection == self._connections

    def disconnect(self, connection: int) -> None:
        """End a connection; nothing that was derived from its frames is left."""
        if self.is_current(connection):
            self.analysis.reset()


_viewers: weakref.WeakValueDictionary[str, Viewer] = weakref.WeakValueDictionary()


def viewer_with(token: str) -> Viewer | None:
    """The viewer with that token; None if there is none, or no longer."""
    return _viewers.get(token)
