import { expect, test } from 'vitest'
import { LoadedGraphs } from '../../src/engine/loaded-graphs.js'
import { symbol } from '../../src/graph/dim.js'
import { graphOf } from '../../src/graph/graph.js'
import { add, input } from '../../src/graph/ops/index.js'
import { chooseRuntime } from '../../src/runtime/node/choose.js'

async function load() {
  const x = input('x', [symbol('batch'), 2])
  const graph = graphOf('twice', { sum: add(x, x) })
  const { runtime } = await chooseRuntime('cpu', { thread: 'caller' })
  return { graph, session: await runtime.load(graph, new Map(), {}) }
}

test('a graph is loaded once for each key, and again where loading failed', async () => {
  const graphs = new LoadedGraphs()
  const first = graphs.for('plain', load)
  expect(await graphs.for('plain', () => Promise.reject(new Error('twice')))).toBe(await first)
  await expect(graphs.for('other', () => Promise.reject(new Error('no memory')))).rejects.toThrow('no memory')
  expect((await graphs.for('other', load)).graph.name).toBe('twice')
  await graphs.dispose()
})

test('after dispose nothing is loaded, as nobody would free it', async () => {
  const graphs = new LoadedGraphs()
  const loading = graphs.for('plain', load)
  await graphs.dispose()
  await loading
  await expect(graphs.for('plain', load)).rejects.toMatchObject({
    code: 'ENGINE',
    message: expect.stringMatching(/was disposed/),
  })
})
