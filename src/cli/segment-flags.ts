import { InvalidArgumentError } from 'commander'
import { BlvitError } from '../base/blvit-error.js'
import type { EngineFlags } from './model-options.js'
import { hasSettings, type SettingFlags } from './setting-options.js'

type Point = { readonly x: number; readonly y: number; readonly label: 0 | 1 }
type Box = readonly [number, number, number, number]

/** What `blvit segment` is asked for. */
export interface SegmentFlags extends EngineFlags, SettingFlags {
  readonly model: string
  readonly point?: readonly Point[]
  readonly box?: readonly Box[]
  readonly mask?: string
  readonly each?: boolean
  readonly multimask?: boolean
  readonly everything?: boolean
  readonly pointsPerSide?: number
  readonly minIou?: number
  readonly minStability?: number
  readonly cropLayers?: number
  readonly minArea?: number
  readonly output?: string
  readonly cutout?: string
  readonly overlay?: string
  readonly embedding?: string
  readonly saveEmbedding?: string
  readonly json?: boolean
}

const number = String.raw`-?\d+(?:\.\d+)?`

/** `x,y` or `x,y:label`, as often as it is given. */
export function point(text: string, earlier: readonly Point[] = []): Point[] {
  const [whole, x, y, label] = new RegExp(`^(${number}),(${number})(?::([01]))?$`).exec(text) ?? []
  if (whole === undefined) {
    throw new InvalidArgumentError(
      'It must be x,y in pixels, and :0 behind it for what is not part of the object.',
    )
  }
  return [...earlier, { x: Number(x), y: Number(y), label: label === '0' ? 0 : 1 }]
}

/** `left,top,right,bottom`, as often as it is given. */
export function box(text: string, earlier: readonly Box[] = []): Box[] {
  const [whole, ...sides] = new RegExp(`^(${number}),(${number}),(${number}),(${number})$`).exec(text) ?? []
  if (whole === undefined) throw new InvalidArgumentError('It must be left,top,right,bottom in pixels.')
  const [x0, y0, x1, y1] = sides.map(Number)
  return [...earlier, [x0 ?? 0, y0 ?? 0, x1 ?? 0, y1 ?? 0]]
}

/** How often the crops of `--everything` are halved. */
export function layers(text: string): number {
  if (/^[0-4]$/.test(text)) return Number(text)
  throw new InvalidArgumentError('It must be a number of layers from 0 to 4.')
}

const everythingOnly = ['pointsPerSide', 'minIou', 'minStability', 'cropLayers', 'minArea'] as const
const promptOnly = ['point', 'box', 'mask', 'each', 'multimask'] as const

/** The complaint about flags that don't go together. */
export function refused(message: string): BlvitError {
  return new BlvitError('BAD_OPTION', message)
}

/** A flag as it is typed. */
export function dashed(name: string): string {
  return `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`
}

/** @throws BlvitError `BAD_OPTION` for options that go without what they are about */
export function checkFlags(flags: SegmentFlags): void {
  const { point: points = [], box: boxes = [], mask, each, everything, seed } = flags
  if (seed !== undefined)
    throw refused(`--seed ${seed} would change nothing: nothing here is picked at random.`)
  const idle = (everything ? promptOnly : everythingOnly).find((name) => flags[name] !== undefined)
  if (idle !== undefined) {
    throw refused(`${dashed(idle)} and --everything ${everything ? "don't go together" : 'belong together'}.`)
  }
  if (!everything && points.length + boxes.length === 0 && mask === undefined) {
    throw refused('Say what to cut out: --point x,y, --box x0,y0,x1,y1, --mask file, or --everything.')
  }
  if (!each && boxes.length > 1 && (points.length > 0 || mask !== undefined)) {
    throw refused(
      'Several boxes are several objects: to which do points or the mask belong? Give one box, or --each.',
    )
  }
  if (flags.embedding !== undefined && hasSettings(flags)) {
    throw refused(
      '--embedding is of a picture that was encoded already, so settings would change nothing. Leave one out.',
    )
  }
  if (each && mask !== undefined)
    throw refused('--mask is of one object, and --each makes several. Leave one out.')
  if (flags.output ?? flags.cutout ?? flags.overlay ?? flags.saveEmbedding ?? flags.json) return
  throw refused('Say where the masks go: -o mask.png, --cutout, --overlay or --json.')
}
