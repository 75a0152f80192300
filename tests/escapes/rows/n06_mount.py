"""N06: mount a file system."""

from escapes.harness import Native, Row, call, denied

ROW = Row(
    id="N06",
    title="mount a file system",
    layers=("process",),
    attempts=(
        Native(name="mount", stage="hidden", words=("{folder}",), expected=denied("mount")),
        Native(name="fsopen", stage="hidden", words=("{folder}",), expected=denied("fsopen")),
        Native(name="open_tree", stage="hidden", words=("{folder}",), expected=denied("open_tree")),
        Native(name="mount_setattr", stage="hidden", words=("{folder}",), expected=denied("mount_setattr")),
        # What the second attempt goes on to, when nothing stops it.
        call("fsconfig", -1, 6, 0, 0, 0),
        call("fsmount", -1, 0, 0),
        call("move_mount", -1, 0, -100, 0, 4),
        call("fspick", -100, 0, 0),
    ),
)
