"""W10: change what may only be read: by writing, by truncating in any way, by name, by its times."""

from escapes.filing import attempt
from escapes.harness import Row

ROW = Row(
    id="W10",
    title="change a read-only directory",
    layers=("language",),
    attempts=(
        attempt("write", "open(data + '/a.txt', 'r+').close()", "open-at"),
        attempt("truncate", "open(data + '/a.txt', 'w').close()", "open-at"),
        attempt(
            # Opened for reading, with O_TRUNC (CVE-2026-47261).
            "truncate-reading",
            "os.close(os.open(data + '/a.txt', os.O_RDONLY | os.O_TRUNC))",
            "open-at",
        ),
        attempt("create", "open(data + '/b.txt', 'x').close()", "open-at"),
        attempt("append", "open(data + '/a.txt', 'a').close()", "open-at"),
        attempt("unlink", "os.unlink(data + '/a.txt')", "unlink-file-at"),
        attempt("rename", "os.rename(data + '/a.txt', data + '/b.txt')", "rename-at"),
        attempt("mkdir", "os.mkdir(data + '/d')", "create-directory-at"),
        attempt("symlink", "os.symlink('a.txt', data + '/l')", "symlink-at"),
        attempt("link", "os.link(data + '/a.txt', data + '/b.txt')", "link-at"),
        attempt("times", "os.utime(data + '/a.txt', (1, 1))", "set-times-at"),
        attempt("times-of-open", "os.utime(os.open(data + '/a.txt', os.O_RDONLY), (1, 1))", "set-times"),
    ),
)
