import { readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { chooseRuntime } from '../../src/runtime/node/choose.js'
import type { LaneSource, Runtime } from '../../src/runtime/runtime.js'
import type { Model } from '../../src/tasks/model.js'
import { classifyMany } from '../../src/tasks/node/classify-many.js'
import { embedMany } from '../../src/tasks/node/embed/embed-many.js'
import { evaluate } from '../../src/tasks/node/evaluate/evaluate.js'
import { type LoadModelOptions, load } from '../../src/tasks/node/load.js'
import { expectClose } from '../support/expect-close.js'

const example = (name: string) => fileURLToPath(new URL(`../../examples/${name}.jpg`, import.meta.url))
const names = ['kite', 'hummingbird', 'yurt', 'fly', 'traffic-light', 'fire-engine']
const classes = [21, 94, 915, 308, 920, 555]

/** The examples again and again. */
const paths = (count: number) => Array.from({ length: count }, (_, i) => example(names[i % 6] ?? ''))

/** A model of pictures of a third of the size: it knows these six still, in a third of the time. */
const loadSmall = (name: string, options: LoadModelOptions = {}) => load(name, { imageSize: 128, ...options })

async function preparedExamples(model: Model): Promise<Float32Array[]> {
  return Promise.all(names.map((name) => model.prepare(example(name))))
}

const threads = () => readdirSync('/proc/self/task').length

/** A runtime whose lanes are other ones. */
async function withLanes(change: (source: LaneSource) => LaneSource) {
  const chosen = await chooseRuntime('cpu')
  const { lanes } = chosen.runtime
  if (!lanes) throw new Error('the native library has lanes')
  const runtime: Runtime = { ...chosen.runtime, lanes: change(lanes) }
  return { ...chosen, runtime }
}

describe('many pictures on several engines', () => {
  test('come back in order, the same as one at a time within 1e-5, for each program and setting', async () => {
    await using one = await load('blvit-tiny', { parallel: 1 })
    await using many = await load('blvit-tiny', { parallel: 2 })
    expect(many.planFor(1).lanes).toBe(2)
    const pictures = paths(12)
    for (const keepRatio of [undefined, 0.25]) {
      const results = await many.classify(pictures, { top: 1000, keepRatio })
      expect(results.map(({ top }) => top[0]?.index)).toEqual(pictures.map((_, i) => classes[i % 6]))
      const probabilities = ({ top }: (typeof results)[number]) =>
        top.toSorted((a, b) => a.index - b.index).map(({ probability }) => probability)
      for (const [i, name] of names.entries()) {
        const alone = await one.classify(example(name), { top: 1000, keepRatio })
        for (const result of [results[i], results[i + 6]])
          if (result) expectClose(probabilities(result), probabilities(alone), { atol: 1e-5 })
      }
    }
    const vectors = await many.embed(pictures, { normalize: true })
    for (const [i, name] of names.entries()) {
      const alone = await one.embed(example(name), { normalize: true })
      expectClose(vectors[i] ?? [], alone, { atol: 1e-5 })
      expectClose(vectors[i + 6] ?? [], alone, { atol: 1e-5 })
    }
  })

  test('are what opens the engines where nothing else is said; a few are not', async () => {
    const chosen = await withLanes((lanes) => ({ ...lanes, processors: 3, freeBytes: () => 1e10 }))
    await using model = await loadSmall('vit-tiny', { runtime: Promise.resolve(chosen) })
    expect(model.planFor(4)).toEqual({ lanes: 1, threads: 3 })
    expect(model.planFor(40)).toEqual({ lanes: 3, threads: 1 })
    const before = threads()
    await model.classify(paths(4))
    const withOne = threads()
    await model.classify(paths(20), { top: 1 })
    expect(threads()).toBeGreaterThan(withOne)
    expect(before).toBeLessThanOrEqual(withOne)
    // once open they serve whatever comes, but one picture of another kind opens no engines more
    expect(model.planFor(1).lanes).toBe(3)
    await model.embed(example('yurt'))
    const { top } = await model.classify(example('yurt'), { top: 1 })
    expect(top[0]?.index).toBe(915)
  })

  test('go through one engine where there is no memory for more, or more can’t be started', async () => {
    const poor = await withLanes((lanes) => ({ ...lanes, processors: 4, freeBytes: () => 1e6 }))
    await using model = await loadSmall('vit-tiny', { runtime: Promise.resolve(poor) })
    expect(model.planFor(1000).lanes).toBe(1)

    const open = () => Promise.reject(new Error('no threads left'))
    const broken = await withLanes((lanes) => ({ ...lanes, processors: 4, freeBytes: () => 1e10, open }))
    await using other = await loadSmall('vit-tiny', { runtime: Promise.resolve(broken) })
    expect(other.planFor(1000).lanes).toBe(4)
    const results = await other.classify(paths(18), { top: 1 })
    expect(results.map(({ top }) => top[0]?.index)).toEqual(paths(18).map((_, i) => classes[i % 6]))
    expect(other.planFor(1000).lanes).toBe(1)
    await using asked = await loadSmall('vit-tiny', {
      runtime: withLanes((lanes) => ({ ...lanes, open })),
      parallel: 2,
    })
    await expect(asked.classify(example('kite'))).rejects.toThrow('no threads left')
  })

  test('give their errors each in its place, and the rest go on', async () => {
    await using model = await loadSmall('vit-tiny', { parallel: 2 })
    const pictures = paths(20).map((source, i) => ({ name: `${i}`, source: i % 7 === 3 ? 'no.jpg' : source }))
    const results: string[] = []
    for await (const result of classifyMany(model, pictures, { top: 1 }))
      results.push(
        `${result.name} ${'error' in result ? result.error.code : result.classification.top[0]?.index}`,
      )
    expect(results).toEqual(pictures.map((_, i) => `${i} ${i % 7 === 3 ? 'NOT_FOUND' : classes[i % 6]}`))
    const embedded: string[] = []
    for await (const picture of embedMany(model, pictures))
      embedded.push(`${picture.name} ${'error' in picture ? picture.error.code : picture.vector.length}`)
    expect(embedded).toEqual(pictures.map((_, i) => `${i} ${i % 7 === 3 ? 'NOT_FOUND' : 192}`))
  })

  test('are counted as one engine counts them, at several settings in one pass', async () => {
    const labelled = {
      name: 'examples',
      size: 18,
      async *items() {
        for (const [i, source] of paths(18).entries())
          yield { name: `${i}`, source, label: i % 5 === 0 ? 1 : (classes[i % 6] ?? 0) }
      },
      fingerprint: async () => 'examples',
    }
    const settings = [{ keepRatio: 0.25 }, { keepRatio: 1 }]
    const counts = async (parallel: number) => {
      await using model = await loadSmall('blvit-tiny', { parallel })
      const order: string[] = []
      const onPicture = ({ name }: { name: string }) => order.push(name)
      const { timing: _, ...rest } = await evaluate(model, labelled, { settings, onPicture })
      expect(order).toEqual(paths(18).map((_, i) => `${i}`))
      return rest
    }
    expect(await counts(2)).toEqual(await counts(1))
  })

  test('stop at an abort, and the model goes on', async () => {
    await using model = await loadSmall('vit-tiny', { parallel: 2 })
    await model.warmUp()
    const abort = new AbortController()
    const start = performance.now()
    const all = model.classify(paths(2000), { signal: abort.signal })
    setTimeout(() => abort.abort(), 300)
    await expect(all).rejects.toMatchObject({ code: 'ABORTED' })
    expect(performance.now() - start).toBeLessThan(20_000)
    const { top } = await model.classify(example('fly'), { top: 1 })
    expect(top[0]?.index).toBe(308)
  })

  test('open no more engines than there is work for, and the others when it comes', async () => {
    const atOnce: number[] = []
    const runtime = withLanes((source) => ({
      ...source,
      open: (lanes, options) => {
        atOnce.push(options.atOnce)
        return source.open(lanes, options)
      },
    }))
    await using model = await loadSmall('vit-tiny', { runtime, parallel: 6 })
    await model.classify(paths(2), { top: 1 })
    expect(atOnce).toEqual([2])
    const pixels = await preparedExamples(model)
    const withTwo = threads()
    const calls = Array.from({ length: 12 }, (_, i) => model.logits([pixels[i % 6] ?? new Float32Array()]))
    const highest = (await Promise.all(calls)).map((logits) => logits.indexOf(Math.max(...logits)))
    expect(highest).toEqual([...classes, ...classes])
    expect(threads() - withTwo).toBeGreaterThanOrEqual(4)
    expect(atOnce).toHaveLength(1)
  })

  test('leave no thread behind', async () => {
    const cycle = async () => {
      await using model = await loadSmall('vit-tiny', { parallel: 3 })
      await Promise.all([model.classify(paths(12)), model.embed(paths(12))])
      return threads()
    }
    await cycle()
    const before = threads()
    expect(await cycle()).toBeGreaterThanOrEqual(before + 3)
    // the picture decoder's own pool may have grown by one, and lets it go after a quarter of a minute
    await expect.poll(threads, { timeout: 30_000, interval: 100 }).toBeLessThanOrEqual(before)
  })
})

describe('one model, many callers', () => {
  test('fifty calls at once are answered, each with its own picture', async () => {
    await using model = await loadSmall('vit-tiny')
    const results = await Promise.all(paths(50).map((path) => model.classify(path, { top: 1 })))
    expect(results.map(({ top }) => top[0]?.index)).toEqual(paths(50).map((_, i) => classes[i % 6]))
    // the queue itself has opened the engines, on a machine that has the processors
    expect(model.planFor(1).lanes).toBe(model.planFor(1000).lanes)
  })

  test('different questions and settings don’t mix', async () => {
    await using model = await loadSmall('blvit-tiny', { parallel: 2 })
    const ratios = [0.25, 0.5, 1]
    const alone = new Map<number, number>()
    for (const keepRatio of ratios) {
      const { top } = await model.classify(example('kite'), { top: 1, keepRatio })
      alone.set(keepRatio, top[0]?.probability ?? 0)
    }
    expect(new Set(alone.values()).size).toBe(3)
    const asked = Array.from({ length: 15 }, (_, i) => ratios[i % 3] ?? 1)
    const [answers, vectors] = await Promise.all([
      Promise.all(asked.map((keepRatio) => model.classify(example('kite'), { top: 1, keepRatio }))),
      Promise.all(asked.map((keepRatio) => model.embed(example('kite'), { keepRatio }))),
    ])
    expectClose(
      answers.map(({ top }) => top[0]?.probability ?? 0),
      asked.map((keepRatio) => alone.get(keepRatio) ?? 0),
      { atol: 1e-5 },
    )
    expect(new Set(vectors.map((vector) => vector.length))).toEqual(new Set([192]))
  })

  test('more than the queue holds are refused with BUSY, and those inside are answered', async () => {
    await using model = await loadSmall('vit-tiny', { parallel: 2, queue: 10 })
    const calls = await Promise.allSettled(paths(30).map((path) => model.classify(path, { top: 1 })))
    const refused = calls.filter(({ status }) => status === 'rejected')
    expect(refused).toHaveLength(20)
    for (const call of refused)
      expect(call).toMatchObject({ reason: { code: 'BUSY', fields: { queue: 10 } } })
    expect(calls.slice(0, 10).every(({ status }) => status === 'fulfilled')).toBe(true)
    // an array larger than the queue is one call with few pictures in work at a time
    const results = await model.classify(paths(24), { top: 1 })
    expect(results).toHaveLength(24)
    await expect(load('vit-tiny', { queue: 0 })).rejects.toMatchObject({ code: 'BAD_OPTION' })
  })

  test('one call of a hundred pictures doesn’t hold up calls of one', async () => {
    await using model = await loadSmall('vit-tiny', { parallel: 2 })
    await model.warmUp()
    const pixels = await preparedExamples(model)
    const [kite] = pixels
    if (!kite) throw new Error('no kite')
    let done = false
    const many = model.classify(paths(100), { top: 1 }).then((results) => {
      done = true
      return results
    })
    for (let i = 0; i < 5; i++) {
      const logits = await model.logits([kite])
      expect(logits.indexOf(Math.max(...logits))).toBe(21)
    }
    expect(done).toBe(false)
    expect((await many).map(({ top }) => top[0]?.index)).toEqual(paths(100).map((_, i) => classes[i % 6]))
  })

  test('a picture that never comes doesn’t hold up the others', async () => {
    const { createServer } = await import('node:http')
    const server = createServer((_, response) => {
      response.writeHead(200, { 'content-type': 'image/jpeg' })
      response.write(Uint8Array.of(0xff, 0xd8, 0xff))
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()))
    const { port } = server.address() as { port: number }
    await using model = await loadSmall('vit-tiny')
    const abort = new AbortController()
    const stalled = Array.from({ length: 40 }, () =>
      model.classify(`http://127.0.0.1:${port}/slow.jpg`, { signal: abort.signal }),
    )
    const results = await Promise.all(paths(12).map((path) => model.classify(path, { top: 1 })))
    expect(results.map(({ top }) => top[0]?.index)).toEqual(paths(12).map((_, i) => classes[i % 6]))
    abort.abort()
    for (const call of stalled) await expect(call).rejects.toMatchObject({ code: 'ABORTED' })
    server.closeAllConnections()
    server.close()
  })

  test('calls that wait at the end of the model are told', async () => {
    const model = await loadSmall('vit-tiny', { parallel: 2 })
    const pixels = await preparedExamples(model)
    const calls = Array.from({ length: 20 }, (_, i) => model.logits([pixels[i % 6] ?? new Float32Array()]))
    const settled = Promise.allSettled(calls)
    await model.dispose()
    const ends = await settled
    const refused = ends.filter(({ status }) => status === 'rejected')
    expect(refused.length).toBeGreaterThan(10)
    for (const end of refused) expect(end).toMatchObject({ reason: { message: /was disposed/ } })
    await expect(model.classify(example('kite'))).rejects.toThrow(/was disposed/)
  })

  test('lanes are refused where runs can only follow each other', async () => {
    await expect(load('vit-tiny', { device: 'wasm', parallel: 4 })).rejects.toMatchObject({
      code: 'BAD_OPTION',
    })
    await expect(load('vit-tiny', { threads: 1, parallel: 2 })).rejects.toMatchObject({ code: 'BAD_OPTION' })
    await using wasm = await loadSmall('vit-tiny', { device: 'wasm' })
    expect(wasm.planFor(1000).lanes).toBe(1)
  })
})
