// How fast a small ViT trains (6 layers of width 128, 65 tokens, batch 64: forward, backward and AdamW in one graph)
// beside the rate at which the engine multiplies matrices in the same minute. Run after a build:
// node scripts/bench-training.mjs [threads]
// Wall-clock time, and time of the processor, which a busy machine disturbs less.
import { evaluateDim, graphOf, objectives, ops, TrainingSession, trainingStep, vit } from '../dist/index.js'
import { nativeRuntime } from '../dist/runtime/native.js'
import { initialWeights } from '../dist/tasks/model-folder/initial-weights.js'
import { readFloats } from '../dist/weights/read-floats.js'

const rounds = 20
const warmUp = 3
const batch = 64
const classes = 10
const threads = Number(process.argv[2] ?? 2)

const median = (numbers) => numbers.toSorted((a, b) => a - b)[numbers.length >> 1]
const noise = (shape) => {
  const values = Float32Array.from({ length: shape.reduce((a, b) => a * b) }, () => Math.random() - 0.5)
  return { dtype: 'float32', shape, values }
}
const flopsOf = (graph) =>
  graph.nodes
    .map((node) => node.cost())
    .reduce((sum, { linear, attention }) => {
      return sum + 2 * (evaluateDim(linear, { batch }) + evaluateDim(attention, { batch }))
    }, 0)

async function training(runtime) {
  const { logits } = vit({
    family: 'vit',
    image: { height: 32, width: 32 },
    patchSize: 4,
    channels: 3,
    width: 128,
    depth: 6,
    heads: 4,
    mlpRatio: 4,
    classes,
    layerNormEpsilon: 1e-6,
    distilled: false,
  }).outputs
  const step = trainingStep('bench', objectives.crossEntropy(logits, ops.input('targets', logits.shape)))
  const start = new Map()
  for (const parameter of step.graph.parameters) {
    start.set(parameter.name, await readFloats(initialWeights(parameter, { seed: 1 })))
  }
  const session = await TrainingSession.open(runtime, step, { start, threads })
  const targets = noise([batch, classes])
  targets.values.forEach((_, i) => {
    targets.values[i] = i % classes === Math.floor(i / classes) % classes ? 1 : 0
  })
  const inputs = { pixel_values: noise([batch, 3, 32, 32]), targets }
  return { flops: flopsOf(step.graph), run: () => session.run(inputs, { learningRate: 1e-3 }), session }
}

/** A chain of products of the size of the model's own. */
async function products(runtime) {
  const [rows, width, count] = [65 * batch, 512, 20]
  let x = ops.input('x', [rows, width])
  const inputs = { x: noise([rows, width]) }
  for (let i = 0; i < count; i++) {
    x = ops.matmul(x, ops.input(`m${i}`, [width, width]))
    inputs[`m${i}`] = noise([width, width])
  }
  const graph = graphOf('products', { product: x })
  const session = await runtime.load(graph, new Map(), { threads })
  return { flops: flopsOf(graph), run: () => session.run(inputs), session }
}

const runtime = await nativeRuntime()
const subjects = { training: await training(runtime), products: await products(runtime) }
const times = { training: [], products: [] }
for (let round = 0; round < warmUp + rounds; round++) {
  for (const [name, { run }] of Object.entries(subjects)) {
    const [wall, cpu] = [performance.now(), process.cpuUsage()]
    await run()
    const { user, system } = process.cpuUsage(cpu)
    if (round >= warmUp) times[name].push({ wall: performance.now() - wall, cpu: (user + system) / 1000 })
  }
}
for (const { session } of Object.values(subjects)) await session.dispose()

const rate = (name, clock) => subjects[name].flops / median(times[name].map((time) => time[clock])) / 1e6
const images = (1000 * batch) / median(times.training.map(({ wall }) => wall))
console.log(`${threads} threads, median of ${rounds} steps: ${images.toFixed(0)} images/s`)
for (const clock of ['wall', 'cpu']) {
  const [own, gemm] = [rate('training', clock), rate('products', clock)]
  const share = ((100 * own) / gemm).toFixed(0)
  console.log(
    `${clock} time: ${own.toFixed(0)} GFLOP/s of ${gemm.toFixed(0)} that products reach (${share} %)`,
  )
}
