// How long a large photograph takes until a model can see it, how long the event loop waits meanwhile, and what the
// reduced decoding changes. Run after a build: node scripts/bench-image.mjs [megapixels]
import { readdirSync } from 'node:fs'
import sharp from 'sharp'
import { load } from '../dist/index.js'
import { nodeDecoder } from '../dist/modules/image/node/decode.js'
import { preparePicture } from '../dist/modules/image/prepare.js'

const runs = 15
const megapixels = Number(process.argv[2] ?? 12)
const height = Math.round(Math.sqrt(megapixels * 750_000))
const width = Math.round((height * 4) / 3)
const examples = new URL('../examples/', import.meta.url)

const median = (numbers) => numbers.toSorted((a, b) => a - b)[numbers.length >> 1]

/** @returns the longest time between two turns of the event loop while `work` runs, beyond the timer's own 1 ms */
async function longestWait(work) {
  let longest = 0
  let last = performance.now()
  const timer = setInterval(() => {
    const now = performance.now()
    longest = Math.max(longest, now - last - 1)
    last = now
  }, 1)
  await work()
  clearInterval(timer)
  return Math.max(longest, performance.now() - last - 1)
}

async function enlarged(name, encode) {
  const picture = sharp(new URL(name, examples).pathname).resize(width, height, {
    fit: 'fill',
    kernel: 'cubic',
  })
  return encode(picture).toBuffer()
}

/** The noise of a small sensor, which is what makes a camera's files large. */
async function noisy(bytes) {
  const noise = await sharp({
    create: { width, height, channels: 3, noise: { type: 'gaussian', mean: 128, sigma: 8 } },
  })
    .png({ compressionLevel: 1 })
    .toBuffer()
  return sharp(bytes)
    .composite([{ input: noise, blend: 'soft-light' }])
    .jpeg({ quality: 90 })
    .toBuffer()
}

const model = await load('vit-tiny')
const photographs = readdirSync(examples).filter((name) => name.endsWith('.jpg'))
const smooth = await enlarged(photographs[0], (picture) => picture.jpeg({ quality: 90 }))
const pictures = {
  'JPEG, smooth': smooth,
  'JPEG, noisy': await noisy(smooth),
  PNG: await enlarged(photographs[0], (picture) => picture.png({ compressionLevel: 1 })),
  WebP: await enlarged(photographs[0], (picture) => picture.webp()),
}

console.log(
  `${width} × ${height}, median of ${runs} runs: ms until prepared (longest wait of the event loop)`,
)
for (const [name, bytes] of Object.entries(pictures)) {
  const cells = []
  const medians = []
  for (const exact of [true, false]) {
    const times = []
    const waits = []
    for (let run = 0; run < runs; run++) {
      const start = performance.now()
      waits.push(
        await longestWait(() => preparePicture(bytes, model.preprocessing, { decoder: nodeDecoder, exact })),
      )
      times.push(performance.now() - start)
    }
    medians.push(median(times))
    cells.push(
      `${exact ? 'exact' : 'default'} ${median(times).toFixed(0).padStart(4)} ms ` +
        `(${median(waits).toFixed(0)} ms, at most ${Math.max(...waits).toFixed(0)})`,
    )
  }
  const size = `${(bytes.length / 1e6).toFixed(1)} MB`
  console.log(
    `${name.padEnd(13)} ${size.padStart(8)}  ${cells.join('   ')}   ×${(medians[0] / medians[1]).toFixed(1)}`,
  )
}

console.log('\nWhat the reduced decoding changes: grey levels of the input, logits, the best label')
for (const name of photographs) {
  const bytes = await enlarged(name, (picture) => picture.jpeg({ quality: 90 }))
  const exact = await preparePicture(bytes, model.preprocessing, { decoder: nodeDecoder, exact: true })
  const reduced = await preparePicture(bytes, model.preprocessing, { decoder: nodeDecoder })
  const steps = exact.pixels.values.map((value, i) => Math.abs(value - reduced.pixels.values[i]))
  const logits = [await model.logits([exact.input]), await model.logits([reduced.input])]
  const shift = logits[0].map((logit, i) => Math.abs(logit - logits[1][i]))
  const [before, after] = await model.classifyPrepared([exact.input, reduced.input], { top: 1 })
  const label = ({ top: [best] }) => `${best.label} ${(100 * best.probability).toFixed(1)} %`
  console.log(
    `${name.padEnd(20)} mean ${(steps.reduce((sum, step) => sum + step, 0) / steps.length).toFixed(2)}, ` +
      `max ${steps.reduce((most, step) => Math.max(most, step), 0)}; logits move by ` +
      `${(shift.reduce((sum, step) => sum + step, 0) / shift.length).toFixed(3)}, ` +
      `at most ${shift.reduce((most, step) => Math.max(most, step), 0).toFixed(2)}; ${label(before)} → ${label(after)}`,
  )
}
await model.dispose()
