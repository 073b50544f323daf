"""Not even collected where the browser's driver is missing: scripts/system installs it."""

from importlib.util import find_spec

collect_ignore = [] if find_spec("selenium") else ["test_page.py"]
