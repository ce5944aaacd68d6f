// What ONNX Runtime makes of an exported float16 model on the processor: how much processor time it takes beside the
// float32 file, what its nodes compute in, and how far its answers are from float32's.
// Run after a build: node scripts/bench-float16.mjs [model] [folder of pictures] [at most so many]
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as ort from 'onnxruntime-node'
import { exportOnnx, load, openModel } from '../dist/index.js'
import { locateModel } from '../dist/modules/model-store/node/locate-model.js'

// this script opens sessions of its own
process.env.ORT_DISABLE_TELEMETRY = '1'

const [reference = 'vit-tiny', pictures = 'examples', limit = '20'] = process.argv.slice(2)
const scratch = mkdtempSync(join(tmpdir(), 'blvit-float16-'))
const names = readdirSync(pictures)
  .filter((name) => /\.jpe?g$/i.test(name))
  .slice(0, Number(limit))

async function open(precision) {
  const path = join(scratch, `${precision}.onnx`)
  await exportOnnx(await openModel((await locateModel(reference)).folder), path, { precision })
  const session = await ort.InferenceSession.create(path, {
    intraOpNumThreads: 1,
    logSeverityLevel: 3,
    enableProfiling: true,
    profileFilePrefix: join(scratch, precision),
  })
  return { precision, session, megabytes: statSync(path).size / 1e6, times: [] }
}

/** Processor time of a run, in ms: fairer than the clock where others share the machine. */
async function timed({ session, times }, feeds) {
  const before = process.cpuUsage()
  const { logits } = await session.run(feeds)
  const { user, system } = process.cpuUsage(before)
  times.push((user + system) / 1000)
  return logits.data
}

/** Nodes of one run by the type of their first input. */
function nodesByType({ precision, session }, runs) {
  session.endProfiling()
  const file = readdirSync(scratch).find((name) => name.startsWith(`${precision}_`))
  const counts = {}
  for (const { cat, name, args } of JSON.parse(readFileSync(join(scratch, file), 'utf8'))) {
    if (cat !== 'Node' || !name.endsWith('_kernel_time')) continue
    const [type = 'none'] = Object.keys(args.input_type_shape?.[0] ?? {})
    const node = `${args.op_name} of ${type}`
    counts[node] = (counts[node] ?? 0) + 1 / runs
  }
  return Object.entries(counts)
    .sort(([, a], [, b]) => b - a)
    .map(([node, count]) => `${Math.round(count)} ${node}`)
    .slice(0, 12)
    .join(', ')
}

const model = await load(reference)
const [exact, half] = [await open('fp32'), await open('fp16')]
const best = (logits) => logits.indexOf(Math.max(...logits))
let same = 0
let largest = 0
for (const name of names) {
  const { channels, image } = model.architecture
  const pixels = await model.prepare(join(pictures, name))
  const feeds = { pixel_values: new ort.Tensor('float32', pixels, [1, channels, image.height, image.width]) }
  const [expected, found] = [await timed(exact, feeds), await timed(half, feeds)]
  if (best(expected) === best(found)) same += 1
  largest = Math.max(largest, ...expected.map((value, i) => Math.abs(value - found[i])))
}
await model.dispose()
for (const file of [exact, half]) {
  const ms = Math.min(...file.times).toFixed(1)
  console.log(`${file.precision}: ${file.megabytes.toFixed(1)} MB, ${ms} ms of processor time for a picture`)
  console.log(`  ${nodesByType(file, names.length)}`)
}
console.log(`same label for ${same} of ${names.length}; logits differ by up to ${largest.toFixed(3)}`)
rmSync(scratch, { recursive: true })
