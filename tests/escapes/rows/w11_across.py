"""W11: give a read-only file a name in a writable directory, and change it there (CVE-2026-58494)."""

from escapes.filing import attempt
from escapes.harness import Row

ROW = Row(
    id="W11",
    title="a link or a rename across directories",
    layers=("language",),
    attempts=(
        attempt("link", "os.link(data + '/a.txt', scratch + '/a.txt')", "link-at"),
        attempt("rename-out", "os.rename(data + '/a.txt', scratch + '/a.txt')", "rename-at"),
        attempt(
            "rename-in",
            "open(scratch + '/b.txt', 'w').close()\nos.rename(scratch + '/b.txt', data + '/a.txt')",
            "rename-at",
        ),
    ),
)
