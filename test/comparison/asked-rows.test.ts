import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { parseRow, readRows } from '../../src/comparison/asked-rows.js'
import { temporaryFolder } from '../support/temporary-folder.js'

test.each([
  ['vit-tiny', 'vit-tiny', {}],
  ['vit-tiny@evit:0.7,fuse=false', 'vit-tiny', { reduce: 'evit:0.7,fuse=false' }],
  ['vit-tiny@192px@tome:8', 'vit-tiny', { imageSize: 192, reduce: 'tome:8' }],
  ['owner/name@10layers', 'owner/name', { firstLayers: 10 }],
  ['blvit-tiny@0.375', 'blvit-tiny', { keepRatio: 0.375 }],
])('%s', async (text, reference, settings) => {
  expect(await parseRow(text)).toEqual({ reference, settings })
})

test.each([
  ['@0.5', /names no model/],
  ['vit-tiny@evitt:0.7', /no reduction "evitt"\. Did you mean "evit"/],
  ['vit-tiny@192', /"192" is no setting/],
  ['vit-tiny@tome:8@evit:0.7', /says reduce twice/],
])('%s is no row', async (text, complaint) => {
  await expect(parseRow(text)).rejects.toThrow(
    expect.objectContaining({ code: 'BAD_OPTION', message: expect.stringMatching(complaint) }),
  )
})

test('a file has a row a line, and comments; a folder may have an @ in its name', async () => {
  const folder = temporaryFolder()
  const path = join(folder, 'rows.txt')
  const model = join(folder, 'mine@home')
  mkdirSync(model)
  writeFileSync(path, `# all of them\nvit-tiny\r\n\n  vit-tiny@0.5@8px  # small\n${model}\n`)
  expect(await readRows(path)).toEqual([
    { reference: 'vit-tiny', settings: {} },
    { reference: 'vit-tiny', settings: { keepRatio: 0.5, imageSize: 8 } },
    { reference: model, settings: {} },
  ])
  writeFileSync(path, 'vit-tiny\nvit-tiny@half\n')
  await expect(readRows(path)).rejects.toThrow(/rows\.txt, line 2: "half" is no setting/)
  writeFileSync(path, '# nothing yet\n')
  await expect(readRows(path)).rejects.toThrow(/has no rows/)
  await expect(readRows(join(folder, 'gone'))).rejects.toMatchObject({ code: 'NOT_FOUND' })
})
