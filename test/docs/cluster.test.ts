import { spawn } from 'node:child_process'
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'
import { beforeAll, describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { z } from 'zod'
import { type CliRun, runCli } from '../support/run-cli.js'
import { runInProcess } from '../support/run-in-process.js'
import { temporaryFolder } from '../support/temporary-folder.js'

const root = fileURLToPath(new URL('../..', import.meta.url))
const file = (name: string) => join(root, 'examples/cluster', name)
const names = ['yurt', 'kite', 'hummingbird', 'fly', 'traffic-light', 'fire-engine']

const require = createRequire(import.meta.url)
/** Kubernetes' own checks. Required and not imported: its types are for {@link complaints}. */
const { Job } = require('kubernetes-models/batch/v1') as {
  readonly Job: new (data: unknown) => { validate(): void }
}
const written = parse(readFileSync(file('kubernetes.yaml'), 'utf8'))
const container = z.object({
  command: z.tuple([z.literal('blvit')]),
  args: z.array(z.string()),
  volumeMounts: z.tuple([z.object({ mountPath: z.string() })]),
})
const manifest = z
  .object({
    spec: z.object({
      completionMode: z.literal('Indexed'),
      completions: z.int(),
      parallelism: z.int(),
      backoffLimitPerIndex: z.int(),
      // without it a Job can't have backoffLimitPerIndex
      template: z.object({
        spec: z.object({ restartPolicy: z.literal('Never'), containers: z.tuple([container]) }),
      }),
    }),
  })
  .parse(written)
const script = readFileSync(file('slurm.sh'), 'utf8')
const directives = new Map(
  [...script.matchAll(/^#SBATCH --([a-z-]+)(?:=(\S+))?$/gm)].map(([, name = '', value = '']) => [
    name,
    value,
  ]),
)
const count = manifest.spec.completions

describe('the examples of clusters', () => {
  const folder = temporaryFolder()
  const data = join(folder, 'validation')
  const parts = join(folder, 'parts')

  beforeAll(() => {
    for (const [index, name] of names.entries()) {
      mkdirSync(join(data, `${index}`), { recursive: true })
      copyFileSync(join(root, `examples/${name}.jpg`), join(data, `${index}/${name}.jpg`))
    }
    mkdirSync(parts)
    mkdirSync(join(folder, 'bin'))
    const command = `#!/bin/sh\nexec '${process.execPath}' '${join(root, 'dist/cli/main.js')}' "$@"\n`
    writeFileSync(join(folder, 'bin/blvit'), command, { mode: 0o755 })
  })

  test('kubernetes.yaml keeps to the schema of batch/v1 Job, and has no field that the schema lacks', () => {
    expect(() => new Job(written).validate()).not.toThrow()
    expect(() => new Job({ ...written, kind: 'CronJob' }).validate()).toThrow()
    const misspelt = { ...written, spec: { ...written.spec, completion: 5 } }
    expect(complaints([written, misspelt])).toEqual([
      [],
      [expect.stringMatching(/"completion"' does not exist/)],
    ])
  })

  test('slurm.sh has an index for each shard', () => {
    expect(directives.get('array')).toBe(`0-${Number(/^shards=(\d+)/m.exec(script)?.[1]) - 1}`)
  })

  test('their shards, run here side by side, merge to the report of one process', async () => {
    const pods = [0, 1, 2].map((index) => podRun(index, folder))
    const tasks = [3, 4].map((index) => taskRun(index, { folder, data, parts }))
    const runs = await Promise.all([...pods, ...tasks])
    expect(runs.map(({ code, stderr }) => [code, stderr.match(/shard \d\/\d/)?.[0]])).toEqual(
      [0, 1, 2, 3, 4].map((index) => [0, `shard ${index}/${count}`]),
    )
    const [merged, whole] = await Promise.all([
      runInProcess(['merge', join(parts, '*.part')]),
      runInProcess(['eval', 'vit-tiny', '--data', data]),
    ])
    expect(merged.code).toBe(0)
    expect(merged.stdout).toBe(whole.stdout)
  })
})

/** What Kubernetes does with a container, but for the container: the claim's folder lies elsewhere. */
function podRun(index: number, folder: string): Promise<CliRun> {
  const [{ args, volumeMounts }] = manifest.spec.template.spec.containers
  const [{ mountPath }] = volumeMounts
  const filled = args.map((argument) =>
    argument
      .replaceAll('$(JOB_COMPLETION_INDEX)', `${index}`)
      .replace(new RegExp(`^${mountPath}/`), `${folder}/`),
  )
  return runCli(filled)
}

/** What Slurm does with a task of an array. */
function taskRun(
  index: number,
  { folder, data, parts }: { folder: string; data: string; parts: string },
): Promise<CliRun> {
  const child = spawn('bash', [file('slurm.sh')], {
    env: {
      ...process.env,
      PATH: `${join(folder, 'bin')}:${process.env.PATH}`,
      DATA: data,
      PARTS: parts,
      SLURM_ARRAY_TASK_ID: `${index}`,
      SLURM_CPUS_PER_TASK: directives.get('cpus-per-task'),
    },
  })
  const said = { stdout: '', stderr: '' }
  child.stdout.on('data', (chunk) => {
    said.stdout += chunk
  })
  child.stderr.on('data', (chunk) => {
    said.stderr += chunk
  })
  return new Promise((resolve) => {
    child.on('close', (code) => resolve({ code, ...said }))
  })
}

/**
 * What TypeScript says of each value as a Job: its types come from Kubernetes' own description, unknown fields are errors. One
 * program for all, since it reads those types for longer than it compares.
 */
function complaints(values: readonly unknown[]): string[][] {
  mkdirSync(join(root, 'build'), { recursive: true })
  const paths = values.map((value, at) => {
    const path = join(root, `build/cluster-job-${at}.ts`)
    const text = `import type { IJob } from 'kubernetes-models/batch/v1'\nexport const job: IJob = ${JSON.stringify(value)}\n`
    writeFileSync(path, text)
    return path
  })
  const program = ts.createProgram(paths, {
    noEmit: true,
    strict: true,
    skipLibCheck: true,
    types: [],
    module: ts.ModuleKind.NodeNext,
  })
  return paths.map((path) =>
    ts
      .getPreEmitDiagnostics(program, program.getSourceFile(path))
      .map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n')),
  )
}
