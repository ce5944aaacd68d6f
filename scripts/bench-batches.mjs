// How many training pictures a second come from the data's own thread, and what processor time each takes.
// Run after a build: node scripts/bench-batches.mjs DATA [--size 32] [--augmentation deit] [--workers 1] [--images 20000]
import { createHash } from 'node:crypto'
import { parseArgs } from 'node:util'
import { Batches } from '../dist/modules/batches/batches.js'

const batch = 64
const cifar = ['airplane', 'automobile', 'bird', 'cat', 'deer', 'dog', 'frog', 'horse', 'ship', 'truck']

const { values, positionals: data } = parseArgs({
  allowPositionals: true,
  options: {
    size: { type: 'string', default: '32' },
    augmentation: { type: 'string', default: 'crop-flip' },
    workers: { type: 'string', default: '1' },
    images: { type: 'string', default: '20000' },
    // so many come first, uncounted: what is compiled and, of small pictures, decoded only once
    warmup: { type: 'string', default: '2000' },
  },
})
const size = Number(values.size)
const counts = { warmup: Math.ceil(values.warmup / batch), counted: Math.ceil(values.images / batch) }
const halves = [0.5, 0.5, 0.5]

const batches = new Batches({
  data,
  labels: data.some((path) => /cifar/i.test(path))
    ? cifar
    : Array.from({ length: 1000 }, (_, i) => `class ${i}`),
  preprocessing: {
    height: size,
    width: size,
    cropRatio: 1,
    cropMode: 'center',
    filter: 'bicubic',
    mean: halves,
    std: halves,
  },
  augmentation: values.augmentation,
  workers: Number(values.workers),
  ...{ batch, seed: 0, from: { epoch: 0, index: 0 } },
})
const digest = createHash('sha256')
for (let i = 0; i < counts.warmup; i++) digest.update(new Uint8Array((await batches.next()).pixels.buffer))
const [start, cpu] = [performance.now(), process.cpuUsage()]
for (let i = 0; i < counts.counted; i++) await batches.next()
const [seconds, used] = [(performance.now() - start) / 1000, process.cpuUsage(cpu)]
const pictures = counts.counted * batch
const cpuSeconds = (used.user + used.system) / 1e6
console.log(
  `${values.augmentation} at ${size} px, ${values.workers} worker(s): ${(pictures / seconds).toFixed(0)} pictures/s; ` +
    `${((1e6 * cpuSeconds) / pictures).toFixed(0)} µs of processor time each, so ${(pictures / cpuSeconds).toFixed(0)} ` +
    `a second and core (the first ${counts.warmup * batch} are ${digest.digest('hex').slice(0, 12)})`,
)
await batches[Symbol.asyncDispose]()
