import { describe, expect, test } from 'vitest'
import { symbol } from '../../src/graph/dim.js'
import { graphOf } from '../../src/graph/graph.js'
import { add, input, slice } from '../../src/graph/ops/index.js'
import type { Tensor } from '../../src/graph/tensor.js'
import { type BlockHooks, blockLoop, composeHooks } from '../../src/models/block-loop.js'
import { usualVit } from '../../src/models/vit-family.js'

const config = usualVit({
  width: 8,
  heads: 2,
  depth: 2,
  classes: 3,
  patchSize: 2,
  image: { height: 4, width: 4 },
})
const tokens = input('tokens', [symbol('batch'), 5, 8])
const opsOf = (tensor: Tensor) => graphOf('g', { tensor }).nodes.map(({ op, scope }) => `${op} ${scope}`)
const tokenCount = (tensor: Tensor) => Number(tensor.shape[1])

/** Halves the tokens wherever it is called. */
const halve = <S extends { tokens: Tensor }>(state: S): S => ({
  ...state,
  tokens: slice(state.tokens, { axis: 1, end: Math.ceil(tokenCount(state.tokens) / 2) }),
})

describe('hooks of the block loop', () => {
  test('are called in the order of the block, with layers counted from 1, in the scope of their block', () => {
    const calls: string[] = []
    const seen = (name: string) => {
      calls.push(name)
      return undefined
    }
    const hooks: BlockHooks = {
      start: () => seen('start'),
      before: (_, layer) => seen(`before ${layer}`),
      attend: (_, __, { layer }) => seen(`attend ${layer}`),
      between: (state, { layer, input: before, attentionUpdate }) => {
        expect(state.tokens.inputs).toEqual([before, attentionUpdate])
        return seen(`between ${layer}`)
      },
      after: (state, { layer, middle, mlpUpdate }) => {
        expect(state.tokens.inputs).toEqual([middle, mlpUpdate])
        expect(state.tokens.scope).toBe(`blocks.${layer - 1}`)
        return seen(`after ${layer}`)
      },
      pool: () => seen('pool'),
    }
    const looked = blockLoop(tokens, config, hooks)
    expect(calls).toEqual([
      'start',
      ...[1, 2].flatMap((layer) =>
        ['before', 'attend', 'between', 'after'].map((name) => `${name} ${layer}`),
      ),
      'pool',
    ])
    // who only looks changes nothing
    expect(opsOf(looked.tokens)).toEqual(opsOf(blockLoop(tokens, config).tokens))
    expect(looked.history).toEqual([])
  })

  test('change the tokens that everything after them sees', () => {
    const counts = (hooks: BlockHooks) => {
      const found: number[] = []
      const look: BlockHooks = {
        between: ({ tokens: now }) => {
          found.push(tokenCount(now))
          return undefined
        },
      }
      const { tokens: last } = blockLoop(tokens, config, composeHooks(look, hooks))
      return [...found, tokenCount(last)]
    }
    expect(counts({ start: halve })).toEqual([3, 3, 3])
    expect(counts({ before: halve })).toEqual([3, 2, 2])
    expect(counts({ between: halve })).toEqual([5, 3, 2])
    expect(counts({ after: halve })).toEqual([5, 3, 2])
    expect(counts({ pool: halve })).toEqual([5, 5, 3])
    // fewer queries than tokens, as where the map's rows are sampled
    const attend: BlockHooks['attend'] = (view, state) => {
      const fewer = halve(state)
      return { output: view.mix(slice(view.map(), { axis: 2, end: tokenCount(fewer.tokens) })), state: fewer }
    }
    expect(counts({ attend })).toEqual([3, 2, 2])
  })

  test('go one after the other, and only one may replace attention', () => {
    const twice: BlockHooks = { between: (state) => ({ ...state, tokens: add(state.tokens, state.tokens) }) }
    const order: number[] = []
    const look = (name: number): BlockHooks => ({
      between: (state) => {
        order.push(name, tokenCount(state.tokens))
        return undefined
      },
    })
    blockLoop(tokens, { ...config, depth: 1 }, composeHooks(look(1), { between: halve }, look(2), twice))
    expect(order).toEqual([1, 5, 2, 3])
    const replacing: BlockHooks = { attend: (view) => ({ output: view.output({ scale: 1 }) }) }
    expect(() => blockLoop(tokens, config, composeHooks(replacing, replacing))).toThrow(
      'several hooks replace the attention of layer 1',
    )
  })
})
