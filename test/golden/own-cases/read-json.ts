import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { z } from 'zod'
import { parseJson, parseWith } from '../../../src/base/parse.js'

/** A golden file without tensors. */
export async function readJson<T>(folder: string, file: string, schema: z.ZodType<T>): Promise<T> {
  const path = join(folder, file)
  return parseWith(schema, parseJson(await readFile(path, 'utf8'), path), path)
}
