// ViT-Tiny here, in PyTorch and in OpenVINO: the same weights, pictures, precision and threads, in turns, one clock.
//   python3 -m venv peers && peers/bin/pip install torch timm openvino safetensors
//   npm run build && node scripts/bench-peers.mjs peers/bin/python photos/ [rounds] [peers, of eager,compiled,openvino]
// Prints pictures a second of the model alone at batch 1 and 8, and from files to labels, with each one's best form for
// many; medians of the rounds; and how many of the pictures are given the label that blvit gives.
import { spawn } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { load } from '../dist/index.js'

const [python, folder, rounds = '5', names = 'eager,compiled,openvino'] = process.argv.slice(2)
if (folder === undefined) {
  console.error('usage: node scripts/bench-peers.mjs <python> <folder> [rounds] [eager,compiled,openvino]')
  process.exit(2)
}
const threads = availableParallelism()
const files = readdirSync(folder)
  .filter((name) => /\.jpe?g$/i.test(name))
  .sort()
  .map((name) => join(folder, name))
const path = (relative) => fileURLToPath(new URL(relative, import.meta.url))

/** A Python process that does one job at a time. */
async function pythonPeer(peer) {
  const options = { peer, files, threads, weights: path('../assets/models/vit-tiny/model.safetensors') }
  const child = spawn(python, [path('peers.py'), JSON.stringify(options)], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  const answer = async () => {
    const { value, done } = await lines.next()
    if (done) throw new Error(`${peer} has ended`)
    return JSON.parse(value)
  }
  const ask = (job) => {
    child.stdin.write(`${job}\n`)
    return answer()
  }
  return {
    name: await answer(),
    batch: (pictures, times) => ask(`batch ${pictures} ${times}`),
    files: () => ask('files'),
    end: () => child.stdin.end(),
  }
}

async function blvit() {
  const model = await load('vit-tiny')
  const prepared = await Promise.all(files.slice(0, 8).map((file) => model.prepare(file)))
  return {
    name: `blvit on ${model.engine.runtime.description}`,
    batch: async (pictures, times) => {
      for (let i = 0; i < times; i++) await model.logits(prepared.slice(0, pictures))
    },
    files: async () => {
      const results = await model.classify(files, { top: 1 })
      return results.map(({ top: [best] }) => model.labels.indexOf(best.label))
    },
    end: () => model.dispose(),
  }
}

const jobs = [
  { name: 'model, batch 1', pictures: 40, run: (peer) => peer.batch(1, 40) },
  { name: 'model, batch 8', pictures: 80, run: (peer) => peer.batch(8, 10) },
  { name: 'files to labels', pictures: files.length, run: (peer) => peer.files() },
]
const median = (values) => values.toSorted((a, b) => a - b)[values.length >> 1]

const peers = [await blvit()]
for (const name of names.split(',')) peers.push(await pythonPeer(name))
const rates = new Map(peers.map((peer) => [peer, jobs.map(() => [])]))
const labels = new Map()
// warm: compilers compile, caches fill
for (const peer of peers) for (const job of jobs) labels.set(peer, await job.run(peer))
for (let round = 0; round < Number(rounds); round++) {
  for (const [number, { pictures, run }] of jobs.entries()) {
    for (const peer of peers) {
      const start = performance.now()
      await run(peer)
      rates.get(peer)[number].push((1000 * pictures) / (performance.now() - start))
    }
  }
}
const [own] = peers
for (const peer of peers) {
  const speeds = rates.get(peer).map((all, number) => {
    const [rate, ours] = [median(all), median(rates.get(own)[number])]
    return `${jobs[number].name} ${rate.toFixed(1)}/s (×${(ours / rate).toFixed(2)})`
  })
  const alike = labels.get(peer).filter((label, i) => label === labels.get(own)[i]).length
  console.log(`${peer.name}: ${speeds.join(', ')}; ${alike} of ${files.length} labels as blvit's`)
}
for (const peer of peers) await peer.end()
