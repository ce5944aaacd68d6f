import { readdirSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { decodeImage } from '../../src/image/node/decode.js'
import { load } from '../../src/tasks/node/load.js'
import { pipeline } from '../../src/tasks/node/pipelines/index.js'
import { expectClose } from '../support/expect-close.js'

const example = (name: string) => fileURLToPath(new URL(`../../examples/${name}.jpg`, import.meta.url))
const names = ['kite', 'hummingbird', 'yurt', 'fly', 'traffic-light', 'fire-engine']
const classes = [21, 94, 915, 308, 920, 555]

describe('a loaded model', () => {
  test('knows what is on the example pictures; array in, array out, in order', async () => {
    await using model = await load()
    const results = await model.classify(names.map(example), { top: 1 })
    expect(results.map(({ top }) => top.map(({ index }) => index))).toEqual(classes.map((index) => [index]))
  })

  test('is the plain ViT unless another is named, the big.LITTLE one’s teacher; more kept patches, nearer to it', async () => {
    await using model = await load('blvit-tiny')
    await using teacher = await load()
    expect(teacher.name).toBe('vit-tiny')
    expect(model.architecture.family).toBe('blvit')
    const pictures = await Promise.all(names.map((name) => model.prepare(example(name))))
    const wanted = await teacher.logits(pictures)
    const away: number[] = []
    for (const keepRatio of [0.25, 0.5, 1]) {
      const logits = await model.logits(pictures, { keepRatio })
      away.push(logits.reduce((sum, logit, i) => sum + Math.abs(logit - (wanted[i] ?? 0)), 0) / logits.length)
    }
    expect(away).toEqual(away.toSorted((a, b) => b - a))
    expect(away[2]).toBeLessThan(0.3)
  })

  test('gives a picture of a batch the logits that it gives the picture alone', async () => {
    await using model = await load('vit-tiny')
    const pictures = await Promise.all(names.map((name) => model.prepare(example(name))))
    const together = await model.logits(pictures)
    for (const [row, picture] of pictures.entries()) {
      // other GEMM shapes sum in another order
      expectClose(together.subarray(1000 * row, 1000 * (row + 1)), await model.logits([picture]), {
        atol: 1e-4,
      })
    }
  })

  test('takes a path, a URL, encoded bytes, a Blob and raw pixels for the same picture', async () => {
    await using model = await load()
    const path = example('yurt')
    const bytes = await readFile(path)
    const inputs = [path, new URL(`file://${path}`), bytes, new Blob([bytes]), await decodeImage(path)]
    const results = await model.classify(inputs, { top: 3 })
    const { top } = await model.classify(path, { top: 3 })
    for (const result of results) {
      expect(result.top.map(({ label }) => label)).toEqual(top.map(({ label }) => label))
      expectClose(
        result.top.map(({ probability }) => probability),
        top.map(({ probability }) => probability),
        { atol: 1e-5 },
      )
    }
  })

  test('runs at another image size with a resampled position embedding', async () => {
    await using model = await load('vit-tiny', { imageSize: 288 })
    expect(model.architecture.grid).toEqual({ rows: 18, columns: 18 })
    const { top } = await model.classify(example('hummingbird'), { top: 1 })
    expect(top[0]?.index).toBe(94)
  })

  test('stops at an abort, refuses work after dispose, and refuses a keep ratio that it has no use for', async () => {
    const model = await load('vit-tiny')
    const aborted = AbortSignal.abort()
    await expect(model.classify(example('kite'), { signal: aborted })).rejects.toMatchObject({
      code: 'ABORTED',
    })
    await expect(model.classify(example('kite'), { keepRatio: 0.5 })).rejects.toMatchObject({
      code: 'BAD_OPTION',
    })
    await model.dispose()
    await expect(model.classify(example('kite'))).rejects.toThrow(/was disposed/)
  })

  test('leaves no thread of its session behind: load and dispose don’t add up', async () => {
    const threads = () => readdirSync('/proc/self/task').length
    const cycle = async () => {
      await using model = await load('vit-tiny', { threads: 3 })
      await model.classify(example('kite'))
      return threads()
    }
    await cycle()
    // The library itself keeps one sleeping thread per process from its first session on.
    const before = threads()
    const during = await cycle()
    expect(during).toBeGreaterThan(before)
    await cycle()
    expect(threads()).toBe(before)
  })

  test('leaves no thread behind when there is no such model, or nothing is asked of it', async () => {
    const threads = () => readdirSync('/proc/self/task').length
    const fail = () => expect(load('no-such-model')).rejects.toThrow(/no model "no-such-model"/)
    const open = async () => {
      await using model = await load('vit-tiny')
      return model.labels
    }
    await open()
    const before = threads()
    await fail()
    await open()
    expect(threads()).toBe(before)
  })

  test('says what it doesn’t know', async () => {
    await expect(load('vit-tinny')).rejects.toThrow(/no model "vit-tinny". Did you mean "vit-tiny"\?/)
    await expect(load('b+t')).rejects.toThrow(/configuration without weights/)
    await expect(load('vit-tiny', { threads: 0 })).rejects.toMatchObject({ code: 'BAD_OPTION' })
  })
})

describe('the pipeline for people from transformers.js', () => {
  test('gives label and score, an array for an array', async () => {
    await using classifier = await pipeline('image-classification')
    const one = await classifier(example('kite'), { top_k: 2 })
    expect(one).toHaveLength(2)
    expect(one[0]).toEqual({ label: 'kite', score: expect.any(Number) })
    const many = await classifier([example('kite'), example('yurt')])
    expect(many.map(([best]) => best?.label)).toEqual(['kite', 'yurt'])
    expect(await classifier(example('kite'), { top_k: null })).toHaveLength(1000)
    await expect(classifier(example('kite'), { top_k: 0 })).rejects.toThrow(/^top_k is 0; .*or null for all/)
  })

  test('has one task', async () => {
    // @ts-expect-error a task that the type forbids
    await expect(pipeline('object-detection')).rejects.toMatchObject({ code: 'UNSUPPORTED' })
  })
})
