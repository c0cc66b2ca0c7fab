;; Says that it is about to, and places one order under a key that this instance has not used.
(module
  (import "tradeagent:strategy/log@0.1.0" "write" (func $write (param i32 i32 i32)))
  ;; key, symbol, order-type, product, validity, quantity, price, trigger, amo, send-by, reason; the answer.
  (import "tradeagent:strategy/buying@0.1.0" "place" (func $place
    (param i32 i32 i32 i32 i32 i32 i32 i32 i64 i32 i64 i32 i32 i64 i32 i32 i32)))
  (memory (export "memory") 1)
  (global $next (mut i32) (i32.const 4096))
  (global $orders (mut i32) (i32.const 0))
  (func (export "cabi_realloc") (param i32 i32 i32) (param $size i32) (result i32)
    (local $at i32)
    (local.set $at (i32.and (i32.add (global.get $next) (i32.const 15)) (i32.const -16)))
    (global.set $next (i32.add (local.get $at) (local.get $size)))
    (block $fits
      (br_if $fits (i32.le_u (global.get $next) (i32.mul (memory.size) (i32.const 65536))))
      (drop (memory.grow (i32.add (i32.div_u (local.get $size) (i32.const 65536)) (i32.const 1)))))
    (local.get $at))
  (data (i32.const 2048) "aaaaaaaa")
  (data (i32.const 2060) "S1000")
  (data (i32.const 2070) "fast above slow")
  (func $run (export "tradeagent:strategy/task@0.1.0#run")
    (param i64 i32 i32 i64 i64 i64 i64 i64 i64) (result i32)
    (local $at i32)
    (global.set $next (i32.const 4096))
    ;; The key: the number of the order, a letter for each half byte.
    (global.set $orders (i32.add (global.get $orders) (i32.const 1)))
    (loop $letters
      (i32.store8
        (i32.add (i32.const 2048) (local.get $at))
        (i32.add (i32.const 97)
          (i32.and (i32.const 15)
            (i32.shr_u (global.get $orders) (i32.mul (local.get $at) (i32.const 4))))))
      (local.set $at (i32.add (local.get $at) (i32.const 1)))
      (br_if $letters (i32.lt_u (local.get $at) (i32.const 8))))
    (call $write (i32.const 0) (i32.const 2070) (i32.const 4))
    ;; A limit order of the day, delivery, 10 shares at 100.00 rupees.
    (call $place
      (i32.const 2048) (i32.const 8) (i32.const 2060) (i32.const 5)
      (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 10) (i64.const 1000000)
      (i32.const 0) (i64.const 0) (i32.const 0) (i32.const 0) (i64.const 0)
      (i32.const 2070) (i32.const 15) (i32.const 3000))
    ;; ok(none): zeroes, which a run before this one may have overwritten.
    (i32.store8 (i32.const 1024) (i32.const 0))
    (i32.store8 (i32.const 1028) (i32.const 0))
    (if (i32.load8_u (i32.const 3000))
      (then
        ;; err(order-error): answer err(failed(text)) with the first text of its case, at 3012.
        (i32.store8 (i32.const 1024) (i32.const 1))
        (i32.store8 (i32.const 1028) (i32.const 2))
        (i32.store (i32.const 1032) (i32.load (i32.const 3012)))
        (i32.store (i32.const 1036) (i32.load (i32.const 3016)))))
    (i32.const 1024)))
