import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const folder = fileURLToPath(new URL('../../../assets/models/', import.meta.url))

/** The model that is used when none is named. */
export const defaultModel = 'blvit-tiny'

/** Names of the models that come with the package. */
export function shippedModels(): readonly string[] {
  return readdirSync(folder).filter((name) => existsSync(join(folder, name, 'config.json')))
}

/** Where a shipped model lies. */
export function shippedFolder(name: string): string {
  return join(folder, name)
}
