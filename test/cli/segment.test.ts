import { copyFileSync, existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import sharp from 'sharp'
import { beforeAll, describe, expect, test } from 'vitest'
import { rleOfPolygons } from '../../src/segmentation/polygon-rle.js'
import { decodeRle, rleArea, rleFromText } from '../../src/segmentation/rle.js'
import { runInProcess } from '../support/run-in-process.js'
import { temporaryFolder } from '../support/temporary-folder.js'

const kite = fileURLToPath(new URL('../../examples/kite.jpg', import.meta.url))

interface MaskJson {
  readonly segmentation: { readonly size: [number, number]; readonly counts: string }
  readonly polygons: number[][]
  readonly area: number
  readonly file?: string
}

describe('blvit segment', () => {
  const folder = temporaryFolder()
  const model = join(folder, 'micro')
  const path = (name: string) => join(folder, name)
  const segment = (...args: string[]) =>
    runInProcess(['segment', kite, '-m', model, ...args], { cwd: folder })

  beforeAll(async () => {
    expect((await runInProcess(['init', 'sam-micro', '-o', model], { cwd: folder })).code).toBe(0)
  })

  test('PNG, run lengths and polygons are the same mask; cut-out and overlay have the size of the picture', async () => {
    const files = ['-o', path('mask.png'), '--cutout', path('object.png'), '--overlay', path('over.png')]
    const { code, stdout, stderr } = await segment('--point', '60,50', '--point', '9,9:0', '--json', ...files)
    expect({ code, stderr }).toMatchObject({ code: 0, stderr: expect.stringContaining('Wrote ') })
    const json = JSON.parse(stdout) as { width: number; height: number; prompts: { masks: MaskJson[] }[] }
    const [{ masks } = { masks: [] }] = json.prompts
    expect(masks).toHaveLength(1)
    const [mask] = masks as [MaskJson]
    const rle = rleFromText(mask.segmentation.counts, mask.segmentation.size)
    expect(rleArea(rle)).toBe(mask.area)
    expect(rleOfPolygons(mask.polygons, json)).toEqual(rle)
    const { data, info } = await sharp(path('mask.png')).raw().toBuffer({ resolveWithObject: true })
    expect([...data].filter((_, at) => at % info.channels === 0).map((grey) => grey / 255)).toEqual([
      ...decodeRle(rle).values,
    ])
    const cut = await sharp(path('object.png')).metadata()
    expect(cut).toMatchObject({ width: json.width, height: json.height, hasAlpha: true })
    expect(await sharp(path('over.png')).metadata()).toMatchObject({ width: json.width, height: json.height })
  })

  test('several objects are numbered; a kept embedding gives the same masks', async () => {
    const boxes = ['--box', '5,5,60,60', '--box', '40,40,120,110', '--json']
    const first = await segment(...boxes, '-o', path('several.png'), '--save-embedding', path('kite.npy'))
    expect(first.code).toBe(0)
    expect(readdirSync(folder).filter((name) => name.startsWith('several'))).toEqual([
      'several-1.png',
      'several-2.png',
    ])
    const again = await segment(...boxes, '--embedding', path('kite.npy'))
    const masksOf = (text: string) =>
      (JSON.parse(text) as { prompts: { masks: MaskJson[] }[] }).prompts.map(({ masks }) =>
        masks.map(({ area }) => area),
      )
    expect(masksOf(again.stdout)).toEqual(masksOf(first.stdout))
  })

  test('a numbered mask takes the place of nothing that is read or written beside it', async () => {
    const boxes = ['--box', '5,5,60,60', '--box', '40,40,120,110', '-o', path('twice.png')]
    const both = await segment(...boxes, '--overlay', path('twice-2.png'))
    expect(both).toMatchObject({ code: 2, stderr: expect.stringContaining('twice-2.png is named twice') })
    copyFileSync(kite, path('twice-1.png'))
    const own = await runInProcess(['segment', path('twice-1.png'), '-m', model, ...boxes], { cwd: folder })
    expect(own).toMatchObject({ code: 2, stderr: expect.stringContaining('is read by this command') })
    expect(readFileSync(path('twice-1.png'))).toEqual(readFileSync(kite))
  })

  test('everything, in COCO’s form and in colours', async () => {
    const loose = ['--min-iou', '0', '--min-stability', '0', '--points-per-side', '3']
    const { code, stdout } = await segment('--everything', ...loose, '-o', path('all.png'), '--json')
    expect(code).toBe(0)
    const { images, annotations } = JSON.parse(stdout) as {
      images: { width: number; height: number }[]
      annotations: (MaskJson & { id: number })[]
    }
    expect(annotations.map(({ id }) => id)).toEqual(annotations.map((_, at) => at + 1))
    for (const { segmentation, area } of annotations) {
      expect(rleArea(rleFromText(segmentation.counts, segmentation.size))).toBe(area)
    }
    const { width, height } = await sharp(readFileSync(path('all.png'))).metadata()
    expect(images).toMatchObject([{ width, height }])
  })

  test.each<[string, string[], RegExp]>([
    ['nothing to cut out', ['--json'], /Say what to cut out/],
    ['a point outside', ['--point', '9999,1', '--json'], /outside the picture/],
    ['an empty box', ['--box', '9,9,9,20', '--json'], /is empty/],
    ['no numbers', ['--point', 'NaN,1', '--json'], /x,y in pixels/],
    [
      'points with several boxes',
      ['--box', '1,1,9,9', '--box', '2,2,8,8', '--point', '1,1', '--json'],
      /Several boxes/,
    ],
    ['--everything with a point', ['--everything', '--point', '1,1', '--json'], /don't go together/],
    [
      'an option of --everything without it',
      ['--point', '1,1', '--min-area', '9', '--json'],
      /belong together/,
    ],
    ['nowhere to write', ['--point', '1,1'], /Say where the masks go/],
    ['a seed', ['--point', '1,1', '--json', '--seed', '3'], /would change nothing/],
    ['another ending', ['--point', '1,1', '-o', 'mask.jpg'], /must end in \.png/],
    ['the same file twice', ['--point', '1,1', '-o', 'a.png', '--cutout', 'a.png'], /named twice/],
  ])('%s is refused', async (_, args, words) => {
    const { code, stdout, stderr } = await segment(...args)
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    expect(stderr).toMatch(words)
    expect(existsSync(path('a.png'))).toBe(false)
  })

  test('weights alone are no model, and how they become one is told', async () => {
    const weights = fileURLToPath(new URL('../fixtures/segment/mobile-sam/mobile_sam.pt', import.meta.url))
    const { code, stderr } = await runInProcess(
      ['segment', kite, '-m', weights, '--point', '1,1', '--json'],
      {
        cwd: folder,
      },
    )
    expect(code).toBe(1)
    expect(stderr).toContain(`blvit convert ${weights} --to`)
  })

  test('a model that makes no masks says so', async () => {
    const { code, stderr } = await runInProcess(
      ['segment', kite, '-m', 'vit-tiny', '--point', '1,1', '--json'],
      {
        cwd: folder,
      },
    )
    expect(code).toBe(1)
    expect(stderr).toMatch(/cuts nothing out/)
  })
})
