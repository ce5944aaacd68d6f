import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { defined } from '../../src/base/assert.js'
import { BlvitError, messageOf } from '../../src/base/blvit-error.js'
import { parseJson, parseWith } from '../../src/base/parse.js'
import { didYouMean } from '../../src/base/suggest.js'
import type { Target } from '../../src/graph/lowering.js'
import { type Golden, readGolden } from '../support/golden.js'
import { type Difference, isWithin, ofGradient, ofTensor, worst } from './difference.js'
import { anyIndex, type Built } from './method.js'
import { methods } from './methods/index.js'
import { ownCases } from './own-cases/index.js'
import { type CaseRun, loadCase, runGradients } from './run-case.js'

const goldenFile = z.looseObject({
  /** Absent: every case has a comparison of its own. */
  method: z.string().optional(),
  cases: z.record(
    z.string(),
    z.looseObject({
      config: z.unknown().optional(),
      file: z.string(),
      /** Where the weights are, if not in the file: words that name another one. */
      weights: z.string().optional(),
      tolerance: z.looseObject({ abs: z.number().optional() }).optional(),
    }),
  ),
  gradients: z
    .record(
      z.string(),
      z.looseObject({
        file: z.string(),
        weights_and_input: z.string(),
        grad_norm_parameters: z.array(z.string()),
      }),
    )
    .optional(),
})

type GoldenFile = z.output<typeof goldenFile>

/** Of golden files that name none: what a correct float32 implementation stays below. */
const usualTolerance = 5e-4

/** What came out for a case. */
export interface CaseReport {
  readonly name: string
  /** Floats of all pictures at once: the worst. */
  readonly together: Difference | undefined
  /** The same with each picture alone. */
  readonly alone: Difference | undefined
  /** Outputs that must be equal. */
  readonly exact: { readonly compared: number; readonly wrong: readonly string[] }
  readonly gradients: Difference | undefined
  /** What couldn't be compared. */
  readonly problems: readonly string[]
}

export function passed({ together, alone, exact, gradients, problems }: CaseReport): boolean {
  const differences = [together, alone, gradients].filter((difference) => difference !== undefined)
  return differences.every(isWithin) && exact.wrong.length === 0 && problems.length === 0
}

export interface GoldenFolder {
  readonly folder: string
  readonly file: GoldenFile
}

/** @throws BlvitError `NOT_FOUND`, `BAD_CONFIG`, `UNSUPPORTED` for a method that has no comparison yet */
export async function openGoldenFolder(folder: string): Promise<GoldenFolder> {
  const path = join(folder, 'golden.json')
  const text = await readFile(path, 'utf8').catch((cause: unknown) => {
    const message = `${path} can't be read: ${messageOf(cause)}. Give a folder with golden.json and its safetensors files.`
    throw new BlvitError('NOT_FOUND', message)
  })
  const file = parseWith(goldenFile, parseJson(text, path), path)
  if (file.method !== undefined && !Object.hasOwn(methods, file.method)) {
    const known = Object.keys(methods)
    throw new BlvitError(
      'UNSUPPORTED',
      `${path} is of method "${file.method}", which has no comparison.${didYouMean(file.method, known)} There are ${known.join(', ')}.`,
    )
  }
  return { folder, file }
}

function build({ file: { method } }: GoldenFolder, config: unknown, golden: Golden): Built {
  const [, channels = 0, height = 0, width = 0] = golden.shape('in/x')
  const inputs = golden.names('in/').map((name) => name.slice('in/'.length))
  return defined(methods[method ?? ''], 'the method').build(config, {
    image: { height, width },
    channels,
    inputs,
  })
}

/** A golden file whose weights are another's. */
function withWeightsOf(golden: Golden, weights: Golden): Golden {
  const of = (name: string) => (name.startsWith('w/') ? weights : golden)
  return {
    names: (prefix) => of(prefix).names(prefix),
    has: (name) => of(name).has(name),
    shape: (name) => of(name).shape(name),
    floats: (name) => of(name).floats(name),
    integers: (name) => of(name).integers(name),
    isInteger: (name) => of(name).isInteger(name),
    weights: (prefix) => of(prefix).weights(prefix),
  }
}

/** A case's tensors, `same weights as eval.safetensors (w/ keys there)` followed. */
async function goldenOf(
  { folder }: GoldenFolder,
  { file, weights = '' }: { file: string; weights?: string | undefined },
) {
  const golden = await readGolden(join(folder, file))
  const [other] = /\S+\.safetensors/.exec(weights) ?? []
  return other === undefined ? golden : withWeightsOf(golden, await readGolden(join(folder, other)))
}

interface Compared {
  readonly differences: Difference[]
  readonly wrong: string[]
  compared: number
}

/** Ours beside the rows `[from, to)` of a golden output. */
function compareRun(
  run: CaseRun,
  outputs: readonly string[],
  {
    golden,
    tolerance,
    pictures,
    rows: [from, to],
  }: {
    golden: Golden
    tolerance: number
    pictures: number
    rows: readonly [number, number]
  },
): Compared {
  const result: Compared = { differences: [], wrong: [], compared: 0 }
  for (const output of outputs) {
    const name = `out/${output}`
    const isExact = golden.isInteger(name)
    const all = isExact ? golden.integers(name) : Array.from(golden.floats(name))
    // some files hold the first pictures' rows only
    const [stored = 1] = isExact ? [pictures] : golden.shape(name)
    const perPicture = run.isPerPicture(output)
    const held = perPicture && stored < pictures ? stored : pictures
    if (from >= held) continue
    const each = perPicture ? all.length / held : 0
    const expected = each > 0 ? all.slice(from * each, to * each) : all
    const numbers = run.numbers(output)
    const actual = to > held ? numbers.slice(0, (numbers.length * (held - from)) / (to - from)) : numbers
    const alone = to - from < pictures ? `, picture ${from} alone` : ''
    if (isExact) {
      result.compared++
      const isEqual =
        actual.length === expected.length &&
        expected.every((x, i) => x === actual[i] || Object.is(actual[i], anyIndex))
      if (!isEqual) result.wrong.push(`${output}${alone}`)
    } else if (actual.length !== expected.length) {
      result.wrong.push(`${output}${alone}: ${actual.length} numbers, not ${expected.length}`)
    } else {
      result.differences.push(ofTensor(`${output}${alone}`, actual, expected, tolerance))
    }
  }
  return result
}

async function compareGradients(
  folder: GoldenFolder,
  name: string,
  built: Built,
): Promise<readonly Difference[]> {
  const given = folder.file.gradients?.[name]
  if (!given || !built.loss) return []
  // one name, or `w/ of eval, in/ of train`, which the case of the inputs says itself
  const of = /in\/ of (\S+)/.exec(given.weights_and_input)?.[1] ?? given.weights_and_input
  const golden = await goldenOf(folder, defined(folder.file.cases[of], `the case ${of}`))
  const inputs = await readGolden(join(folder.folder, given.file))
  const parameters = given.grad_norm_parameters
  const { loss, gradientOf } = await runGradients({ ...built, loss: built.loss }, parameters, {
    model: golden,
    inputs,
  })
  const norms = Array.from(inputs.floats('out/grad_norms'))
  return [
    ofGradient('loss', [loss], Array.from(inputs.floats('out/loss'))),
    ...parameters.map((parameter, i) => {
      const norm = Math.sqrt(gradientOf(parameter).reduce((sum, x) => sum + x * x, 0))
      return ofGradient(`norm of ${parameter}`, [norm], [norms[i] ?? Number.NaN])
    }),
    ...inputs.names('grad/').map((stored) => {
      const parameter = stored.slice('grad/'.length)
      return ofGradient(parameter, gradientOf(parameter), Array.from(inputs.floats(stored)))
    }),
  ]
}

/** A case as golden.json has it. @throws BlvitError `NOT_FOUND` */
export function caseOf({ folder, file: { cases } }: GoldenFolder, name: string) {
  const given = Object.hasOwn(cases, name) ? cases[name] : undefined
  if (given) return given
  const known = Object.keys(cases)
  throw new BlvitError(
    'NOT_FOUND',
    `${folder} has no case "${name}".${didYouMean(name, known)} It has ${known.join(', ')}.`,
  )
}

/** A case that no method builds. @throws BlvitError `UNSUPPORTED` where it has no comparison */
async function compareOwnCase({ folder }: GoldenFolder, name: string): Promise<CaseReport> {
  const own = ownCases[name]
  if (!own) throw new BlvitError('UNSUPPORTED', `Nothing compares ${name}: give it a file in own-cases/.`)
  const { differences, compared, wrong } = await own(folder)
  return {
    name,
    together: worst(differences),
    alone: undefined,
    exact: { compared, wrong },
    gradients: undefined,
    problems: [],
  }
}

/** Runs a case, all pictures at once and each alone, and its gradients, and compares all that its files hold. */
export async function compareCase(
  folder: GoldenFolder,
  name: string,
  { target = 'native' as Target } = {},
): Promise<CaseReport> {
  const given = caseOf(folder, name)
  if (folder.file.method === undefined) return await compareOwnCase(folder, name)
  const golden = await goldenOf(folder, given)
  const built = build(folder, given.config, golden)
  const official = golden.names('out/').map((output) => output.slice('out/'.length))
  const outputs = official.filter((output) => Object.hasOwn(built.outputs, output))
  const wanted = Object.fromEntries(outputs.map((output) => [output, defined(built.outputs[output], output)]))
  const pictures = defined(golden.shape('in/x')[0], 'the batch')
  const tolerance = given.tolerance?.abs ?? usualTolerance
  await using loaded = await loadCase(name, { ...built, outputs: wanted }, { golden, target })
  const all = await loaded.run(0, pictures)
  const together = compareRun(all, outputs, { golden, tolerance, pictures, rows: [0, pictures] })
  const perPicture = outputs.filter((output) => all.isPerPicture(output))
  const alone: Compared[] = []
  for (let row = 0; row < pictures; row++) {
    const run = await loaded.run(row, row + 1)
    alone.push(compareRun(run, perPicture, { golden, tolerance, pictures, rows: [row, row + 1] }))
  }
  return {
    name,
    together: worst(together.differences),
    alone: worst(alone.flatMap(({ differences }) => differences)),
    exact: {
      compared: [together, ...alone].reduce((sum, { compared }) => sum + compared, 0),
      wrong: [together, ...alone].flatMap(({ wrong }) => wrong),
    },
    gradients: worst(await compareGradients(folder, name, built)),
    problems: official
      .filter((output) => !outputs.includes(output))
      .map((output) => `nothing of ours stands beside ${output}`),
  }
}
