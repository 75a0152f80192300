;; One access to memory, then "canary". Standard input says which (four bytes) and how far from the end of memory (four
;; bytes, signed).
(module
  (import "wasi_snapshot_preview1" "fd_read" (func $fd_read (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func $fd_write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 4)
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
  (func $end (result i32)
    (i32.add (i32.mul (memory.size) (i32.const 65536)) (i32.load (i32.const 68))))
  (func (export "_start") (local $way i32)
    (call $read)
    (local.set $way (i32.load (i32.const 64)))
    (if (i32.eq (local.get $way) (i32.const 0)) (then (drop (i32.load (call $end)))))
    (if (i32.eq (local.get $way) (i32.const 1)) (then (i32.store (call $end) (i32.const 0))))
    (if (i32.eq (local.get $way) (i32.const 2)) (then (drop (i64.load8_u offset=0xffffffff (call $end)))))
    (if (i32.eq (local.get $way) (i32.const 3)) (then (memory.fill (call $end) (i32.const 0) (i32.const 4))))
    (if (i32.eq (local.get $way) (i32.const 4)) (then (memory.copy (i32.const 64) (call $end) (i32.const 4))))
    (call $canary)))
