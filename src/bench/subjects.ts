import { isDeepStrictEqual } from 'node:util'
import { findConfiguration } from '../model-store/node/find-configuration.js'
import { locateModel } from '../model-store/node/locate-model.js'
import { describeModel } from '../model-store/node/open-model.js'
import { shippedModels } from '../model-store/node/shipped-models.js'
import type { Architecture } from '../models/architecture.js'
import { findPreset, presets } from '../models/index.js'
import type { MeasuredModel } from './messages.js'

/** A model to measure. */
export interface Subject {
  readonly name: string
  readonly architecture: Architecture
  readonly model: MeasuredModel
}

/** A shipped model, folder or hub id with its weights; a configuration with random ones. */
async function findSubject(reference: string): Promise<Subject> {
  if (findPreset(reference) && !shippedModels().includes(reference)) {
    const architecture = await findConfiguration(reference)
    return { name: reference.toLowerCase(), architecture, model: { config: architecture.json } }
  }
  const { folder } = await locateModel(reference)
  return { name: reference, architecture: (await describeModel(folder)).architecture, model: { folder } }
}

/** True for the same sizes and switches, whatever the weights. */
export function sameModel(a: Architecture, b: Architecture): boolean {
  return isDeepStrictEqual(a.json, b.json)
}

function plainSubject(name: string, architecture: Architecture): Subject {
  const preset = Object.entries(presets).find(([, known]) => sameModel(known, architecture))
  return { name: preset?.[0] ?? `plain ${name}`, architecture, model: { config: architecture.json } }
}

/**
 * The models that a user names.
 * @param options `baselines`: put before each that saves work the plain ViT that it saves against
 */
export async function findSubjects(
  references: readonly string[],
  { baselines }: { baselines: boolean },
): Promise<Subject[]> {
  const asked = await Promise.all(references.map(findSubject))
  if (!baselines) return asked
  const all: Subject[] = []
  for (const subject of asked) {
    const { plain } = subject.architecture
    if (plain && ![...asked, ...all].some(({ architecture }) => sameModel(architecture, plain))) {
      all.push(plainSubject(subject.name, plain))
    }
    all.push(subject)
  }
  return all
}
