"""W01: import an interface that is not granted."""

from escapes.canaries import Word
from escapes.harness import Guest, Row, guest, language

IMPORTS = ["wasi:sockets/network@0.2.0", "wasi:sockets/tcp@0.2.0", "wasi:sockets/tcp-create-socket@0.2.0"]

ROW = Row(
    id="W01",
    title="import an interface that is not granted",
    layers=("language",),
    canary=Word,
    attempts=(
        Guest(
            name="tcp-create-socket",
            expected=language("wasi.link_denied", "refused", rule="import-absent", before_start=True, imports=IMPORTS),
            run=guest("ungranted.wat"),
            # Nothing can grant it yet; denied it links, and its start function runs.
            without=guest("ungranted.wat", denials=["wasi:sockets"]),
        ),
    ),
)
