import { cp, mkdir, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import sharp from 'sharp'
import { afterEach, beforeAll, describe, expect, test } from 'vitest'
import { seededRandom } from '../../src/base/random.js'
import { Batches, type BatchOptions, type TrainingBatch } from '../../src/batches/batches.js'
import { tarBytes } from '../support/tar-bytes.js'
import { temporaryFolder } from '../support/temporary-folder.js'

const folder = temporaryFolder()
const classes = ['owl', 'hen', 'crane']
/** Pictures of three classes: two larger than what is kept decoded, ten small ones. */
const pictures = join(folder, 'pictures')
const pictureCount = 12

beforeAll(async () => {
  const random = seededRandom(5)
  for (let i = 0; i < pictureCount; i++) {
    const raw = { width: 6, height: 5, channels: 3 } as const
    const noise = Uint8Array.from({ length: 6 * 5 * 3 }, () => 256 * random())
    const size = i < 2 ? { width: 90, height: 70 } : { width: 40, height: 33 }
    const path = join(pictures, classes[i % 3] ?? '', `${i}.jpg`)
    await mkdir(join(path, '..'), { recursive: true })
    await sharp(noise, { raw }).resize(size).jpeg().toFile(path)
  }
})

const preprocessing = {
  height: 24,
  width: 24,
  cropRatio: 0.9,
  cropMode: 'center',
  filter: 'bicubic',
  mean: [0.5, 0.5, 0.5],
  std: [0.5, 0.5, 0.5],
} as const

const open: Batches[] = []
afterEach(async () => {
  for (const batches of open.splice(0)) await batches[Symbol.asyncDispose]()
})

function streamOf(changes: Partial<BatchOptions> = {}): Batches {
  const from = { epoch: 0, index: 0 }
  const options = { data: [pictures], labels: classes, preprocessing, seed: 1, from, batch: 5, ...changes }
  const batches = new Batches(options)
  open.push(batches)
  return batches
}

async function firstOf(count: number, changes: Partial<BatchOptions> = {}): Promise<TrainingBatch[]> {
  const batches = streamOf(changes)
  const list: TrainingBatch[] = []
  for (let i = 0; i < count; i++) list.push(await batches.next())
  return list
}

const whole = { augmentation: 'deit', labelled: 'one' } as const

describe('batches', () => {
  test('are the same whatever the number of threads, pictures kept decoded or not', async () => {
    // three epochs, so that small pictures come decoded from memory
    const alone = await firstOf(8, whole)
    expect(alone.at(-1)?.after).toEqual({ epoch: 3, index: 4 })
    expect(await firstOf(8, { ...whole, workers: 3 })).toEqual(alone)
  })

  test('go on from any of them as if they had never stopped', async () => {
    const list = await firstOf(7, whole)
    const from = list[3]?.after ?? { epoch: -1, index: -1 }
    expect(from).toEqual({ epoch: 1, index: 8 })
    expect(await firstOf(3, { ...whole, from })).toEqual(list.slice(4))
  })

  test('another seed and another epoch give other batches', async () => {
    const [first, , , , , second] = await firstOf(6, { ...whole, batch: 12 })
    const [other] = await firstOf(1, { ...whole, batch: 12, seed: 2 })
    expect(other).not.toEqual(first)
    expect(second?.pixels).not.toEqual(first?.pixels)
  })

  test('without labels asked for there are none; crop-flip is what happens by default', async () => {
    const [batch] = await firstOf(1)
    expect(batch).toMatchObject({ labels: undefined, targets: undefined, complaints: [] })
    expect(batch?.pixels.length).toBe(5 * 3 * 24 * 24)
    const [named] = await firstOf(1, { augmentation: 'crop-flip' })
    expect(named?.pixels).toEqual(batch?.pixels)
    const [plain] = await firstOf(1, { augmentation: 'none' })
    expect(plain?.pixels).not.toEqual(batch?.pixels)
  })

  test('labels are those of the folders, each as often as it comes; targets are one-hot unless mixed', async () => {
    const [batch] = await firstOf(1, { labelled: 'one', batch: pictureCount })
    const labels = (batch?.labels ?? []).flat()
    for (const label of [0, 1, 2]) expect(labels.filter((one) => one === label).length).toBe(4)
    const expected = labels.flatMap((label) => [0, 1, 2].map((column) => (column === label ? 1 : 0)))
    expect([...(batch?.targets ?? [])]).toEqual(expected)
  })

  test('mixed ones have targets that sum to 1, with something on two classes', async () => {
    const list = await firstOf(6, { ...whole, batch: 6 })
    let mixed = 0
    for (const { labels, targets } of list) {
      for (const [row, label] of (labels ?? []).flat().entries()) {
        const target = [...(targets ?? []).slice(3 * row, 3 * row + 3)]
        expect(target.reduce((a, b) => a + b, 0)).toBeCloseTo(1, 6)
        expect(target[label]).toBeGreaterThan(0.03)
        if (target.filter((share) => share > 0.05).length === 2) mixed += 1
      }
    }
    expect(mixed).toBeGreaterThan(5)
  })
})

describe('what can’t be used is left out and named', () => {
  /** A copy of the pictures to spoil. */
  async function copyOf(name: string): Promise<string> {
    const copy = join(folder, name)
    await cp(pictures, copy, { recursive: true })
    return copy
  }

  async function complaintsOf(changes: Partial<BatchOptions>, count = 1): Promise<string[]> {
    const list = await firstOf(count, { ...whole, ...changes })
    return list.flatMap(({ complaints }) => [...complaints])
  }

  test.each([1, 2])('one picture that was cut off, among sound ones, on %d threads', async (workers) => {
    const data = await copyOf(`cut-${workers}`)
    await truncate(join(data, 'hen', '4.jpg'), 300)
    const [batch] = await firstOf(1, { ...whole, data: [data], batch: pictureCount - 1, workers })
    expect(batch?.complaints).toEqual([expect.stringMatching(/hen\/4\.jpg can't be decoded/)])
    expect((batch?.labels ?? []).flat().filter((label) => label === 1).length).toBe(3)
  })

  test('a class folder without pictures', async () => {
    const data = await copyOf('empty-class')
    await mkdir(join(data, 'Owl'))
    const complaints = await complaintsOf({ data: [data], batch: pictureCount })
    expect(complaints).toEqual([`The class folder ${join(data, 'Owl')} holds no pictures.`])
  })

  test('a label out of range, by list and line', async () => {
    const data = await copyOf('out-of-range')
    await writeFile(join(data, 'labels.csv'), 'file,label\nowl/0.jpg,0\nhen/1.jpg,3\ncrane/2.jpg,2\n')
    expect(await complaintsOf({ data: [data], batch: 2 })).toEqual([
      expect.stringMatching(/^hen\/1\.jpg: .*labels\.csv, line 3: label 3 is out of range: .* 0 to 2\.$/),
    ])
  })

  test('a tar that was cut in the middle', async () => {
    const jpeg = await sharp(join(pictures, 'owl', '0.jpg')).toBuffer()
    const members = [0, 1, 2].flatMap((i) => [
      { name: `${i}.jpg`, content: jpeg },
      { name: `${i}.cls`, content: `${i}` },
    ])
    const tar = join(folder, 'cut.tar')
    const bytes = tarBytes(members)
    await writeFile(tar, bytes.subarray(0, 0.6 * bytes.length))
    const complaints = await complaintsOf({ data: [tar], batch: 2 }, 2)
    expect(new Set(complaints)).toEqual(
      new Set([expect.stringMatching(/cut\.tar is damaged or was cut off \(.*\): what comes after/)]),
    )
  })

  test('pictures without a label, where labels are asked for: counted, and the first one named', async () => {
    const data = join(folder, 'partly.csv')
    const row = (i: number) => `pictures/${classes[i % 3]}/${i}.jpg,${i < 4 ? i % 3 : ''}`
    await writeFile(data, `file,label\n${Array.from({ length: 9 }, (_, i) => row(i)).join('\n')}\n`)
    expect(await complaintsOf({ data: [data], batch: 4, labelled: undefined })).toEqual([])
    // all four that have a label, so up to five without have come before the last of them
    const [line, ...others] = await complaintsOf({ data: [data], batch: 8 })
    expect(others).toEqual([])
    expect(line).toMatch(/^pictures\/\w+\/\d\.jpg and \d more have no label\.$/)
  })

  test('nothing that has a label', async () => {
    const data = join(folder, 'unlabelled.csv')
    await writeFile(data, 'file,label\npictures/owl/0.jpg,\n')
    await expect(firstOf(1, { ...whole, data: [data] })).rejects.toMatchObject({
      code: 'BAD_DATA',
      message: expect.stringMatching(
        /^Not one picture of .*unlabelled\.csv can be used\. pictures\/owl\/0\.jpg/,
      ),
    })
  })
})

test.each([
  [{ workers: 0 }, 'BAD_OPTION', /^workers is 0; it must be a whole number from 1 to 256\.$/],
  [{ workers: 1.5 }, 'BAD_OPTION', /^workers is 1\.5/],
  [{ augmentation: 'diet' as 'deit' }, 'BAD_OPTION', /no augmentation is called "diet".*Did you mean "deit"/],
  [{ data: ['nowhere.tar'] }, 'NOT_FOUND', /There is no file or folder nowhere\.tar/],
])('%o is refused', async (changes, code, message) => {
  await expect(firstOf(1, changes)).rejects.toMatchObject({ code, message: expect.stringMatching(message) })
})
