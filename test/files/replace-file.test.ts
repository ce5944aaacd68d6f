import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { BlvitError } from '../../src/base/blvit-error.js'
import { removeTemporaryFiles, replaceFile } from '../../src/files/replace-file.js'
import { temporaryFolder } from '../support/temporary-folder.js'

describe('a file that is replaced', () => {
  const folder = temporaryFolder()
  const path = (name: string) => join(folder, name)

  async function* half(error?: Error) {
    yield Buffer.from('half')
    if (error) throw error
  }

  test('is the new one, and nothing lies beside it', async () => {
    writeFileSync(path('a'), 'old')
    await replaceFile(path('a'), half())
    expect(readFileSync(path('a'), 'utf8')).toBe('half')
    expect(readdirSync(folder)).toEqual(['a'])
  })

  test('stays the old one when its content fails half way', async () => {
    writeFileSync(path('a'), 'old')
    await expect(replaceFile(path('a'), half(new BlvitError('BAD_DATA', 'broken')))).rejects.toThrow(
      /^broken$/,
    )
    expect(readFileSync(path('a'), 'utf8')).toBe('old')
    expect(readdirSync(folder)).toEqual(['a'])
  })

  test('a place that takes none is called by the name that the user gave it', async () => {
    mkdirSync(path('taken/by-a-folder'), { recursive: true })
    for (const name of ['missing/a.png', 'taken']) {
      const error = await replaceFile(path(name), half()).catch((thrown: unknown) => thrown)
      expect(error).toMatchObject({ code: 'WRITE_FAILED', fields: { path: path(name) } })
      expect(String(error)).toContain(`Can't write ${path(name)}: `)
      expect(String(error)).not.toContain('.tmp')
    }
  })

  test('what killed writes have left is removed, and nothing else', async () => {
    const own = temporaryFolder()
    for (const name of ['.a.0123456789ab.tmp', '.a.tmp', 'b']) writeFileSync(join(own, name), '')
    await removeTemporaryFiles(own)
    expect(readdirSync(own).sort()).toEqual(['.a.tmp', 'b'])
  })
})
