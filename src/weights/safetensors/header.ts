import { BlvitError } from '../../base/blvit-error.js'
import { repeatedKey } from '../../base/json-text.js'
import { parseJson } from '../../base/parse.js'
import { elementBytes, type StoredDtype } from '../stored-tensor.js'
import { type IntegerDtype, integerSizes } from './stored-integers.js'

/** One tensor as the header of a safetensors file declares it; offsets count from the end of the header. */
export interface HeaderEntry {
  readonly name: string
  readonly dtype: StoredDtype | IntegerDtype
  readonly shape: readonly number[]
  readonly begin: number
  readonly end: number
}

export interface SafetensorsHeader {
  /** In the order of their bytes. */
  readonly entries: readonly HeaderEntry[]
  readonly metadata: Readonly<Record<string, string>>
}

const bytesOfDtype = new Map<string, number>([
  ...Object.entries(elementBytes),
  ...Object.entries(integerSizes),
])

/**
 * Parses and checks the JSON header of a safetensors file.
 * @param text the header, padding included
 * @param source names the file in messages
 * @param dataBytes bytes that the file holds after the header
 * @throws BlvitError `BAD_WEIGHTS` for anything that the format forbids
 */
export function parseHeader(
  text: string,
  { source, dataBytes }: { source: string; dataBytes: number },
): SafetensorsHeader {
  const parsed = parseJson(text, `The header of ${source}`, 'BAD_WEIGHTS')
  if (!isRecord(parsed)) throw bad(`The header of ${source} is not a JSON object.`, { source })
  const twice = repeatedKey(text)
  if (twice !== undefined) throw bad(`${source} declares "${twice}" twice.`, { source, tensor: twice })

  const { __metadata__: metadata = {}, ...tensors } = parsed
  const entries = Object.entries(tensors).map(([name, declared]) => parseEntry(name, declared, source))
  entries.sort((a, b) => a.begin - b.begin || a.end - b.end)
  requireContiguous(entries, { source, dataBytes })
  return { entries, metadata: parseMetadata(metadata, source) }
}

function parseEntry(name: string, declared: unknown, source: string): HeaderEntry {
  const where = `${source}: tensor "${name}"`
  const fields = { source, tensor: name }
  if (!isRecord(declared)) throw bad(`${where} is not declared by an object.`, fields)
  const { dtype, shape, data_offsets: offsets } = declared

  const size = typeof dtype === 'string' ? bytesOfDtype.get(dtype) : undefined
  if (size === undefined) {
    throw bad(
      `${where} has dtype ${JSON.stringify(dtype)}. Weights may be ${Object.keys(elementBytes).join(', ')}; convert it to one of these.`,
      { ...fields, dtype },
    )
  }
  if (!Array.isArray(shape) || !shape.every(isCount)) {
    throw bad(`${where} has shape ${JSON.stringify(shape)}: sizes must be whole numbers from 0.`, fields)
  }
  if (!Array.isArray(offsets) || offsets.length !== 2 || !offsets.every(isCount)) {
    throw bad(`${where} has data_offsets ${JSON.stringify(offsets)}: two whole numbers are needed.`, fields)
  }
  const [begin, end] = offsets as [number, number]
  const needed = checkedProduct([...shape, size])
  if (needed === undefined) throw bad(`${where} has shape [${shape.join(', ')}]: too large.`, fields)
  if (end - begin !== needed) {
    throw bad(
      `${where}, ${dtype} [${shape.join(', ')}], takes ${needed} bytes, but its offsets ${begin}…${end} span ${end - begin}.`,
      fields,
    )
  }
  return { name, dtype: dtype as HeaderEntry['dtype'], shape, begin, end }
}

/** The format leaves no byte unused and uses none twice, so that no content hides between tensors. */
function requireContiguous(
  entries: readonly HeaderEntry[],
  { source, dataBytes }: { source: string; dataBytes: number },
): void {
  let at = 0
  for (const { name, begin, end } of entries) {
    if (begin !== at) {
      const what =
        begin < at ? `overlaps the one before it, which ends at ${at}` : `leaves bytes ${at}…${begin} unused`
      throw bad(`${source}: tensor "${name}" begins at ${begin} and ${what}.`, { source, tensor: name })
    }
    if (end > dataBytes) {
      throw bad(
        `${source} is cut: tensor "${name}" ends at byte ${end} of the data, but there are only ${dataBytes}. Download or copy it again.`,
        { source, tensor: name, dataBytes },
      )
    }
    at = end
  }
  if (at === dataBytes) return
  throw bad(`${source} has ${dataBytes - at} bytes after its last tensor.`, {
    source,
    dataBytes,
    usedBytes: at,
  })
}

function parseMetadata(metadata: unknown, source: string): Record<string, string> {
  if (isRecord(metadata) && Object.values(metadata).every((value) => typeof value === 'string')) {
    return metadata as Record<string, string>
  }
  throw bad(`${source}: __metadata__ must map names to texts.`, { source })
}

/** Undefined where the product is no longer an exact number. */
function checkedProduct(factors: readonly number[]): number | undefined {
  let product = 1
  for (const factor of factors) {
    product *= factor
    if (!Number.isSafeInteger(product)) return undefined
  }
  return product
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function bad(message: string, fields: Record<string, unknown>): BlvitError {
  return new BlvitError('BAD_WEIGHTS', message, fields)
}
