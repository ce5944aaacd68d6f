import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import type { DataItem, DataSet, Sample } from '../../../src/data/data-set.js'
import { openDataSet } from '../../../src/data/open-data-set.js'
import { decodeImage } from '../../../src/image/node/decode.js'
import { hasSharedData, shared, withoutSharedData } from '../../support/shared-data.js'
import { tarBytes } from '../../support/tar-bytes.js'
import { temporaryFolder } from '../../support/temporary-folder.js'
import { itemsOf } from '../items-of.js'

const names = ['airplane', 'automobile', 'bird', 'cat', 'deer', 'dog', 'frog', 'horse', 'ship', 'truck']
// a model may have its classes in another order
const labels = names.toReversed()
const classOf = (label: number) => 9 - label

/** A record whose planes are constant: red is the record's label, green 100 more, blue 200. */
function record(label: number): Buffer {
  return Buffer.concat([
    Buffer.of(label),
    Buffer.alloc(1024, label),
    Buffer.alloc(1024, 100 + label),
    Buffer.alloc(1024, 200),
  ])
}

const batch = (...classes: readonly number[]) => Buffer.concat(classes.map(record))

async function firstItem(data: DataSet): Promise<DataItem> {
  for await (const item of data.items()) return item
  throw new Error('no items')
}

describe('CIFAR-10’s binary version', () => {
  const root = temporaryFolder()
  const folderOf = (name: string, files: Readonly<Record<string, Uint8Array>>) => {
    mkdirSync(join(root, name), { recursive: true })
    for (const [file, content] of Object.entries(files)) writeFileSync(join(root, name, file), content)
    return join(root, name)
  }
  const official = {
    'batches.meta.txt': Buffer.from(names.join('\n')),
    'data_batch_2.bin': batch(9),
    'data_batch_1.bin': batch(3, 0),
    'test_batch.bin': batch(5),
  }

  test('a folder’s parts: batches in order, labels by name, the size known', async () => {
    const folder = folderOf('cifar-10-batches-bin', official)
    const train = await openDataSet(`${folder}/train`, { labels })
    expect(train.size).toBe(3)
    expect(await itemsOf(train)).toEqual([
      ['data_batch_1.bin/0', classOf(3)],
      ['data_batch_1.bin/1', classOf(0)],
      ['data_batch_2.bin/0', classOf(9)],
    ])
    expect(await itemsOf(await openDataSet(`${folder}/test/`, { labels }))).toEqual([
      ['test_batch.bin/0', classOf(5)],
    ])
  })

  test('a single batch file, and files with many records', async () => {
    const classes = Array.from({ length: 357 }, (_, i) => (7 * i) % 10)
    const folder = folderOf('many', { 'data_batch_4.bin': batch(...classes) })
    const items = await itemsOf(await openDataSet(join(folder, 'data_batch_4.bin'), { labels }))
    expect(items.map(([, label]) => label)).toEqual(classes.map(classOf))
    expect(items.at(-1)?.[0]).toBe('data_batch_4.bin/356')
  })

  test('planes become pixels', async () => {
    const folder = folderOf('planes', official)
    const item = (await firstItem(await openDataSet(`${folder}/train`, { labels }))) as Sample
    const { width, height, values } = await decodeImage(item.source)
    expect([width, height, values.length]).toEqual([32, 32, 3072])
    const pixels = new Set(Array.from({ length: 1024 }, (_, i) => values.subarray(3 * i, 3 * i + 3).join()))
    expect([...pixels]).toEqual(['3,103,200'])
  })

  test('the official archive, gzipped, in any order of its members', async () => {
    const members = Object.entries(official).map(([name, content]) => ({
      name: `cifar-10-batches-bin/${name}`,
      content,
    }))
    const archive = join(root, 'cifar-10-binary.tar.gz')
    writeFileSync(
      archive,
      gzipSync(tarBytes([{ name: 'cifar-10-batches-bin', content: '', type: '5' }, ...members])),
    )
    const items = await itemsOf(await openDataSet(`${archive}/train`, { labels }))
    expect(items).toEqual([
      ['cifar-10-binary.tar.gz/cifar-10-batches-bin/data_batch_2.bin/0', classOf(9)],
      ['cifar-10-binary.tar.gz/cifar-10-batches-bin/data_batch_1.bin/0', classOf(3)],
      ['cifar-10-binary.tar.gz/cifar-10-batches-bin/data_batch_1.bin/1', classOf(0)],
    ])
    await expect(openDataSet(archive, { labels })).rejects.toMatchObject({
      code: 'BAD_DATA',
      message: expect.stringContaining(`${archive}/train or ${archive}/test`),
    })
  })

  test('an archive of pictures in class folders; a WebDataset may be called CIFAR, too', async () => {
    const archive = join(root, 'cifar10.tar')
    const picture = (name: string) => ({ name, content: 'x' })
    writeFileSync(
      archive,
      tarBytes(['train/cat/1.jpg', 'train/dog/notes.txt', 'test/ship/1.jpg'].map(picture)),
    )
    expect(await itemsOf(await openDataSet(`${archive}/train`, { labels }))).toEqual([
      ['cifar10.tar/train/cat/1.jpg', classOf(3)],
    ])
    const other = join(root, 'cifar10-train-000.tar')
    writeFileSync(other, tarBytes([picture('00001.jpg'), { name: '00001.cls', content: 'frog' }]))
    expect(await itemsOf(await openDataSet(other, { labels }))).toEqual([
      ['cifar10-train-000.tar/00001.jpg', classOf(6)],
    ])
  })

  test('a model whose ten classes have no names takes the official numbers, one of eleven doesn’t', async () => {
    const folder = folderOf('unnamed', official)
    const unnamed = (count: number) => Array.from({ length: count }, (_, i) => `class ${i}`)
    const items = await itemsOf(await openDataSet(`${folder}/train`, { labels: unnamed(10) }))
    expect(items.map(([, label]) => label)).toEqual([3, 0, 9])
    await expect(openDataSet(`${folder}/train`, { labels: unnamed(11) })).rejects.toThrow(
      /no class "airplane"/,
    )
  })

  test('a fingerprint changes with part and sizes', async () => {
    const folder = folderOf('prints', official)
    const print = async (part: string) => (await openDataSet(`${folder}/${part}`, { labels })).fingerprint()
    const [train, other] = [await print('train'), await print('test')]
    expect(train).not.toBe(other)
    folderOf('prints', { 'data_batch_2.bin': batch(9, 9) })
    expect(await print('train')).not.toBe(train)
  })

  describe('bad files are told by name', () => {
    test.each([
      ['in a record', batch(3, 0, 1).subarray(0, 2 * 3073 + 900), 2],
      ['in the first record', batch(3).subarray(0, 100), 0],
      ['before its first byte', Buffer.alloc(0), 0],
    ])('cut off %s: the whole records before it', async (_, content, whole) => {
      const folder = folderOf(`cut-${whole}-${content.length}`, { 'data_batch_1.bin': content })
      const items = await itemsOf(await openDataSet(`${folder}/train`, { labels }))
      expect(items.slice(0, -1).map(([name]) => name)).toEqual(
        Array.from({ length: whole }, (_, i) => `data_batch_1.bin/${i}`),
      )
      expect(items.at(-1)).toEqual([
        'data_batch_1.bin',
        `${folder}/data_batch_1.bin has ${content.length} bytes, but CIFAR-10's records have 3073 each: it was cut off, ` +
          `or it is something else (CIFAR-100's have 3074). The first ${whole} records are used.`,
      ])
    })

    test('records of another length end at the first that can’t be one', async () => {
      // CIFAR-100: a coarse label, a fine one, the picture
      const hundred = Array.from({ length: 5 }, () =>
        Buffer.concat([Buffer.of(4, 77), Buffer.alloc(3072, 50)]),
      )
      const folder = folderOf('cifar-100', { 'data_batch_1.bin': Buffer.concat(hundred) })
      const items = await itemsOf(await openDataSet(`${folder}/train`, { labels }))
      expect(items.length).toBe(2)
      expect(items[1]?.[1]).toMatch(/15370 bytes.*CIFAR-100's have 3074\)\. The first 1 records are used\./)
    })

    test('a label out of range among sound records', async () => {
      const folder = folderOf('label', { 'test_batch.bin': batch(1, 10, 2) })
      expect(await itemsOf(await openDataSet(`${folder}/test`, { labels }))).toEqual([
        ['test_batch.bin/0', classOf(1)],
        [
          'test_batch.bin/1',
          `${folder}/test_batch.bin, record 1: label 10 is out of range: CIFAR-10's are 0 to 9.`,
        ],
        ['test_batch.bin/2', classOf(2)],
      ])
    })

    test('an archive that was cut off, and one without the part', async () => {
      const archive = join(root, 'cut-cifar.tar')
      const whole = tarBytes([
        { name: 'data_batch_1.bin', content: batch(1) },
        { name: 'data_batch_2.bin', content: batch(2) },
      ])
      writeFileSync(archive, whole.subarray(0, 5000))
      const items = await itemsOf(await openDataSet(`${archive}/train`, { labels }))
      expect(items).toEqual([
        ['cut-cifar.tar/data_batch_1.bin/0', classOf(1)],
        ['cut-cifar.tar', expect.stringMatching(/cut-cifar\.tar is damaged or was cut off/)],
      ])
      writeFileSync(archive, whole)
      expect(await itemsOf(await openDataSet(`${archive}/test`, { labels }))).toEqual([
        [
          'cut-cifar.tar/test',
          expect.stringMatching(/cut-cifar\.tar holds no CIFAR-10 pictures to test with/),
        ],
      ])
    })

    test('a folder without the part, and a model that has other classes', async () => {
      const folder = folderOf('only-test', { 'test_batch.bin': batch(1) })
      await expect(openDataSet(`${folder}/train`, { labels })).rejects.toMatchObject({
        code: 'NOT_FOUND',
        message: `${folder} holds no CIFAR-10 batches to train with.`,
      })
      await expect(openDataSet(`${folder}/test`, { labels: ['cat', 'dog'] })).rejects.toMatchObject({
        code: 'BAD_DATA',
        message: expect.stringMatching(/\(CIFAR-10\): the model has no class "airplane"/),
      })
      await expect(openDataSet(`${folder}/valid`, { labels })).rejects.toMatchObject({ code: 'NOT_FOUND' })
    })
  })
})

test.skipIf(!hasSharedData)(`the real pictures: 10,000 to test with${withoutSharedData}`, async () => {
  const data = await openDataSet(shared('cifar10.tar.gz/test'), { labels: names })
  const counts = new Array<number>(10).fill(0)
  let first: DataItem | undefined
  for await (const item of data.items()) {
    if ('error' in item) throw item.error
    first ??= item
    counts[item.label ?? -1] = (counts[item.label ?? -1] ?? 0) + 1
  }
  expect(counts).toEqual(new Array(10).fill(1000))
  expect(first).toMatchObject({ name: 'cifar10.tar.gz/test/airplane/00000.jpg', label: 0 })
  const source = first && 'source' in first ? first.source : ''
  expect(await decodeImage(source)).toMatchObject({ width: 32, height: 32 })
  await expect(openDataSet(shared('cifar10.tar.gz'), { labels: names })).rejects.toThrow(
    /cifar10\.tar\.gz\/train or/,
  )
})
