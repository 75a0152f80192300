;; The same as `invented.wat` as a core module: an import that WASI preview 1 does not have.
(module
  (import "host" "exec" (func $exec (param i32 i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 32) "id")
  (func (export "_start") (drop (call $exec (i32.const 32) (i32.const 2)))))
