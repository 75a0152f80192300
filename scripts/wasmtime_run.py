"""One command component in PyPI's wasmtime, as `scripts/conformance` asks for it; ends with the program's exit code."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from wasmtime import Engine, ExitTrap, Store, WasiConfig, WasmtimeError
from wasmtime.component import Component, Linker

TRAPPED = 134


def main(asked: str) -> int:
    """Run what the JSON text says: `component`, `argv`, `env`, `root`."""
    told = json.loads(asked)
    engine = Engine()
    store, linker = Store(engine), Linker(engine)
    linker.add_wasip2()
    store.set_wasi(configuration(told))
    component = Component(engine, Path(told["component"]).read_bytes())
    instance = linker.instantiate(store, component)
    interface = next(name for name in component.type.exports(engine) if name.startswith("wasi:cli/run@"))
    found = instance.get_func(
        store, instance.get_export_index(store, "run", instance.get_export_index(store, interface))
    )
    try:
        return 0 if found(store).tag == "ok" else 1
    except ExitTrap as left:
        return int(left.code)
    except WasmtimeError as error:
        print(f"\n{error}", file=sys.stderr)
        return TRAPPED


def configuration(told: dict[str, object]) -> WasiConfig:
    """What the program gets of WASI."""
    config = WasiConfig()
    config.argv, config.env = told["argv"], told["env"]
    config.inherit_stdin()
    config.inherit_stdout()
    config.inherit_stderr()
    if told["root"]:
        config.preopen_dir(told["root"], "/")
    return config


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
