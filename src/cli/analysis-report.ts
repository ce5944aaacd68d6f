import { plainKey } from '../settings/setting.js'
import type { Analysis } from '../tasks/analyze/analyze.js'
import type { LayerCost } from '../tasks/analyze/layers.js'
import type { PartCost, PartName } from '../tasks/analyze/parts.js'
import type { ScopeTree } from '../tasks/analyze/scopes.js'
import type { CountedCost } from '../tasks/analyze/segment-anything-costs.js'
import type { MultiplyAdds, Tally } from '../tasks/analyze/shares.js'
import type { Convention } from './option-values.js'
import { bytes, countedPictures, grouped, large, percent, unitFor } from './quantities.js'
import { textTable } from './table.js'

/** What was analysed, under the name that the user gave it. */
export interface Report {
  readonly name: string
  readonly analysis: Analysis
  /** Of how many pictures the sizes that pictures decide are the mean; absent: these are at their most. */
  readonly pictures?: number
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

/** Whether its blocks are those for chosen patches, with others for all beside them or none. */
function hasBigBlocks({ kept, parts }: Analysis): boolean {
  return kept !== undefined || parts.some(({ part }) => part === 'gates')
}

function partText(part: PartName, analysis: Analysis): string {
  return part === 'blocks' && hasBigBlocks(analysis) ? 'P-blocks' : partTexts[part]
}

/** Tokens of a picture in the last block. */
function left({ layers }: Analysis): number | undefined {
  return layers.findLast(({ tokens }) => tokens !== undefined)?.tokens
}

/** What is left where pictures decide it. */
function countedWords({ analysis, pictures }: Report): string {
  const { patches, prefix, layers } = analysis
  const all = patches + prefix
  if (hasBigBlocks(analysis)) {
    if (pictures === undefined)
      return `each picture decides how many of ${patches} patches the P-blocks process; counted at the most (--data counts for pictures)`
    const chosen = layers.flatMap(({ selects }) => selects?.toFixed(1) ?? [])
    return `P-blocks process ${chosen.join(', ')} of ${patches} patches from one predictor to the next, in the mean of ${countedPictures(pictures)}`
  }
  if (pictures === undefined)
    return `each picture decides how many of ${all} tokens are left; counted at the most (--data counts for pictures)`
  return `${left(analysis)?.toFixed(1)} of ${all} tokens are left at the end, in the mean of ${countedPictures(pictures)}`
}

function headline(report: Report): string {
  const { name, analysis } = report
  const { family, image, patchSize, patches, prefix, kept, counted, setting, layers } = analysis
  const tokens = `${patches} patch tokens + ${prefix} prefix token${prefix === 1 ? '' : 's'}`
  const cut =
    patchSize === undefined
      ? ` to maps, the last of ${patches} places`
      : ` in ${patchSize}×${patchSize} patches, ${tokens}`
  const lines = [`${name} (${family}): ${image.width}×${image.height} pixels${cut}`]
  if (kept !== undefined) lines.push(`${setting}: P-blocks process ${kept} of ${patches} patches`)
  else if (counted !== undefined) lines.push(`${setting}: ${countedWords(report)}`)
  else if (setting !== plainKey && [undefined, patches + prefix].includes(left(analysis))) lines.push(setting)
  else if (layers.some(({ selects }) => selects !== undefined))
    lines.push(
      `${setting}: ${left(analysis)} of ${patches + prefix} tokens go through the last block, the others wait`,
    )
  else if (setting !== plainKey)
    lines.push(`${setting}: ${left(analysis)} of ${patches + prefix} tokens are left at the end`)
  return lines.join('\n')
}

/** A column of parts of a model's multiply-adds. */
function multiplyAddsColumn({ multiplyAdds }: Analysis, convention: Convention) {
  const { letter, format } = unitFor(multiplyAdds[convention], { atLeast: 1000, decimals: 1 })
  const heading = `multiply-adds, ${letter} (${convention})`
  return {
    heading,
    format: (part: MultiplyAdds) => (part[convention] === 0 ? '–' : format(part[convention])),
  }
}

function weightsBytes({ parts }: Analysis): number {
  return parts.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)
}

/** The figures that a paper's table shows, for one picture. */
function figures({ analysis }: Report, convention: Convention): string {
  const { parameters, parametersWithNorms: withNorms, multiplyAdds, activations } = analysis
  const others = (Object.keys(conventionTexts) as Convention[]).filter((name) => name !== convention)
  return textTable(
    [{ heading: '', align: 'left' }, { heading: '' }, { heading: '', align: 'left' }],
    [
      ['parameters', grouped(parameters), `${bytes(weightsBytes(analysis))} as F32`],
      ...(withNorms === undefined
        ? []
        : [['', grouped(withNorms), 'with the batch norms that are folded into them here: as papers count']]),
      ...[convention, ...others].map((name, index) => [
        index === 0 ? 'multiply-adds' : '',
        large(multiplyAdds[name]),
        `${name.padEnd(6)}  ${conventionTexts[name]}`,
      ]),
      [
        'activations',
        large(activations),
        "elements written by all these products, attention maps included: fvcore's count",
      ],
    ],
  )
}

function partsTable({ analysis }: Report, convention: Convention): string {
  const total = analysis.multiplyAdds[convention]
  const work = multiplyAddsColumn(analysis, convention)
  const size = unitFor(weightsBytes(analysis), { atLeast: 10, decimals: 1 })
  const row = ({ part, parameters, sizeBytes, multiplyAdds }: PartCost) => [
    partText(part, analysis),
    grouped(parameters),
    size.format(sizeBytes),
    work.format(multiplyAdds),
    percent(multiplyAdds[convention] / total),
  ]
  return textTable(
    [
      { heading: 'part', align: 'left' },
      { heading: 'parameters' },
      { heading: `${size.letter}B as F32` },
      { heading: work.heading },
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
  const routed = hasBigBlocks(analysis)
  const count = (number: number) => grouped(number, { decimals: Number.isInteger(number) ? 0 : 1 })
  const work = multiplyAddsColumn(analysis, convention)
  const row = ({ name, parameters, multiplyAdds, tokens, little, selects }: LayerCost) => [
    name,
    grouped(parameters),
    work.format(multiplyAdds),
    percent(multiplyAdds[convention] / total),
    tokens === undefined ? undefined : count(tokens),
    ...(routed
      ? [
          little && percent(little[convention] / multiplyAdds[convention]),
          selects === undefined ? undefined : `${count(selects)} patches`,
        ]
      : []),
  ]
  return textTable(
    [
      { heading: 'layer', align: 'left' },
      { heading: 'parameters' },
      { heading: work.heading },
      { heading: 'share' },
      { heading: routed ? 'tokens of P' : 'tokens' },
      ...(routed ? [{ heading: 'done by E' }, { heading: 'then selects' }] : []),
    ],
    analysis.layers.map(row),
  )
}

interface ScopeRowOptions {
  /** Levels still to show. */
  readonly depth: number
  readonly indent: string
  readonly cells: (label: string, tally: Tally) => string[]
}

function scopeRows(tree: ScopeTree, { depth, indent, cells }: ScopeRowOptions): string[][] {
  if (depth === 0) return []
  const { own, scopes } = tree
  // Without this line the scopes below would not add up to the one above them.
  const apart = scopes.length > 0 && own.parameters + own.multiplyAdds.thop + own.multiplyAdds.full > 0
  const rows = apart ? [cells(`${indent}├─ (its own)`, own)] : []
  scopes.forEach((inside, index) => {
    const last = index === scopes.length - 1
    rows.push(
      cells(`${indent}${last ? '└─' : '├─'} ${inside.name}`, inside),
      ...scopeRows(inside, { depth: depth - 1, indent: `${indent}${last ? '   ' : '│  '}`, cells }),
    )
  })
  return rows
}

/** The tree of scopes down to a depth, like a listing of disk use. */
export function scopesTable(
  { name, analysis }: Report,
  { depth, convention }: { depth: number; convention: Convention },
): string {
  const work = multiplyAddsColumn(analysis, convention)
  const cells = (label: string, { parameters, multiplyAdds }: Tally) => [
    label,
    parameters === 0 ? '–' : grouped(parameters),
    work.format(multiplyAdds),
  ]
  return textTable(
    [{ heading: 'scope', align: 'left' }, { heading: 'parameters' }, { heading: work.heading }],
    [cells(name, analysis.scopes), ...scopeRows(analysis.scopes, { depth, indent: '', cells })],
  )
}

/** Several models side by side, each with its ratio to the first. */
export function comparison(reports: readonly Report[], convention: Convention): string {
  const first = reports[0]?.analysis
  const largest = (of: (analysis: Analysis) => number) =>
    unitFor(Math.max(...reports.map(({ analysis }) => of(analysis))))
  const work = largest(({ multiplyAdds }) => multiplyAdds[convention])
  const written = largest(({ activations }) => activations)
  const times = (value: number, reference: number | undefined) =>
    reference === undefined ? undefined : `×${(value / reference).toFixed(3)}`
  const row = ({ name, analysis: { setting, parameters, multiplyAdds, activations } }: Report) => [
    name,
    setting,
    grouped(parameters),
    times(parameters, first?.parameters),
    work.format(multiplyAdds[convention]),
    times(multiplyAdds[convention], first?.multiplyAdds[convention]),
    written.format(activations),
    times(activations, first?.activations),
  ]
  const table = textTable(
    [
      { heading: 'configuration', align: 'left' },
      { heading: 'setting', align: 'left' },
      { heading: 'parameters' },
      { heading: '' },
      { heading: `multiply-adds, ${work.letter}` },
      { heading: '' },
      { heading: `activations, ${written.letter}` },
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

/** Published costs beside ours, and by which convention they are nearest. */
export function publishedCosts(rows: readonly CountedCost[]): string {
  const giga = (count: number) => (count / 1e9).toFixed(2)
  const table = textTable(
    [
      { heading: 'Table 2', align: 'left' },
      { heading: 'paper, G' },
      { heading: 'encoder' },
      { heading: 'with decoder' },
      { heading: 'apart' },
      { heading: 'nearest', align: 'left' },
      { heading: 'full' },
      { heading: 'counted as', align: 'left' },
    ],
    rows.map(({ row, published, encoder, withDecoder, full, convention, apart, model, settings }) => [
      row,
      (published / 1e9).toFixed(1),
      giga(encoder),
      giga(withDecoder),
      `${apart < 0 ? '−' : '+'}${percent(Math.abs(apart))}`,
      convention,
      giga(full),
      [model, settings.reduce && `--reduce ${settings.reduce}`, settings.quota && `--quota ${settings.quota}`]
        .filter(Boolean)
        .join(' '),
    ]),
  )
  return [
    table,
    '',
    `encoder, with decoder: thop, ${conventionTexts.thop}; for one click`,
    'full: with decoder, and attention and relative positions too',
  ].join('\n')
}
