;; Wants a network, a shell and more; its start function would trap if one byte of it ran.
(component
  (import "wasi:sockets/tcp@0.2.0" (instance))
  (import "wasi:cli/stdout@0.2.0" (instance))
  (import "wasi:http/outgoing-handler@0.2.0" (instance))
  (import "host:exec/run" (instance (export "run" (func (param "command" string)))))
  (core module $payload
    (func $start unreachable)
    (start $start))
  (core instance (instantiate $payload)))
