;; Imports a function that no host has, and would call it. Its start function writes "canary".
(component
  (import "wasi:io/error@0.2.0" (instance $error (export "error" (type (sub resource)))))
  (alias export $error "error" (type $io-error))
  (import "wasi:io/streams@0.2.0" (instance $streams
    (export "output-stream" (type $stream (sub resource)))
    (alias outer 1 $io-error (type $outer))
    (export "error" (type $failed (eq $outer)))
    (type $cases (variant (case "last-operation-failed" (own $failed)) (case "closed")))
    (export "stream-error" (type $stream-error (eq $cases)))
    (export "[method]output-stream.blocking-write-and-flush"
      (func (param "self" (borrow $stream)) (param "contents" (list u8)) (result (result (error $stream-error)))))))
  (alias export $streams "output-stream" (type $output-stream))
  (import "wasi:cli/stdout@0.2.0" (instance $stdout
    (alias outer 1 $output-stream (type $outer))
    (export "output-stream" (type $stream (eq $outer)))
    (export "get-stdout" (func (result (own $stream))))))
  (import "host:exec/run" (instance $exec (export "run" (func (param "command" string) (result (result))))))

  (core module $memory (memory (export "memory") 1))
  (core instance $memory (instantiate $memory))
  (core func $get-stdout (canon lower (func $stdout "get-stdout")))
  (core func $write
    (canon lower (func $streams "[method]output-stream.blocking-write-and-flush") (memory $memory "memory")))
  (core func $exec (canon lower (func $exec "run") (memory $memory "memory")))
  (core module $main
    (import "host" "memory" (memory 1))
    (import "host" "get-stdout" (func $get-stdout (result i32)))
    (import "host" "write" (func $write (param i32 i32 i32 i32)))
    (import "host" "exec" (func $exec (param i32 i32) (result i32)))
    (data (i32.const 16) "canary")
    (data (i32.const 32) "id")
    (func $canary (call $write (call $get-stdout) (i32.const 16) (i32.const 6) (i32.const 64)))
    (start $canary)
    (func (export "run") (result i32) (call $exec (i32.const 32) (i32.const 2))))
  (core instance $main (instantiate $main (with "host" (instance
    (export "memory" (memory $memory "memory"))
    (export "get-stdout" (func $get-stdout))
    (export "write" (func $write))
    (export "exec" (func $exec))))))
  (func $run (result (result)) (canon lift (core func $main "run")))
  (instance $exports (export "run" (func $run)))
  (export "wasi:cli/run@0.2.0" (instance $exports)))
