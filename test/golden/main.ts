import { basename, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { BlvitError, messageOf } from '../../src/base/blvit-error.js'
import {
  type CaseReport,
  caseOf,
  compareCase,
  type GoldenFolder,
  openGoldenFolder,
  passed,
} from './compare.js'
import type { Difference } from './difference.js'

const usage = `npm run golden -- <folder> [--case <name>] [--target native|standard|webgpu]

Compares this program with golden vectors: a folder with golden.json and safetensors files whose tensors are
w/… (weights), in/… (inputs) and out/… (results). One line a case: the largest error beside what is allowed, whether
indices are equal, gradients. Exit code 1 where something differs, 2 where it can't be compared.`

const targets = ['native', 'standard', 'webgpu'] as const

function shown(label: string, difference: Difference | undefined): string {
  if (!difference) return `${label} –`
  const { error, tolerance, where } = difference
  return `${label} ${error.toExponential(1)} of ${tolerance.toExponential(1)} (${where})`
}

function line(method: string, report: CaseReport): string {
  const { exact, problems } = report
  const indices =
    exact.compared === 0
      ? 'indices –'
      : exact.wrong.length === 0
        ? `indices equal (${exact.compared})`
        : `indices DIFFER: ${exact.wrong.slice(0, 5).join('; ')}${exact.wrong.length > 5 ? '; …' : ''}`
  return [
    `${method} ${report.name}: ${passed(report) ? 'ok' : 'FAILED'}`,
    shown('largest error', report.together),
    shown('alone', report.alone),
    indices,
    shown('gradients', report.gradients),
    ...problems,
  ].join('; ')
}

/** Of a folder without a method, its name. */
function methodOf({ folder, file }: GoldenFolder): string {
  return file.method ?? basename(resolve(folder))
}

function describe(thrown: unknown): string {
  return thrown instanceof BlvitError ? `${thrown.code}: ${thrown.message}` : messageOf(thrown)
}

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      case: { type: 'string' },
      target: { type: 'string', default: 'native' },
      help: { type: 'boolean' },
    },
  })
  const target = targets.find((known) => known === values.target)
  if (values.help || positionals.length === 0 || !target) {
    console.error(usage)
    return values.help ? 0 : 2
  }
  let failed = 0
  for (const path of positionals) {
    const folder = await openGoldenFolder(path)
    const names = values.case === undefined ? Object.keys(folder.file.cases) : [values.case]
    for (const name of names) {
      caseOf(folder, name)
      try {
        const report = await compareCase(folder, name, { target })
        if (!passed(report)) failed++
        console.log(line(methodOf(folder), report))
      } catch (thrown) {
        // the other cases may be right all the same
        failed++
        console.log(`${methodOf(folder)} ${name}: FAILED; ${describe(thrown)}`)
      }
    }
  }
  return failed > 0 ? 1 : 0
}

try {
  process.exitCode = await main()
} catch (thrown) {
  console.error(describe(thrown))
  process.exitCode = 2
}
