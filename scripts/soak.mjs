// Long use: many pictures through one process (memory, event loop), and many loads (memory, threads).
//   node --expose-gc scripts/soak.mjs [--images 10000] [--loads 100] [--model vit-tiny] [--parallel auto] [folder of pictures, default examples]
//   node --expose-gc scripts/soak.mjs --segmenter <model> [--encodings 400]: pictures through a Segment Anything model instead, a click each
// Exit code 1 if memory grows by more than 2 % after the first 500 pictures (120 encodings), the event loop is held for more than
// 20 ms, or loading leaves threads behind. One reading of memory differs from the next by 1 to 2 %, up and down, so
// medians are compared: of the first fifth of the readings and of the last. Engine, decoder and event loop share the processor's cores: what a turn of
// the loop waited for one of them, as Linux counts it, is told but not held against it.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { load, loadSegmenter } from '../dist/index.js'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    images: { type: 'string', default: '10000' },
    loads: { type: 'string', default: '100' },
    model: { type: 'string', default: 'vit-tiny' },
    parallel: { type: 'string', default: 'auto' },
    segmenter: { type: 'string' },
    encodings: { type: 'string', default: '400' },
  },
})
const folder = positionals[0] ?? fileURLToPath(new URL('../examples', import.meta.url))
const files = readdirSync(folder)
  .filter((name) => /\.(jpe?g|png|webp)$/i.test(name))
  .map((name) => join(folder, name))

// a call's pictures: enough that engines are opened beside each other
const batch = 32
const settled = 512
const settledEncodings = 120
const mostGrowth = 0.02
const longestStallMs = 20
const picturesPerReading = 192
const encodingsPerReading = 20

const median = (values) => values.toSorted((a, b) => a - b)[values.length >> 1]
const megabytes = (bytes) => (bytes / 2 ** 20).toFixed(1)
const threads = () => readdirSync('/proc/self/task').length
let failed = false

function check(holds, text) {
  console.log(`${holds ? 'ok  ' : 'FAIL'} ${text}`)
  failed ||= !holds
}

/** What Linux has counted so far, in ms: of the main thread, and of what the host gave to other machines. */
function counted() {
  const schedule = readFileSync(`/proc/self/task/${process.pid}/schedstat`, 'utf8').split(' ')
  const [, ...ticks] = readFileSync('/proc/stat', 'utf8').split('\n', 1)[0].split(/ +/)
  const [ran, waited] = schedule.map((nanoseconds) => Number(nanoseconds) / 1e6)
  // in hundredths of a second, of all processors together
  return { ran, waited, stolen: 10 * Number(ticks[7]) }
}

/** Watches how late timers come. */
function stallWatch() {
  const everyMs = 2
  // no list of turns: a hundred thousand of them would be the growth that is looked for
  const seen = { turns: 0, held: [], longestOwnMs: 0, longestLateMs: 0 }
  let last
  const tick = () => {
    const now = { at: performance.now(), ...counted() }
    if (last) {
      const lateMs = now.at - last.at - everyMs
      const ownMs = lateMs - (now.waited - last.waited)
      seen.turns += 1
      if (ownMs > longestStallMs) {
        const parts = { lateMs, ranMs: now.ran - last.ran, waitedMs: now.waited - last.waited }
        seen.held.push({ ...parts, stolenMs: now.stolen - last.stolen })
      }
      seen.longestOwnMs = Math.max(seen.longestOwnMs, ownMs)
      seen.longestLateMs = Math.max(seen.longestLateMs, lateMs)
    }
    last = now
  }
  let timer
  const start = () => {
    last = undefined
    timer = setInterval(tick, everyMs)
  }
  return { start, stop: () => clearInterval(timer), seen }
}

/** The resident memory, once garbage is gone. */
async function resident() {
  for (let i = 0; i < 3; i++) {
    globalThis.gc?.()
    await new Promise(setImmediate)
  }
  return process.memoryUsage.rss()
}

function checkMemory(readings, settledAfter) {
  const fifth = Math.ceil(readings.length / 5)
  const [first, last] = [median(readings.slice(0, fifth)), median(readings.slice(-fifth))]
  const growth = last / first - 1
  check(
    growth <= mostGrowth,
    `memory, ${readings.length} readings after ${settledAfter}: first fifth ${megabytes(first)} MB, ` +
      `last fifth ${megabytes(last)} MB (${(100 * growth).toFixed(1)} %); ` +
      `lowest ${megabytes(Math.min(...readings))}, highest ${megabytes(Math.max(...readings))} MB`,
  )
}

async function throughSegmenter(count) {
  const sam = await loadSegmenter(values.segmenter)
  const readings = []
  for (let done = 1; done <= count; done++) {
    const encoded = await sam.encode(files[done % files.length])
    await encoded.predict({ points: [{ x: 9, y: 9 }] })
    if (done > settledEncodings && done % encodingsPerReading === 0) readings.push(await resident())
  }
  checkMemory(readings, `the first ${settledEncodings} encodings`)
  await sam.dispose()
}

async function throughOneProcess(count) {
  const { parallel } = values
  const model = await load(values.model, { parallel: parallel === 'auto' ? parallel : Number(parallel) })
  await model.warmUp(undefined, { pictures: count })
  const { lanes } = model.planFor(count)
  console.log(`${lanes} ${lanes === 1 ? 'engine' : 'engines beside each other'}`)
  const watch = stallWatch()
  const readings = []
  // to collect garbage for the measurement holds the loop for longer than any work does
  const residentUnheard = async () => {
    watch.stop()
    const bytes = await resident()
    watch.start()
    return bytes
  }
  const start = performance.now()
  watch.start()
  for (let done = 0; done < count; done += batch) {
    const chosen = Array.from({ length: batch }, (_, i) => files[(done + i) % files.length])
    await model.classify(chosen)
    if (done >= settled && done % picturesPerReading < batch) readings.push(await residentUnheard())
  }
  watch.stop()
  const seconds = (performance.now() - start) / 1000
  console.log(`${count} pictures, ${(count / seconds).toFixed(1)}/s`)
  checkMemory(readings, `the first ${settled} pictures`)
  const { turns, held, longestOwnMs, longestLateMs } = watch.seen
  check(
    held.length === 0,
    `event loop, ${turns} turns: ${held.length} held for more than ${longestStallMs} ms, at most ${longestOwnMs.toFixed(1)} ms; ` +
      `with waiting for a processor at most ${longestLateMs.toFixed(1)} ms`,
  )
  for (const { lateMs, ranMs, waitedMs, stolenMs } of held.slice(0, 20))
    console.log(
      `       ${lateMs.toFixed(1)} ms late: the thread ran for ${ranMs.toFixed(1)}, waited for a processor for ` +
        `${waitedMs.toFixed(1)}; the host took ${stolenMs} from this machine's processors`,
    )
  await model.dispose()
}

async function loadAgainAndAgain(count) {
  const once = async () => {
    const model = await load(values.model)
    await model.classify(files[0])
    await model.dispose()
  }
  for (let i = 0; i < 10; i++) await once()
  const before = { bytes: await resident(), threads: threads() }
  for (let i = 0; i < count; i++) await once()
  const after = { bytes: await resident(), threads: threads() }
  const growth = after.bytes / before.bytes - 1
  check(
    after.threads <= before.threads,
    `${count} loads: ${before.threads} threads before, ${after.threads} after`,
  )
  check(
    growth <= 0.1,
    `${count} loads: ${megabytes(before.bytes)} MB before, ${megabytes(after.bytes)} MB after`,
  )
}

if (values.segmenter !== undefined) {
  await throughSegmenter(Number(values.encodings))
} else {
  await loadAgainAndAgain(Number(values.loads))
  await throughOneProcess(Number(values.images))
}
process.exitCode = failed ? 1 : 0
