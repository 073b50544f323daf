"""Generate everything in the documentation that a program can produce.

    python scripts/docs.py [--check] [PAGE ...]

Three kinds of text are generated:

- The output of `sh` code blocks in docs/: each block runs in bash, and the fenced block that directly follows it
  receives the output. A line `...` in that block stands for any lines. `<!-- exit N -->` above a block states an exit
  status other than 0. All blocks of a page share one empty home directory. Blocks in `bash` are shown and not run.
- Tables between `<!-- table: NAME -->` and `<!-- end -->` (doc_tables.py).
- The pages in docs/tools/ (tool_pages.py), and docs/declaration.schema.json (declaration_schema.py).

`--check` writes nothing, prints which pages are out of date, and exits with 1 if there are any.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory

import declaration_schema
import doc_tables
import tool_pages

ROOT = Path(__file__).parents[1]
PAGES = [
    ROOT / "README.md",
    *sorted((ROOT / "docs").glob("*.md")),
    ROOT / "tests" / "evals" / "README.md",
    ROOT / "core13_mcp" / "sandbox" / "README.md",
]
BIN = Path(sys.executable).parent
TABLE = re.compile(r"(<!-- table: (.+?) -->\n).*?(<!-- end -->)", re.DOTALL)
BLOCK = re.compile(
    r"(?:^<!-- exit (?P<status>\d+) -->\n)?^```sh\n(?P<script>.*?)^```\n(?:\n^```(?:text|json|jsonc|toml)\n(?P<output>.*?)^```\n)?",
    re.MULTILINE | re.DOTALL,
)


def run_blocks(text: str) -> str:
    """Run the `sh` blocks of a page in order and return the page with their output."""
    with TemporaryDirectory() as folder:
        home = Path(folder).resolve()
        (home / "project").mkdir()
        return BLOCK.sub(lambda block: _run_block(block, home), text)


def _run_block(block: re.Match[str], home: Path) -> str:
    status, output = _run(block["script"], home)
    if status != int(block["status"] or 0):
        raise SystemExit(f"exit status {status}:\n{block['script']}{output}")
    if block["output"] is None or _matches(block["output"], output):
        return block[0]
    start, end = (offset - block.start() for offset in block.span("output"))
    return block[0][:start] + output + block[0][end:]


def _run(script: str, home: Path) -> tuple[int, str]:
    result = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        cwd=home / "project",
        env={"PATH": f"{BIN}:{os.environ['PATH']}", "HOME": str(home), "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=120,
        check=False,
    )
    output = result.stdout.replace(f"{BIN}/", "/path/to/").replace(str(home), "/home/you")
    output = re.sub(r"Python \d[\d.]+\S*, \w+", "Python 3.x.y, Linux", output)
    # .ci/run makes its clone in such a directory.
    output = re.sub(r"^  note: \S+ is for temporary files.*\n", "", output, flags=re.MULTILINE)
    return result.returncode, output.rstrip() + "\n" if output.strip() else ""


def _matches(expected: str, output: str) -> bool:
    parts = re.split(r"^\.\.\.\n", expected, flags=re.MULTILINE)
    return re.fullmatch("(?:.*\n)*".join(map(re.escape, parts)), output) is not None


def fill_tables(text: str, tables: dict[str, str]) -> str:
    """Replace the content of each table of a page."""
    return TABLE.sub(lambda match: match[1] + tables[match[2]] + match[3], text)


def generate(names: list[str]) -> dict[Path, str]:
    """Generate the named pages, or all pages."""
    tools, costs = tool_pages.generate()
    tables = doc_tables.generate() | {"context": costs}
    pages = [path for path in PAGES if not names or path.name in names]
    # The blocks of README.md create virtual environments; .ci/run runs them.
    run = [path for path in pages if path.name != "README.md" or path.parent != ROOT]
    texts = {path: fill_tables(path.read_text("utf-8"), tables) for path in pages}
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        texts |= zip(run, pool.map(run_blocks, [texts[path] for path in run]), strict=True)
    return texts if names else texts | tools | declaration_schema.generate()


def main() -> int:
    """Write the pages that differ, or print their names."""
    check = "--check" in sys.argv
    texts = generate([word for word in sys.argv[1:] if word != "--check"])
    changed = [path for path, text in texts.items() if not path.exists() or path.read_text("utf-8") != text]
    for path in changed:
        print(f"{'out of date' if check else 'written'}: {path.relative_to(ROOT)}")
        if not check:
            path.write_text(texts[path], "utf-8")
    if check and changed:
        print("Run: python scripts/docs.py")
    return int(check and bool(changed))


if __name__ == "__main__":
    sys.exit(main())
