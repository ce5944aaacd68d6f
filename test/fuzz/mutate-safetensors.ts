import { join, mutateBytes } from './mutate-bytes.js'
import { mutateJson } from './mutate-json.js'
import type { Random } from './random.js'

/** Changes the header, its length, the values or any bytes of a safetensors file. */
export function mutateSafetensors(bytes: Uint8Array, random: Random): Uint8Array {
  const headerBytes = Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true))
  const header = bytes.subarray(8, 8 + headerBytes)
  const data = bytes.subarray(8 + headerBytes)
  const withHeader = (text: Uint8Array) => join(lengthOf(BigInt(text.length)), text, data)
  return random.pick([
    () => withHeader(Buffer.from(mutateJson(Buffer.from(header).toString(), random), 'latin1')),
    () => withHeader(Buffer.from(mutateJson(Buffer.from(header).toString(), random), 'latin1')),
    () => withHeader(mutateBytes(header, random)),
    () => join(lengthOf(random.pick(lengths)), bytes.subarray(8)),
    () => join(lengthOf(BigInt(headerBytes + random.integer(64) - 32)), bytes.subarray(8)),
    () => join(bytes.subarray(0, 8 + headerBytes), notNumbers(data, random)),
    () => mutateBytes(bytes, random),
  ])()
}

const lengths = [
  0n,
  1n,
  7n,
  99_999_999n,
  100_000_001n,
  2n ** 31n,
  2n ** 32n + 8n,
  2n ** 53n,
  2n ** 63n,
  2n ** 64n - 1n,
]

function lengthOf(value: bigint): Uint8Array {
  const bytes = new Uint8Array(8)
  new DataView(bytes.buffer).setBigUint64(0, value, true)
  return bytes
}

/** NaN and infinity, in whatever type the tensors are. */
function notNumbers(data: Uint8Array, random: Random): Uint8Array {
  const changed = data.slice()
  const at = random.integer(Math.max(1, changed.length - 4)) & ~3
  changed.set(
    random.pick([
      [0, 0, 0xc0, 0x7f],
      [0, 0, 0x80, 0xff],
      [0, 0x7c, 0, 0x7c],
      [0xff, 0xff, 0xff, 0xff],
    ]),
    at,
  )
  return changed
}
