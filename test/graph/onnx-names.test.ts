import { fromBinary, toBinary } from '@bufbuild/protobuf'
import { describe, expect, test } from 'vitest'
import { symbol } from '../../src/graph/dim.js'
import { type Graph, graphOf } from '../../src/graph/graph.js'
import { zeros } from '../../src/graph/initialiser.js'
import type { Target } from '../../src/graph/lowering.js'
import { toOnnx } from '../../src/graph/onnx/write.js'
import { add, input, parameter, sizeInput, slice } from '../../src/graph/ops/index.js'
import { scope } from '../../src/graph/scope.js'
import type { Tensor } from '../../src/graph/tensor.js'
import { attention } from '../../src/nn/attention.js'
import { type ModelProto, ModelProtoSchema } from '../support/onnx_pb.js'

function semiCross(): Graph {
  const kept = sizeInput('kept')
  const x = input('tokens', [symbol('batch'), 5, 4])
  const output = scope('blocks.3', () => {
    const queries = slice(x, { axis: 1, end: kept.size })
    return attention('attn', { queries, keys: x }, { heads: 2 }).output()
  })
  return graphOf('semi-cross', { output }, { sizes: [kept.tensor] })
}

function bytesOf(graph: Graph, target: Target): Uint8Array {
  const storageOf = (name: string) => {
    const shape = graph.parameters.find((parameter) => parameter.name === name)?.shape ?? []
    const sizeBytes = 4 * shape.reduce((a, b) => a * b, 1)
    return { dtype: 'F32' as const, ranges: [{ sizeBytes, bytes: new Uint8Array(sizeBytes) }] }
  }
  const options = { target, storageOf, defaults: { kept: 3 }, metadata: { family: 'vit' } }
  return toOnnx(graph, options)
}

function modelOf(graph: Graph, target: Target): ModelProto {
  return fromBinary(ModelProtoSchema, bytesOf(graph, target), { readUnknownFields: false })
}

describe.each(['native', 'standard'] as const)('the ONNX file of target %s', (target) => {
  const graph = semiCross()
  const model = modelOf(graph, target)
  const nodes = model.graph?.node ?? []

  test("is what protobuf's own library writes for ONNX's own schema, byte for byte", () => {
    expect(toBinary(ModelProtoSchema, model)).toEqual(bytesOf(graph, target))
  })

  test('names its nodes after the scopes of the graph', () => {
    const scopes = new Set(graph.nodes.filter(({ leaf }) => !leaf).map((tensor) => tensor.scope))
    const found = nodes
      .filter(({ name }) => !name.startsWith('output/'))
      .map(({ name, opType }) => {
        const cut = name.lastIndexOf('/')
        expect(name.slice(cut + 1), 'the rest of the name is the operator').toMatch(
          new RegExp(`^${opType}(_\\d+)?$`),
        )
        return name.slice(0, Math.max(cut, 0))
      })
    expect(new Set(found)).toEqual(scopes)
  })

  test('defines every name once and before it is used', () => {
    const known = new Set([
      '',
      ...(model.graph?.input ?? []).map(({ name }) => name),
      ...(model.graph?.initializer ?? []).map(({ name }) => name),
    ])
    for (const node of nodes) {
      for (const name of node.input) expect(known).toContain(name)
      for (const name of node.output) {
        expect(known).not.toContain(name)
        known.add(name)
      }
    }
    expect(new Set(nodes.map(({ name }) => name)).size).toBe(nodes.length)
  })

  test('keeps the symbolic sizes, a default for the size input and the metadata', () => {
    const dims = (model.graph?.input ?? []).map((value) => [
      value.name,
      value.type?.value.case === 'tensorType'
        ? value.type.value.value.shape?.dim.map((dim) => dim.value.value)
        : undefined,
    ])
    expect(Object.fromEntries(dims)).toEqual({ kept: [1n], tokens: ['batch', 5n, 4n] })
    const fallback = model.graph?.initializer.find(({ name }) => name === 'kept')
    expect(fallback?.int64Data).toEqual([3n])
    expect(model.metadataProps).toMatchObject([{ key: 'family', value: 'vit' }])
  })

  test('uses fused operators only where the target has them', () => {
    const operators = new Set(nodes.map(({ opType }) => opType))
    expect(operators.has('Attention')).toBe(target === 'native')
    expect(operators.has('Softmax')).toBe(target === 'standard')
    expect(model.opsetImport.map(({ domain, version }) => [domain, version])).toEqual([
      ['', target === 'native' ? 23n : 17n],
    ])
  })
})

test('an output is not called like what is fed or stored', () => {
  const x = input('x', [4])
  const write = (outputs: Record<string, Tensor>) =>
    toOnnx(graphOf('g', outputs), { storageOf: () => ({ dtype: 'F32', ranges: [] }) })
  expect(() => write({ x: add(x, x) })).toThrow('The output x has the name of an input. Call it otherwise.')
  expect(() => write({ bias: add(x, parameter('bias', [4], zeros)) })).toThrow('the name of a parameter')
})
