import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { entriesOf } from '../../src/data/find-files.js'
import { temporaryFolder } from '../support/temporary-folder.js'

const root = temporaryFolder()

test('what lies in a folder', async () => {
  mkdirSync(join(root, 'folder'))
  writeFileSync(join(root, 'file.txt'), '')
  const entries = await entriesOf(root)
  expect(entries.map((entry) => [entry.name, entry.isDirectory()]).sort()).toEqual([
    ['file.txt', false],
    ['folder', true],
  ])
})

test.each(['file.txt', 'nowhere'])('%s, which can’t be read as a folder, is told by name', async (name) => {
  await expect(entriesOf(join(root, name))).rejects.toMatchObject({
    code: 'NOT_FOUND',
    message: expect.stringMatching(new RegExp(`^The folder ${join(root, name)} can't be read: E`)),
  })
})
