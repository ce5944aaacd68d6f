import { expect, test } from 'vitest'
import { BlvitError } from '../../src/base/blvit-error.js'
import { addCosts, conventions } from '../../src/graph/cost.js'
import { elements, formatDim, symbol } from '../../src/graph/dim.js'
import { graphOf } from '../../src/graph/graph.js'
import { ones, zeros } from '../../src/graph/initialiser.js'
import { defineOp, operand } from '../../src/graph/op.js'
import {
  add,
  buffer,
  input,
  linear,
  multiply,
  noiseInput,
  parameter,
  sizeInput,
  slice,
} from '../../src/graph/ops/index.js'
import { scope } from '../../src/graph/scope.js'

const x = input('x', [symbol('batch'), 4])

test('a graph holds what its outputs depend on, inputs before their users', () => {
  const used = add(x, parameter('bias', [4], zeros))
  add(x, parameter('unused', [4], zeros))
  const graph = graphOf('g', { y: multiply(used, used) })
  expect(graph.nodes.map(({ op }) => op)).toEqual(['Input', 'Parameter', 'Add', 'Multiply'])
  expect(graph.parameters).toEqual([
    { name: 'bias', shape: [4], initialiser: zeros, learns: true, counted: true },
  ])
})

test('a parameter made twice is one parameter, in order of use', () => {
  const bias = () => parameter('bias', [4], zeros)
  const scale = parameter('scale', [4], ones)
  const graph = graphOf('g', { y: add(multiply(add(x, bias()), scale), bias()) })
  expect(graph.parameters.map(({ name }) => name)).toEqual(['scale', 'bias'])
})

test('a parameter of two shapes is refused, with both of them and its path', () => {
  const twice = scope('blocks.0', () =>
    add(add(x, parameter('bias', [4], zeros)), parameter('bias', [1], zeros)),
  )
  expect(() => graphOf('g', { twice })).toThrow(
    'The parameter blocks.0.bias is made twice, as float32 [4] and as float32 [1].',
  )
})

test('an input made twice is one input; with two shapes or types it is refused', () => {
  const noise = (width: number) => input('noise', [symbol('batch'), width])
  expect(graphOf('g', { y: add(noise(4), noise(4)) }).inputs.map(({ leaf }) => leaf?.name)).toEqual(['noise'])
  expect(() => graphOf('g', { y: add(noise(4), noise(1)) })).toThrow(
    'The input noise is made twice, as float32 [batch, 4] and as float32 [batch, 1].',
  )
  const integers = input('noise', [symbol('batch'), 4], { dtype: 'int64' })
  expect(() => graphOf('g', { a: noise(4), b: integers })).toThrow(BlvitError)
})

test('one name for two kinds of leaves is refused', () => {
  const both = add(parameter('mean', [4], zeros), buffer('mean', [4], zeros))
  expect(() => graphOf('g', { both })).toThrow(
    'The parameter mean is made twice, as Parameter float32 [4] and as Buffer float32 [4].',
  )
  const noise = add(input('noise', [4]), noiseInput('noise', [4]))
  expect(() => graphOf('g', { noise })).toThrow('as Input float32 [4] and as NoiseInput float32 [4].')
})

test('inputs say who feeds them, stored tensors whether they learn', () => {
  const { tensor } = sizeInput('kept')
  const noise = noiseInput('noise', [symbol('batch'), 4])
  const mean = scope('norm', () => buffer('running_mean', [4], zeros))
  const graph = graphOf(
    'g',
    { y: add(add(x, noise), add(mean, parameter('bias', [], zeros))) },
    { sizes: [tensor] },
  )
  expect(graph.inputs.map(({ leaf }) => leaf)).toEqual([
    { kind: 'input', name: 'x', role: 'fed' },
    { kind: 'input', name: 'kept', role: 'size', defines: 'kept' },
    { kind: 'input', name: 'noise', role: 'noise' },
  ])
  expect(graph.parameters).toEqual([
    { name: 'norm.running_mean', shape: [4], initialiser: zeros, learns: false, counted: false },
    { name: 'bias', shape: [], initialiser: zeros, learns: true, counted: true },
  ])
})

test('a size that only shapes mention is an input of the graph if the caller says so', () => {
  const { tensor, size } = sizeInput('kept')
  const first = slice(input('tokens', [symbol('batch'), 9, 4]), { axis: 1, end: size })
  const inputsOf = (sizes: (typeof tensor)[]) =>
    graphOf('g', { first }, { sizes }).inputs.map(({ leaf }) => leaf?.name)
  expect(inputsOf([])).toEqual(['tokens'])
  expect(inputsOf([tensor])).toEqual(['kept', 'tokens'])
})

test('costs are polynomials in the run-time sizes', () => {
  const tokens = input('tokens', [symbol('batch'), symbol('kept'), 4])
  const y = linear(tokens, parameter('weight', [3, 4], zeros), parameter('bias', [3], zeros))
  expect(formatDim(y.cost().linear)).toBe('12·batch·kept')
})

test('an op may cost something that no other op does; the conventions of the papers leave it out', () => {
  const guess = defineOp({
    name: 'Guess',
    shape: (inputs) => operand(inputs, 0).shape,
    cost: (_, output) => ({ linear: 3, guessed: elements(output) }),
    onnx: (_, inputs) => operand(inputs, 0),
  })
  const total = addCosts(guess([x], {}).cost(), addCosts(guess([x], {}).cost(), add(x, x).cost()))
  expect(formatDim(total.guessed ?? 0)).toBe('8·batch')
  expect(total.linear).toBe(6)
  expect(conventions.full(total)).toBe(6)
})
