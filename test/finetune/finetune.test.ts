import { existsSync } from 'node:fs'
import { copyFile, mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { openDataSet } from '../../src/data/open-data-set.js'
import { type Finetuned, finetune } from '../../src/finetune/finetune.js'
import type { FinetuneProgress } from '../../src/finetune/finetune-options.js'
import { convertFolder } from '../../src/model-store/node/convert-folder.js'
import { openModel } from '../../src/model-store/node/open-model.js'
import { evaluate } from '../../src/tasks/node/evaluate/evaluate.js'
import { load } from '../../src/tasks/node/load.js'
import { writeColour, writeColours } from '../support/coloured-pictures.js'
import { temporaryFolder } from '../support/temporary-folder.js'
import { writeTinyRouted, writeTinyVit } from '../support/tiny-training.js'

const folder = temporaryFolder()
const vit = join(folder, 'vit')
const pictures = join(folder, 'pictures')
const others = join(folder, 'others')
let outputs = 0
const newOutput = () => join(folder, `out-${outputs++}`)

beforeAll(async () => {
  await writeTinyVit(vit)
  await writeColours(pictures, { count: 8 })
  for (const colour of ['red', 'green', 'blue'] as const) {
    for (let i = 20; i < 24; i++) await writeColour(join(others, colour, `${i}.png`), colour, i)
  }
})
beforeEach(() => {
  vi.stubEnv('XDG_CACHE_HOME', join(folder, 'cache'))
})

/** A head learned from the pictures, once for all tests that look at it. */
let learnedOnce: Promise<{ output: string; report: Finetuned['report'] }> | undefined
function learned() {
  const output = newOutput()
  learnedOnce ??= finetune(vit, pictures, { output, threads: 1 }).then(({ report }) => ({ output, report }))
  return learnedOnce
}

describe('finetune', () => {
  test('gives a model folder of the classes that the folders name, which answers pictures that it never saw', async () => {
    const { output, report } = await learned()
    expect(report.pictures).toBe(24)
    expect(report.classes.map(({ label, pictures: count }) => [label, count])).toEqual([
      ['blue', 8],
      ['green', 8],
      ['red', 8],
    ])
    expect(report.heldOut.accuracy.of).toBe(24)
    expect(report.heldOut.accuracy.share).toBeGreaterThan(0.9)
    expect((await readdir(output)).sort()).toEqual(
      expect.arrayContaining(['README.md', 'config.json', 'model.safetensors', 'report.json']),
    )
    await using model = await load(output, { threads: 1 })
    expect(model.labels).toEqual(['blue', 'green', 'red'])
    const data = await openDataSet(others, { labels: model.labels })
    const { results } = await evaluate(model, data)
    expect(results[0]?.top1.count).toBe(12)
  })

  test('a second run takes the features of known pictures from the cache, by content, and ends with the same bytes', async () => {
    const { output: first } = await learned()
    const second = newOutput()
    const renamed = join(folder, 'renamed')
    for (const colour of ['red', 'green', 'blue']) {
      await mkdir(join(renamed, colour), { recursive: true })
      for (let i = 0; i < 8; i++)
        await copyFile(join(pictures, colour, `${i}.png`), join(renamed, colour, `${i}.png`))
    }
    const seen: FinetuneProgress[] = []
    await finetune(vit, renamed, { output: second, threads: 1, onProgress: (state) => seen.push(state) })
    const features = seen.flatMap((state) => (state.phase === 'features' ? [state] : []))
    expect(features.at(-1)).toMatchObject({ done: 24, cached: 24 })
    const weights = (output: string) => readFile(join(output, 'model.safetensors'))
    expect((await weights(second)).equals(await weights(first))).toBe(true)
  })

  test('the head is what changes', async () => {
    const { output } = await learned()
    const [before, after] = [await openModel(vit), await openModel(output)]
    const bytes = async (files: typeof before, name: string) => {
      const tensor = files.weights.get(name)
      const [segment] = tensor?.segments ?? []
      return segment && (await segment.source.read(segment.offset, segment.sizeBytes))
    }
    for (const name of before.weights.keys()) {
      if (name.startsWith('head.')) continue
      expect(await bytes(after, name), name).toEqual(await bytes(before, name))
    }
    expect(after.weights.get('head.weight')?.shape).toEqual([3, 64])
  })
})

describe('data that no classifier can be made of is refused by name, and nothing is written', () => {
  async function refused(data: string, options = {}) {
    const output = newOutput()
    const failure = await finetune(vit, data, { output, threads: 1, ...options }).catch((thrown) => thrown)
    expect(existsSync(output)).toBe(false)
    expect((await readdir(folder)).filter((name) => name.includes('incomplete'))).toEqual([])
    return failure
  }

  async function data(name: string, counts: Readonly<Record<string, number>>): Promise<string> {
    for (const [label, count] of Object.entries(counts)) {
      await mkdir(join(folder, name, label), { recursive: true })
      for (let i = 0; i < count; i++)
        await writeColour(join(folder, name, label, `${i}.png`), 'red', 10 * label.length + i)
    }
    return join(folder, name)
  }

  test('a class with one picture', async () => {
    const failure = await refused(await data('one-picture', { cats: 3, dog: 1 }))
    expect(failure).toMatchObject({ code: 'BAD_DATA', message: expect.stringContaining('"dog" has one') })
  })

  test('an empty class', async () => {
    const failure = await refused(await data('empty', { cats: 3, dog: 0, horse: 3 }))
    expect(failure).toMatchObject({ code: 'BAD_DATA', message: expect.stringContaining('"dog" has none') })
  })

  test('one class only', async () => {
    const failure = await refused(await data('one-class', { cats: 3 }))
    expect(failure).toMatchObject({
      code: 'BAD_DATA',
      message: expect.stringContaining('one class only, "cats"'),
    })
  })

  test('no classes at all', async () => {
    const failure = await refused(join(pictures, 'red'))
    expect(failure).toMatchObject({
      code: 'BAD_DATA',
      message: expect.stringContaining('no labels to learn'),
    })
  })

  test('30,000 classes', async () => {
    const list = join(folder, 'many.csv')
    const rows = Array.from({ length: 60_000 }, (_, i) => `${i}.png,class-${i % 30_000}`)
    await writeFile(list, ['file,label', ...rows].join('\n'))
    const failure = await refused(list)
    expect(failure).toMatchObject({ code: 'BAD_DATA', message: expect.stringContaining('30000 classes') })
  })

  test('an output that is there', async () => {
    const failure = await finetune(vit, pictures, { output: others }).catch((thrown) => thrown)
    expect(failure).toMatchObject({
      code: 'WRITE_FAILED',
      message: expect.stringContaining('is there already'),
    })
  })

  test('Ctrl-C while features are made', async () => {
    const interruption = new AbortController()
    const failure = await refused(pictures, {
      ...{ cache: false, batch: 4, signal: interruption.signal },
      onProgress: () => interruption.abort(),
    })
    expect(failure).toMatchObject({ code: 'ABORTED' })
  })
})

describe('pictures that can’t be used are named and left out', () => {
  test('unreadable ones, unknown files of a labels.csv, and the same picture in two classes', async () => {
    const data = join(folder, 'bad')
    for (const colour of ['red', 'blue'] as const)
      for (let i = 0; i < 5; i++) await writeColour(join(data, `${colour}-${i}.png`), colour, i)
    await copyFile(join(data, 'red-4.png'), join(data, 'blue-again.png'))
    await writeFile(join(data, 'broken.png'), 'no picture')
    const rows = ['red', 'blue'].flatMap((colour) =>
      [0, 1, 2, 3, 4].map((i) => `${colour}-${i}.png,${colour}`),
    )
    const bad = ['blue-again.png,blue', 'broken.png,red', 'gone.png,blue', 'red-0.png,blue']
    await writeFile(join(data, 'labels.csv'), ['file,label', ...rows, ...bad].join('\n'))
    const { report } = await finetune(vit, data, { output: newOutput(), threads: 1 })
    expect(report.pictures).toBe(9)
    expect(report.failures.map(({ name, code }) => [name, code]).sort()).toEqual([
      ['blue-again.png', 'BAD_DATA'],
      ['broken.png', 'BAD_IMAGE'],
      ['gone.png', 'NOT_FOUND'],
      ['red-0.png', 'BAD_DATA'],
      ['red-4.png', 'BAD_DATA'],
    ])
    const message = report.failures.find(({ name }) => name === 'red-4.png')?.message
    expect(message).toContain('the same picture in red (red-4.png) and in blue (blue-again.png)')
  })

  test('a class that doubles emptied: the message says that they did', async () => {
    const data = join(folder, 'emptied')
    for (let i = 0; i < 4; i++) await writeColour(join(data, 'red', `${i}.png`), 'red', i)
    await mkdir(join(data, 'crimson'))
    for (let i = 0; i < 2; i++)
      await copyFile(join(data, 'red', `${i}.png`), join(data, 'crimson', `${i}.png`))
    const refused = expect(finetune(vit, data, { output: newOutput(), threads: 1 })).rejects
    await refused.toMatchObject({ code: 'BAD_DATA', message: expect.stringContaining('"crimson" has none') })
    await refused.toThrow(/4 pictures were left out, the first because: .* is the same picture in crimson/)
  })
})

describe('all layers', () => {
  const options = { layers: 'all', threads: 1, epochs: 2 } as const

  test('go on from the head, are tried on pictures apart, and end with the same bytes after a stop', async () => {
    const whole = newOutput()
    const { report } = await finetune(vit, pictures, { ...options, output: whole })
    expect(report).toMatchObject({ layers: 'all', pictures: 24 })
    expect(report.heldOut.folds).toBeUndefined()
    expect(report.heldOut.accuracy.of).toBeLessThan(8)
    expect(report.heldOut.accuracy.of).toBe(report.heldOut.headAccuracy?.of)
    const log = await readFile(join(`${whole}.training`, 'log.jsonl'), 'utf8')
    expect(JSON.parse(log.split('\n')[0] ?? '')).toMatchObject({ step: 0, validation: expect.anything() })

    const interruption = new AbortController()
    const stopped = newOutput()
    const onProgress = (state: FinetuneProgress) => {
      if (state.phase === 'layers') interruption.abort()
    }
    const first = { ...options, output: stopped, signal: interruption.signal, onProgress }
    await expect(finetune(vit, pictures, first)).rejects.toMatchObject({ code: 'ABORTED' })
    expect(existsSync(stopped)).toBe(false)
    await finetune(vit, pictures, { ...options, output: stopped, resume: true })
    const weights = (output: string) => readFile(join(output, 'model.safetensors'))
    expect((await weights(stopped)).equals(await weights(whole))).toBe(true)
  })

  test('of a big.LITTLE model keep the dial', async () => {
    const output = newOutput()
    const routed = join(folder, 'routed')
    await convertFolder(vit, { to: await writeTinyRouted(folder), output: routed })
    const { report } = await finetune(routed, pictures, { ...options, output })
    expect(report.setting).toMatch(/^keep ratio /)
    await using model = await load(output, { threads: 1 })
    for (const keepRatio of [0.25, 1]) {
      const { top } = await model.classify(join(others, 'red', '20.png'), { keepRatio })
      expect(['red', 'green', 'blue']).toContain(top[0]?.label)
    }
  })
})

describe('several labels a picture', () => {
  const data = join(folder, 'several')
  const writeSeveral = async () => {
    const rows: string[] = []
    for (const [colour, labels] of [
      ['red', 'warm|loud'],
      ['green', 'calm'],
      ['blue', ''],
    ] as const) {
      for (let i = 0; i < 6; i++) {
        await writeColour(join(data, `${colour}-${i}.png`), colour, i)
        rows.push(`${colour}-${i}.png,${labels}`)
      }
    }
    await writeFile(join(data, 'labels.csv'), ['file,labels', ...rows].join('\n'))
    return data
  }

  test('are learned and answered each for itself', async () => {
    const output = newOutput()
    const { report } = await finetune(vit, await writeSeveral(), { output, threads: 1 })
    expect(report.classes.map(({ label, pictures: count }) => [label, count])).toEqual([
      ['calm', 6],
      ['loud', 6],
      ['warm', 6],
    ])
    expect(report.heldOut.meanAveragePrecision).toBeGreaterThan(0.9)
    expect(JSON.parse(await readFile(join(output, 'config.json'), 'utf8'))).toMatchObject({
      problem_type: 'multi_label_classification',
    })
    await using model = await load(output, { threads: 1 })
    const told = async (colour: 'red' | 'green' | 'blue') => {
      const { top } = await model.classify(join(others, colour, '21.png'), { threshold: 0.5 })
      return top.map(({ label }) => label).sort()
    }
    expect(await told('red')).toEqual(['loud', 'warm'])
    expect(await told('green')).toEqual(['calm'])
    expect(await told('blue')).toEqual([])
    const { labelled, results } = await evaluate(model, data)
    expect(labelled).toBe(18)
    expect(results[0]).toMatchObject({
      top1: { share: 1, of: 12 },
      several: { exact: { share: 1, of: 18 }, meanAveragePrecision: 1 },
    })
  })

  test('are learned by all layers', async () => {
    const output = newOutput()
    const { report } = await finetune(vit, await writeSeveral(), {
      ...{ output, threads: 1, layers: 'all', epochs: 2 },
    })
    expect(report.heldOut.headAccuracy?.of).toBe(report.heldOut.accuracy.of)
    expect(report.heldOut.meanAveragePrecision).toBeGreaterThan(0.9)
    await using model = await load(output, { threads: 1 })
    const { top } = await model.classify(join(others, 'red', '21.png'), { threshold: 0.5 })
    expect(top.map(({ label }) => label).sort()).toEqual(['loud', 'warm'])
  })
})
