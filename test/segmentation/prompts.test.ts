import { describe, expect, test } from 'vitest'
import {
  alikePrompts,
  checkPrompts,
  framePrompts,
  type Prompt,
  type PromptFrame,
} from '../../src/segmentation/prompts.js'

const frame: PromptFrame = {
  height: 128,
  width: 128,
  maskRows: 32,
  maskColumns: 32,
  fit: 'pad',
  upscaling: 'bilinear',
  takesMasks: true,
  takesNegativePoints: true,
}
const picture = { height: 75, width: 100 }

test('points and boxes go to the frame by the scale of each side', () => {
  const prompts: Prompt[] = [
    {
      points: [
        { x: 50, y: 30 },
        { x: 0, y: 0, label: 0 },
      ],
      box: [10, 15, 50, 75],
    },
  ]
  const framed = framePrompts(prompts, picture, frame)
  expect(framed.count).toBe(1)
  expect([...(framed.points ?? [])].map((x) => x.toFixed(3))).toEqual(['64.000', '38.400', '0.000', '0.000'])
  expect([...(framed.labels ?? [])]).toEqual([1, 0])
  expect([...(framed.boxes ?? [])].map((x) => x.toFixed(3))).toEqual(['12.800', '19.200', '64.000', '96.000'])
  expect(framed.masks).toBeUndefined()
})

test('a mask in pixels becomes logits of its part of the frame; logits stay as they are', () => {
  const values = Uint8Array.from({ length: 75 * 100 }, (_, at) => Number(at % 100 < 50))
  const { masks } = framePrompts([{ mask: { ...picture, values } }], picture, frame)
  const rows = Array.from({ length: 32 }, (_, row) => [
    ...(masks ?? new Float32Array(0)).subarray(row * 32, (row + 1) * 32),
  ])
  expect(rows[0]?.slice(0, 15)).toEqual(Array(15).fill(10))
  expect(rows[0]?.slice(17)).toEqual(Array(15).fill(-10))
  // 75 of 100 rows: the rest of the frame is empty
  expect(rows[24]).toEqual(Array(32).fill(-10))
  const logits = Float32Array.from({ length: 1024 }, (_, at) => at)
  expect(framePrompts([{ mask: { rows: 32, columns: 32, logits } }], picture, frame).masks).toEqual(logits)
})

test('prompts of different kinds go into different runs', () => {
  const point = { points: [{ x: 1, y: 1 }] }
  const two = {
    points: [
      { x: 1, y: 1 },
      { x: 2, y: 2 },
    ],
  }
  const box = { box: [0, 0, 5, 5] as const }
  expect(alikePrompts([point, box, two, point]).map(({ places }) => places)).toEqual([[0, 3], [1], [2]])
})

describe('refused, with words that say what is wrong', () => {
  const point = (x: number, y: number, label?: number): Prompt => ({
    points: [{ x, y, label: label as 0 | 1 }],
  })
  test.each<[string, Prompt, RegExp]>([
    ['nothing', {}, /nothing is said/],
    ['a point outside', point(100, 10), /\(100, 10\).*outside the picture, 100 × 75/],
    ['a point before the corner', point(-1, 10), /outside/],
    ['NaN', point(Number.NaN, 3), /must be two numbers/],
    ['another label', point(3, 3, 2), /label 2/],
    ['an empty box', { box: [10, 10, 10, 20] }, /is empty/],
    ['a box that is turned round', { box: [20, 10, 10, 20] }, /is empty/],
    ['a box beyond the picture', { box: [0, 0, 101, 20] }, /goes beyond the picture/],
    ['a box of NaN', { box: [0, 0, Number.NaN, 20] }, /four numbers/],
    ['a mask of another size', { mask: { height: 4, width: 4, values: new Uint8Array(16) } }, /4 × 4 pixels/],
    [
      'logits of another size',
      { mask: { rows: 16, columns: 16, logits: new Float32Array(256) } },
      /16 × 16 logits/,
    ],
    ['an unknown part', { point: [] } as Prompt, /point/],
    ['no prompt', undefined as unknown as Prompt, /the prompt is undefined/],
    ['one point', { points: { x: 1, y: 1 } } as unknown as Prompt, /points of the prompt must be a list/],
    ['a point that is null', { points: [null] } as unknown as Prompt, /must be a list: \[\{ x: 210/],
    ['a point as a list', { points: [[3, 4]] } as unknown as Prompt, /must be two numbers/],
    ['a box by names', { box: { left: 1 } } as unknown as Prompt, /left, top, right, bottom/],
    ['a mask’s file', { mask: 'mask.png' } as unknown as Prompt, /height, width, values/],
    ['too many points', { points: Array.from({ length: 1001 }, () => ({ x: 1, y: 1 })) }, /1001 points/],
  ])('%s', (_, prompt, words) => {
    expect(() => checkPrompts([prompt], picture, frame)).toThrow(
      expect.objectContaining({ code: 'BAD_OPTION' }),
    )
    expect(() => checkPrompts([prompt], picture, frame)).toThrow(words)
  })

  test('too many prompts, and the number of the one that is wrong', () => {
    const many = Array.from({ length: 10_001 }, () => point(1, 1))
    expect(() => checkPrompts(many, picture, frame)).toThrow(/10001 prompts are too many/)
    expect(() => checkPrompts([point(1, 1), point(1, 99)], picture, frame)).toThrow(/prompt 2 lies outside/)
  })

  test('what a model can’t be told', () => {
    const efficient = { ...frame, takesMasks: false, takesNegativePoints: false, points: 6 }
    const five = Array.from({ length: 5 }, () => ({ x: 1, y: 1 }))
    const drawn = { mask: { ...picture, values: new Uint8Array(7500) } }
    expect(() => checkPrompts([{ points: five }], picture, efficient)).not.toThrow()
    for (const prompt of [point(1, 1, 0), drawn, { points: five, box: [0, 0, 9, 9] as const }]) {
      expect(() => checkPrompts([prompt], picture, efficient)).toThrow(
        expect.objectContaining({ code: 'UNSUPPORTED' }),
      )
    }
  })
})
