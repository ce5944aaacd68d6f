/** A safetensors file of any header text, for malformed ones. */
export function fileOf(header: string | object, data: Uint8Array | number = 0): Uint8Array {
  const text = new TextEncoder().encode(typeof header === 'string' ? header : JSON.stringify(header))
  const tail = typeof data === 'number' ? new Uint8Array(data) : data
  const bytes = new Uint8Array(8 + text.byteLength + tail.byteLength)
  new DataView(bytes.buffer).setBigUint64(0, BigInt(text.byteLength), true)
  bytes.set(text, 8)
  bytes.set(tail, 8 + text.byteLength)
  return bytes
}
