"""The command line: `brane run | python | plan | doctor | audit`.

Exit codes: the guest's own; 2 bad input; 124 deadline; 125 this machine's fault; 126 refused by a layer; 134 trap; 137
limit; 130, 129 and 143 ended by SIGINT, SIGHUP or SIGTERM; 141 nobody reads the output. `audit verify` says 1 for a
broken log. `--json` tells a guest's own 126 from a layer's.

One module a command. Their heads are cheap to import; what a command needs is loaded when it runs.
"""

from __future__ import annotations

import os
import sys

from branes.cli import signals


def main() -> int:
    """Run the command in `sys.argv`; its exit code."""
    signals.install()
    try:
        from branes.cli import app

        return app.run(sys.argv[1:])
    except signals.Interrupted as stop:
        return 128 + stop.number
    except ImportError as error:
        # What tells the user of everything else could not be loaded either.
        os.write(2, f"brane: this installation is incomplete: {error}\n  hint: reinstall branes\n".encode())
        return 125
    finally:
        signals.ignore()
