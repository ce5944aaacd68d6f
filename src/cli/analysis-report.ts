import type { Architecture } from '../models/architecture.js'
import type { Analysis } from '../tasks/analyze.js'
import type { LayerCost } from '../tasks/analyze-layers.js'
import type { PartCost, PartName } from '../tasks/analyze-parts.js'
import type { ScopeTree } from '../tasks/analyze-scopes.js'
import type { MultiplyAdds } from '../tasks/analyze-shares.js'
import { bytes, grouped, large, percent } from './quantities.js'
import { textTable } from './table.js'

export type Convention = keyof MultiplyAdds

/** What was analysed, under the name that the user gave it. */
export interface Report {
  readonly name: string
  readonly architecture: Architecture
  readonly analysis: Analysis
}

const conventionTexts: Readonly<Record<Convention, string>> = {
  linear: 'linear maps and convolutions only',
  thop: "linear + 4 per LayerNorm element: the bLViT paper's count",
  full: 'linear + the attention products q·kᵀ and A·v',
}

const partTexts: Readonly<Record<PartName, string>> = {
  patchEmbedding: 'patch embedding',
  tokens: 'position and prefix tokens',
  blocks: 'blocks',
  littleBlocks: 'E-blocks',
  gates: 'α and γ',
  predictors: 'predictors',
  norm: 'final norm',
  head: 'head',
  other: 'other',
}

function partText(part: PartName, { kept }: Analysis): string {
  return part === 'blocks' && kept !== undefined ? 'P-blocks' : partTexts[part]
}

function headline({ name, architecture, analysis }: Report): string {
  const { image, patchSize } = architecture
  const { patches, prefix, kept, keepRatio } = analysis
  const tokens = `${patches} patches of ${patchSize} pixels + ${prefix} prefix token${prefix === 1 ? '' : 's'}`
  const lines = [`${name}: a ${architecture.family} for ${image.width}×${image.height} pictures, ${tokens}`]
  if (kept !== undefined)
    lines.push(`keep ratio ${keepRatio}: P-blocks process ${kept} of ${patches} patches`)
  return lines.join('\n')
}

/** The figures that a paper's table shows, for one picture. */
function figures({ analysis }: Report, convention: Convention): string {
  const { parameters, parts, multiplyAdds, activations } = analysis
  const weightBytes = parts.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)
  const others = (Object.keys(conventionTexts) as Convention[]).filter((name) => name !== convention)
  return textTable(
    [{ heading: '', align: 'left' }, { heading: '' }, { heading: '', align: 'left' }],
    [
      ['parameters', grouped(parameters), `${bytes(weightBytes)} as F32`],
      ...[convention, ...others].map((name, index) => [
        index === 0 ? 'multiply-adds' : '',
        large(multiplyAdds[name]),
        `${name.padEnd(6)}  ${conventionTexts[name]}`,
      ]),
      [
        'activations',
        large(activations),
        "elements written by those, attention maps included: fvcore's count",
      ],
    ],
  )
}

function partsTable({ analysis }: Report, convention: Convention): string {
  const total = analysis.multiplyAdds[convention]
  const row = ({ part, parameters, sizeBytes, multiplyAdds }: PartCost) => [
    partText(part, analysis),
    grouped(parameters),
    bytes(sizeBytes),
    large(multiplyAdds[convention]),
    percent(multiplyAdds[convention] / total),
  ]
  return textTable(
    [
      { heading: 'part', align: 'left' },
      { heading: 'parameters' },
      { heading: 'as F32' },
      { heading: `multiply-adds (${convention})` },
      { heading: 'share' },
    ],
    analysis.parts.map(row),
  )
}

/** What a model costs, on one screen. */
export function summary(report: Report, convention: Convention): string {
  return [headline(report), figures(report, convention), partsTable(report, convention)].join('\n\n')
}

/** Stem, blocks, predictors, norm and head, one line each. */
export function layersTable({ analysis }: Report, convention: Convention): string {
  const total = analysis.multiplyAdds[convention]
  const routed = analysis.kept !== undefined
  const row = ({ name, parameters, multiplyAdds, tokens, little, selects }: LayerCost) => [
    name,
    grouped(parameters),
    large(multiplyAdds[convention]),
    percent(multiplyAdds[convention] / total),
    tokens === undefined ? undefined : grouped(tokens),
    ...(routed
      ? [
          little && percent(little[convention] / multiplyAdds[convention]),
          selects === undefined ? undefined : `${grouped(selects)} patches`,
        ]
      : []),
  ]
  return textTable(
    [
      { heading: 'layer', align: 'left' },
      { heading: 'parameters' },
      { heading: `multiply-adds (${convention})` },
      { heading: 'share' },
      { heading: routed ? 'tokens of P' : 'tokens' },
      ...(routed ? [{ heading: 'done by E' }, { heading: 'then selects' }] : []),
    ],
    analysis.layers.map(row),
  )
}

function scopeRows(
  tree: ScopeTree,
  { depth, convention, indent }: { depth: number; convention: Convention; indent: string },
): string[][] {
  if (depth === 0) return []
  const cells = (label: string, tally: Pick<ScopeTree, 'parameters' | 'multiplyAdds'>) => [
    label,
    grouped(tally.parameters),
    large(tally.multiplyAdds[convention]),
  ]
  // Without this line the scopes below would not add up to the one above them.
  const own =
    tree.scopes.length > 0 && tree.own.parameters + tree.own.multiplyAdds[convention] > 0
      ? [cells(`${indent}├─ (its own)`, tree.own)]
      : []
  return own.concat(
    tree.scopes.flatMap((inside, index) => {
      const last = index === tree.scopes.length - 1
      const below = { depth: depth - 1, convention, indent: `${indent}${last ? '   ' : '│  '}` }
      return [cells(`${indent}${last ? '└─' : '├─'} ${inside.name}`, inside), ...scopeRows(inside, below)]
    }),
  )
}

/** The tree of scopes down to a depth, like a listing of disk use. */
export function scopesTable(
  { name, analysis }: Report,
  { depth, convention }: { depth: number; convention: Convention },
): string {
  const { scopes } = analysis
  return textTable(
    [
      { heading: 'scope', align: 'left' },
      { heading: 'parameters' },
      { heading: `multiply-adds (${convention})` },
    ],
    [
      [name, grouped(scopes.parameters), large(scopes.multiplyAdds[convention])],
      ...scopeRows(scopes, { depth, convention, indent: '' }),
    ],
  )
}

/** Several models side by side, each with its ratio to the first. */
export function comparison(reports: readonly Report[], convention: Convention): string {
  const first = reports[0]?.analysis
  const times = (value: number, reference: number | undefined) =>
    reference === undefined ? undefined : `×${(value / reference).toFixed(3)}`
  const row = ({ name, analysis: { keepRatio, parameters, multiplyAdds, activations } }: Report) => [
    name,
    keepRatio === undefined ? '–' : `${keepRatio}`,
    grouped(parameters),
    times(parameters, first?.parameters),
    large(multiplyAdds[convention]),
    times(multiplyAdds[convention], first?.multiplyAdds[convention]),
    large(activations),
    times(activations, first?.activations),
  ]
  const table = textTable(
    [
      { heading: 'configuration', align: 'left' },
      { heading: 'keep ratio' },
      { heading: 'parameters' },
      { heading: '' },
      { heading: 'multiply-adds' },
      { heading: '' },
      { heading: 'activations' },
      { heading: '' },
    ],
    reports.map(row),
  )
  const notes = [
    `multiply-adds (${convention}): ${conventionTexts[convention]}`,
    `×: compared with ${reports[0]?.name}`,
  ]
  return `${table}\n\n${notes.join('\n')}`
}
