// Kills `blvit eval --resume` at random moments (SIGKILL, as `kill -9` does), then lets it end, and compares its
// report and per-image table with those of an evaluation that nobody killed.
//   npm run build && node scripts/kill-evaluation.mjs <kills> <model> <data> [options of blvit eval]
// Prints the moments of the kills; exits with 1 if anything differs.
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { runCli } from './killed-cli.mjs'

const [kills, model, data, ...options] = process.argv.slice(2)
if (!(Number(kills) >= 1) || data === undefined) {
  console.error('usage: node scripts/kill-evaluation.mjs <kills> <model> <data> [options of blvit eval]')
  process.exit(2)
}
const folder = mkdtempSync(join(tmpdir(), 'blvit-kill-'))
const state = join(folder, 'eval.state')

/** Runs the evaluation; kills it after a while unless that is undefined. */
async function evaluate(name, { resume = [], killAfterMs } = {}) {
  const table = join(folder, `${name}.csv`)
  const args = ['eval', model, '--data', data, ...options, '--json', '--per-image', table, ...resume]
  return { ...(await runCli(args, { killAfterMs })), table }
}

function countsOf({ stdout, stderr }) {
  if (stdout === '') throw new Error(`no report: ${stderr}`)
  const { timing: _, ...counts } = JSON.parse(stdout)
  return JSON.stringify(counts)
}

try {
  const start = performance.now()
  const whole = await evaluate('whole')
  const wholeMs = performance.now() - start
  // throws where the command itself fails: then there is nothing to kill
  const expected = countsOf(whole)
  console.log(`uninterrupted: ${(wholeMs / 1000).toFixed(1)} s, exit code ${whole.code}`)
  const resume = ['--resume', state]
  let killed = 0
  while (killed < Number(kills)) {
    // Up to twice a run's share of the work, so that the kills fall on its start, its middle and its end.
    const killAfterMs = Math.round((0.5 + 2 * Math.random() * (wholeMs / 1000 / Number(kills) + 0.5)) * 1000)
    const { signal, code, stderr } = await evaluate('killed', { resume, killAfterMs })
    const sizeBytes = statSync(state, { throwIfNoEntry: false })?.size ?? 0
    const done = /going on after (\d+)/.exec(stderr)?.[1] ?? 0
    if (signal !== 'SIGKILL') {
      if (code !== whole.code) throw new Error(`it failed with code ${code}: ${stderr}`)
      console.log(`it ended by itself (code ${code}) before kill ${killed + 1}; begin the state anew`)
      rmSync(state, { force: true })
      continue
    }
    killed += 1
    console.log(
      `kill ${killed} after ${killAfterMs} ms; began after ${done} pictures, state has ${sizeBytes} bytes`,
    )
  }
  const last = await evaluate('resumed', { resume })
  console.log(
    `resumed: exit code ${last.code}, ${/going on after \d+ pictures/.exec(last.stderr)?.[0] ?? 'from the start'}`,
  )
  const sameReport = expected === countsOf(last)
  const sameTable = readFileSync(whole.table, 'utf8') === readFileSync(last.table, 'utf8')
  console.log(
    `same report: ${sameReport}; same table: ${sameTable}; same exit code: ${whole.code === last.code}`,
  )
  process.exitCode = sameReport && sameTable && whole.code === last.code ? 0 : 1
} finally {
  rmSync(folder, { recursive: true, force: true })
}
