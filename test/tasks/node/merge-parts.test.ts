import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Shard } from '../../../src/base/shard.js'
import { nodeDecoder } from '../../../src/image/node/decode.js'
import { chooseRuntime } from '../../../src/runtime/node/choose.js'
import { Model } from '../../../src/tasks/model.js'
import { classifyMany, type PictureResult } from '../../../src/tasks/node/classify-many.js'
import { embedMany } from '../../../src/tasks/node/embed/embed-many.js'
import { evaluate } from '../../../src/tasks/node/evaluate/evaluate.js'
import type { PictureOutcome } from '../../../src/tasks/node/evaluate/picture-outcome.js'
import { mergeParts } from '../../../src/tasks/node/merge-parts.js'
import { tarBytes } from '../../support/tar-bytes.js'
import { temporaryFolder } from '../../support/temporary-folder.js'
import { randomModel, shrunk } from '../../support/tiny-models.js'

const examples = fileURLToPath(new URL('../../../examples', import.meta.url))
const names = ['yurt', 'kite', 'hummingbird', 'fly', 'traffic-light', 'fire-engine']

async function tinyModel(seed: number, precision: 'fp32' | 'int8' = 'fp32'): Promise<Model> {
  const files = randomModel(shrunk('vit-tiny', { num_classes: 8, embed_dim: 192, depth: 1 }), { seed })
  return new Model(`tiny ${seed}`, files, await chooseRuntime('cpu'), { precision, decoder: nodeDecoder })
}

function shardsOf(count: number): Shard[] {
  return Array.from({ length: count }, (_, index) => ({ index, count }))
}

/** Times differ from run to run. */
function timeless(results: readonly PictureResult[]) {
  return results.map((result) =>
    'error' in result ? [result.name, result.error.code] : [result.name, result.classification.top],
  )
}

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = []
  for await (const item of items) list.push(item)
  return list
}

describe('parts of several processes', () => {
  const folder = temporaryFolder()
  let model: Model
  let int8: Model
  beforeAll(async () => {
    model = await tinyModel(1)
    int8 = await tinyModel(1, 'int8')
    writeFileSync(join(folder, 'broken.jpg'), readFileSync(join(examples, 'kite.jpg')).subarray(0, 3000))
  })
  afterAll(async () => {
    await model.dispose()
    await int8.dispose()
  })
  const broken = { name: 'broken', source: join(folder, 'broken.jpg') }
  // not in the order of their names, and one twice
  const pictures = [
    ...names.map((name) => ({ name, source: join(examples, `${name}.jpg`) })),
    broken,
    { name: 'kite', source: join(examples, 'kite.jpg') },
  ]
  let runs = 0
  const partPaths = (count: number) => {
    runs += 1
    return shardsOf(count).map((shard) => ({ shard, resume: join(folder, `${runs}-${shard.index}.part`) }))
  }

  const classifyParts = async (count: number, some = pictures) => {
    const parts = partPaths(count)
    for (const part of parts) await all(classifyMany(model, some, { ...part, top: 3 }))
    return parts.map(({ resume }) => resume)
  }

  test.each([1, 2, 5, 20])('classify in %i: labels, errors and order of one process', async (count) => {
    const merged = await mergeParts((await classifyParts(count)).reverse())
    expect(merged).toMatchObject({ of: 'classify', scores: 'softmax' })
    if (merged.of !== 'classify') return
    expect(timeless(merged.results)).toEqual(timeless(await all(classifyMany(model, pictures, { top: 3 }))))
    expect(merged.results.map(({ name }) => name)).toEqual(pictures.map(({ name }) => name))
  })

  test.each(['fp32', 'int8'] as const)(
    'embed in %s: the vectors of one process, to the bit',
    async (precision) => {
      const asked = precision === 'int8' ? int8 : model
      // in int8 a vector depends on the others of its batch
      const sorted = pictures.toSorted((a, b) => (a.name < b.name ? -1 : 1))
      const parts = partPaths(3)
      for (const part of parts) await all(embedMany(asked, sorted, { ...part, batch: 2 }))
      const merged = await mergeParts(parts.map(({ resume }) => resume))
      expect(merged.of === 'embed' && merged.pictures).toEqual(
        await all(embedMany(asked, sorted, { batch: 2 })),
      )
    },
  )

  test.each([{ limit: undefined }, { limit: 4 }])(
    'eval of a folder and two tars, limit $limit: counts and outcomes of one process, whichever is listed first',
    async ({ limit }) => {
      const classes = join(folder, `classes-${limit}`)
      for (const [index, name] of names.entries()) {
        mkdirSync(join(classes, `${index % 2}`), { recursive: true })
        copyFileSync(join(examples, `${name}.jpg`), join(classes, `${index % 2}`, `${name}.jpg`))
      }
      const tars = ['a', 'b'].map((name) => join(folder, `${name}-${limit}.tar`))
      for (const tar of tars) {
        const samples = ['kite', 'yurt', 'fly'].flatMap((name) => [
          { name: `${name}.jpg`, content: readFileSync(join(examples, `${name}.jpg`)) },
          { name: `${name}.cls`, content: '3' },
        ])
        writeFileSync(tar, tarBytes([...samples, { name: 'x.jpg', content: 'no picture' }]))
      }
      const data = [classes, ...tars]
      const outcomes: PictureOutcome[] = []
      const onPicture = (outcome: PictureOutcome) => outcomes.push(outcome)
      const { timing: _, ...whole } = await evaluate(model, data, { limit, onPicture })
      const parts = partPaths(4)
      for (const part of parts) {
        const listed = part.shard.index % 2 === 0 ? data : data.toReversed()
        await evaluate(model, listed, { limit, ...part })
      }
      const merged = await mergeParts(parts.map(({ resume }) => resume))
      if (merged.of !== 'eval') throw new Error('no evaluation')
      const { timing, ...counts } = merged.evaluation
      expect(counts).toEqual(whole)
      expect(merged.outcomes).toEqual(outcomes)
      expect(timing.pictures).toBe(outcomes.length)
    },
  )

  test('of pictures that were listed differently: each once, in the order of their names', async () => {
    const parts = partPaths(2)
    for (const part of parts) {
      await all(classifyMany(model, part.shard.index === 0 ? pictures : pictures.toReversed(), part))
    }
    const merged = await mergeParts(parts.map(({ resume }) => resume))
    expect(merged.of === 'classify' && merged.results.map(({ name }) => name)).toEqual(
      pictures.map(({ name }) => name).sort(),
    )
  })

  test('names what is missing, doubled and unfinished, all at once', async () => {
    const [a = '', b = '', c = '', d = ''] = await classifyParts(5)
    const unfinished = join(folder, 'unfinished.part')
    writeFileSync(unfinished, readFileSync(c, 'utf8').trimEnd().split('\n').slice(0, -1).join('\n'))
    const again = join(folder, 'again.part')
    copyFileSync(a, again)
    const complaint = await mergeParts([a, b, unfinished, again]).catch((thrown: Error) => thrown.message)
    expect(`${complaint}`.replaceAll(folder, '')).toMatch(
      /^\/\S+-0\.part and \/again\.part are the same shard, 0\/5: give one of them\.\nMissing: shard 3\/5, 4\/5\.\n\/unfinished\.part \(shard 2\/5\) isn't finished or is damaged: of its pictures \d can be read\. Run its command again/,
    )
    await expect(mergeParts([a, b, c, d])).rejects.toThrow(/^Missing: shard 4\/5\.$/)
  })

  test('names what is of another model, of other pictures, of another number of shards, or no part', async () => {
    const [a = '', b = '', c = ''] = await classifyParts(3)
    const [, fewer = ''] = await classifyParts(2)
    const [, otherPictures = ''] = await classifyParts(3, pictures.slice(1))
    const other = await tinyModel(2)
    const otherModel = join(folder, 'other-model.part')
    await all(classifyMany(other, pictures, { shard: { index: 2, count: 3 }, resume: otherModel, top: 3 }))
    await other.dispose()
    await expect(mergeParts([otherModel, a, b])).rejects.toThrow(
      /other-model\.part is a part of another run:\n {2}model: fingerprint \w{12}… there, fingerprint \w{12}… in \S+-0\.part\nMissing: shard 2\/3\./,
    )
    await expect(mergeParts([a, otherPictures, b, c])).rejects.toThrow(/another run:\n {2}pictures: [^\n]*$/)
    await expect(mergeParts([a, b, c, fewer])).rejects.toThrow(
      /another run:\n {2}number of shards: 2 there, 3 in \S+-0\.part$/,
    )
    const embedding = join(folder, 'embedding.part')
    await all(embedMany(model, pictures, { shard: { index: 0, count: 3 }, resume: embedding }))
    await expect(mergeParts([a, b, c, embedding])).rejects.toThrow(
      /embedding\.part is no part of "blvit classify"/,
    )
    await expect(mergeParts([broken.source])).rejects.toThrow(/broken\.jpg is no part of a run/)
    await expect(mergeParts([join(folder, 'gone.part')])).rejects.toThrow(/There is no file/)
  })

  test('a part that was cut anywhere is unfinished, and the same call ends it', async () => {
    const [a = '', b = ''] = await classifyParts(2)
    const whole = readFileSync(a)
    const result = await mergeParts([a, b])
    const start = whole.indexOf('\n') + 1
    for (let sizeBytes = start; sizeBytes < whole.length; sizeBytes += 97) {
      writeFileSync(a, whole.subarray(0, sizeBytes))
      await expect(mergeParts([a, b])).rejects.toThrow(/isn't finished or is damaged/)
    }
    await all(classifyMany(model, pictures, { shard: { index: 0, count: 2 }, resume: a, top: 3 }))
    const again = await mergeParts([a, b])
    if (again.of !== 'classify' || result.of !== 'classify') throw new Error('no labels')
    expect(timeless(again.results)).toEqual(timeless(result.results))
  })

  test('a shard that is none is refused before anything is read', async () => {
    const bad = { shard: { index: 5, count: 5 } }
    await expect(all(classifyMany(model, pictures, bad))).rejects.toThrow(/shards count from 0/)
    await expect(all(embedMany(model, pictures, bad))).rejects.toThrow(/shards count from 0/)
    await expect(evaluate(model, join(folder, 'none'), bad)).rejects.toThrow(/shards count from 0/)
  })
})
