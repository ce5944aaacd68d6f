import { describe, expect, test } from 'vitest'
import { seededRandom } from '../../src/base/random.js'
import { graphOf } from '../../src/graph/graph.js'
import { zeros } from '../../src/graph/initialiser.js'
import { toOnnx } from '../../src/graph/onnx/write.js'
import { input, linear, parameter } from '../../src/graph/ops/index.js'
import { nativeRuntime } from '../../src/runtime/node/native.js'
import { placeWeights } from '../../src/runtime/place-weights.js'
import type { Runtime } from '../../src/runtime/runtime.js'
import { webRuntime } from '../../src/runtime/web.js'
import { storedFrom } from '../../src/weights/stored-from.js'

/** `outs` maps of the same tokens; one of their outputs has no weights at all. */
function maps({ tokens, inner, columns, outs }: Record<'tokens' | 'inner' | 'columns' | 'outs', number>) {
  const x = input('x', [tokens, inner])
  const names = Array.from({ length: outs }, (_, i) => `map${i}`)
  const outputs = Object.fromEntries(
    names.map((name) => [
      name,
      linear(
        x,
        parameter(`${name}.weight`, [columns, inner], zeros),
        parameter(`${name}.bias`, [columns], zeros),
      ),
    ]),
  )
  const random = seededRandom(1)
  const noise = (length: number) => Float32Array.from({ length }, () => 2 * random() - 1)
  const weights = new Map(
    names.flatMap((name) => {
      const weight = noise(columns * inner)
      weight.fill(0, inner, 2 * inner)
      return [
        [`${name}.weight`, storedFrom(weight, [columns, inner])] as const,
        [`${name}.bias`, storedFrom(noise(columns), [columns])] as const,
      ]
    }),
  )
  const values = noise(tokens * inner)
  // one token a hundred times larger than the others
  for (let i = 0; i < inner; i++) values[i] = 100 * (values[i] ?? 0)
  return {
    graph: graphOf('maps', outputs),
    weights,
    x: { dtype: 'float32' as const, shape: [tokens, inner], values },
  }
}

/** √(mean squared difference ÷ mean square) of some tokens. */
function relativeError(found: Float32Array, exact: Float32Array): number {
  const square = (values: Float32Array) => values.reduce((sum, value) => sum + value * value, 0)
  return Math.sqrt(square(found.map((value, i) => value - (exact[i] ?? 0))) / square(exact))
}

async function errorsOf(size: Parameters<typeof maps>[0], makeRuntime: () => Promise<Runtime>) {
  const { graph, weights, x } = maps(size)
  const runtime = await makeRuntime()
  await using exact = await runtime.load(graph, weights)
  await using rounded = await runtime.load(graph, weights, { precision: 'int8' })
  const [expected, found] = [await exact.run({ x }), await rounded.run({ x })]
  const rows = (values: unknown, from: number, to?: number) =>
    (values as Float32Array).subarray(from * size.columns, to === undefined ? undefined : to * size.columns)
  return Object.keys(expected).map((name) => ({
    large: relativeError(rows(found[name]?.values, 0, 1), rows(expected[name]?.values, 0, 1)),
    others: relativeError(rows(found[name]?.values, 1), rows(expected[name]?.values, 1)),
  }))
}

describe.each([
  ['native', () => nativeRuntime()],
  ['WebAssembly', () => webRuntime()],
])('a product in 8 bits, %s', (_, runtime) => {
  test('that narrows keeps small tokens beside a large one', async () => {
    const [error] = await errorsOf({ tokens: 9, inner: 256, columns: 128, outs: 1 }, runtime)
    expect(error?.large).toBeLessThan(0.03)
    expect(error?.others).toBeLessThan(0.03)
    expect(error?.others).toBeGreaterThan(0) // it did round
  })

  test('that widens rounds all tokens by one scale', async () => {
    const [error] = await errorsOf({ tokens: 9, inner: 128, columns: 256, outs: 1 }, runtime)
    expect(error?.large).toBeLessThan(0.03)
    expect(error?.others).toBeGreaterThan(0.03)
  })

  test('that is thin stays in float32', async () => {
    const [error] = await errorsOf({ tokens: 9, inner: 256, columns: 64, outs: 1 }, runtime)
    expect(error).toEqual({ large: 0, others: 0 })
  })
})

test('products of the same tokens share their rounding', async () => {
  const { graph, weights } = maps({ tokens: 9, inner: 128, columns: 128, outs: 3 })
  const { storageOf } = await placeWeights(weights, { locate: () => undefined })
  const model = Buffer.from(toOnnx(graph, { precision: 'int8', storageOf })).toString('latin1')
  const operators = (name: string) => model.split(`"${String.fromCharCode(name.length)}${name}`).length - 1
  expect(operators('DynamicQuantizeLinear')).toBe(1)
  expect(operators('MatMulInteger')).toBe(3)
})

test('WebGPU refuses it', async () => {
  const { graph, weights } = maps({ tokens: 9, inner: 128, columns: 128, outs: 1 })
  const runtime = await nativeRuntime({ device: 'webgpu' })
  await expect(runtime.load(graph, weights, { precision: 'int8' })).rejects.toMatchObject({
    code: 'UNSUPPORTED',
    message: expect.stringMatching(/--dtype fp32/),
  })
})
