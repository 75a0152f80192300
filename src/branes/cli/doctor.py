"""`brane doctor`: can this machine run a brane, and if not, what to change. Tries each thing, then runs a brane.

Exit code 0 if a Standard brane can run, 125 if not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from branes.cli import options, output, streams

if TYPE_CHECKING:
    from branes.host import Check

_GREEN, _RED, _YELLOW, _RESET = "\x1b[32m", "\x1b[31m", "\x1b[33m", "\x1b[0m"
#: Says `ok` and ends with 7, so that nothing but its run could have made both.
_PROGRAM: Final = b"""(module
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
  (memory (export "memory") 1)
  (data (i32.const 16) "ok")
  (func (export "_start")
    (i32.store (i32.const 0) (i32.const 16))
    (i32.store (i32.const 4) (i32.const 2))
    (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))
    (call $exit (i32.const 7))))
"""


def command(*, as_json: options.JsonOnly = False) -> int:
    """Check what this machine offers, then run a small program in a brane and show what the kernel says of it."""
    return output.guarded(lambda: _run(as_json=as_json), as_json=as_json)


def _run(*, as_json: bool) -> int:
    from branes import host, state

    checks: list[Check] = []
    for check in host.probe(state.default()):
        checks.append(check)
        if not as_json:
            streams.put(_line(check))
    final, enforced = _try_a_brane()
    checks.append(final)
    can_run = final.ok and all(check.ok for check in checks if check.required)
    if as_json:
        _put_json(checks, enforced, can_run=can_run)
    else:
        streams.put(_line(final) + "".join(_enforced_lines(enforced)) + _verdict(checks, can_run=can_run))
    return 0 if can_run else 125


def _try_a_brane() -> tuple[Check, dict[str, Any]]:
    """Run the program; what the spawn record says was seen of it in /proc."""
    import branes
    from branes.errors import BranesError
    from branes.host import Check

    try:
        done = branes.run(_PROGRAM)
        enforced = _spawn_record(done.run)
    except BranesError as error:
        # Most hints of that kind are to run this command.
        hint = "the checks above say what is missing" if "doctor" in error.hint or not error.hint else error.hint
        return Check(name="a brane", ok=False, detail=error.message, hint=hint), {}
    if (done.exit_code, done.stdout) != (7, b"ok") or not enforced:
        detail = f"it ended with {done.exit_code} after {len(done.stdout)} bytes, expected 7 after 2"
        return Check(name="a brane", ok=False, detail=detail, hint="this is a defect of branes"), enforced
    return Check(name="a brane", ok=True, detail=f"ran in {done.usage.wall * 1000:.1f} ms, run {done.run}"), enforced


def _spawn_record(run: str) -> dict[str, Any]:
    from branes import state
    from branes.audit import tail

    for record in tail(state.default().audit, 100):
        if record.run == run and record.event == "run.spawned":
            return dict(record.done)
    return {}


def _line(check: Check) -> str:
    from branes.text import escape

    mark, colour = ("ok", _GREEN) if check.ok else ("FAIL", _RED) if check.required else ("note", _YELLOW)
    colour, reset = (colour, _RESET) if streams.coloured(streams.STDOUT) else ("", "")
    hint = f"       hint: {escape(check.hint)}\n" if check.hint and not check.ok else ""
    return f"{colour}{mark:5}{reset} {check.name}: {escape(check.detail)}\n{hint}"


def _enforced_lines(done: dict[str, Any]) -> list[str]:
    from branes.text import escape

    seen = done.get("enforced")
    if not isinstance(seen, dict):
        return []
    rows = {
        "status": " ".join(f"{name}={value}" for name, value in seen["status"].items()),
        "namespaces": " ".join(f"{kind}={inode}" for kind, inode in seen["namespaces"].items()),
        "descriptors": " ".join(f"{number}={link}" for number, link in seen["descriptors"].items()),
        "root folder": " ".join(seen["root"]) or "empty",
        "user id": str(seen["uid"]),
        "caps": ", ".join(f"{name}: {holder}" for name, holder in done.get("caps", {}).items()),
    }
    head = "       what /proc showed of it, before it was told to go:\n"
    return [head, *(f"         {name:12} {escape(value)}\n" for name, value in rows.items())]


def _verdict(checks: list[Check], *, can_run: bool) -> str:
    failed = sum(not check.ok and check.required for check in checks)
    return "this machine can run branes\n" if can_run else f"this machine cannot run branes: {failed} checks failed\n"


def _put_json(checks: list[Check], done: dict[str, Any], *, can_run: bool) -> None:
    from dataclasses import asdict

    output.put_json(
        {
            "outcome": "can-run" if can_run else "cannot-run",
            "exit_code": 0 if can_run else 125,
            "checks": [asdict(check) for check in checks],
            "spawned": done,
        }
    )
