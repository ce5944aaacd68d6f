;; What is done to every pixel of every picture: the two passes of a resize, as image/resize.ts describes them (8 bits in
;; and out, weights in 22 binary places), and the look-up of normalised values.
(module
  (memory (export "memory") 1)
  (global $half i32 (i32.const 2097152)) ;; a half in 22 binary places

  ;; Narrows rows: [rows, width, 3] → [rows, columns, 3]. Reads and writes one byte beyond the last pixel.
  (func (export "columns")
    (param $source i32) (param $width i32) (param $rows i32)
    (param $starts i32) (param $counts i32) (param $weights i32) (param $stride i32)
    (param $columns i32) (param $target i32)
    (local $column i32) (local $from i32) (local $tap i32) (local $end i32) (local $sum v128)
    (if (i32.eqz (local.get $rows)) (then return))
    (loop $row
      (local.set $column (i32.const 0))
      (loop $each
        (local.set $from (i32.add (local.get $source)
          (i32.mul (i32.const 3) (i32.load (i32.add (local.get $starts) (i32.shl (local.get $column) (i32.const 2)))))))
        (local.set $tap (i32.add (local.get $weights)
          (i32.shl (i32.mul (local.get $column) (local.get $stride)) (i32.const 2))))
        (local.set $end (i32.add (local.get $tap)
          (i32.shl (i32.load (i32.add (local.get $counts) (i32.shl (local.get $column) (i32.const 2)))) (i32.const 2))))
        (local.set $sum (i32x4.splat (global.get $half)))
        (loop $taps
          (local.set $sum (i32x4.add (local.get $sum) (i32x4.mul
            (i32x4.extend_low_i16x8_u (i16x8.extend_low_i8x16_u (v128.load32_zero (local.get $from))))
            (v128.load32_splat (local.get $tap)))))
          (local.set $from (i32.add (local.get $from) (i32.const 3)))
          (local.set $tap (i32.add (local.get $tap) (i32.const 4)))
          (br_if $taps (i32.lt_u (local.get $tap) (local.get $end))))
        ;; narrowing saturates: it clips to 0 … 255
        (local.set $sum (i32x4.shr_s (local.get $sum) (i32.const 22)))
        (local.set $sum (i16x8.narrow_i32x4_s (local.get $sum) (local.get $sum)))
        (v128.store32_lane 0 (local.get $target) (i8x16.narrow_i16x8_u (local.get $sum) (local.get $sum)))
        (local.set $target (i32.add (local.get $target) (i32.const 3)))
        (local.set $column (i32.add (local.get $column) (i32.const 1)))
        (br_if $each (i32.lt_u (local.get $column) (local.get $columns))))
      (local.set $source (i32.add (local.get $source) (i32.mul (i32.const 3) (local.get $width))))
      (local.set $rows (i32.sub (local.get $rows) (i32.const 1)))
      (br_if $row (local.get $rows))))

  ;; Looks up every third byte in a table of 256 floats.
  (func (export "lookUp") (param $source i32) (param $count i32) (param $table i32) (param $target i32)
    (local $end i32)
    (local.set $end (i32.add (local.get $target) (i32.shl (local.get $count) (i32.const 2))))
    (loop $each
      (f32.store (local.get $target)
        (f32.load (i32.add (local.get $table) (i32.shl (i32.load8_u (local.get $source)) (i32.const 2)))))
      (local.set $source (i32.add (local.get $source) (i32.const 3)))
      (local.set $target (i32.add (local.get $target) (i32.const 4)))
      (br_if $each (i32.lt_u (local.get $target) (local.get $end)))))

  ;; Weighs rows of $pitch bytes, a multiple of 16, into one: row $first of the source and those after it.
  (func (export "row")
    (param $source i32) (param $pitch i32) (param $weights i32) (param $taps i32) (param $target i32)
    (local $at i32) (local $from i32) (local $tap i32) (local $end i32)
    (local $bytes v128) (local $weight v128) (local $half v128)
    (local $a v128) (local $b v128) (local $c v128) (local $d v128)
    (local.set $end (i32.add (local.get $weights) (i32.shl (local.get $taps) (i32.const 2))))
    (loop $each
      (local.set $a (i32x4.splat (global.get $half)))
      (local.set $b (local.get $a))
      (local.set $c (local.get $a))
      (local.set $d (local.get $a))
      (local.set $from (i32.add (local.get $source) (local.get $at)))
      (local.set $tap (local.get $weights))
      (loop $tapped
        (local.set $bytes (v128.load (local.get $from)))
        (local.set $weight (v128.load32_splat (local.get $tap)))
        (local.set $half (i16x8.extend_low_i8x16_u (local.get $bytes)))
        (local.set $a (i32x4.add (local.get $a) (i32x4.mul (i32x4.extend_low_i16x8_u (local.get $half)) (local.get $weight))))
        (local.set $b (i32x4.add (local.get $b) (i32x4.mul (i32x4.extend_high_i16x8_u (local.get $half)) (local.get $weight))))
        (local.set $half (i16x8.extend_high_i8x16_u (local.get $bytes)))
        (local.set $c (i32x4.add (local.get $c) (i32x4.mul (i32x4.extend_low_i16x8_u (local.get $half)) (local.get $weight))))
        (local.set $d (i32x4.add (local.get $d) (i32x4.mul (i32x4.extend_high_i16x8_u (local.get $half)) (local.get $weight))))
        (local.set $from (i32.add (local.get $from) (local.get $pitch)))
        (local.set $tap (i32.add (local.get $tap) (i32.const 4)))
        (br_if $tapped (i32.lt_u (local.get $tap) (local.get $end))))
      (v128.store (i32.add (local.get $target) (local.get $at))
        (i8x16.narrow_i16x8_u
          (i16x8.narrow_i32x4_s (i32x4.shr_s (local.get $a) (i32.const 22)) (i32x4.shr_s (local.get $b) (i32.const 22)))
          (i16x8.narrow_i32x4_s (i32x4.shr_s (local.get $c) (i32.const 22)) (i32x4.shr_s (local.get $d) (i32.const 22)))))
      (local.set $at (i32.add (local.get $at) (i32.const 16)))
      (br_if $each (i32.lt_u (local.get $at) (local.get $pitch)))))
)
