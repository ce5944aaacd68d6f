import { packageFile } from '../../files/package-file.js'

/** The model that is used when none is named. */
export const defaultModel = 'blvit-tiny'

/** Names of the models that come with the package. */
export function shippedModels(): readonly string[] {
  return [defaultModel, 'vit-tiny']
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
