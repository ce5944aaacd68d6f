import fc from 'fast-check'
import { test } from 'vitest'
import { attention } from '../../src/nn/attention.js'
import { mlp } from '../../src/nn/mlp.js'
import { patchEmbed } from '../../src/nn/patch-embed.js'
import { onBenches, sizes } from '../graph/bench.js'
import * as reference from '../graph/reference.js'

// Weights of size 2 in two layers: sums of some hundred, of which float32 keeps seven digits.
const tolerance = { rtol: 1e-4, atol: 1e-3 }

test('an attention layer is proj(attention(q(x), k(y), v(y))), and its CLS view is the first query’s', () => {
  const head = fc.record({ heads: fc.integer({ min: 1, max: 3 }), headWidth: fc.integer({ min: 1, max: 3 }) })
  return onBenches(fc.tuple(fc.record(sizes), sizes.tokens, head), async (bench, [size, queries, inner]) => {
    const { batch, tokens, width } = size
    const innerWidth = inner.heads * inner.headWidth
    const x = bench.input('x', [['batch', batch], ['queries', queries], width])
    const y = bench.input('y', [['batch', batch], ['tokens', tokens], width])
    const qkv = {
      weight: bench.parameter('attn.qkv.weight', [3 * innerWidth, width]).numbers,
      bias: bench.parameter('attn.qkv.bias', [3 * innerWidth]).numbers,
    }
    const proj = {
      weight: bench.parameter('attn.proj.weight', [width, innerWidth]).numbers,
      bias: bench.parameter('attn.proj.bias', [width]).numbers,
    }
    const map = (of: reference.Numbers, index: number) => {
      const rows = [index * innerWidth, (index + 1) * innerWidth] as const
      return reference.linear(
        of,
        reference.slice(qkv.weight, 0, ...rows),
        reference.slice(qkv.bias, 0, ...rows),
      )
    }
    const [q, k, v] = [map(x.numbers, 0), map(y.numbers, 1), map(y.numbers, 2)]
    const { heads } = inner
    const mask = reference.generate([batch, tokens], ([, key]) => (key === 0 ? 1 : 0))
    const firstOnly = bench.input(
      'mask',
      [
        ['batch', batch],
        ['tokens', tokens],
      ],
      mask,
    )
    const layer = attention('attn', { queries: x.tensor, keys: y.tensor }, { heads, innerWidth })
    await bench.expectNumbers(
      {
        output: {
          tensor: layer.output(),
          numbers: reference.linear(reference.attention(q, k, v, heads), proj.weight, proj.bias),
        },
        fromMap: {
          tensor: layer.mix(layer.map()),
          numbers: reference.linear(reference.attention(q, k, v, heads), proj.weight, proj.bias),
        },
        firstKeyAlone: {
          // the others are masked, so each query takes the first value whole
          tensor: layer.output({ keyMask: firstOnly.tensor }),
          numbers: reference.linear(
            reference.generate(q.shape, ([b = 0, , c = 0]) => reference.at(v, [b, 0, c])),
            proj.weight,
            proj.bias,
          ),
        },
        view: {
          tensor: layer.clsRow(),
          numbers: reference.queryAttention(reference.slice(q, 1, 0, 1), k, heads),
        },
      },
      tolerance,
    )
  })
})

test('an MLP is fc2(gelu(fc1(x)))', () =>
  onBenches(fc.tuple(fc.record(sizes), sizes.width), async (bench, [{ batch, tokens, width }, hidden]) => {
    const x = bench.input('x', [['batch', batch], ['tokens', tokens], width])
    const map = (name: string, of: reference.Numbers, [out, from]: [number, number]) =>
      reference.linear(
        of,
        bench.parameter(`mlp.${name}.weight`, [out, from]).numbers,
        bench.parameter(`mlp.${name}.bias`, [out]).numbers,
      )
    const inner = reference.gelu(map('fc1', x.numbers, [hidden, width]))
    const numbers = map('fc2', inner, [width, hidden])
    await bench.expectNumbers({ output: { tensor: mlp('mlp', x.tensor, { hidden }), numbers } }, tolerance)
  }))

test('patch embedding takes patches from left to right, then from top to bottom', () =>
  onBenches(fc.record(sizes), async (bench, { batch, tokens, width }) => {
    const patchSize = 2
    const pixels = bench.input('pixels', [['batch', batch], 3, 3 * patchSize, tokens * patchSize])
    const weight = bench.parameter('patch_embed.proj.weight', [width, 3, patchSize, patchSize]).numbers
    const bias = bench.parameter('patch_embed.proj.bias', [width]).numbers
    const map = reference.convolution(pixels.numbers, weight, bias, patchSize)
    const output = patchEmbed(pixels.tensor, { patchSize, width })
    await bench.expectNumbers({ output: { tensor: output, numbers: reference.mapToTokens(map) } }, tolerance)
  }))
