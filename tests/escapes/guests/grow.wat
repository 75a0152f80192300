;; Grows by a MiB at a time, memory or a table as the first byte of standard input says, until it is refused; "canary" if
;; it got 128 MiB.
(module
  (import "wasi_snapshot_preview1" "fd_read" (func $fd_read (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func $fd_write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (table $table 0 funcref)
  (data (i32.const 16) "canary")
  ;; Eight bytes of standard input, to address 64.
  (func $read
    (i32.store (i32.const 0) (i32.const 64))
    (i32.store (i32.const 4) (i32.const 8))
    (drop (call $fd_read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 8))))
  (func $canary
    (i32.store (i32.const 0) (i32.const 16))
    (i32.store (i32.const 4) (i32.const 6))
    (drop (call $fd_write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8))))
  (func $more (result i32)
    (if (result i32) (i32.load8_u (i32.const 64))
      (then (table.grow $table (ref.null func) (i32.const 65536)))
      (else (memory.grow (i32.const 16)))))
  (func (export "_start") (local $got i32)
    (call $read)
    (block $refused
      (loop $again
        (br_if $refused (i32.eq (call $more) (i32.const -1)))
        (local.set $got (i32.add (local.get $got) (i32.const 1)))
        (br_if $again (i32.lt_u (local.get $got) (i32.const 128))))
      (call $canary))))
