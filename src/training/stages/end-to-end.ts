import { z } from 'zod'
import { defined } from '../../base/assert.js'
import { BlvitError } from '../../base/blvit-error.js'
import { didYouMean } from '../../base/suggest.js'
import { graphOf } from '../../graph/graph.js'
import { add, scaleShift } from '../../graph/ops/index.js'
import type { Tensor } from '../../graph/tensor.js'
import type { Architecture } from '../../models/architecture.js'
import { type ModelDefinition, programOf } from '../../models/model-definition.js'
import { stochasticDepth, stochasticDepthInput } from '../../nn/stochastic-depth.js'
import { checkAlike } from '../likeness.js'
import { settingsPlan, trainedSettings } from '../settings-plan.js'
import { type Teacher, teacher as teacherOf } from '../teacher.js'
import { type LossPartName, lossPart, lossParts } from './loss-parts.js'
import type { StageGraph, StageKind } from './stage-kind.js'

const names = Object.keys(lossParts) as LossPartName[]

const schema = z.strictObject({
  objective: z.literal('end to end'),
  /** How much each part counts, those included that a method brings with it; what is left out isn't computed. */
  loss: z.record(z.string(), z.number().min(0)),
  /** Softens both class distributions of `logits`. */
  temperature: z.number().positive().default(1),
  /** How often the branches of the last block are left out at random; those of earlier blocks less often. */
  stochasticDepth: z.number().min(0).max(0.99).default(0),
  ...trainedSettings,
})

type EndToEnd = z.infer<typeof schema>

/** The parts that count, of those that every student can have. */
function wantedParts({ loss }: EndToEnd): readonly LossPartName[] {
  return names.filter((name) => (loss[name] ?? 0) > 0)
}

/** The parts that count, of those that the student's method brings. @throws BlvitError `BAD_CONFIG` for an unknown one */
function ownLosses({ loss }: EndToEnd, { training }: ModelDefinition) {
  const own = training?.losses ?? {}
  const known = [...names, ...Object.keys(own)]
  const unknown = Object.keys(loss).find((name) => !known.includes(name))
  if (unknown !== undefined) {
    const message = `There is no loss "${unknown}" for this student.${didYouMean(unknown, known)} It has ${known.join(', ')}.`
    throw new BlvitError('BAD_CONFIG', message, { known })
  }
  return Object.entries(own).flatMap(([name, part]) => {
    const weight = loss[name] ?? 0
    return weight > 0 ? [{ name, loss: part, weight }] : []
  })
}

/** @throws BlvitError `BAD_OPTION` for a student that has no branches to leave out */
function checkDropping(student: ModelDefinition, { family }: Architecture, rate: number): void {
  if (rate === 0) return
  const { inputs } = graphOf('student', programOf(student, 'classify'))
  if (inputs.some(({ leaf }) => leaf?.name === stochasticDepthInput)) return
  const message = `stochasticDepth is ${rate}, but the student (${family}) has no branches that could be left out. Set it to 0.`
  throw new BlvitError('BAD_OPTION', message, { stochasticDepth: rate, family })
}

/** In the names of a log: `classToken` is `class_token` there. */
function logName(part: string): string {
  return part.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
}

/** The whole student learns at once: from labels, from a teacher's answers and tokens, at any keep ratio. */
export const endToEndStage = {
  schema,
  needsTeacher: (stage) => wantedParts(stage).some((name) => lossPart(name).alike !== undefined),
  comparesClasses: (stage) => wantedParts(stage).some((name) => lossPart(name).alike?.includes('classes')),
  build: ({ student: architecture, teacher }, stage): StageGraph => {
    const wanted = wantedParts(stage)
    if (teacher)
      checkAlike(
        architecture,
        teacher,
        wanted.flatMap((name) => lossPart(name).alike ?? []),
      )
    const { temperature, stochasticDepth: rate } = stage
    const student = stochasticDepth({ rate, depth: architecture.facts.depth }, () => architecture.build())
    checkDropping(student, architecture, rate)
    let built: Teacher | undefined
    const taught = () => {
      built ??= teacherOf(defined(teacher, 'a teacher'))
      return built
    }
    const context = { architecture, student, teacher: taught, temperature }
    const general = wanted.flatMap((name) => {
      const loss = lossPart(name).loss(context)
      return loss ? [{ name, loss, weight: stage.loss[name] ?? 0 }] : []
    })
    const losses = [...general, ...ownLosses(stage, student)]
    const [first, ...others] = losses.map(({ loss, weight }): Tensor => scaleShift(loss, { scale: weight }))
    if (!first) {
      const message = `A stage "end to end" needs a loss that this model can have: give ${names.join(', ')} a weight.`
      throw new BlvitError('BAD_OPTION', message)
    }
    const reports = Object.fromEntries(losses.map(({ name, loss }) => [logName(name), loss]))
    return { loss: others.reduce(add, first), reports, sizes: student.sizes }
  },
  settings: (stage, student) => settingsPlan(stage, student),
  learns: () => true,
} satisfies StageKind<EndToEnd>
