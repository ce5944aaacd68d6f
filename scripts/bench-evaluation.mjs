// How near `evaluate` comes to the model's own speed: the same engines run prepared batches again and again, and
// evaluate pictures from their files, in turns; what others do on the machine hits both alike.
//   npm run build && node scripts/bench-evaluation.mjs <model> <data> [pictures a round] [rounds] [threads]
// Prints pictures a second of both and the median of their ratios.
import { evaluate, load, openDataSet } from '../dist/index.js'

const [reference, data, count = '160', rounds = '7', threads] = process.argv.slice(2)
if (data === undefined) {
  console.error(
    'usage: node scripts/bench-evaluation.mjs <model> <data> [pictures a round] [rounds] [threads]',
  )
  process.exit(2)
}
const limit = Number(count)
const model = await load(reference, threads === undefined ? {} : { threads: Number(threads) })
await model.warmUp(undefined, { pictures: limit })
const batch = model.batchFor(limit, {})
// as many runs out as evaluate has
const runsAtOnce = 2 * model.planFor(limit).lanes
const dataSet = await openDataSet(data, { labels: model.labels })
const prepared = []
for await (const item of dataSet.items()) {
  if ('source' in item) prepared.push(await model.prepare(item.source))
  if (prepared.length === batch) break
}
if (prepared.length === 0) throw new Error(`${data} holds no pictures`)
const cpuMs = () => {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1000
}

async function pure() {
  const start = performance.now()
  const cpu = cpuMs()
  let pictures = 0
  const one = async () => {
    while (pictures < limit) {
      // fewer than a batch where the data has no more
      pictures += prepared.length
      await model.logits(prepared)
    }
  }
  await Promise.all(Array.from({ length: runsAtOnce }, one))
  return { rate: (1000 * pictures) / (performance.now() - start), cpu: (cpuMs() - cpu) / pictures }
}

async function whole() {
  const cpu = cpuMs()
  const { timing } = await evaluate(model, dataSet, { limit })
  return {
    rate: (1000 * timing.pictures) / timing.elapsedMs,
    cpu: (cpuMs() - cpu) / timing.pictures,
    busy: timing.engineMs / timing.elapsedMs,
  }
}

await pure()
const ratios = []
for (let round = 0; round < Number(rounds); round++) {
  // pure before and after, so that a change of load in between counts half
  const before = await pure()
  const evaluated = await whole()
  const after = await pure()
  const rate = (before.rate + after.rate) / 2
  ratios.push(evaluated.rate / rate)
  console.log(
    `engines alone ${rate.toFixed(1)}/s (${before.cpu.toFixed(1)} ms of processor a picture), ` +
      `evaluate ${evaluated.rate.toFixed(1)}/s (${evaluated.cpu.toFixed(1)} ms): ${ratios.at(-1).toFixed(3)}; ` +
      `an engine had work ${(100 * evaluated.busy).toFixed(1)} % of the time`,
  )
}
ratios.sort((a, b) => a - b)
console.log(`median of the ratios: ${ratios[Math.floor(ratios.length / 2)].toFixed(3)}`)
await model.dispose()
