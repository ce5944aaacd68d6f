import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { assert } from '../base/assert.js'
import { BlvitError } from '../base/blvit-error.js'
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
 * @throws BlvitError `UNSUPPORTED` where nothing was written: the WebAssembly engine keeps no profile
 */
export async function readProfile(
  folder: string,
  { skippedRuns }: { skippedRuns: number },
): Promise<ProfiledNode[]> {
  const [file, ...others] = await readdir(folder)
  if (file === undefined) {
    throw new BlvitError(
      'UNSUPPORTED',
      'This engine keeps no profile; ONNX Runtime native does: --device cpu or webgpu, with onnxruntime-node installed.',
    )
  }
  // each session writes one: with a second, the time of another graph would be told for the one asked for
  assert(others.length === 0, `one profile, but there are ${[file, ...others].join(', ')}`)
  const path = join(folder, file)
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
