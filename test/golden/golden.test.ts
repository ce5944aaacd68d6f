import { cpSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { mergingSchedule } from '../../src/reduction/tome.js'
import { expectClose } from '../support/expect-close.js'
import { hasSharedData, shared, withoutSharedData } from '../support/shared-data.js'
import { temporaryFolder } from '../support/temporary-folder.js'
import { compareCase, openGoldenFolder, passed } from './compare.js'
import { expandedR } from './methods/tome.js'
import { ownCases } from './own-cases/index.js'
import { resizedPositions } from './position-embedding.js'

const methods = [
  'vit',
  'evit',
  'tome',
  'mctf',
  't2t',
  'adavit',
  'dynamicvit',
  'evovit',
  'efficientvit',
  'mobilevit',
  'ats',
  'avit',
  // one a line
]

/** Cases that run in other operators too: each method's richest. */
const otherTargets = [
  'keep07_fuse',
  'r4_prop',
  'r4_distilled_prop',
  'r13_clamped_prop',
  'bidir_onestep_pool1',
  'performer',
  'transformer',
  'eval_gather_07',
  'stage_half_prunecls',
  'small_window_pad',
  'small_96_interp',
  'mask_tokens',
  // one a line
]

const folders = hasSharedData
  ? await Promise.all(methods.map((method) => openGoldenFolder(shared(`golden/${method}`))))
  : []

const cases = folders.flatMap((folder) =>
  Object.keys(folder.file.cases).map((name) => ({ method: folder.file.method ?? '', name, folder })),
)

/** What can be wrong about a case, in words that say where. */
async function complaints(...[folder, name, options]: Parameters<typeof compareCase>): Promise<string[]> {
  const report = await compareCase(folder, name, options)
  if (passed(report)) return []
  return [JSON.stringify(report)]
}

describe.skipIf(!hasSharedData)(`golden vectors of official code${withoutSharedData}`, () => {
  test.each(cases)(
    '$method $name: all outputs, indices and gradients, together and alone',
    async ({ folder, name }) => expect(await complaints(folder, name)).toEqual([]),
  )

  test.each(Object.keys(ownCases))('%s of Segment Anything', async (name) => {
    expect(await complaints(await openGoldenFolder(shared('golden/sam')), name)).toEqual([])
  })

  test.each(cases.filter(({ name }) => otherTargets.includes(name)))(
    '$method $name in operators of opset 17, and in those that WebGPU runs itself',
    async ({ folder, name }) => {
      for (const target of ['standard', 'webgpu'] as const) {
        expect(await complaints(folder, name, { target })).toEqual([])
      }
    },
  )

  test('every form of r that the official parser knows', () => {
    const file = JSON.parse(readFileSync(shared('golden/tome/golden.json'), 'utf8')) as {
      parse_r: Record<string, number[]>
    }
    expect(Object.keys(file.parse_r).length).toBeGreaterThan(5)
    for (const [key, expected] of Object.entries(file.parse_r)) {
      const [depth = 0, form = ''] = [Number(key.split('|')[0]), key.split('|')[1]]
      const r: number | number[] = JSON.parse(form.replace('(', '[').replace(')', ']'))
      const got = expandedR({ depth, r, r_form: form.startsWith('(') ? 'tuple' : 'list' })
      expect(got, key).toEqual(expected)
    }
    expect(mergingSchedule(1, 3)).toEqual([3])
  })
})

test('a position embedding for another grid: bicubic with a = −0.75, taps beyond the border take its entry', () => {
  const [prefix, width] = [1, 1]
  const line = resizedPositions(Float32Array.of(9, 0, 1), { prefix, width, from: [1, 2], to: [1, 4] })
  // cubic(1.25) = −0.10546875, cubic(0.75) = 0.26171875 + cubic(1.75) = −0.03515625
  expect([...line]).toEqual([9, -0.10546875, 0.2265625, 0.7734375, 1.10546875])
  const constant = resizedPositions(new Float32Array(13).fill(3), { prefix, width, from: [3, 4], to: [5, 2] })
  expectClose(constant, new Float32Array(11).fill(3), { atol: 1e-6 })
})

describe.skipIf(!hasSharedData)(`a comparison fails${withoutSharedData}`, () => {
  const folder = temporaryFolder()

  /** EViT's folder with some keys of its golden.json, or of one case in it, changed. */
  async function changed(keys: object, ofCase: readonly [name: string, keys: object] | [] = []) {
    cpSync(shared('golden/evit'), folder, { recursive: true })
    const path = join(folder, 'golden.json')
    const file = JSON.parse(readFileSync(path, 'utf8'))
    const [name, caseKeys] = ofCase
    if (name !== undefined) file.cases[name] = { ...file.cases[name], ...caseKeys }
    writeFileSync(path, JSON.stringify({ ...file, ...keys }))
    return await openGoldenFolder(folder)
  }

  const nofuse = 'keep07_nofuse'

  test('where indices differ, and says which', async () => {
    const { file } = await openGoldenFolder(shared('golden/evit'))
    const config = { ...(file.cases[nofuse]?.config as object), keep_rate: [1, 0.76, 1, 0.7, 1] }
    const report = await compareCase(await changed({}, [nofuse, { config }]), nofuse)
    expect(passed(report)).toBe(false)
    expect(report.exact.wrong).toContain('block1_idx')
  })

  test('where numbers are further apart than allowed', async () => {
    const report = await compareCase(await changed({}, [nofuse, { tolerance: { abs: 1e-12 } }]), nofuse)
    expect(passed(report)).toBe(false)
    expect(report.exact.wrong).toEqual([])
    expect(report.together?.error).toBeGreaterThan(0)
  })

  test('with words for what can’t be compared', async () => {
    await expect(changed({ method: 'evitt' })).rejects.toThrow('Did you mean "evit"?')
    const evit = await openGoldenFolder(shared('golden/evit'))
    await expect(compareCase(evit, 'keep07_nofus')).rejects.toThrow('Did you mean "keep07_nofuse"?')
    const wrong = await changed({}, [nofuse, { config: { depth: 'five' } }])
    await expect(compareCase(wrong, nofuse)).rejects.toThrow("the case's config is not valid: img_size")
    await expect(openGoldenFolder(join(folder, 'missing'))).rejects.toThrow("golden.json can't be read")
  })
})
