// Runs cases one after the other and reports each on a line; the parent sees to crashes and hangs.
import { runCase } from './run-case.js'

const [seed = 0, first = 0, end = 0] = process.argv.slice(2).map(Number)

function report(line: object): void {
  process.stdout.write(`${JSON.stringify(line)}\n`)
}

for (let number = first; number < end; number++) {
  report({ started: number })
  const result = await runCase({ seed, number })
  report({ finished: number, ...result, memoryBytes: process.resourceUsage().maxRSS * 1024 })
}
