import { rm } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { z } from 'zod'
import { parseWith } from '../base/parse.js'
import { initialise } from '../model-store/initialise.js'
import { openModel } from '../model-store/node/open-model.js'
import { writeModelFolder } from '../model-store/node/write-model-folder.js'
import { readArchitecture } from '../models/index.js'
import { adjusted, type DecidedRecipe, type Recipe, recipeSchema } from '../recipes/recipe.js'
import { chooseRuntime } from '../runtime/node/choose.js'
import { analyze } from '../tasks/analyze/analyze.js'
import { Checkpoints } from '../trainer/checkpoints.js'
import { type TrainedModel, trainModel } from '../trainer/train.js'
import { trainingCard } from '../trainer/training-card.js'
import type { StudentPlan, TeacherPlan } from './experiment.js'
import { measuredSchema, shareSchema } from './measured.js'
import { studentOf } from './student.js'
import { type TableTaskName, tableTasks } from './table-task.js'

const count = z.int().min(0)
/** What came of a run. */
export const runResultSchema = z.object({
  ...measuredSchema.shape,
  /** The same before it was trained; only of a student that can do something then. */
  untrained: shareSchema.optional(),
  parameters: count,
  multiplyAdds: z.object({ linear: z.number(), thop: z.number(), full: z.number() }),
  /** The mean of the loss over each tenth of its steps. */
  losses: z.array(z.number()),
  trainingMs: z.number(),
  evaluationMs: z.number(),
})

export type RunResult = Readonly<z.infer<typeof runResultSchema>>

/** What a run shares with all others. */
interface RunPlace {
  readonly task: TableTaskName
  /** Where the model is written; beside it, in `<output>.training`, its log. */
  readonly output: string
  readonly train: string
  readonly test: string
  /** Only the first so many pictures to test with. */
  readonly limit: number | undefined
  readonly threads: number
  readonly seed: number
}

/** A row with one seed. */
export interface RunAsk extends RunPlace {
  readonly title: string
  readonly student: StudentPlan
  /** Undefined: nothing is trained. */
  readonly recipe: Recipe | undefined
  /** In place of the recipe's number. */
  readonly pictures: number | undefined
  /** The teacher's folder. */
  readonly teacher: string
  /** Whether it is measured before it is trained too. */
  readonly measuresUntrained: boolean
}

export interface TeacherAsk extends Pick<RunPlace, 'output' | 'train' | 'threads' | 'seed'> {
  readonly plan: TeacherPlan
}

/** Pictures that were trained or tested with. */
export interface RunProgress {
  readonly done: number
  readonly total: number
}

export type OnRunProgress = (progress: RunProgress) => void

/** What a process of a reproduction is asked. */
export interface RunQuestions {
  run: { ask: RunAsk; answer: RunResult }
  teacher: { ask: TeacherAsk; answer: undefined }
}

function decided(recipe: Recipe, pictures: number | undefined): DecidedRecipe {
  return adjusted(parseWith(recipeSchema, recipe, 'The recipe'), { pictures })
}

/** Losses of all steps, in order, to the mean of each tenth. */
function tenths(losses: readonly number[]): number[] {
  const parts = Math.min(10, losses.length)
  return Array.from({ length: parts }, (_, part) => {
    const own = losses.slice(
      Math.floor((part * losses.length) / parts),
      Math.floor(((part + 1) * losses.length) / parts),
    )
    return own.reduce((a, b) => a + b, 0) / own.length
  })
}

/** Writes what was trained, and leaves of its training the log alone: checkpoints would take gigabytes. */
async function keep(
  { files, participants: { source, student, teacher }, recipe, log }: TrainedModel,
  { output, train, seed }: Pick<RunPlace, 'output' | 'train' | 'seed'>,
): Promise<void> {
  const facts = { title: basename(output), source: source.name, sourceCard: undefined, seed, data: [train] }
  const card = trainingCard(student.architecture, { ...facts, recipe, teacher: teacher?.name, log })
  await writeModelFolder(output, files, { card, overwrite: true })
  await new Checkpoints(`${output}.training`, 0).removeAll()
  await rm(join(`${output}.training`, 'best.safetensors'), { force: true })
}

/** Trains a row with a seed and measures it. @throws BlvitError of whatever fails */
export async function run(ask: RunAsk, onProgress: OnRunProgress): Promise<RunResult> {
  const { train, test, seed, threads, limit, recipe, output } = ask
  const task = tableTasks[ask.task]
  const teacher = await openModel(ask.teacher)
  // on the calling thread, as it has nothing else to do
  const testing = await chooseRuntime('cpu', { thread: 'caller' })
  const student = await studentOf(teacher, ask.student, { seed, trainingData: train, runtime: testing })
  const plan = recipe && decided(recipe, ask.pictures)
  const toTrain = plan ? plan.stages.reduce((sum, { pictures }) => sum + pictures, 0) : 0
  const pictures = await task.sizeOf(test)
  const toTest = Math.min(pictures, limit ?? pictures)
  const twice = plan !== undefined && ask.measuresUntrained && student.isWhole
  const total = toTrain + (twice ? 2 : 1) * toTest
  let before = 0
  const onDone = (done: number) => onProgress({ done: before + done, total })
  const untrained = twice
    ? await task.measure(student.files, test, { runtime: testing, limit, threads, onDone })
    : undefined
  if (twice) before += toTest
  const start = performance.now()
  const losses: number[] = []
  const trained =
    plan &&
    (await trainModel({ name: ask.title, files: student.files, card: undefined }, [train], plan, {
      ...{ output, seed, threads, device: 'cpu', overwrite: true, teacher: ask.teacher },
      onStep: ({ losses: { loss = Number.NaN } }) => {
        losses.push(loss)
        onDone(Math.min(toTrain, Math.round((losses.length * toTrain) / stepsOfAll(plan))))
      },
    }))
  if (trained) await keep(trained, ask)
  const trainingMs = performance.now() - start
  before += toTrain
  const files = trained?.files ?? student.files
  const { top1, scores, counted } = await task.measure(files, test, {
    ...{ runtime: testing, limit, threads, onDone },
  })
  const { parameters, multiplyAdds } = analyze(files.architecture, counted && { measured: counted.sizes })
  return {
    ...{ top1, parameters, multiplyAdds, losses: tenths(losses), trainingMs },
    evaluationMs: performance.now() - start - trainingMs,
    ...(untrained && { untrained: untrained.top1 }),
    ...(scores && { scores }),
    ...(counted && { counted }),
  }
}

function stepsOfAll({ stages }: DecidedRecipe): number {
  return stages.reduce(
    (sum, { pictures, batch, accumulate }) => sum + Math.ceil(pictures / (batch * accumulate)),
    0,
  )
}

/** Trains the teacher from random weights, or goes on with it. @throws BlvitError of whatever fails */
export async function trainTeacher(
  { plan, output, train, threads, seed }: TeacherAsk,
  onProgress: OnRunProgress,
): Promise<undefined> {
  const files = {
    ...initialise(readArchitecture(plan.config), { seed }),
    labels: plan.labels,
    assumptions: [],
  }
  const recipe = decided(plan.recipe, plan.pictures)
  const resume = await new Checkpoints(`${output}.training`, 0).exist()
  const trained = await trainModel({ name: 'random weights', files, card: undefined }, [train], recipe, {
    ...{ output, seed, threads, device: 'cpu', overwrite: true, resume },
    onStep: ({ step, steps }) =>
      onProgress({ done: Math.round((step * plan.pictures) / steps), total: plan.pictures }),
  })
  await keep(trained, { output, train, seed })
  return undefined
}
