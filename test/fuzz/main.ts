// npm run fuzz -- [--cases 10000] [--from 0] [--seed 1] [--case 4711]
import { spawn } from 'node:child_process'
import { existsSync, symlinkSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import type { CaseResult } from './run-case.js'

/** A case that takes longer hangs. */
const timeLimitMs = 20_000
/** Peak of the process that runs the cases, with Node, libvips and ONNX Runtime in it. */
const memoryLimitBytes = 1_500_000_000

const { values } = parseArgs({
  options: {
    cases: { type: 'string', default: '10000' },
    from: { type: 'string', default: '0' },
    seed: { type: 'string', default: '1' },
    case: { type: 'string' },
  },
})
const seed = Number(values.seed)
const first = Number(values.case ?? values.from)
const end = first + (values.case === undefined ? Number(values.cases) : 1)

type Line =
  | { readonly started: number }
  | ({ readonly finished: number; readonly memoryBytes: number } & CaseResult)

const outcomes = new Map<string, Map<string, number>>()
const faults: string[] = []
let peakBytes = 0

function noteFault(number: number, what: string): void {
  faults.push(`case ${number}: ${what}`)
  console.error(`\nFAULT in case ${number} (again: npm run fuzz -- --seed ${seed} --case ${number})\n${what}`)
}

function count({ target, outcome }: CaseResult): void {
  const ofTarget = outcomes.get(target) ?? new Map<string, number>()
  ofTarget.set(outcome, (ofTarget.get(outcome) ?? 0) + 1)
  outcomes.set(target, ofTarget)
}

/** Runs cases in a process of their own until they are done or it dies. @returns the next case to run */
async function runFrom(start: number): Promise<number> {
  const child = spawn(
    process.execPath,
    [fileURLToPath(new URL('child.js', import.meta.url)), `${seed}`, `${start}`, `${end}`],
    { stdio: ['ignore', 'pipe', 'pipe'] },
  )
  let current = start
  let finished = start - 1
  let hung = false
  let complaints = ''
  child.stderr.on('data', (text) => {
    complaints = `${complaints}${text}`.slice(-2_000)
  })
  const closed = new Promise<string>((resolve) =>
    child.on('close', (code, signal) => resolve(`${signal ?? `exit code ${code}`}`)),
  )
  const kill = () => {
    hung = true
    child.kill('SIGKILL')
  }
  let timer = setTimeout(kill, timeLimitMs)
  for await (const text of createInterface({ input: child.stdout })) {
    clearTimeout(timer)
    timer = setTimeout(kill, timeLimitMs)
    const line = JSON.parse(text) as Line
    if ('started' in line) {
      current = line.started
      continue
    }
    finished = line.finished
    count(line)
    if (line.fault !== undefined) noteFault(finished, `${line.target}: ${line.fault}`)
    if (line.memoryBytes > memoryLimitBytes && peakBytes <= memoryLimitBytes) {
      noteFault(finished, `${line.target}: memory reached ${line.memoryBytes} bytes`)
    }
    peakBytes = Math.max(peakBytes, line.memoryBytes)
    if (process.stderr.isTTY || finished % 500 === 499)
      process.stderr.write(`\r${finished + 1} of ${end} cases`)
  }
  clearTimeout(timer)
  const how = await closed
  if (finished + 1 === end) return end
  noteFault(
    current,
    hung ? `no answer within ${timeLimitMs / 1000} s` : `the process died: ${how}\n${complaints}`,
  )
  return current + 1
}

// The compiled code looks for what the package has beside it: the assets, and the engine's thread in dist.
const links = { assets: '../../../../assets', dist: '../../src' }
for (const [name, target] of Object.entries(links)) {
  const link = fileURLToPath(new URL(`../../${name}`, import.meta.url))
  if (!existsSync(link)) symlinkSync(fileURLToPath(new URL(target, import.meta.url)), link)
}

const startedAt = performance.now()
for (let next = first; next < end; ) next = await runFrom(next)
const seconds = (performance.now() - startedAt) / 1000

console.log(
  `\n${end - first} cases of seed ${seed} in ${seconds.toFixed(0)} s, at most ${(peakBytes / 1e6).toFixed(0)} MB`,
)
for (const [target, ofTarget] of outcomes) {
  const counts = [...ofTarget].sort((a, b) => b[1] - a[1]).map(([outcome, times]) => `${outcome} ${times}`)
  console.log(`${target.padEnd(26)} ${counts.join(', ')}`)
}
console.log(
  faults.length === 0
    ? 'no faults'
    : `${faults.length} faults:\n${faults.map((fault) => fault.split('\n')[0]).join('\n')}`,
)
process.exitCode = faults.length === 0 ? 0 : 1
