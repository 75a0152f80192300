;; Imports an interface that is granted, with a function of another type than it has.
(component
  (import "wasi:cli/stdout@0.2.0" (instance (export "get-stdout" (func (param "x" u32) (result u32)))))
  (core module $main (func (export "go") (result i32) (i32.const 0)))
  (core instance $main (instantiate $main))
  (func $go (result (result)) (canon lift (core func $main "go")))
  (instance $command (export "run" (func $go)))
  (export "wasi:cli/run@0.2.0" (instance $command)))
