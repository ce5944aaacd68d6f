import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire'

/**
 * Writes a message of protocol buffers, field after field. As proto3 has it, a single field of its default value
 * (0, an empty text) isn't written, and numbers of a repeated field are packed.
 *
 * The bytes are protobuf's own library's; only its descriptors of every message are left out, because to load them
 * costs a tenth of a second at start, and ONNX needs few of them.
 */
export class MessageWriter {
  private readonly writer = new BinaryWriter()

  finish(): Uint8Array {
    return this.writer.finish()
  }

  /** int32, int64 or an enum: any safe integer. */
  integer(field: number, value: number): void {
    if (value !== 0) this.chosenInteger(field, value)
  }

  /** A member of a `oneof`, whose presence tells something even at 0. */
  chosenInteger(field: number, value: number): void {
    this.writer.tag(field, WireType.Varint).int64(value)
  }

  float(field: number, value: number): void {
    // as protobuf does: −0 is not the default
    if (!Object.is(value, 0)) this.writer.tag(field, WireType.Bit32).float(value)
  }

  text(field: number, value: string): void {
    if (value !== '') this.textElement(field, value)
  }

  bytes(field: number, value: Uint8Array): void {
    if (value.length > 0) this.writer.tag(field, WireType.LengthDelimited).bytes(value)
  }

  /** One of a repeated field's texts. */
  textElement(field: number, value: string): void {
    this.writer.tag(field, WireType.LengthDelimited).string(value)
  }

  message(field: number, write: (writer: MessageWriter) => void): void {
    this.writer.tag(field, WireType.LengthDelimited).fork()
    write(this)
    this.writer.join()
  }

  integers(field: number, values: readonly number[]): void {
    this.packed(field, values, (value) => this.writer.int64(value))
  }

  floats(field: number, values: readonly number[]): void {
    this.packed(field, values, (value) => this.writer.float(value))
  }

  private packed(field: number, values: readonly number[], write: (value: number) => void): void {
    if (values.length === 0) return
    this.writer.tag(field, WireType.LengthDelimited).fork()
    for (const value of values) write(value)
    this.writer.join()
  }
}
