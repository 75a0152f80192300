;; Wants a network and a shell. Neither is in the linker, so that not one instruction of it runs.
(component
  (import "wasi:sockets/tcp-create-socket@0.2.0" (instance))
  (import "host:exec/run" (instance (export "run" (func (param "command" string)))))
  (core module $payload
    (func $start unreachable)
    (start $start))
  (core instance (instantiate $payload)))
