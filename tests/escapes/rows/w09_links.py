"""W09: make a symbolic link that leads out, and go through it: plainly, before a slash, and in a rename."""

from escapes.filing import attempt
from escapes.harness import Row

ROW = Row(
    id="W09",
    title="a symbolic link that leads out",
    layers=("language",),
    attempts=(
        attempt("open", "os.symlink('../secret', scratch + '/l')\nopen(scratch + '/l').close()", "open-at"),
        attempt("folder", "os.symlink('..', scratch + '/l')\nopen(scratch + '/l/secret').close()", "open-at"),
        attempt("slash", "os.symlink('..', scratch + '/l')\nos.listdir(scratch + '/l/')", "open-at"),
        attempt("write", "os.symlink('../made', scratch + '/l')\nopen(scratch + '/l', 'w').close()", "open-at"),
        attempt(
            "rename",
            "open(scratch + '/f', 'w').close()\nos.symlink('..', scratch + '/l')\n"
            "os.rename(scratch + '/f', scratch + '/l/f')",
            "rename-at",
        ),
        attempt("unlink", "os.symlink('..', scratch + '/l')\nos.unlink(scratch + '/l/secret')", "unlink-file-at"),
        attempt(
            "chain",
            "os.mkdir(scratch + '/d')\nos.symlink('..', scratch + '/d/up')\n"
            "os.symlink('d/up/../secret', scratch + '/l')\nopen(scratch + '/l').close()",
            "open-at",
        ),
        attempt("absolute", "os.symlink(os.path.abspath(data), scratch + '/l')", "symlink-at"),
    ),
)
