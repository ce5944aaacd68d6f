import { BlvitError, throwIfAborted } from '../base/blvit-error.js'
import { aligned } from './convert-chunk.js'
import { joinAdjacent } from './rows.js'
import { elementBytes, type Segment, type StoredDtype, type StoredTensors } from './stored-tensor.js'
import { requireWholeSegments, segmentChunks, tensorChunks } from './tensor-chunks.js'

/** A tensor that holds values other than numbers. */
export interface NonFinite {
  readonly name: string
  readonly nan: number
  /** Of either sign. */
  readonly infinite: number
  /** Row-major index of the first of them. */
  readonly firstIndex: number
}

interface ExponentBits {
  /** Exponent bits of every value in a 32-bit word: one float32 or two 16-bit floats. */
  readonly mask: number
  /** The lowest exponent bit of each: adding it carries into the sign bit exactly if all of them are set. */
  readonly step: number
  /** The sign bits that the carries reach. */
  readonly carry: number
}

const exponents: Readonly<Record<StoredDtype, ExponentBits>> = {
  F32: { mask: 0x7f80_0000, step: 0x0080_0000, carry: 0x8000_0000 },
  F16: { mask: 0x7c00_7c00, step: 0x0400_0400, carry: 0x8000_8000 },
  BF16: { mask: 0x7f80_7f80, step: 0x0080_0080, carry: 0x8000_8000 },
}

/**
 * Looks for NaN and infinity in every tensor by exponent bits, without converting.
 * @returns the tensors that have some, in order; empty if all is finite
 * @throws BlvitError `BAD_WEIGHTS` if a tensor can't be read, `ABORTED`
 */
export async function findNonFinite(
  tensors: StoredTensors,
  { signal }: { signal?: AbortSignal | undefined } = {},
): Promise<readonly NonFinite[]> {
  if (!(await anyMayHold(tensors, signal))) return []
  const found: NonFinite[] = []
  for (const [name, tensor] of tensors) {
    const size = elementBytes[tensor.dtype]
    const counts = { nan: 0, infinite: 0, firstIndex: -1 }
    let done = 0
    for await (const chunk of tensorChunks(tensor)) {
      throwIfAborted(signal)
      if (mayHold(chunk, tensor.dtype)) count(chunk, { dtype: tensor.dtype, firstElement: done, counts })
      done += chunk.byteLength / size
    }
    if (counts.firstIndex >= 0) found.push({ name, ...counts })
  }
  return found
}

/**
 * @throws BlvitError `BAD_WEIGHTS` that lists the tensors which hold NaN or infinity
 */
export async function assertFinite(
  tensors: StoredTensors,
  { signal }: { signal?: AbortSignal | undefined } = {},
): Promise<void> {
  const found = await findNonFinite(tensors, { signal })
  if (found.length === 0) return
  const shown = found.slice(0, 5).map(({ name, nan, infinite, firstIndex }) => {
    return `${name} (${nan} NaN, ${infinite} infinite, first at ${firstIndex})`
  })
  const segments = found.slice(0, shown.length).flatMap(({ name }) => tensors.get(name)?.segments ?? [])
  const source = [...new Set(segments.map((segment) => segment.source.name))].join(' and ')
  const rest = found.length > shown.length ? ` and ${found.length - shown.length} more` : ''
  throw new BlvitError(
    'BAD_WEIGHTS',
    `${source} holds values that are not numbers in ${found.length} of ${tensors.size} tensors: ${shown.join(', ')}${rest}. Its training diverged or the file is damaged: use an earlier checkpoint or download it again.`,
    { source, tensors: found },
  )
}

/**
 * Whether a closer look is needed. Tensors lie one after the other in their files, and reading few long stretches
 * takes a fifth of the time of reading each tensor.
 */
async function anyMayHold(tensors: StoredTensors, signal: AbortSignal | undefined): Promise<boolean> {
  for (const dtype of Object.keys(elementBytes) as StoredDtype[]) {
    const alike = [...tensors.values()].filter((tensor) => tensor.dtype === dtype)
    for (const tensor of alike) requireWholeSegments(tensor)
    for (const stretch of stretches(alike.flatMap(({ segments }) => segments))) {
      for await (const chunk of segmentChunks(stretch)) {
        throwIfAborted(signal)
        if (mayHold(chunk, dtype)) return true
      }
    }
  }
  return false
}

/** The same bytes in as few segments as possible. */
function stretches(segments: readonly Segment[]): readonly Segment[] {
  const sources = [...new Set(segments.map(({ source }) => source))]
  return sources.flatMap((source) => {
    const here = segments.filter((segment) => segment.source === source)
    return joinAdjacent(here.sort((a, b) => a.offset - b.offset))
  })
}

/** One pass over whole words; the odd half of a word at the end counts as one. */
function mayHold(bytes: Uint8Array, dtype: StoredDtype): boolean {
  const { mask, step, carry } = exponents[dtype]
  const whole = aligned(bytes, 4)
  const words = new Int32Array(whole.buffer, whole.byteOffset, Math.floor(whole.byteLength / 4))
  const [low = 0, high = 0] = whole.subarray(4 * words.length)
  let carries = ((low | (high << 8)) & mask) + step
  for (let i = 0; i < words.length; i++) carries |= ((words[i] as number) & mask) + step
  return (carries & carry) !== 0
}

function count(
  bytes: Uint8Array,
  {
    dtype,
    firstElement,
    counts,
  }: {
    dtype: StoredDtype
    firstElement: number
    counts: { nan: number; infinite: number; firstIndex: number }
  },
): void {
  const size = elementBytes[dtype]
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const exponent = size === 4 ? exponents[dtype].mask : exponents[dtype].mask & 0x7fff
  const magnitude = size === 4 ? 0x7fff_ffff : 0x7fff
  for (let at = 0; at < bytes.byteLength; at += size) {
    const bits = (size === 4 ? view.getUint32(at, true) : view.getUint16(at, true)) & magnitude
    if ((bits & exponent) !== exponent) continue
    if (bits === exponent) counts.infinite += 1
    else counts.nan += 1
    if (counts.firstIndex < 0) counts.firstIndex = firstElement + at / size
  }
}
