;; Calls a host function that it should not have, with an argument that a terminal would obey.
(component
  (import "host:exec/run@1.0.0" (instance $host (export "run" (func (param "command" string)))))
  (core module $text (memory (export "memory") 1) (data (i32.const 8) "rm\1b[31m -rf"))
  (core instance $text (instantiate $text))
  (alias core export $text "memory" (core memory $memory))
  (alias export $host "run" (func $run))
  (core func $lowered (canon lower (func $run) (memory $memory)))
  (core module $main
    (import "host" "run" (func $run (param i32 i32)))
    (func (export "go") (result i32)
      (call $run (i32.const 8) (i32.const 11))
      (i32.const 0)))
  (core instance $imports (export "run" (func $lowered)))
  (core instance $main (instantiate $main (with "host" (instance $imports))))
  (func $go (result (result)) (canon lift (core func $main "go")))
  (instance $command (export "run" (func $go)))
  (export "wasi:cli/run@0.2.0" (instance $command)))
