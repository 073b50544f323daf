"""A small PostHog: the 18 endpoints over SQLite, in process or on a port. It sends nothing to anyone."""

from .app import build as build
from .fixtures import *
from .serving import outbox as outbox
from .serving import serve as serve
