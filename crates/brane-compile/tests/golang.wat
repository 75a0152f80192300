;; A program with a heap as the runtime of Go 1.24 to 1.27 keeps it, and with its calling convention: arguments on a
;; stack in memory, above the return address. The break is at 64, the end of what was grown at 72, the page size at 80,
;; the end of the data at 88.
(module
    (@custom "go:buildid" "x")
    (import "wasi_snapshot_preview1" "random_get" (func $random (param i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
    (memory (export "memory") 3)
    (data (i32.const 88) "\00\00\01\00\00\00\00\00")
    (global $sp (mut i32) (i32.const 4096))

    (func $runtime.growMemory (param i32) (result i32) (local $sp i32)
        global.get $sp
        local.set $sp
        local.get $sp
        local.get $sp
        i32.load offset=8
        memory.grow
        i32.store offset=16
        (global.set $sp (i32.add (local.get $sp) (i32.const 8)))
        i32.const 0)

    (func $runtime.osinit (local $rounded i64)
        i64.const 80
        i32.wrap_i64
        i64.const 65536
        i64.store
        i64.const 88
        i32.wrap_i64
        i64.load
        i64.const 65535
        i64.add
        i64.const -65536
        i64.and
        local.set $rounded
        nop
        i64.const 64
        i32.wrap_i64
        local.get $rounded
        i64.store
        i64.const 72
        i32.wrap_i64
        local.get $rounded
        i64.store
        i64.const 72
        i32.wrap_i64
        (i64.mul (i64.extend_i32_u (memory.size)) (i64.const 65536))
        i64.store)

    (func $runtime.sbrk (param i32) (result i32)
        (local $sp i32) (local $bloc i64) (local $max i64) (local $page i64) (local $n i64) (local $end i64)
        (local.set $sp (i32.sub (global.get $sp) (i32.const 40)))
        (global.set $sp (local.get $sp))
        i64.const 64
        i32.wrap_i64
        i64.load
        local.set $bloc
        i64.const 72
        i32.wrap_i64
        i64.load
        local.set $max
        i64.const 80
        i32.wrap_i64
        i64.load
        local.set $page
        (i64.add (i64.load offset=48 (local.get $sp)) (i64.sub (local.get $page) (i64.const 1)))
        (i64.and (i64.sub (i64.const 0) (local.get $page)))
        local.set $n
        (local.set $end (i64.add (local.get $bloc) (local.get $n)))
        (if (i64.lt_u (local.get $max) (local.get $end))
            (then
                (i64.store offset=32 (local.get $sp) (local.get $end))
                (i64.store32
                    (local.get $sp)
                    (i64.div_u (i64.sub (local.get $end) (local.get $max)) (local.get $page)))
                (global.set $sp (i32.sub (local.get $sp) (i32.const 8)))
                i32.const 0
                call $runtime.growMemory
                drop
                (if (i32.lt_s (i32.load offset=8 (local.get $sp)) (i32.const 0)) (then unreachable))
                i64.const 72
                i32.wrap_i64
                local.get $sp
                i64.load offset=32
                i64.store))
        i64.const 64
        i32.wrap_i64
        i64.const 64
        i32.wrap_i64
        i64.load
        local.get $n
        i64.add
        i64.store
        (i64.store offset=56 (local.get $sp) (local.get $bloc))
        (global.set $sp (i32.add (local.get $sp) (i32.const 48)))
        i32.const 0)

    ;; Takes so many pages, fills them, and returns the first address.
    (func $take (param $pages i32) (result i32) (local $length i32)
        (local.set $length (i32.shl (local.get $pages) (i32.const 16)))
        (i64.store (global.get $sp) (i64.extend_i32_u (local.get $length)))
        (global.set $sp (i32.sub (global.get $sp) (i32.const 8)))
        (drop (call $runtime.sbrk (i32.const 0)))
        (memory.fill (i32.load offset=8 (global.get $sp)) (i32.const 0xaa) (local.get $length))
        (i32.load offset=8 (global.get $sp)))

    ;; Leaves with code 1 unless so many pages are as they were filled.
    (func $check (param $address i32) (param $pages i32) (local $end i32)
        (local.set $end (i32.add (local.get $address) (i32.shl (local.get $pages) (i32.const 16))))
        (loop $next
            (if (i32.ne (i32.load8_u (local.get $address)) (i32.const 0xaa))
                (then (call $exit (i32.const 1)) unreachable))
            (local.set $address (i32.add (local.get $address) (i32.const 1)))
            (br_if $next (i32.lt_u (local.get $address) (local.get $end)))))

    ;; Asks the host for 8 random bytes: leaves with code 2 when it gets others than this host gives.
    (func $ask
        (i64.store (i32.const 128) (i64.const 0))
        (if (call $random (i32.const 128) (i32.const 8)) (then unreachable))
        (if (i64.ne (i64.load (i32.const 128)) (i64.const 0x0404040404040404))
            (then (call $exit (i32.const 2)) unreachable)))

    (func (export "_start") (local $before i32) (local $after i32)
        (call $runtime.osinit)
        (local.set $before (call $take (i32.const 1)))
        (call $ask)
        (local.set $after (call $take (i32.const 20)))
        (call $ask)
        (call $check (local.get $before) (i32.const 1))
        (call $check (local.get $after) (i32.const 20))
        (call $exit (i32.const 0))
        unreachable))
