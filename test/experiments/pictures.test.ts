import { mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { openDataSet } from '../../src/data/open-data-set.js'
import { cifarTeacher } from '../../src/experiments/cifar-teacher.js'
import { unpackPictures } from '../../src/experiments/pictures.js'
import { temporaryFolder } from '../support/temporary-folder.js'

const folder = temporaryFolder()
const { labels } = cifarTeacher

/** Black pictures of class 0, as CIFAR-10's binary version has them. */
function cifar(name: string, { train }: { readonly train: number }): string {
  const data = join(folder, name)
  mkdirSync(data)
  writeFileSync(join(data, 'data_batch_1.bin'), Buffer.alloc(3073 * train))
  for (let file = 2; file <= 5; file++)
    writeFileSync(join(data, `data_batch_${file}.bin`), Buffer.alloc(3073))
  writeFileSync(join(data, 'test_batch.bin'), Buffer.alloc(3073))
  return data
}

test('of pictures that were unpacked before none are left among others', async () => {
  const unpacked = join(folder, 'unpacked')
  await unpackPictures(cifar('many', { train: 10_000 }), unpacked, { labels })
  expect(readdirSync(unpacked)).toContain('data_batch_2.bin')
  const { train } = await unpackPictures(cifar('few', { train: 20 }), unpacked, { labels })
  expect(readdirSync(unpacked).sort()).toEqual(['data_batch_1.bin', 'test_batch.bin', 'unpacked.txt'])
  expect((await openDataSet(train, { labels })).size).toBe(24)
})

test('who is stopped in the middle of others has nothing unpacked', async () => {
  const unpacked = join(folder, 'stopped')
  const first = cifar('first', { train: 30 })
  await unpackPictures(first, unpacked, { labels })
  const signal = AbortSignal.abort()
  await expect(unpackPictures(cifar('second', { train: 40 }), unpacked, { labels, signal })).rejects.toThrow()
  expect(readdirSync(unpacked)).not.toContain('unpacked.txt')
})
