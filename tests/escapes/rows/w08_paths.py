"""W08: name what lies outside of a directory: by `..`, from below, or by an absolute path."""

from escapes.canaries import Nonce
from escapes.filing import attempt
from escapes.harness import Guest, Row, Run, language
from escapes.lab import Ended, Lab
from escapes.preview1 import open_path, run

ABSOLUTE = "/data/a.txt"


def opening(path: str) -> Run:
    """A core module that opens `path` by the number of its directory: no C library is asked first."""

    def attack(lab: Lab, canary: Nonce) -> Ended:
        return run(lab, open_path(path, canary.nonce))

    return Run(path, attack)


ROW = Row(
    id="W08",
    title="a path that leads out",
    layers=("language",),
    attempts=(
        attempt("parent", "open(data + '/../secret').close()", "open-at"),
        attempt("from-below", "os.mkdir(scratch + '/d')\nopen(scratch + '/d/../../secret').close()", "open-at"),
        attempt("stat", "os.stat(data + '/../secret')", "metadata-hash-at"),
        attempt("write", "open(scratch + '/../made', 'w').close()", "open-at"),
        attempt("folder", "os.mkdir(scratch + '/../made')", "create-directory-at"),
        attempt("list", "os.listdir(scratch + '/..')", "open-at"),
        Guest(
            name="absolute",
            expected=language("wasi.denied", rule="file-denied", function="[method]descriptor.open-at"),
            run=opening(ABSOLUTE),
            without=opening(ABSOLUTE.removeprefix("/data/")),
            differs="an absolute path is refused wherever it leads; the same file, by its name",
        ),
    ),
)
