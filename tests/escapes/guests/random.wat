;; Asks for as many random bytes as the eight bytes of standard input say, then writes "canary".
(component
  (import "wasi:io/error@0.2.0" (instance $error (export "error" (type (sub resource)))))
  (alias export $error "error" (type $io-error))
  (import "wasi:io/streams@0.2.0" (instance $streams
    (export "output-stream" (type $output (sub resource)))
    (export "input-stream" (type $input (sub resource)))
    (alias outer 1 $io-error (type $outer))
    (export "error" (type $failed (eq $outer)))
    (type $cases (variant (case "last-operation-failed" (own $failed)) (case "closed")))
    (export "stream-error" (type $stream-error (eq $cases)))
    (export "[method]input-stream.blocking-read"
      (func (param "self" (borrow $input)) (param "len" u64) (result (result (list u8) (error $stream-error)))))
    (export "[method]output-stream.blocking-write-and-flush"
      (func (param "self" (borrow $output)) (param "contents" (list u8)) (result (result (error $stream-error)))))))
  (alias export $streams "output-stream" (type $output-stream))
  (alias export $streams "input-stream" (type $input-stream))
  (import "wasi:cli/stdin@0.2.0" (instance $stdin
    (alias outer 1 $input-stream (type $outer))
    (export "input-stream" (type $stream (eq $outer)))
    (export "get-stdin" (func (result (own $stream))))))
  (import "wasi:cli/stdout@0.2.0" (instance $stdout
    (alias outer 1 $output-stream (type $outer))
    (export "output-stream" (type $stream (eq $outer)))
    (export "get-stdout" (func (result (own $stream))))))
  (import "wasi:random/random@0.2.0" (instance $random
    (export "get-random-bytes" (func (param "len" u64) (result (list u8))))))

  (core module $memory
    (memory (export "memory") 16)
    (global $next (mut i32) (i32.const 4096))
    (func (export "realloc") (param i32 i32 i32 i32) (result i32)
      (global.get $next)
      (global.set $next (i32.add (global.get $next) (i32.and (i32.add (local.get 3) (i32.const 15)) (i32.const -16))))))
  (core instance $memory (instantiate $memory))
  (core func $get-stdin (canon lower (func $stdin "get-stdin")))
  (core func $get-stdout (canon lower (func $stdout "get-stdout")))
  (core func $read (canon lower (func $streams "[method]input-stream.blocking-read")
    (memory $memory "memory") (realloc (func $memory "realloc"))))
  (core func $write
    (canon lower (func $streams "[method]output-stream.blocking-write-and-flush") (memory $memory "memory")))
  (core func $random (canon lower (func $random "get-random-bytes")
    (memory $memory "memory") (realloc (func $memory "realloc"))))
  (core module $main
    (import "host" "memory" (memory 1))
    (import "host" "get-stdin" (func $get-stdin (result i32)))
    (import "host" "get-stdout" (func $get-stdout (result i32)))
    (import "host" "read" (func $read (param i32 i64 i32)))
    (import "host" "write" (func $write (param i32 i32 i32 i32)))
    (import "host" "random" (func $random (param i64 i32)))
    (data (i32.const 16) "canary")
    (func (export "run") (result i32)
      (call $read (call $get-stdin) (i64.const 8) (i32.const 64))
      (call $random (i64.load (i32.load (i32.const 68))) (i32.const 80))
      (call $write (call $get-stdout) (i32.const 16) (i32.const 6) (i32.const 64))
      (i32.const 0)))
  (core instance $main (instantiate $main (with "host" (instance
    (export "memory" (memory $memory "memory"))
    (export "get-stdin" (func $get-stdin))
    (export "get-stdout" (func $get-stdout))
    (export "read" (func $read))
    (export "write" (func $write))
    (export "random" (func $random))))))
  (func $run (result (result)) (canon lift (core func $main "run")))
  (instance $exports (export "run" (func $run)))
  (export "wasi:cli/run@0.2.0" (instance $exports)))
