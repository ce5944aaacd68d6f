// Kills `blvit distill` at random moments (SIGKILL, as `kill -9` does), resumes it each time, lets it end at last, and
// compares weights and log with those of a training that nobody killed.
//   npm run build && node scripts/kill-training.mjs <kills> [options of blvit distill, without --output]
//   e.g. node scripts/kill-training.mjs 20 --data examples --images 600 --threads 1
// Prints the moments of the kills; exits with 1 if anything differs. One thread makes sums in one order; with more the
// engine's order is the same too, but it doesn't promise that.
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { runCli } from './killed-cli.mjs'

const [kills, ...options] = process.argv.slice(2)
if (!(Number(kills) >= 1) || !options.includes('--data')) {
  console.error('usage: node scripts/kill-training.mjs <kills> --data <pictures> [options of blvit distill]')
  process.exit(2)
}
const folder = mkdtempSync(join(tmpdir(), 'blvit-kill-'))

const distill = (name, more, { killAfterMs } = {}) =>
  runCli(['distill', ...options, '--checkpoint-every', '3', '-o', join(folder, name), ...more], {
    killAfterMs,
  })
const checkpoints = (name) => {
  const training = join(folder, `${name}.training`)
  // killed before it began
  if (!existsSync(training)) return []
  return readdirSync(training).filter((file) => /^stage-.*safetensors$/.test(file))
}

/** Whenever a training that was killed has ended at last. */
function compare(kills) {
  const same = (...path) =>
    readFileSync(join(folder, `killed${path[0]}`, ...path.slice(1))).equals(
      readFileSync(join(folder, `whole${path[0]}`, ...path.slice(1))),
    )
  const [weights, log] = [same('', 'model.safetensors'), same('.training', 'log.jsonl')]
  console.log(`after ${kills} kills: same weights to the bit: ${weights}; same log: ${log}`)
  if (!weights || !log) process.exitCode = 1
}

try {
  const start = performance.now()
  const whole = await distill('whole', [])
  const wholeMs = performance.now() - start
  console.log(`uninterrupted: ${(wholeMs / 1000).toFixed(1)} s, exit code ${whole.code}`)
  if (whole.code !== 0) throw new Error(whole.stderr)
  let killed = 0
  let resume = []
  while (killed < Number(kills)) {
    // a training takes a while to load: most kills shall fall on its steps and checkpoints
    const killAfterMs = Math.round(1000 + (Math.random() * wholeMs) / 3)
    const { signal, code, stderr } = await distill('killed', resume, { killAfterMs })
    if (signal !== 'SIGKILL') {
      if (code !== 0) throw new Error(stderr)
      console.log(`it ended by itself before kill ${killed + 1}; begin anew`)
      compare(killed)
      resume = ['--overwrite']
      continue
    }
    killed += 1
    const kept = checkpoints('killed')
    console.log(`kill ${killed} after ${killAfterMs} ms; checkpoints: ${kept.join(', ') || 'none yet'}`)
    resume = kept.length > 0 ? ['--resume', '--overwrite'] : ['--overwrite']
  }
  const last = await distill('killed', resume)
  if (last.code !== 0) throw new Error(last.stderr)
  compare(killed)
} finally {
  rmSync(folder, { recursive: true, force: true })
}
