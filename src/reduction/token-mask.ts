import { z } from 'zod'
import { BlvitError } from '../base/blvit-error.js'
import { hashOfText } from '../base/hash.js'
import { parseJson, parseWith } from '../base/parse.js'

/** How many patches a picture has, in rows and columns. */
export interface Grid {
  readonly rows: number
  readonly columns: number
}

/** For each patch, row by row, whether it is meant. */
export type PatchBits = readonly boolean[]

/** Which patches of a picture stay, whatever is on it. */
export interface TokenMask {
  /** For people: the file it is from. */
  readonly name: string
  readonly grid: Grid
  /** Where pictures usually tell something; undefined: nobody has looked. */
  readonly static: PatchBits | undefined
  /** Where the object is. */
  readonly objects: PatchBits | undefined
  /** The patch that matters most on average; undefined: nobody has looked. */
  readonly best: number | undefined
}

const side = z.int().min(1).max(10_000)
const rowsOfBits = z.array(z.string().regex(/^[01]+$/, 'is a row of 0 and 1'))

/** What `blvit calibrate atf` writes. A change that breaks readers gets another version. */
const maskJson = z
  .strictObject({
    format: z.literal('blvit-token-mask'),
    version: z.literal(1),
    grid: z.strictObject({ rows: side, columns: side }).describe('patches of a picture'),
    static: rowsOfBits.nullable().describe('a string for each row of patches, 1 for those that always stay'),
    objects: rowsOfBits.nullable().describe('likewise, 1 where the object is'),
    calibration: z
      .strictObject({
        model: z.string().describe('what the model was loaded by'),
        fingerprint: z.string().describe('of its files'),
        image: z.strictObject({ height: side, width: side }).describe("the model's input, in pixels"),
        pictures: z.int().min(1),
        seed: z.int().min(0).describe('of the draw of pictures'),
        threshold: z.enum(['patches', 'all']).describe('what a patch must receive more than the mean of'),
        prefixTokens: z.int().min(0),
        attentionReceived: z
          .array(z.number())
          .describe('mean over the pictures, for each token, those before the patches first'),
      })
      .nullable()
      .describe('where static is from'),
  })
  .superRefine(({ grid: { rows, columns }, calibration, ...masks }, { addIssue }) => {
    const complain = (path: string, message: string) => addIssue({ code: 'custom', path: [path], message })
    for (const [name, bits] of [['static', masks.static] as const, ['objects', masks.objects] as const]) {
      if (bits && (bits.length !== rows || bits.some((row) => row.length !== columns)))
        complain(name, `is not ${rows} rows of ${columns} bits`)
    }
    if ((masks.static === null) !== (calibration === null))
      complain('static', 'comes with a calibration, and a calibration with it')
    if (masks.static === null && masks.objects === null) complain('objects', 'are missing, and so is static')
    const tokens = rows * columns + (calibration?.prefixTokens ?? 0)
    if (calibration && calibration.attentionReceived.length !== tokens)
      complain('calibration', `has not the attention of ${tokens} tokens`)
  })

export type TokenMaskJson = z.output<typeof maskJson>

/** A calibrated static region, or none, and an object's region, or none, as they are written. */
export function tokenMaskJson(
  { rows, columns }: Grid,
  {
    objects,
    ...calibrated
  }: {
    readonly static?: PatchBits | undefined
    readonly calibration?: TokenMaskJson['calibration'] | undefined
    readonly objects?: PatchBits | undefined
  },
): TokenMaskJson {
  const written = (bits: PatchBits | undefined) => (bits ? rowsOf(bits, { rows, columns }) : null)
  return {
    ...{ format: 'blvit-token-mask', version: 1, grid: { rows, columns } },
    ...{ static: written(calibrated.static), objects: written(objects) },
    calibration: calibrated.calibration ?? null,
  }
}

/** Bits as rows that people can read and change. */
function rowsOf(bits: PatchBits, { columns }: Grid): string[] {
  const text = bits.map(Number).join('')
  return Array.from({ length: bits.length / columns }, (_, row) =>
    text.slice(row * columns, (row + 1) * columns),
  )
}

/** The bits of rows. @param rows of 0 and 1 */
export function bitsOf(rows: readonly string[]): PatchBits {
  return Array.from(rows.join(''), (bit) => bit === '1')
}

/** The lowest index of the largest number. */
function placeOfLargest(numbers: readonly number[]): number {
  return numbers.reduce((best, number, place) => (number > (numbers[best] ?? 0) ? place : best), 0)
}

/**
 * Reads what {@link TokenMaskJson} describes.
 * @param name for messages and labels: where it is from
 * @throws BlvitError `BAD_DATA` for anything else, `BAD_OPTION` for a mask of nothing
 */
export function readTokenMask(content: string | object, name: string): TokenMask {
  const json = typeof content === 'string' ? parseJson(content, name, 'BAD_DATA') : content
  const { format } = (json ?? {}) as { format?: unknown }
  if (format !== 'blvit-token-mask') {
    const advice = 'Make one: blvit calibrate atf -m vit-tiny --data photos/ -o mask.json.'
    throw new BlvitError('BAD_DATA', `${name} is no token mask. ${advice}`, { name })
  }
  const { grid, calibration, ...masks } = parseWith(maskJson, json, name, 'BAD_DATA')
  const [ofStatic, objects] = [masks.static && bitsOf(masks.static), masks.objects && bitsOf(masks.objects)]
  if (!calibration && !objects?.includes(true)) throw emptyMask(name)
  return {
    name,
    grid,
    static: ofStatic ?? undefined,
    objects: objects ?? undefined,
    best: calibration
      ? placeOfLargest(calibration.attentionReceived.slice(calibration.prefixTokens))
      : undefined,
  }
}

/** The complaint about a mask that keeps nothing. */
export function emptyMask(name: string): BlvitError {
  return new BlvitError(
    'BAD_OPTION',
    `${name} keeps no patch at all, and without a calibration nothing says which one matters most. ` +
      'Mark some patches with 1, or calibrate it: blvit calibrate atf -m vit-tiny --data photos/ -o mask.json.',
    { name },
  )
}

const hexDigits = 4

function hexOf(bits: PatchBits): string {
  const text = bits.map(Number).join('')
  return text.replace(/.{1,4}/g, (part) => Number.parseInt(part.padEnd(hexDigits, '0'), 2).toString(16))
}

function bitsOfHex(hex: string, count: number): PatchBits | undefined {
  const bits = Array.from(hex, (digit) => Number.parseInt(digit, 16).toString(2).padStart(hexDigits, '0'))
  const text = bits.join('')
  if (hex.length !== Math.ceil(count / hexDigits) || text.slice(count).includes('1')) return undefined
  return bitsOf([text.slice(0, count)])
}

const maskText = /^([^#,=]+)#(\d{1,5})x(\d{1,5})(?:\/s([\da-f]+))?(?:\/o([\da-f]+))?(?:\/b(\d{1,9}))?$/

/** A mask as a text that says all of it, so that settings stay texts wherever they go: `mask.json#2x2/s8/b1`. */
export function textOfMask({ name, grid: { rows, columns }, objects, best, ...mask }: TokenMask): string {
  const parts = [
    `${rows}x${columns}`,
    ...(mask.static ? [`s${hexOf(mask.static)}`] : []),
    ...(objects ? [`o${hexOf(objects)}`] : []),
    ...(best === undefined ? [] : [`b${best}`]),
  ]
  return `${name}#${parts.join('/')}`
}

/**
 * A mask as a text for settings, where no file can be read: `reduce: \`atf:${tokenMaskText(json)}\``.
 * @param json what `blvit calibrate atf` wrote, as a text or parsed @param options `name`: what it is called in reports
 * @throws BlvitError `BAD_DATA` for anything else, `BAD_OPTION` for a mask of nothing
 */
export function tokenMaskText(json: string | object, { name = 'mask' } = {}): string {
  return textOfMask(readTokenMask(json, name))
}

/** What {@link textOfMask} wrote; undefined for any other text. */
export function maskOfText(text: string): TokenMask | undefined {
  const [, name, rows, columns, ofStatic, objects, best] = maskText.exec(text) ?? []
  if (name === undefined) return undefined
  const grid = { rows: Number(rows), columns: Number(columns) }
  const count = grid.rows * grid.columns
  const read = (hex: string | undefined) => (hex === undefined ? undefined : bitsOfHex(hex, count))
  const mask: TokenMask = {
    ...{ name, grid, static: read(ofStatic), objects: read(objects) },
    best: best === undefined ? undefined : Number(best),
  }
  return count > 0 && textOfMask(mask) === text && (mask.best ?? 0) < count ? mask : undefined
}

/** A mask's text for people: its name, and a sign that is another one for another content. */
export function shortTextOfMask(text: string): string {
  const { name } = maskOfText(text) ?? {}
  if (name === undefined) return text
  const [sign] = hashOfText(text)
  return `${name}#${sign.toString(16).padStart(8, '0')}`
}
