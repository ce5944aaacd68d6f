import { afterAll, describe, expect, test } from 'vitest'
import { symbol } from '../../src/graph/dim.js'
import { graphOf } from '../../src/graph/graph.js'
import { input, scaleShift } from '../../src/graph/ops/index.js'
import { nativeRuntime } from '../../src/runtime/node/native.js'
import type { NamedTensors } from '../../src/runtime/runtime.js'
import { webRuntime } from '../../src/runtime/web.js'

const floats = (shape: number[], count = shape.reduce((a, b) => a * b, 1)) => ({
  dtype: 'float32' as const,
  shape,
  values: new Float32Array(count),
})

describe.each([
  ['onnxruntime-node', nativeRuntime],
  ['onnxruntime-web', webRuntime],
] as const)('what a session is fed with, %s', async (_, makeRuntime) => {
  const graph = graphOf('double', { y: scaleShift(input('x', [symbol('batch'), 3]), { scale: 2 }) })
  const session = await (await makeRuntime()).load(graph, new Map())
  afterAll(() => session.dispose())

  test('runs where it fits, whatever a named size is', async () => {
    for (const batch of [1, 5])
      expect((await session.run({ x: floats([batch, 3]) })).y?.shape).toEqual([batch, 3])
  })

  test.each<[string, NamedTensors, string, string]>([
    ['nothing', {}, 'BAD_OPTION', 'The input "x" was not given.'],
    [
      'another name',
      { x: floats([1, 3]), X: floats([1, 3]) },
      'BAD_OPTION',
      'The graph has no input "X". Did you mean "x"? Its inputs are x.',
    ],
    [
      'too few numbers',
      { x: floats([2, 3], 5) },
      'SHAPE_MISMATCH',
      'The input "x" has 5 numbers, but [2, 3] are 6.',
    ],
    [
      'another size',
      { x: floats([2, 4]) },
      'SHAPE_MISMATCH',
      'The input "x" is [2, 4]; the graph takes [batch, 3].',
    ],
    ['fewer axes', { x: floats([3]) }, 'SHAPE_MISMATCH', 'The input "x" is [3]; the graph takes [batch, 3].'],
    [
      'another type',
      { x: { dtype: 'int64', shape: [1, 3], values: new BigInt64Array(3) } },
      'BAD_OPTION',
      'The input "x" is int64; the graph takes float32.',
    ],
  ])('%s is refused', async (_, feeds, code, message) => {
    await expect(session.run(feeds)).rejects.toMatchObject({ code, message })
  })
})
