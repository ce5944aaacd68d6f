import { create, toBinary } from '@bufbuild/protobuf'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { MessageWriter } from '../../src/graph/onnx/message-writer.js'
import { AttributeProtoSchema, TensorProtoSchema } from '../support/onnx_pb.js'

const integer = fc.oneof(
  fc.maxSafeInteger(),
  fc.integer(),
  fc.constantFrom(0, 127, 128, -1, 2 ** 31, 2 ** 32),
)
const float = fc.float({ noNaN: true })

test("numbers of every size and sign lie as in protobuf's own library", () => {
  const values = fc.record({ i: integer, f: float, ints: fc.array(integer), floats: fc.array(float) })
  fc.assert(
    fc.property(values, ({ i, f, ints, floats }) => {
      const writer = new MessageWriter()
      writer.float(2, f)
      writer.integer(3, i)
      writer.floats(7, floats)
      writer.integers(8, ints)
      const expected = { i: BigInt(i), f, ints: ints.map(BigInt), floats }
      expect(writer.finish()).toEqual(toBinary(AttributeProtoSchema, create(AttributeProtoSchema, expected)))
    }),
  )
})

test("texts, bytes and messages of any length lie as in protobuf's own library", () => {
  const text = fc.string({ unit: 'grapheme', maxLength: 300 })
  const values = fc.record({
    name: text,
    rawData: fc.uint8Array({ maxLength: 70_000 }),
    externalData: fc.array(fc.record({ key: text, value: text })),
  })
  fc.assert(
    fc.property(values, ({ name, rawData, externalData }) => {
      const writer = new MessageWriter()
      writer.text(8, name)
      writer.bytes(9, rawData)
      for (const { key, value } of externalData) {
        writer.message(13, (entry) => {
          entry.text(1, key)
          entry.text(2, value)
        })
      }
      const expected = create(TensorProtoSchema, { name, rawData, externalData })
      expect(writer.finish()).toEqual(toBinary(TensorProtoSchema, expected))
    }),
  )
})
