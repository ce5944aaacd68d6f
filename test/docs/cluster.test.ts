import { spawn } from 'node:child_process'
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Job } from 'kubernetes-models/batch/v1'
import ts from 'typescript'
import { beforeAll, describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { type CliRun, runCli } from '../support/run-cli.js'
import { temporaryFolder } from '../support/temporary-folder.js'

const root = fileURLToPath(new URL('../..', import.meta.url))
const file = (name: string) => join(root, 'examples/cluster', name)
const names = ['yurt', 'kite', 'hummingbird', 'fly', 'traffic-light', 'fire-engine']

const written = parse(readFileSync(file('kubernetes.yaml'), 'utf8'))
const manifest = new Job(written)
const script = readFileSync(file('slurm.sh'), 'utf8')
const directives = new Map(
  [...script.matchAll(/^#SBATCH --([a-z-]+)(?:=(\S+))?$/gm)].map(([, name = '', value = '']) => [
    name,
    value,
  ]),
)
const count = manifest.spec?.completions ?? 0

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
    expect(() => manifest.validate()).not.toThrow()
    expect(complaints(written)).toEqual([])
    expect(complaints({ ...written, spec: { ...written.spec, completion: 5 } })).toEqual([
      expect.stringMatching(/"completion"' does not exist/),
    ])
    expect(manifest.spec).toMatchObject({ completionMode: 'Indexed', parallelism: count })
    // what backoffLimitPerIndex needs
    expect(manifest.spec?.template.spec?.restartPolicy).toBe('Never')
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
      runCli(['merge', join(parts, '*.part')]),
      runCli(['eval', 'vit-tiny', '--data', data]),
    ])
    expect(merged.code).toBe(0)
    expect(merged.stdout).toBe(whole.stdout)
  })
})

/** What Kubernetes does with a container, but for the container: the claim's folder lies elsewhere. */
function podRun(index: number, folder: string): Promise<CliRun> {
  const [container] = manifest.spec?.template.spec?.containers ?? []
  expect(container?.command).toEqual(['blvit'])
  const [{ mountPath = '' } = {}] = container?.volumeMounts ?? []
  const args = (container?.args ?? []).map((argument) =>
    argument
      .replaceAll('$(JOB_COMPLETION_INDEX)', `${index}`)
      .replace(new RegExp(`^${mountPath}/`), `${folder}/`),
  )
  return runCli(args)
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

/** What TypeScript says of a value as a Job: its types come from Kubernetes' own description, unknown fields are errors. */
function complaints(value: unknown): string[] {
  const path = join(root, 'build/cluster-job.ts')
  mkdirSync(join(root, 'build'), { recursive: true })
  const text = `import type { IJob } from 'kubernetes-models/batch/v1'\nexport const job: IJob = ${JSON.stringify(value)}\n`
  writeFileSync(path, text)
  const program = ts.createProgram([path], {
    noEmit: true,
    strict: true,
    skipLibCheck: true,
    types: [],
    module: ts.ModuleKind.NodeNext,
  })
  return ts
    .getPreEmitDiagnostics(program)
    .map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n'))
}
