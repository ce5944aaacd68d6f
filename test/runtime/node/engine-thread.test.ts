import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { describe, expect, test } from 'vitest'
import { graphOf } from '../../../src/graph/graph.js'
import { zeros } from '../../../src/graph/initialiser.js'
import { input, linear, parameter } from '../../../src/graph/ops/index.js'
import { chooseRuntime } from '../../../src/runtime/node/choose.js'
import { nativeRuntime } from '../../../src/runtime/node/native.js'
import { engineInThread } from '../../../src/runtime/node/thread/engine-thread.js'
import type { TensorData } from '../../../src/runtime/runtime.js'
import { storedFrom } from '../../../src/weights/stored-from.js'

const rows = 512
const width = 512

/** Big enough that one run takes many milliseconds. */
function work() {
  let x = input('x', [rows, width])
  const weight = parameter('weight', [width, width], zeros)
  const bias = parameter('bias', [width], zeros)
  for (let layer = 0; layer < 6; layer++) x = linear(x, weight, bias)
  const values = Float32Array.from({ length: width * width }, (_, i) => Math.sin(i) / width)
  const weights = new Map([
    ['weight', storedFrom(values, [width, width])],
    ['bias', storedFrom(new Float32Array(width).fill(1), [width])],
  ])
  const inputs = {
    x: { dtype: 'float32' as const, shape: [rows, width], values: new Float32Array(rows * width).fill(0.5) },
  }
  return { graph: graphOf('work', { y: x }), weights, inputs }
}

/** What a million numbers are, short enough to compare at once. */
function digest(tensor: TensorData | undefined): string {
  if (!tensor) throw new Error('no output y')
  const { buffer, byteOffset, byteLength } = tensor.values
  return createHash('sha256')
    .update(new Uint8Array(buffer, byteOffset, byteLength))
    .digest('hex')
}

describe.each(['cpu', 'wasm'] as const)('an engine on a thread of its own, %s', (device) => {
  test('gives what the engine gives on the caller’s thread, and lets the caller go on meanwhile', async () => {
    const { graph, weights, inputs } = work()
    const here = await (await chooseRuntime(device, { thread: 'caller' })).runtime.load(graph, weights)
    const there = await (await chooseRuntime(device)).runtime.load(graph, weights)
    const expected = await here.run(inputs)
    let turns = 0
    let running = true
    const turning = (async () => {
      for (; running; turns++) await new Promise(setImmediate)
    })()
    const found = await there.run(inputs)
    running = false
    await turning
    expect(turns).toBeGreaterThan(10)
    expect(found.y?.shape).toEqual([rows, width])
    expect(digest(found.y)).toBe(digest(expected.y))
    // what was fed still belongs to the caller
    expect(inputs.x.values).toHaveLength(rows * width)
    await here.dispose()
    await there.dispose()
  })

  test('gives each of several runs at once its own answer, and answers stay as they were', async () => {
    const { graph, weights, inputs } = work()
    await using session = await (await chooseRuntime(device)).runtime.load(graph, weights)
    const filled = (value: number) => ({ x: { ...inputs.x, values: inputs.x.values.map(() => value) } })
    const values = [1, 1e3, 1e6]
    const alone: string[] = []
    for (const value of values) alone.push(digest((await session.run(filled(value))).y))
    const together = await Promise.all(values.map((value) => session.run(filled(value))))
    await session.run(filled(4))
    expect(together.map(({ y }) => digest(y))).toEqual(alone)
    expect(new Set(alone).size).toBe(3)
  })

  test('refuses runs after dispose, and disposes once', async () => {
    const { graph, weights, inputs } = work()
    const session = await (await chooseRuntime(device)).runtime.load(graph, weights)
    await session.dispose()
    await session.dispose()
    await expect(session.run(inputs)).rejects.toMatchObject({ code: 'ENGINE' })
  })

  test('says what was wrong with an input', async () => {
    const { graph, weights } = work()
    await using session = await (await chooseRuntime(device)).runtime.load(graph, weights)
    const bad = { x: { dtype: 'float32' as const, shape: [1, 3], values: new Float32Array(3) } }
    await expect(session.run(bad)).rejects.toMatchObject({
      code: 'SHAPE_MISMATCH',
      message: 'The input "x" is [1, 3]; the graph takes [512, 512].',
    })
  })
})

test('a module that can’t be loaded is an error of the one who asked, and leaves no thread', async () => {
  const threads = () => (process.platform === 'linux' ? readdirSync('/proc/self/task').length : 0)
  const before = threads()
  // @ts-expect-error there is no such build
  await expect(engineInThread('onnxruntime-quantum')).rejects.toThrow()
  expect(threads()).toBe(before)
})

test('a thread that starts anew for several sessions at once opens them all', async () => {
  const { graph, weights, inputs } = work()
  const runtime = await nativeRuntime({ engine: await engineInThread('onnxruntime-node') })
  await (await runtime.load(graph, weights)).dispose()
  const sessions = await Promise.all([runtime.load(graph, weights), runtime.load(graph, weights)])
  const answers = await Promise.all(sessions.map((session) => session.run(inputs)))
  expect(new Set(answers.map(({ y }) => digest(y))).size).toBe(1)
  await Promise.all(sessions.map((session) => session.dispose()))
})

test.runIf(process.platform === 'linux')(
  'no thread is left by loading and disposing again and again',
  async () => {
    const { graph, weights, inputs } = work()
    const engine = await engineInThread('onnxruntime-node')
    const runtime = await nativeRuntime({ engine })
    const threads = () => readdirSync('/proc/self/task').length
    const once = async () => {
      const session = await runtime.load(graph, weights, { threads: 3 })
      await session.run(inputs)
      await session.dispose()
    }
    await once()
    const before = threads()
    for (let time = 0; time < 5; time++) await once()
    expect(threads()).toBeLessThanOrEqual(before)
  },
)

test('a program that forgets to dispose ends all the same, without a crash', async () => {
  const index = fileURLToPath(new URL('../../../dist/index.js', import.meta.url))
  const picture = fileURLToPath(new URL('../../../examples/hummingbird.jpg', import.meta.url))
  const program = `
    const { load } = await import(${JSON.stringify(index)})
    const model = await load()
    const { top } = await model.classify(${JSON.stringify(picture)}, { top: 1 })
    console.log(top[0].label)`
  const { stdout, stderr } = await promisify(execFile)(process.execPath, [
    '--input-type=module',
    '-e',
    program,
  ])
  expect(stdout.trim()).toBe('hummingbird')
  expect(stderr).toBe('')
})
