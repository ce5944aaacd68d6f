import { packageFile } from '../../files/package-file.js'

/** The model that is used when none is named: right more often than the big.LITTLE one of its size, and as fast (docs/results.md). */
export const defaultModel = 'vit-tiny'

/** The big.LITTLE model that ships: the default of what only such a model can do. */
export const bigLittleModel = 'blvit-tiny'

/** Names of the models that come with the package. */
export function shippedModels(): readonly string[] {
  return [bigLittleModel, defaultModel]
}

/**
 * Where a shipped model lies.
 * @throws BlvitError `NOT_FOUND` where an application was bundled without them
 */
export function shippedFolder(name: string): string {
  return packageFile(`assets/models/${name}`, `The model ${name}`, {
    instead: "Or give the folder of a model, e.g. load('./my-model').",
  })
}
