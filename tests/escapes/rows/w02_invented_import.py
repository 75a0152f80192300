"""W02: import a function that this host does not have, in the hope that some host does."""

from escapes.canaries import Word
from escapes.harness import Guest, Row, guest, language

ROW = Row(
    id="W02",
    title="import an invented host function",
    layers=("language",),
    canary=Word,
    attempts=(
        Guest(
            name="component",
            expected=language(
                "wasi.link_denied", "refused", rule="import-absent", before_start=True, imports=["host:exec/run"]
            ),
            run=guest("invented.wat"),
            without=guest("invented.wat", denials=["host:exec/run"]),
        ),
        Guest(
            name="core-module",
            expected=language("component.rejected", "refused", before_start=True, kind="foreign-imports"),
            run=guest("invented_core.wat"),
            without=guest("invented.wat", denials=["host:exec/run"]),
            differs="nothing can grant a core module more than WASI; a component may import the same, denied",
        ),
    ),
)
