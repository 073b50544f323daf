"""Skip the tests in a browser if selenium is not installed. scripts/system installs it."""

from importlib.util import find_spec

collect_ignore = [] if find_spec("selenium") else ["test_page.py", "test_sign_in.py"]
