import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { describe, expect, test } from 'vitest'
import { assertNotInput } from '../../src/files/output-files.js'
import { temporaryFolder } from '../support/temporary-folder.js'

describe('an output', () => {
  const folder = temporaryFolder()
  const path = (name: string) => join(folder, name)
  writeFileSync(path('weights'), 'w')
  mkdirSync(path('data'))
  writeFileSync(path('data/labels.csv'), 'file,label')
  symlinkSync(path('weights'), path('link'))
  symlinkSync(folder, path('again'))

  test.each([
    ['by its own name', 'weights', 'weights'],
    ['through a link to the file', 'link', 'weights'],
    ['through a link to its folder', 'again/weights', 'weights'],
    ['as the list of a data set', 'data/labels.csv', 'data'],
  ])('that would destroy an input is refused: %s', async (_, output, input) => {
    await expect(assertNotInput(path(output), [path(input)])).rejects.toMatchObject({
      code: 'BAD_OPTION',
      message: expect.stringMatching(/is read by this command: writing it would destroy an input/),
    })
    await expect(assertNotInput(relative(process.cwd(), path(output)), [path(input)])).rejects.toThrow()
  })

  test('beside the inputs is none of them, there or not yet', async () => {
    await assertNotInput(path('data/answers.csv'), [path('data'), path('weights')])
    await assertNotInput(path('new'), [path('weights')])
  })
})
