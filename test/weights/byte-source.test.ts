import { rm, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { blobSource, bytesSource } from '../../src/weights/byte-source.js'
import { openFileSource } from '../../src/weights/node/file-source.js'
import { scratchFolder } from './scratch-folder.js'
import { thrownBy } from './thrown-by.js'

const content = Uint8Array.from({ length: 100 }, (_, i) => i)

async function everySource() {
  const path = join(await scratchFolder(), 'bytes')
  await writeFile(path, content)
  return [
    bytesSource(content),
    bytesSource(content.slice().buffer),
    blobSource(new Blob([content])),
    await openFileSource(path),
  ]
}

test('every source reads the range asked for', async () => {
  for (const source of await everySource()) {
    expect(source.sizeBytes).toBe(100)
    expect([...(await source.read(10, 3))], source.name).toEqual([10, 11, 12])
    expect([...(await source.read(100, 0))]).toEqual([])
  }
})

test('a range outside the source is refused', async () => {
  for (const source of await everySource()) {
    for (const [offset, size] of [
      [90, 11],
      [-1, 2],
      [0.5, 1],
      [0, -1],
      [101, 0],
    ] as const) {
      await thrownBy(source.read(offset, size), 'BAD_WEIGHTS')
    }
  }
})

test('a file knows its absolute path; a missing one and a folder are refused', async () => {
  const folder = await scratchFolder()
  await writeFile(join(folder, 'a'), content)
  expect((await openFileSource(join(folder, 'a'))).path).toBe(join(folder, 'a'))
  await thrownBy(openFileSource(join(folder, 'b')), 'NOT_FOUND')
  await thrownBy(openFileSource(folder), 'BAD_WEIGHTS')
})

test('a file that shrinks or goes after opening is noticed', async () => {
  const path = join(await scratchFolder(), 'shrinking')
  await writeFile(path, content)
  const source = await openFileSource(path)
  await truncate(path, 50)
  expect((await thrownBy(source.read(40, 20), 'BAD_WEIGHTS')).message).toContain('was changed or replaced')
  await rm(path)
  await thrownBy(source.read(0, 1), 'NOT_FOUND')
})
