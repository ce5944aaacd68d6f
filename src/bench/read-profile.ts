import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { assert, defined } from '../base/assert.js'
import { parseJson, parseWith } from '../base/parse.js'

/** The time of one node of the graph. */
export interface ProfiledNode {
  /** `<scope>/<operator>` as the graph names it; the engine's own for nodes that it made. */
  readonly node: string
  readonly operator: string
  /** Over all runs that count. */
  readonly microseconds: number
  readonly calls: number
}

const schema = z.array(
  z.looseObject({
    cat: z.string(),
    name: z.string(),
    dur: z.number().default(0),
    args: z.looseObject({ op_name: z.string().optional() }).default({}),
  }),
)

const kernelSuffix = '_kernel_time'

/**
 * Sums by node what ONNX Runtime wrote into a folder; it chooses the file's name.
 * @param options `skippedRuns`: at the beginning
 */
export async function readProfile(
  folder: string,
  { skippedRuns }: { skippedRuns: number },
): Promise<ProfiledNode[]> {
  const [file, ...others] = await readdir(folder)
  // each session writes one: with a second, the time of another graph would be told for the one asked for
  assert(others.length === 0, `an engine wrote several profiles: ${[file, ...others].join(', ')}`)
  const path = join(folder, defined(file, 'a profile'))
  const events = parseWith(schema, parseJson(await readFile(path, 'utf8'), path, 'ENGINE'), path, 'ENGINE')
  const nodes = new Map<string, ProfiledNode>()
  for (const { cat, name, dur, args } of events) {
    if (cat !== 'Node' || !name.endsWith(kernelSuffix)) continue
    const node = name.slice(0, -kernelSuffix.length)
    const seen = nodes.get(node) ?? { microseconds: 0, calls: 0 }
    const calls = seen.calls + 1
    // a node runs once in each run, and events stand in the order of time
    const microseconds = calls > skippedRuns ? seen.microseconds + dur : 0
    nodes.set(node, { node, operator: args.op_name ?? '?', microseconds, calls })
  }
  return [...nodes.values()]
}
