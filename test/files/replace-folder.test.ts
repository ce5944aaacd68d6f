import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { replaceFile } from '../../src/files/replace-file.js'
import { replaceFolder } from '../../src/files/replace-folder.js'
import { temporaryFolder } from '../support/temporary-folder.js'

describe('replacing a folder', () => {
  const root = temporaryFolder()
  const folderWith = (name: string, content: string) => {
    mkdirSync(join(root, name, 'model'), { recursive: true })
    writeFileSync(join(root, name, 'model', 'config.json'), content)
    return join(root, name, 'model')
  }
  const filledWith = (content: string) => async (temporary: string) =>
    writeFileSync(join(temporary, 'config.json'), content)
  const contentOf = (folder: string) => readFileSync(join(folder, 'config.json'), 'utf8')

  test('puts the new one in its place and leaves nothing else', async () => {
    const folder = folderWith('replaced', 'old')
    writeFileSync(join(folder, 'more.txt'), 'old')
    await replaceFolder(folder, filledWith('new'), { overwrite: true })
    expect(contentOf(folder)).toBe('new')
    expect(readdirSync(folder)).toEqual(['config.json'])
    expect(readdirSync(join(root, 'replaced'))).toEqual(['model'])
  })

  test.each([
    [
      'filling the new one fails',
      async () => {
        throw new Error('full')
      },
      /full/,
    ],
    [
      'the new one is lost before it is in place',
      async (temporary: string) => rmSync(temporary, { recursive: true }),
      /ENOENT/,
    ],
  ])('the old one is there, whole and alone, if %s', async (what, write, message) => {
    const folder = folderWith(what, 'old')
    await expect(replaceFolder(folder, write, { overwrite: true })).rejects.toMatchObject({
      code: 'WRITE_FAILED',
      message: expect.stringMatching(message),
    })
    expect(contentOf(folder)).toBe('old')
    expect(readdirSync(join(root, what))).toEqual(['model'])
  })

  test('what fails inside is told by the names of the folder, not of the temporary one', async () => {
    const folder = folderWith('named', 'old')
    const failing = (temporary: string) =>
      replaceFile(join(temporary, 'missing', 'a.bin'), (async function* () {})())
    const error = await replaceFolder(folder, failing, { overwrite: true }).catch((thrown: unknown) => thrown)
    const path = join(folder, 'missing', 'a.bin')
    expect(error).toMatchObject({ code: 'WRITE_FAILED', fields: { path } })
    expect(String(error)).toContain(`Can't write ${path}: no such file`)
    expect(String(error)).not.toContain('incomplete')
    await expect(replaceFolder('/proc/self/model', failing)).rejects.toThrow(
      /^(?!.*incomplete)Can't write \/proc\/self\/model: /,
    )
  })

  test('leaves alone what another process of the same number began', async () => {
    const folder = folderWith('shared', 'old')
    const others = join(root, 'shared', `.model.${process.pid}.incomplete`)
    mkdirSync(others)
    await replaceFolder(folder, filledWith('new'), { overwrite: true })
    expect(contentOf(folder)).toBe('new')
    expect(existsSync(others)).toBe(true)
  })
})

describe('a folder that holds what is read for it', () => {
  const folder = temporaryFolder()

  test('is not replaced, nor one around it', async () => {
    const source = join(folder, 'model')
    mkdirSync(source)
    writeFileSync(join(source, 'model.safetensors'), 'weights')
    // both pass for folders of models, which may be replaced
    for (const path of [source, folder]) writeFileSync(join(path, 'config.json'), '{}')
    const options = { overwrite: true, reads: [join(source, 'model.safetensors')] }
    for (const target of [source, folder]) {
      await expect(replaceFolder(target, async () => {}, options)).rejects.toMatchObject({
        code: 'BAD_OPTION',
        message: expect.stringMatching(/holds model\.safetensors, which this command reads/),
      })
    }
    expect(readFileSync(join(source, 'model.safetensors'), 'utf8')).toBe('weights')
  })
})

describe('--overwrite is for folders of models', () => {
  const folder = temporaryFolder()

  test('a folder of something else, the one that we stand in, and an empty name stay', async () => {
    const photos = join(folder, 'photos')
    mkdirSync(photos)
    writeFileSync(join(photos, 'a.jpg'), 'a')
    const overwrite = { overwrite: true }
    const none = async () => {}
    await expect(replaceFolder(photos, none, overwrite)).rejects.toThrow(/is no model's folder/)
    await expect(replaceFolder(process.cwd(), none, overwrite)).rejects.toThrow(/or you are in it/)
    await expect(replaceFolder('', none, overwrite)).rejects.toThrow(/has an empty name/)
    expect(readFileSync(join(photos, 'a.jpg'), 'utf8')).toBe('a')
  })
})
