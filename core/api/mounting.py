"""The API next to other routes of a server. It is imported with the first request, because PyTorch takes seconds."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING

from core.api.limits import limits_from

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

    from core.runtime import Runtime


class DeferredApi:
    """An ASGI application that becomes the API on ``runtime()`` with its first request.

    Raises SettingError for limits that cannot be used, so that the server does not start with them.
    """

    def __init__(self, runtime: Callable[[], Runtime]) -> None:
        self._runtime = runtime
        self._limits = limits_from()
        self._lock = asyncio.Lock()
        self._app: ASGIApp | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async with self._lock:
            if self._app is None:
                self._app = await asyncio.to_thread(self._build)
        await self._app(scope, receive, send)

    def _build(self) -> ASGIApp:
        from core.api.application import application

        return application(self._runtime(), self._limits)
