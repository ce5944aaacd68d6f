import { isDeepStrictEqual } from 'node:util'
import { BlvitError } from '../base/blvit-error.js'
import { findConfiguration } from '../model-store/node/find-configuration.js'
import { locateModel } from '../model-store/node/locate-model.js'
import { describeModel } from '../model-store/node/open-model.js'
import { shippedModels } from '../model-store/node/shipped-models.js'
import type { Architecture } from '../models/architecture.js'
import { findPreset, presets } from '../models/index.js'
import { type ResolvedSettings, resolveSettings } from '../settings/resolve.js'
import type { Settings } from '../settings/settings.js'
import type { DownloadOptions } from '../weights/node/hub/download-model.js'
import type { MeasuredModel } from './messages.js'

/** A model to measure. */
export interface Subject {
  readonly name: string
  readonly architecture: Architecture
  readonly model: MeasuredModel
}

/** A model in one setting: what is measured. */
export interface Variant {
  readonly subject: Subject
  /** As they were given; what isn't said is the model's own. */
  readonly settings: Settings
  readonly resolved: ResolvedSettings
}

/**
 * What is measured of a model: a label for a picture; of one that cuts things out of pictures the encoding of one, which takes
 * nearly all of its time.
 */
export function measuredProgram({ usualRun }: Pick<Architecture, 'usualRun'>): string {
  return usualRun?.programs[0] ?? 'classify'
}

/** How a model comes from the hub. */
export interface SubjectOptions extends Pick<DownloadOptions, 'offline' | 'signal'> {
  readonly onDownload?: DownloadOptions['onProgress']
}

/**
 * A shipped model, folder or hub id with its weights; a configuration with random ones.
 * @throws BlvitError `NOT_FOUND`, `BAD_CONFIG`, and what `downloadModel` throws
 */
export async function findSubject(
  reference: string,
  { offline, signal, onDownload }: SubjectOptions = {},
): Promise<Subject> {
  if (findPreset(reference) && !shippedModels().includes(reference)) {
    const architecture = await findConfiguration(reference)
    return { name: reference.toLowerCase(), architecture, model: { config: architecture.json } }
  }
  const { folder } = await locateModel(reference, { offline, signal, onProgress: onDownload })
  return { name: reference, architecture: (await describeModel(folder)).architecture, model: { folder } }
}

function sameModel(a: Architecture, b: Architecture): boolean {
  return isDeepStrictEqual(a.json, b.json)
}

function plainSubject(name: string, architecture: Architecture): Subject {
  const preset = Object.entries(presets).find(([, known]) => sameModel(known, architecture))
  return { name: preset?.[0] ?? `plain ${name}`, architecture, model: { config: architecture.json } }
}

/** @throws BlvitError as `resolveSettings` */
export function variantOf(subject: Subject, settings: Settings = {}): Variant {
  return { subject, settings, resolved: resolveSettings(subject.architecture, settings) }
}

/** True for the same sizes and switches in the same setting, whatever the weights. */
export function sameVariant(a: Variant, b: Variant): boolean {
  return sameModel(a.subject.architecture, b.subject.architecture) && a.resolved.key === b.resolved.key
}

/**
 * What a variant saves work against: the plain ViT of the same sizes for a model that routes, else the model itself, whole,
 * with all its tokens, where a setting has it built otherwise.
 */
export function baselineOf({ subject, resolved }: Variant): Variant | undefined {
  const { plain } = resolved.architecture
  if (plain) return variantOf(plainSubject(subject.name, plain))
  if (resolved.buildKey === '') return undefined
  const whole = variantOf(subject)
  return whole.resolved.buildKey === '' ? whole : undefined
}

/** A model in a setting; nothing where the setting would change nothing, the complaint where it can't take it. */
function tried(subject: Subject, settings: Settings): { variant?: Variant; complaint?: BlvitError } {
  try {
    const variant = variantOf(subject, settings)
    const { buildKey, sizes } = variant.resolved
    return buildKey !== '' || Object.keys(sizes).length > 0 ? { variant } : {}
  } catch (thrown) {
    if (thrown instanceof BlvitError) return { complaint: thrown }
    throw thrown
  }
}

/** A model in each of the settings that it can take, or in its own. */
function variantsOf(subject: Subject, settings: readonly Settings[]): Variant[] {
  const possible = settings.flatMap((wanted) => tried(subject, wanted).variant ?? [])
  if (possible.length === 0) return [variantOf(subject)]
  return possible.filter((one, i) => possible.findIndex((other) => sameVariant(one, other)) === i)
}

/**
 * The models that a user names, each in the settings that it can take, or in its own.
 * @param options `baselines`: put before each that saves work what it saves against
 * @throws BlvitError the complaint about a setting that none of the models can take; `NOT_FOUND`, `BAD_CONFIG`
 */
export async function findVariants(
  references: readonly string[],
  {
    settings = [],
    baselines,
    ...found
  }: SubjectOptions & { settings?: readonly Settings[] | undefined; baselines: boolean },
): Promise<Variant[]> {
  const subjects = await Promise.all(references.map((reference) => findSubject(reference, found)))
  for (const wanted of settings) {
    const all = subjects.map((subject) => tried(subject, wanted))
    const complaint = all.find((one) => one.complaint)?.complaint
    if (complaint && all.every(({ variant }) => variant === undefined)) throw complaint
  }
  const asked = subjects.flatMap((subject) => variantsOf(subject, settings))
  if (!baselines) return asked
  const all: Variant[] = []
  for (const variant of asked) {
    const baseline = baselineOf(variant)
    if (baseline && ![...asked, ...all].some((known) => sameVariant(known, baseline))) all.push(baseline)
    all.push(variant)
  }
  return all
}
