;; A plugin as `examples/plugins.py` calls it: it says of a file, by name and size, whether to keep it.
;; As WIT: variant verdict { keep, drop(string) }; export judge: func(name: string, size: u32) -> verdict;
(component
  (core module $code
    (memory (export "memory") 1)
    (data (i32.const 0) "larger than 1000 bytes")
    (global $next (mut i32) (i32.const 1024))
    (func (export "realloc") (param i32 i32 i32 i32) (result i32)
      (local $at i32)
      (local.set $at (global.get $next))
      (global.set $next (i32.add (local.get $at) (i32.and (i32.add (local.get 3) (i32.const 15)) (i32.const -16))))
      (local.get $at))
    (func (export "judge") (param $name i32) (param $length i32) (param $size i32) (result i32)
      (i32.store8 (i32.const 512) (i32.gt_u (local.get $size) (i32.const 1000)))
      (i32.store (i32.const 516) (i32.const 0))
      (i32.store (i32.const 520) (i32.const 22))
      (i32.const 512))
    (func (export "done") (param i32) (global.set $next (i32.const 1024))))
  (core instance $code (instantiate $code))
  (type $cases (variant (case "keep") (case "drop" string)))
  (export $verdict "verdict" (type $cases))
  (func (export "judge") (param "name" string) (param "size" u32) (result $verdict)
    (canon lift (core func $code "judge")
      (memory $code "memory") (realloc (func $code "realloc")) (post-return (func $code "done")))))
