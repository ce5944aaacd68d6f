import { fromBinary } from '@bufbuild/protobuf'
import ort from 'onnxruntime-node'
import { expect, test } from 'vitest'
import { openFirstSession, smallestModel } from '../../../src/runtime/node/thread/first-session.js'
import { ModelProtoSchema } from '../../support/onnx_pb.js'

test('the smallest model is one node, by ONNX’s own schema', () => {
  const { irVersion, opsetImport, graph } = fromBinary(ModelProtoSchema, smallestModel)
  expect(irVersion).toBe(8n)
  expect(opsetImport.map(({ domain, version }) => [domain, version])).toEqual([['', 17n]])
  const nodes = graph?.node.map(({ opType, input, output }) => ({ opType, input, output }))
  expect(nodes).toEqual([{ opType: 'Identity', input: ['x'], output: ['y'] }])
})

test('and runs', async () => {
  await openFirstSession(ort.InferenceSession)
  const session = await ort.InferenceSession.create(smallestModel, { executionProviders: ['cpu'] })
  const { y } = await session.run({ x: new ort.Tensor('float32', [3.5], [1]) })
  expect(y?.data).toEqual(Float32Array.of(3.5))
  await session.release()
})
