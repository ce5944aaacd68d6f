// Runs in a process of its own, whose environment names a Vulkan driver: what ONNX Runtime's WebGPU provider makes of
// ops, forward and backward in one graph, beside the processor. Falling back to the processor is an error there.
import { symbol } from '../../dist/modules/graph/dim.js'
import { gradients } from '../../dist/modules/graph/gradients.js'
import { graphOf } from '../../dist/modules/graph/graph.js'
import * as o from '../../dist/modules/graph/ops/index.js'
import { nativeRuntime } from '../../dist/modules/runtime/node/native.js'
import { storedFrom } from '../../dist/modules/weights/stored-from.js'

const batch = symbol('batch')
const tokens = o.input('tokens', [batch, 6, 4])
const scores = o.input('scores', [batch, 6])
const picture = o.input('picture', [batch, 4, 8, 8])
const p = (name, ...shape) => o.parameter(`${name}.weight`, shape, { kind: 'constant', value: 0 })

const outputs = {
  greater: o.greater(tokens, o.slice(tokens, { axis: 1, end: 1 })),
  less: o.less(tokens, 0),
  equal: o.equal(o.argmax(tokens), o.argmax(o.scaleShift(tokens, { scale: -1 }))),
  where: o.where(o.greater(tokens, 0), tokens, -3),
  argmax: o.argmax(tokens),
  reduceMax: o.reduceMax(tokens),
  oneHot: o.oneHot(o.argmax(tokens), { classes: 4 }),
  sort: o.sort(o.slice(o.argsort(scores), { axis: 1, end: 3 })),
  table: o.gather(tokens, o.expand(o.table([0, 2, 4], [1, 3], { dtype: 'int64' }), [batch, 3])),
  step: o.slice(tokens, { axis: 1, step: 2 }),
  matmul: o.matmul(o.reshape(tokens, [batch, 1, 6, 4]), p('stacks', 3, 4, 5)),
  mean: o.mean(tokens, { axes: [1] }),
  cumulativeSum: o.cumulativeSum(scores),
  sigmoid: o.sigmoid(tokens),
  silu: o.silu(tokens),
  relu: o.relu(tokens),
  exponential: o.exponential(tokens),
  sine: o.sine(tokens),
  cosine: o.cosine(tokens),
  pad: o.pad(tokens, { axis: 1, after: 2 }),
  groups: o.convolution(picture, p('groups', 6, 2, 3, 3), p('bias', 6), { stride: 2, padding: 1, groups: 2 }),
  depthwise: o.convolution(picture, p('depthwise', 4, 1, 3, 3), undefined, {
    stride: 1,
    padding: 1,
    groups: 4,
  }),
  dilation: o.convolution(picture, p('dilated', 6, 4, 2, 2), undefined, { stride: 1, dilation: 2 }),
  unfold: o.unfold(picture, { kernel: 3, stride: 2, padding: 1 }),
  resize: o.resizeBilinear(picture, { height: 9, width: 5 }),
  singleNumber: o.multiply(tokens, p('single')),
}

const smooth = Object.values(outputs).filter(({ dtype }) => dtype === 'float32')
const loss = smooth.map((y) => o.mean(o.multiply(y, y))).reduce(o.add)
const { parameters } = graphOf('forward', outputs)
const leaves = [
  tokens,
  scores,
  picture,
  ...parameters.map(({ name, shape }) => o.parameter(name, shape, { kind: 'constant', value: 0 })),
]
const all = Object.fromEntries(
  gradients(loss, leaves).map((g, i) => [`gradient of ${leaves[i].leaf.name}`, g]),
)
const graph = graphOf('ops', { ...outputs, ...all })

const numbers = (shape, wave) =>
  Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => wave(i))
const weights = new Map(
  parameters.map(({ name, shape }) => [
    name,
    storedFrom(
      numbers(shape, (i) => Math.cos(i * 3.7)),
      shape,
    ),
  ]),
)
const sizes = { batch: 2 }
const feeds = Object.fromEntries(
  graph.inputs.map(({ leaf, shape }) => {
    const now = shape.map((size) => (typeof size === 'number' ? size : sizes.batch))
    return [
      leaf.name,
      { dtype: 'float32', shape: now, values: numbers(now, (i) => 2 * Math.sin(i * 12.9898 + 1)) },
    ]
  }),
)

const results = {}
for (const device of ['webgpu', 'cpu']) {
  const session = await (await nativeRuntime({ device })).load(graph, weights, { sizes })
  results[device] = await session.run(feeds)
  await session.dispose()
}
const table = Object.keys(graph.outputs).map((name) => {
  const [gpu, cpu] = ['webgpu', 'cpu'].map((device) => Array.from(results[device][name].values, Number))
  return [name, Math.max(...cpu.map((value, i) => Math.abs(value - (gpu[i] ?? Number.NaN))))]
})
console.log(JSON.stringify(Object.fromEntries(table)))
