;; "canary" if there is any variable in the environment, or any argument after the program's name.
(module
  (import "wasi_snapshot_preview1" "environ_sizes_get" (func $environment (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "args_sizes_get" (func $arguments (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func $fd_write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 16) "canary")
  (func $canary
    (i32.store (i32.const 0) (i32.const 16))
    (i32.store (i32.const 4) (i32.const 6))
    (drop (call $fd_write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8))))
  (func (export "_start")
    (drop (call $environment (i32.const 64) (i32.const 68)))
    (drop (call $arguments (i32.const 72) (i32.const 76)))
    (if (i32.or (i32.load (i32.const 64)) (i32.gt_u (i32.load (i32.const 72)) (i32.const 1))) (then (call $canary)))))
