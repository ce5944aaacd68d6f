// Times of a Segment Anything model beside its encoder, which `blvit bench` measures; see docs/performance.md.
// node scripts/time-segment-anything.mjs <what> <model folder> [folder of blvit export --for transformers.js]
//   prompts     a click after the picture was encoded, 1 and 64 of them
//   everything  all masks of a picture, and how much of that this process computed while the engine waited
//   against     the encoder beside transformers.js's SamModel on the same weights, in turns
import { performance } from 'node:perf_hooks'
import { fileURLToPath } from 'node:url'
import { loadSegmenter } from '../dist/index.js'

const [what, model, exported] = process.argv.slice(2)
const photo = fileURLToPath(new URL('../examples/kite.jpg', import.meta.url))
const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]

/** Milliseconds of each of some runs, the first of which is not counted. */
async function times(count, run) {
  await run()
  const each = []
  for (let i = 0; i < count; i++) {
    const start = performance.now()
    await run()
    each.push(performance.now() - start)
  }
  return each
}

const megabytes = () => Math.round(process.memoryUsage().rss / 1e6)

const tasks = {
  async prompts(sam) {
    const start = performance.now()
    const encoded = await sam.encode(photo)
    const took = performance.now() - start
    console.log(`first encoding, engine loaded: ${(took / 1000).toFixed(2)} s, ${megabytes()} MB`)
    const { width, height } = encoded.size
    const click = (i) => ({ points: [{ x: (i * 37) % width, y: (i * 53) % height }] })
    const one = await times(30, () => encoded.predict(click(5)))
    const many = await times(3, () => encoded.predict(Array.from({ length: 64 }, (_, i) => click(i))))
    console.log(
      `a click: ${median(one).toFixed(1)} ms; 64 at once: ${(median(many) / 64).toFixed(1)} ms each (${width} × ${height} pixels)`,
    )
  },
  async everything(sam) {
    const encoded = await sam.encode(photo)
    const before = performance.eventLoopUtilization()
    const start = performance.now()
    const found = await encoded.everything({ minIou: 0, minStability: 0 })
    const took = performance.now() - start
    const { active } = performance.eventLoopUtilization(before)
    console.log(
      `${found.length} masks of 1024 clicks: ${(took / 1000).toFixed(1)} s, of which ${(active / 1000).toFixed(1)} s here, the rest in the engine; ${megabytes()} MB`,
    )
  },
  async against(sam) {
    const { SamModel, Tensor } = await import('@huggingface/transformers')
    const theirs = await SamModel.from_pretrained(exported, { dtype: 'fp32' })
    const side = 1024
    const pixels = { width: side, height: side, values: new Uint8Array(3 * side * side).fill(99) }
    const pixel_values = new Tensor('float32', new Float32Array(3 * side * side), [1, 3, side, side])
    const [ours, others] = [[], []]
    for (let round = 0; round < 3; round++) {
      ours.push(...(await times(1, () => sam.encode(pixels))))
      others.push(...(await times(1, () => theirs.get_image_embeddings({ pixel_values }))))
    }
    const [a, b] = [median(ours), median(others)]
    console.log(
      `encoder: ${(a / 1000).toFixed(2)} s here, ${(b / 1000).toFixed(2)} s in transformers.js: ${(b / a).toFixed(2)} times as fast`,
    )
  },
}

const task = tasks[what]
if (!task || model === undefined) {
  console.error(`Say what to time (${Object.keys(tasks).join(', ')}) and of which model.`)
  process.exit(2)
}
const sam = await loadSegmenter(model)
await task(sam)
await sam.dispose()
