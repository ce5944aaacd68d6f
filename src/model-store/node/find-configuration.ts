import { existsSync, statSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { parseJson, parseWith } from '../../base/parse.js'
import type { Architecture, ConfigJson } from '../../models/architecture.js'
import { findPreset, readArchitecture, unknownConfiguration, withChanges } from '../../models/index.js'

import { shippedFolder, shippedModels } from './shipped-models.js'

/**
 * The architecture that a user names: a preset (`b+t`), a shipped model, a config.json, or a folder that holds one.
 * @param options `set`: config.json keys to change, e.g. `{ semi_cross: false }`
 * @throws BlvitError `BAD_CONFIG` with a suggestion, `BAD_OPTION` for a key that it doesn't have
 */
export async function findConfiguration(
  reference: string,
  { set = {} }: { set?: ConfigJson | undefined } = {},
): Promise<Architecture> {
  const preset = findPreset(reference)
  if (preset) return withChanges(preset, set)
  const folder = shippedModels().includes(reference) ? shippedFolder(reference) : reference
  const path = existsSync(join(folder, 'config.json')) ? join(folder, 'config.json') : reference
  if (!existsSync(path) || statSync(path).isDirectory()) throw unknownConfiguration(reference)
  const json = parseJson(await readFile(path, 'utf8'), path)
  return withChanges(readArchitecture(parseWith(z.record(z.string(), z.unknown()), json, path)), set)
}
