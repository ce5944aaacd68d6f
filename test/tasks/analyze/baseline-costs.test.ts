import { existsSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { presets, withChanges } from '../../../src/models/index.js'
import type { Settings } from '../../../src/settings/settings.js'
import { analyze } from '../../../src/tasks/analyze/analyze.js'
import { shared } from '../../support/shared-data.js'

/** Multiply-adds that somebody else counted from the papers' own code, in units of 10⁹. */
const path = shared('../spec/baseline-costs.json')
const isThere = existsSync(path)
const counted: Readonly<Record<string, { readonly linconv: number; readonly total: number }>> = isThere
  ? JSON.parse(readFileSync(path, 'utf8')).rows
  : {}

const sizes = { T: 'vit-tiny', S: 'vit-small', B: 'vit-base' } as const

/** The configuration and setting that a row is of; undefined for rows of other tests. */
function subjectOf(row: string): [name: string, settings: Settings, changes?: object] | undefined {
  const [, method, size, rest = ''] =
    /^(ViT|EViT|Evo-ViT|DynamicViT|ToMe)-([TSB])[/@ ]?(?:keep|r)?(.*)$/.exec(row) ?? []
  const name = sizes[size as keyof typeof sizes]
  const [number = '', form] = rest.split(' ')
  if (method === 'ViT') return [name, {}]
  if (method === 'EViT') return [name, { reduce: `evit:${number},fuse=${form === 'fuse'}` }]
  if (method === 'ToMe') return [name, { reduce: `tome:${number}` }]
  if (method === 'DynamicViT') return [name, {}, { reduction: `dynamic-vit:${number}` }]
  if (method !== 'Evo-ViT') return row === 'T2T-ViT-19' ? ['t2t-vit-19', {}] : undefined
  const start = /start(\d)/.exec(row)?.[1]
  const blocks = start === undefined ? '' : start === '0' ? undefined : `,blocks=${start}/8`
  return blocks === undefined ? undefined : [name, { reduce: `evo-vit:${number}${blocks}` }]
}

const rows = Object.keys(counted).flatMap((row) => {
  const subject = subjectOf(row)
  return subject ? [[row, subject] as const] : []
})

test.runIf(isThere)('there are rows of every method that is counted here', () => {
  expect(rows.length).toBeGreaterThan(30)
})

test.each(rows)('%s costs what others count, within 0.5 %%', (row, [name, settings, changes]) => {
  const preset = presets[name]
  if (!preset) throw new Error(`no preset ${name}`)
  const { multiplyAdds } = analyze(changes ? withChanges(preset, { ...changes }) : preset, settings)
  const { linconv, total } = counted[row] ?? { linconv: Number.NaN, total: Number.NaN }
  expect(Math.abs(multiplyAdds.linear / 1e9 / linconv - 1)).toBeLessThan(0.005)
  expect(Math.abs(multiplyAdds.full / 1e9 / total - 1)).toBeLessThan(0.005)
})
