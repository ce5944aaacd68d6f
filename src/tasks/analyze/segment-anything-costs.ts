import { defined } from '../../base/assert.js'
import { presets } from '../../models/index.js'
import type { Settings } from '../../settings/settings.js'
import { analyze } from './analyze.js'

/** A row of Table 2 of the bLViT paper, and what we count for it. */
interface PublishedCost {
  readonly row: string
  /** As the paper has it, in multiply-adds. */
  readonly published: number
  /** The same model here. */
  readonly model: string
  readonly settings: Settings
}

// places outside of the picture's grid are kept there as others
const everyPlace = { quota: 'equal' } as const

/**
 * The rows with the settings that come nearest. What a share of a window is of, and where EViT reduces, the paper doesn't say:
 * these are what its figures fit (spec §7).
 */
const published: readonly PublishedCost[] = [
  { row: 'SAM ViT-B', published: 372.0e9, model: 'sam-b', settings: {} },
  {
    row: 'EViT-B',
    published: 216.4e9,
    model: 'sam-b',
    settings: { ...everyPlace, reduce: 'evit:0.5,fuse=false,blocks=3/7/11' },
  },
  {
    row: 'Evo-ViT-B',
    published: 266.0e9,
    model: 'sam-b',
    settings: { ...everyPlace, reduce: 'evo-vit:0.5' },
  },
  { row: 'B+T', published: 210.5e9, model: 'sam-b+t', settings: {} },
  { row: 'SAM ViT-H', published: 2736.6e9, model: 'sam-h', settings: {} },
  {
    row: 'EViT-H',
    published: 1597.2e9,
    model: 'sam-h',
    settings: { ...everyPlace, reduce: 'evit:0.5,fuse=false,blocks=10/19/28' },
  },
  {
    row: 'Evo-ViT-H',
    published: 1840.5e9,
    model: 'sam-h',
    settings: { ...everyPlace, reduce: 'evo-vit:0.5,blocks=8/16/24' },
  },
  { row: 'H+B', published: 1993.3e9, model: 'sam-h+b', settings: {} },
]

/** What a row costs by each way of counting, in multiply-adds. */
export interface CountedCost extends PublishedCost {
  /** thop: linear maps, convolutions, 4 per LayerNorm element, places of windows outside of the grid. */
  readonly encoder: number
  /** The same with prompt encoder and decoder for one click. */
  readonly withDecoder: number
  /** Everything that is multiplied here, attention and relative positions too, for one click. */
  readonly full: number
  /** Which of the first two the paper's figure is nearer to, and how far we are from it, as a share. */
  readonly convention: 'encoder' | 'with decoder'
  readonly apart: number
}

/** Table 2's cost column, counted. */
export function segmentAnythingCosts(): readonly CountedCost[] {
  return published.map((row) => {
    const architecture = defined(presets[row.model], row.model)
    const whole = analyze(architecture, row.settings).multiplyAdds
    const encoder = analyze(architecture, { ...row.settings, programs: ['encode'] }).multiplyAdds.thop
    const [alone, both] = [encoder, whole.thop].map((count) => count / row.published - 1) as [number, number]
    const isAlone = Math.abs(alone) < Math.abs(both)
    return {
      ...row,
      encoder,
      withDecoder: whole.thop,
      full: whole.full,
      convention: isAlone ? 'encoder' : 'with decoder',
      apart: isAlone ? alone : both,
    }
  })
}
