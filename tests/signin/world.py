"""A PostHog with an authorization server, a person with a browser, and the files of their sign-in."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx2

from core13_mcp import sandbox
from core13_mcp.api.client import APIClient
from core13_mcp.api.credentials import Credentials
from core13_mcp.declarations.catalog import load
from core13_mcp.pipeline.approval import Channel
from core13_mcp.pipeline.call import CallContext, prepare
from core13_mcp.pipeline.execution import Execution
from core13_mcp.pipeline.key_info import KeyInfoCache
from core13_mcp.settings import Settings
from core13_mcp.signin.authorization_server import OAuthRetryPolicy
from core13_mcp.signin.flow import Access, with_read_scopes
from core13_mcp.signin.login import Login, SignInOptions
from core13_mcp.signin.source import SignInSource
from core13_mcp.signin.store import Store
from core13_mcp.signin.stored import StoredSignIn

from ..asgi import ResetTransport
from ..fake_api import NO_DELAY
from ..sandbox.oauth.oauth_client import ConsentForm
from ..sandbox.sandbox_client import Clock

ORIGIN = "http://127.0.0.1:8013"
CATALOG = load()
SCOPES = with_read_scopes(frozenset(tool.endpoint.scope for tool in CATALOG.values() if tool.endpoint.scope))
PROJECT = next(tool.project for tool in CATALOG.values() if tool.project)
WEEK = 604_800

Answer = Callable[[httpx2.AsyncClient, str], Any]


class World:
    """One sandbox, and one directory of sign-ins. `requests` are the method and path of every request."""

    def __init__(self, directory: Path, **options: Any) -> None:
        self.clock = Clock()
        self.app = sandbox.build(oauth=True, faults=True, clock=self.clock, **options)
        self.requests: list[str] = []
        self.settings = Settings(host=ORIGIN, login_dir=str(directory))
        self.store = Store(directory, ORIGIN)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.requests.append(f"{scope['method']} {scope['path']}")
        await self.app(scope, receive, send)

    def now(self) -> float:
        return self.clock.now.timestamp()

    def faults(self, *faults: str) -> None:
        self.app.state.faults.extend(faults)

    def client(self, origin: str = ORIGIN) -> APIClient:
        policy = OAuthRetryPolicy(uniform=lambda *_: 0.0)
        return APIClient(origin, transport=ResetTransport(self), retry_policy=policy)

    def browser(self) -> httpx2.AsyncClient:
        return httpx2.AsyncClient(transport=ResetTransport(self), base_url=ORIGIN)

    async def control(self, path: str) -> None:
        async with self.browser() as http:
            (await http.post(f"/_sandbox/{path}")).raise_for_status()

    async def sign_in(self, person: Person | None = None, **options: Any) -> StoredSignIn:
        values = {"access": Access(SCOPES), "project": PROJECT, "wait": 20.0, **options}
        person = person or Person(self)
        async with self.client() as client:
            try:
                return await Login(self.store, client, person, SignInOptions(**values)).run()
            finally:
                await person.finish()

    def source(self) -> SignInSource:
        """A source as another process would have it."""
        return SignInSource(self.settings, self.client, self.now)

    async def call(self, source: Callable[[], Credentials], name: str = "users-retrieve", **arguments: Any) -> Any:
        client = APIClient(ORIGIN, transport=ResetTransport(self), retry_policy=NO_DELAY)
        context = CallContext(client=client, credentials=source(), confirm="never", key_info=KeyInfoCache())
        return (await Execution(prepare(CATALOG[name], arguments, context), Channel()).run()).value

    def expire(self) -> None:
        self.clock.advance(WEEK + 1)


class Person:
    """A person who allows everything in the browser, and whose browser returns to this machine.

    Args:
        form: Changes of the submitted form; `answer="deny"` declines.
        paste: Whether the person pastes the address, because the browser runs on another machine.
        change: Changes the redirect address.
    """

    def __init__(
        self,
        world: World,
        *,
        paste: bool = False,
        change: Callable[[str], str] = str,
        returns: bool = True,
        **form: Any,
    ) -> None:
        self.urls: list[str] = []
        self.pages: list[str] = []
        self._world = world
        self._paste = paste
        self._change = change
        self._returns = returns
        self._form = {"project": ["1", "2"], "answer": "allow", **form}
        self._pasted: asyncio.Queue[str] = asyncio.Queue()
        self._tasks: list[asyncio.Task[None]] = []

    def show(self, url: str) -> None:
        self.urls.append(url)
        if self._returns:
            self._tasks.append(asyncio.create_task(self._visit(url)))

    async def pasted(self) -> str:
        return await self._pasted.get()

    async def finish(self) -> None:
        """Wait until the browser shows its last page."""
        await asyncio.gather(*self._tasks)

    async def _visit(self, url: str) -> None:
        async with self._world.browser() as http:
            page = await http.get(url)
            if page.status_code == 200:
                page = await http.post(page.url, data={**ConsentForm(page.text).submitted, **self._form})
            if "location" not in page.headers:
                self.pages.append(page.text)
                return
        address = self._change(page.headers["location"])
        if self._paste:
            self._pasted.put_nowait(urlsplit(address).query)
            return
        async with httpx2.AsyncClient(trust_env=False) as http:
            self.pages.append((await http.get(address)).text)
