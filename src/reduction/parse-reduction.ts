import type { z } from 'zod'
import { BlvitError } from '../base/blvit-error.js'
import { didYouMean } from '../base/suggest.js'
import type { Architecture } from '../models/architecture.js'
import type { BlockHooks } from '../models/block-loop.js'
import * as methods from './index.js'
import { descriptionOf } from './parameters.js'
import { type FileParameter, type Parameters, type Reduction, reducedModel } from './reduction.js'

/** A reduction with its parameters, whatever they are. */
export interface ChosenReduction {
  /** The same choice always has the same text: names in one order, no defaults. */
  readonly text: string
  /** The same for a model, where a number that it never comes to is the highest that it does. */
  textFor(architecture: Architecture): string
  /**
   * What it does in the block loop of an architecture.
   * @throws BlvitError `BAD_OPTION` for a model that it can't work on, or parameters that don't fit it
   */
  hooks(architecture: Architecture): BlockHooks
  /**
   * Choices that differ from this in its main number alone, from the one that saves most work to the one that saves
   * least; none for a main parameter that is a list.
   * @throws BlvitError as `hooks`
   */
  steps(architecture: Architecture): readonly string[]
  /**
   * The choice on the way from this to another one, which differs from it in its main number alone: to the next of
   * `steps`, so that a way has no more graphs than there are steps on it.
   * @param share 0: this one, 1: the other
   * @throws BlvitError `BAD_OPTION` if they differ in more; as `hooks`
   */
  towards(text: string, share: number, architecture: Architecture): string
}

/** A reduction that reads its own parameters, so that nobody above knows their types. */
interface Entry extends Pick<Reduction, 'name' | 'example'> {
  /** Whether the name alone says enough: all parameters have defaults. */
  readonly isWhole: boolean
  /** @param given what stands behind the name; undefined: nothing does */
  choose(given?: string): ChosenReduction
  /** The same text with what files hold instead of their names. */
  withFiles(given: string, readFile: (path: string) => Promise<string>): Promise<string>
}

type Texts = Record<string, string>

/** `0.7,fuse=false` → what is given for each parameter. */
function textsOf(given: string | undefined, { name, main, parameters, example }: Reduction): Texts {
  const known = Object.keys(parameters.shape)
  const texts: Texts = {}
  if (given === undefined) return texts
  given.split(',').forEach((part, i) => {
    const [key = '', ...value] = part.split('=').map((piece) => piece.trim())
    const isMain = i === 0 && value.length === 0
    const parameter = isMain ? main : key
    const complain = (what: string) => {
      const list = known.map((other) => (other === main ? `${other} (the first)` : other)).join(', ')
      return new BlvitError(
        'BAD_OPTION',
        `"${name}:${given}": ${what} ${name} has ${list}; for example ${example}.`,
        { reduction: name, parameter },
      )
    }
    if (!isMain && value.length !== 1) throw complain(`"${part}" should be written parameter=value.`)
    if (!known.includes(parameter))
      throw complain(`there is no parameter "${parameter}".${didYouMean(parameter, known)}`)
    if (Object.hasOwn(texts, parameter)) throw complain(`${parameter} is given twice.`)
    texts[parameter] = isMain ? key : (value[0] ?? '')
  })
  return texts
}

/** Parameters as values. @throws BlvitError `BAD_OPTION` that names the first wrong one and what it must be */
function decoded<P extends Parameters>(reduction: Reduction<P>, texts: Texts): z.output<P> {
  const { name, main, example, parameters } = reduction
  const parsed = parameters.safeDecode(texts as z.input<P>)
  if (parsed.success) return parsed.data as z.output<P>
  const parameter = String(parsed.error.issues[0]?.path[0] ?? main)
  const schema = parameters.shape[parameter]
  const description = schema ? descriptionOf(schema) : 'something else'
  const got = Object.hasOwn(texts, parameter) ? `is "${texts[parameter]}", but` : 'is missing; it'
  throw new BlvitError(
    'BAD_OPTION',
    `${name}'s ${parameter} ${got} must be ${description}. For example: ${example}.`,
    { reduction: name, parameter },
  )
}

/** The text of parameters, those that nobody changed left out. @param shown default: their full texts */
function printed<P extends Parameters>(
  { name, main, parameters }: Reduction<P>,
  values: z.output<P>,
  shown = (texts: z.input<P>) => texts,
): string {
  const texts = parameters.encode(values) as Texts
  const usual = parameters.encode(parameters.decode({ [main]: texts[main] ?? '' } as z.input<P>)) as Texts
  const changed = Object.keys(parameters.shape).filter((key) => key !== main && texts[key] !== usual[key])
  const said = shown(texts as z.input<P>) as Texts
  return [`${name}:${said[main] ?? ''}`, ...changed.map((key) => `${key}=${said[key]}`)].join(',')
}

/** The parameters of a reduction that a model was made for; undefined: for another or for none. */
function madeFor<P extends Parameters>(
  reduction: Reduction<P>,
  { settings: { reduce } }: Architecture,
): z.output<P> | undefined {
  const [name, ...rest] = `${reduce ?? ''}`.split(':')
  if (name !== reduction.name) return undefined
  const texts = rest.length === 0 ? {} : textsOf(rest.join(':'), reduction as unknown as Reduction)
  return decoded(reduction, texts)
}

function assertOwnWeights({ name, ownWeights, example }: Reduction, made: unknown): void {
  if (ownWeights === undefined || made !== undefined) return
  const message =
    `${name} needs ${ownWeights}, and this model has none: its config.json names no "reduction": "${example}". ` +
    `Take a model that has learned with ${name}, or teach one: blvit train <model> --set reduction=${example} --recipe ${name} …`
  throw new BlvitError('BAD_OPTION', message, { reduction: name })
}

/** @throws BlvitError `BAD_OPTION` */
function noWay(from: string, to: string): BlvitError {
  return new BlvitError(
    'BAD_OPTION',
    `There is no way from ${from} to ${to}: the two must be one method and differ in one number alone, as evit:1 and evit:0.7.`,
    { from, to },
  )
}

/** `evit:0.7,fuse=false` → 0.7; NaN for a list. */
function numberOfMain(text: string): number {
  const [given = ''] = text.slice(text.indexOf(':') + 1).split(',')
  return Number(given)
}

function entry<P extends Parameters>(reduction: Reduction<P>): Entry {
  const { name, example, main, files = {} } = reduction
  return {
    name,
    example,
    get isWhole() {
      return reduction.parameters.safeDecode({} as z.input<P>).success
    },
    withFiles: async (given, readFile) => {
      const named = Object.entries<FileParameter>(files)
      if (named.length === 0) return given
      const texts = textsOf(given, reduction as unknown as Reduction)
      for (const [parameter, { isRead, read }] of named) {
        const text = texts[parameter]
        if (text && !isRead(text)) texts[parameter] = read(await readFile(text), text)
      }
      const others = Object.entries(texts).filter(([parameter]) => parameter !== main)
      return [texts[main] ?? '', ...others.map(([key, value]) => `${key}=${value}`)].join(',')
    },
    choose: (given) => {
      const texts = textsOf(given, reduction as unknown as Reduction)
      const values = decoded(reduction, texts)
      const isList = texts[main]?.includes('/') ?? false
      const withMain = (number: string) =>
        printed(reduction, decoded(reduction, { ...texts, [main]: number }))
      const text = printed(reduction, values)
      const steps = (architecture: Architecture) =>
        isList ? [] : (reduction.steps?.(reducedModel(reduction, architecture), values) ?? [])
      return {
        text,
        textFor: (architecture) =>
          printed(
            reduction,
            reduction.fitted?.(reducedModel(reduction, architecture), values) ?? values,
            reduction.brief,
          ),
        hooks: (architecture) => {
          const model = reducedModel(reduction, architecture)
          const { windows } = model
          if (windows && reduction.inWindows) return reduction.inWindows({ ...model, windows }, values)
          const made = madeFor(reduction, architecture)
          assertOwnWeights(reduction as unknown as Reduction, made)
          return reduction.hooks(model, values, made)
        },
        steps: (architecture) => steps(architecture).map(withMain),
        towards: (target, share, architecture) => {
          const to = parseReduction(target).text
          const [first, last] = [numberOfMain(text), numberOfMain(to)]
          const areNumbers = Number.isFinite(first) && Number.isFinite(last)
          const isAlike = areNumbers && to.startsWith(`${name}:`) && withMain(`${last}`) === to
          if (!isAlike) throw noWay(text, to)
          const wanted = first + (last - first) * share
          const known = [first, last, ...steps(architecture).map(Number)]
          const nearest = known.reduce((a, b) => (Math.abs(b - wanted) < Math.abs(a - wanted) ? b : a))
          return withMain(`${nearest}`)
        },
      }
    },
  }
}

/** Every reduction, by name. */
const reductions: readonly Entry[] = Object.values(methods)
  // each is right about its own parameters; here they only have to fit each other
  .map((reduction) => entry(reduction as unknown as Reduction))
  .sort((a, b) => (a.name < b.name ? -1 : 1))

/** `evit:0.7` → the method of that name, if there is one, and what is given to it. */
function split(text: string): { name: string; found: Entry | undefined; given: string | undefined } {
  const [name = '', ...rest] = text.trim().split(':')
  const found = reductions.find((reduction) => reduction.name === name.trim().toLowerCase())
  return { name, found, given: rest.length === 0 ? undefined : rest.join(':') }
}

/**
 * Reads a reduction with its parameters: `evit:0.7`, `tome:8,schedule=decreasing`. The name is followed by its main
 * parameter, unless that has a default; others are given by name, values that are lists have slashes: `evit:0.9/0.7,blocks=3/6`.
 * @throws BlvitError `BAD_OPTION`
 */
export function parseReduction(text: string): ChosenReduction {
  const { name, found, given } = split(text)
  const known = reductions.map((reduction) => reduction.name)
  if (!found) {
    const examples = reductions.map(({ example }) => example).join(', ')
    // evit 0.7, evit=0.7
    const [word = '', value, ...more] = name
      .trim()
      .toLowerCase()
      .split(/[\s=]+/)
    const isWritable = known.includes(word) && Boolean(value) && more.length === 0
    const hint = isWritable ? ` Write ${word}:${value}.` : didYouMean(name, known)
    throw new BlvitError(
      'BAD_OPTION',
      `There is no reduction "${name}".${hint} Known, for example: ${examples}.`,
      { known },
    )
  }
  const second = [...text.trim().matchAll(/[,+;&\s]\s*([\w-]+)\s*(?![\w=-])/g)].find(([, word]) =>
    known.includes(word?.toLowerCase() ?? ''),
  )?.[1]
  if (second !== undefined) {
    throw new BlvitError(
      'BAD_OPTION',
      `"${text}" are two reductions, and a model takes one at a time: ${found.name} or ${second}. "blvit methods" tells what each does.`,
      { reductions: [found.name, second] },
    )
  }
  if (given === undefined && !found.isWhole) {
    throw new BlvitError(
      'BAD_OPTION',
      `"${text}" doesn't say how much: write for example ${found.example}.`,
      {
        reduction: found.name,
      },
    )
  }
  return found.choose(given)
}

/**
 * A reduction's text with what files hold instead of their names: what follows needs no files. Texts that name none stay
 * as they are, right or wrong.
 * @throws BlvitError of `readFile`; `BAD_DATA`, `BAD_OPTION` for a file of something else
 */
export async function withFilesRead(
  text: string,
  readFile: (path: string) => Promise<string>,
): Promise<string> {
  const { found, given } = split(text)
  if (!found || given === undefined) return text
  return `${found.name}:${await found.withFiles(given, readFile)}`
}
