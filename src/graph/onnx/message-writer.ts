/** How a field's bytes lie on the wire; a reader that doesn't know a field skips it by this. */
const wireTypes = { varint: 0, lengthDelimited: 2, fixed32: 5 } as const

const encoder = new TextEncoder()

/** Bytes that a length takes. */
function varintBytes(value: number): number {
  return value < 0x80 ? 1 : 1 + varintBytes(Math.floor(value / 0x80))
}

/**
 * Writes a message of protocol buffers, field after field. As proto3 has it, a single field of its default value
 * (0, an empty text) isn't written, and numbers of a repeated field are packed.
 *
 * Protobuf's own library costs 0.1 s at start for its descriptors of every message; ONNX needs these few.
 */
export class MessageWriter {
  private buffer = new Uint8Array(65_536)
  private view = new DataView(this.buffer.buffer)
  private length = 0

  /** The message, in memory of its own length: a view would take the whole buffer along to another thread. */
  finish(): Uint8Array {
    return this.buffer.slice(0, this.length)
  }

  /** int32, int64 or an enum: any safe integer. */
  integer(field: number, value: number): void {
    if (value !== 0) this.chosenInteger(field, value)
  }

  /** A member of a `oneof`, whose presence tells something even at 0. */
  chosenInteger(field: number, value: number): void {
    this.tag(field, wireTypes.varint)
    this.varint(value)
  }

  float(field: number, value: number): void {
    // as protobuf does: −0 is not the default
    if (Object.is(value, 0)) return
    this.tag(field, wireTypes.fixed32)
    this.float32(value)
  }

  text(field: number, value: string): void {
    if (value !== '') this.textElement(field, value)
  }

  bytes(field: number, value: Uint8Array): void {
    if (value.length === 0) return
    this.tag(field, wireTypes.lengthDelimited)
    this.varint(value.length)
    this.reserve(value.length)
    this.buffer.set(value, this.length)
    this.length += value.length
  }

  /** One of a repeated field's texts. */
  textElement(field: number, value: string): void {
    this.delimited(field, () => {
      // 3 bytes of UTF-8 are the most that a unit of UTF-16 takes
      this.reserve(3 * value.length)
      this.length += encoder.encodeInto(value, this.buffer.subarray(this.length)).written
    })
  }

  message(field: number, write: (writer: MessageWriter) => void): void {
    this.delimited(field, () => write(this))
  }

  integers(field: number, values: readonly number[]): void {
    if (values.length === 0) return
    this.delimited(field, () => {
      for (const value of values) this.varint(value)
    })
  }

  floats(field: number, values: readonly number[]): void {
    if (values.length === 0) return
    this.tag(field, wireTypes.lengthDelimited)
    this.varint(4 * values.length)
    for (const value of values) this.float32(value)
  }

  /** Writes in place what has its length before it: room for a short length is left, a longer one moves it. */
  private delimited(field: number, write: () => void): void {
    this.tag(field, wireTypes.lengthDelimited)
    const start = this.length
    this.reserve(1)
    this.length += 1
    write()
    const size = this.length - start - 1
    this.reserve(10)
    this.length = start
    if (size >= 0x80) this.buffer.copyWithin(start + varintBytes(size), start + 1, start + 1 + size)
    this.varint(size)
    this.length += size
  }

  private tag(field: number, wireType: number): void {
    this.varint(field * 8 + wireType)
  }

  /** Seven bits a byte, lowest first; negative numbers as the 64 bits of their two's complement. */
  private varint(value: number): void {
    this.reserve(10)
    if (value < 0) {
      let bits = BigInt.asUintN(64, BigInt(value))
      for (; bits >= 0x80n; bits >>= 7n) this.buffer[this.length++] = Number(bits & 0x7fn) | 0x80
      this.buffer[this.length++] = Number(bits)
      return
    }
    let rest = value
    // no shifts: they would cut above 32 bits
    for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) this.buffer[this.length++] = (rest % 0x80) | 0x80
    this.buffer[this.length++] = rest
  }

  private float32(value: number): void {
    this.reserve(4)
    this.view.setFloat32(this.length, value, true)
    this.length += 4
  }

  private reserve(sizeBytes: number): void {
    const needed = this.length + sizeBytes
    if (needed <= this.buffer.length) return
    const larger = new Uint8Array(Math.max(needed, 2 * this.buffer.length))
    larger.set(this.buffer.subarray(0, this.length))
    this.buffer = larger
    this.view = new DataView(larger.buffer)
  }
}
