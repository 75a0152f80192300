"""N05: take off the empty root, below which the host's might be."""

from escapes.canaries import Nonce, Secret
from escapes.harness import Native, Row, call, denied


class Hidden(Secret):
    """A file below a mount; pivot_root(2) cannot show it, but is a success of its own."""

    def touched(self, outcome: object, *, wait: bool) -> bool:
        return super().touched(outcome, wait=wait) or Nonce.touched(self, outcome, wait=wait)


ROW = Row(
    id="N05",
    title="reveal the root that the empty one hides",
    layers=("process",),
    canary=Hidden,
    attempts=(
        Native(name="umount2", stage="hidden", words=("{folder}", "{path}"), expected=denied("umount2")),
        Native(name="pivot_root", stage="hidden", words=("{folder}", "{path}"), expected=denied("pivot_root")),
        call("chroot", 0),
        call("chdir", 0),
        call("fchdir", 3),
    ),
)
