import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import sharp from 'sharp'
import { beforeAll, describe, expect, test } from 'vitest'
import { parseWith } from '../../src/base/parse.js'
import { convertFolder } from '../../src/model-store/node/convert-folder.js'
import { traceJsonSchema } from '../../src/tasks/trace/trace-json.js'
import { runCli } from '../support/run-cli.js'
import { runInProcess } from '../support/run-in-process.js'
import { temporaryFolder } from '../support/temporary-folder.js'

const hummingbird = fileURLToPath(new URL('../../examples/hummingbird.jpg', import.meta.url))
const read = (text: string) => parseWith(traceJsonSchema, JSON.parse(text), 'the trace')

describe('blvit trace', () => {
  const folder = temporaryFolder()
  const model = join(folder, 'my-t48')
  const empty = (name: string) => {
    const path = join(folder, name)
    mkdirSync(path)
    return path
  }

  beforeAll(async () => {
    await convertFolder('vit-tiny', { to: 't+48', output: model, set: { selection: 'cls' } })
  })

  test('draws route.png where it was called, and says so on stderr only', async () => {
    const cwd = empty('default')
    const { code, stdout, stderr } = await runCli(['trace', hummingbird, '-m', model], { cwd })
    expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: '', stderr: 'Wrote route.png.\n' })
    expect(readdirSync(cwd)).toEqual(['route.png'])
    const { format, width } = await sharp(join(cwd, 'route.png')).metadata()
    expect(format).toBe('png')
    expect(width).toBeGreaterThan(3 * 448)
  })

  test('says on stderr when it runs in another precision than float32', async () => {
    const cwd = empty('int8')
    const { code, stderr } = await runInProcess(['trace', hummingbird, '-m', model, '--dtype', 'int8'], {
      cwd,
    })
    expect(code).toBe(0)
    expect(stderr).toMatch(/native, linear maps in int8: .*\nWrote route\.png\.\n$/)
  })

  test('writes both files; the JSON tells the whole route', async () => {
    const cwd = empty('both')
    const files = ['-o', 'a.png', '--json', 'a.json', '--keep-ratio', '0.5', '--top', '3']
    const { code, stderr } = await runInProcess(['trace', hummingbird, '-m', model, ...files], { cwd })
    expect({ code, stderr }).toEqual({ code: 0, stderr: 'Wrote a.png and a.json.\n' })
    expect(readdirSync(cwd).sort()).toEqual(['a.json', 'a.png'])
    const json = read(readFileSync(join(cwd, 'a.json'), 'utf8'))
    expect(json).toMatchObject({ picture: hummingbird, model, setting: 'keep ratio 0.5', prefixTokens: 1 })
    expect(json.steps.map(({ afterLayer, route }) => [afterLayer, route?.big.length])).toEqual([
      [1, 98],
      [4, 98],
      [7, 98],
      [10, 98],
    ])
    expect(json.top).toHaveLength(3)
  })

  test('--json - prints JSON and writes no file; a picture may come on standard input', async () => {
    const cwd = empty('stdout')
    const options = { cwd, input: readFileSync(hummingbird) }
    const { code, stdout, stderr } = await runCli(['trace', '-', '-m', model, '--json', '-'], options)
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(read(stdout).picture).toBe('standard input')
    expect(readdirSync(cwd)).toEqual([])
  })

  test('draws what a reduction does with the tokens of a plain ViT', async () => {
    const cwd = empty('reduced')
    const words = [
      'trace',
      hummingbird,
      '-m',
      'vit-tiny',
      '--reduce',
      'tome:13',
      '-o',
      'a.png',
      '--json',
      'a.json',
    ]
    const { code, stderr } = await runInProcess(words, { cwd })
    expect({ code, stderr }).toEqual({ code: 0, stderr: 'Wrote a.png and a.json.\n' })
    const { setting, steps } = read(readFileSync(join(cwd, 'a.json'), 'utf8'))
    expect(setting).toBe('tome:13')
    expect(steps.map(({ tokens }) => tokens)).toEqual(
      Array.from({ length: 12 }, (_, i) => 196 - 13 * (i + 1)),
    )
    const { height = 0, width = 0 } = await sharp(join(cwd, 'a.png')).metadata()
    expect([height, width].every((side) => side > 3 * 448)).toBe(true) // the photo and six steps
  })

  test('a plain ViT has no route', async () => {
    const cwd = empty('plain')
    const { code, stdout, stderr } = await runInProcess(['trace', hummingbird, '-m', 'vit-tiny'], { cwd })
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
    expect(stderr).toMatch(
      /^error: vit-tiny is a plain vit: [^\n]*nothing to draw\. [^\n]*--reduce evit:0\.7[^\n]*blvit convert\.\n$/,
    )
    expect(readdirSync(cwd)).toEqual([])
  })

  describe('refuses before the work starts', () => {
    // a model that isn't there would be the first complaint of any work
    const refused = (args: string[], cwd: string) =>
      runInProcess(['trace', ...args, '-m', './no-model'], { cwd })

    test('outputs that cannot be written', async () => {
      const cwd = empty('unwritable')
      mkdirSync(join(cwd, 'folder.png'))
      writeFileSync(join(cwd, 'file'), '')
      const complaint = async (...args: string[]) => {
        const { code, stderr } = await refused([hummingbird, ...args], cwd)
        expect(code).toBe(1)
        return stderr
      }
      expect(await complaint('-o', 'missing/route.png')).toMatch(
        /missing doesn't exist\. Make the folder first\./,
      )
      expect(await complaint('-o', 'file/route.png')).toMatch(/file is not a folder/)
      expect(await complaint('-o', 'folder.png')).toMatch(/it is a folder\. Give the name of a file\./)
      expect(await complaint('--json', '/dev/null')).toMatch(/it is not a plain file/)
      expect(readdirSync(cwd).sort()).toEqual(['file', 'folder.png'])
    })

    test('command lines that make no sense', async () => {
      const cwd = empty('nonsense')
      const complaint = async (...args: string[]) => {
        const { code, stderr } = await refused(args, cwd)
        expect(code).toBe(2)
        return stderr
      }
      expect(await complaint(hummingbird, '-o', 'route.jpg')).toMatch(/its name must end in \.png/)
      expect(await complaint(hummingbird, '-o', 'a.png', '--json', './a.png')).toMatch(/are both/)
      expect(await complaint(join(hummingbird, '..'))).toMatch(/is 6 pictures; trace draws one/)
      expect(await complaint(hummingbird, '--keep-ratio', '0')).toMatch(/above 0 and up to 1/)
      expect(existsSync(join(cwd, 'route.png'))).toBe(false)
    })

    test('a picture that is not there', async () => {
      const { code, stderr } = await refused([join(folder, 'hummingbrid.jpg')], folder)
      expect(code).toBe(1)
      expect(stderr).toMatch(/There is no file or folder/)
    })
  })

  test('a failure later leaves an older file as it was', async () => {
    const cwd = empty('older')
    writeFileSync(join(cwd, 'route.png'), 'older')
    writeFileSync(join(cwd, 'broken.jpg'), 'no picture')
    const { code, stderr } = await runInProcess(['trace', 'broken.jpg', '-m', model], { cwd })
    expect(code).toBe(1)
    expect(stderr).toMatch(/broken\.jpg can't be decoded/)
    expect(readFileSync(join(cwd, 'route.png'), 'utf8')).toBe('older')
    expect(readdirSync(cwd).sort()).toEqual(['broken.jpg', 'route.png'])
  })
})
