import { expect, test } from 'vitest'
import { type FrameFit, scaleToPicture, sizeInFrame } from '../../src/segmentation/frame.js'
import { axisTaps, scaled } from '../../src/segmentation/logits-scale.js'
import { expectClose } from '../support/expect-close.js'

const frame: FrameFit = {
  height: 128,
  width: 128,
  maskRows: 32,
  maskColumns: 32,
  fit: 'pad',
  upscaling: 'bilinear',
}

test("a picture's longest side becomes the frame's, a strip keeps one pixel", () => {
  expect(sizeInFrame({ height: 75, width: 100 }, frame)).toEqual({ height: 96, width: 128 })
  expect(sizeInFrame({ height: 1, width: 5000 }, frame)).toEqual({ height: 1, width: 128 })
  expect(sizeInFrame({ height: 75, width: 100 }, { ...frame, fit: 'squash' })).toEqual({
    height: 128,
    width: 128,
  })
})

test('logits go to the frame, are cut to the picture and scaled to its size, as if step by step', () => {
  const logits = Float32Array.from({ length: 32 * 32 }, (_, at) => Math.sin(at * 1.7) * 5)
  const picture = { height: 75, width: 100 }
  const axis = (from: number, to: number) => axisTaps('bilinear', { from, to })
  const whole = scaled(logits, { height: 32, width: 32 }, { rows: axis(32, 128), columns: axis(32, 128) })
  const cut = Float32Array.from({ length: 96 * 128 }, (_, at) => whole[at] ?? Number.NaN)
  const stepwise = scaled(cut, { height: 96, width: 128 }, { rows: axis(96, 75), columns: axis(128, 100) })
  const atOnce = scaled(logits, { height: 32, width: 32 }, scaleToPicture(picture, frame))
  // the steps round to float32 between
  expectClose(atOnce, stepwise, { atol: 1e-5 })
})
