import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { entriesOf, existingPaths } from '../../src/data/find-files.js'
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
    message: expect.stringMatching(
      new RegExp(`^The folder ${join(root, name)} can't be read: .*\\(E[A-Z]+\\)`),
    ),
  })
})

test('what an argument names: a name in another Unicode form, a link that leads nowhere, a glob through a circle', async () => {
  mkdirSync(join(root, 'cats/São'.normalize('NFD')), { recursive: true })
  const found = await existingPaths(join(root, 'cats/São'.normalize('NFC')))
  expect(found.map((path) => path.normalize('NFC'))).toEqual([join(root, 'cats/São'.normalize('NFC'))])

  symlinkSync('gone', join(root, 'link'))
  await expect(existingPaths(join(root, 'link'))).rejects.toThrow(
    `${root}/link is a link that leads to gone, which isn't there.`,
  )

  writeFileSync(join(root, 'cats/a.jpg'), '')
  symlinkSync('..', join(root, 'cats/up'))
  expect(await existingPaths(join(root, '**/*.jpg'))).toEqual([join(root, 'cats/a.jpg')])
})
