import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { seededRandom } from '../../src/base/random.js'
import { cifarTeacher } from '../../src/experiments/cifar-teacher.js'
import { isBetter } from '../../src/experiments/claims.js'
import type { Experiment } from '../../src/experiments/experiment.js'
import { tableMarkdown, writeTable } from '../../src/experiments/report.js'
import { type ReproduceOptions, reproduce } from '../../src/experiments/reproduce.js'
import type { Recipe } from '../../src/recipes/recipe.js'
import { temporaryFolder } from '../support/temporary-folder.js'

const folder = temporaryFolder()
const data = join(folder, 'cifar-10-batches-bin')

const recipe = {
  about: 'two steps',
  stages: [{ objective: 'end to end', pictures: 16, batch: 8, learningRate: 1e-3, loss: { labels: 1 } }],
} satisfies Recipe

const tiny: Experiment = {
  name: 'tiny',
  title: 'A tiny table',
  about: 'Two rows.',
  teacher: {
    ...cifarTeacher,
    config: { ...cifarTeacher.config, patch_size: 8, embed_dim: 16, depth: 2, num_heads: 2 },
    recipe,
    pictures: 24,
  },
  whole: 'teacher',
  seeds: 2,
  rows: [
    { name: 'teacher', title: 'the teacher', student: {} },
    { name: 'evit', title: 'EViT', student: { set: { reduction: 'evit:0.5,blocks=1' } }, recipe },
    {
      name: 'less',
      title: '24 px, 1 layer',
      isControl: true,
      student: { set: { image_size: 24 }, firstLayers: 1 },
      recipe,
    },
    { name: 'atf', title: 'ATF', student: { calibratedMask: 0.5 }, recipe },
    { name: 'fresh', title: 'from random weights', student: { isFresh: true }, recipe },
  ],
  claims: [isBetter('EViT', 'evit', 'less', 'is better')],
}

/** Random pictures, as CIFAR-10's binary version has them. */
function records(count: number, seed: number): Buffer {
  const random = seededRandom(seed, 'pictures')
  const bytes = Buffer.from(Uint8Array.from({ length: count * 3073 }, () => Math.floor(256 * random())))
  for (let i = 0; i < count; i++) bytes[i * 3073] = i % 10
  return bytes
}

function options(name: string, more: Partial<ReproduceOptions> = {}): ReproduceOptions {
  return { data, folder: join(folder, name), rounds: 0, parallel: 2, ...more }
}

beforeAll(async () => {
  await mkdir(data)
  for (let file = 1; file <= 5; file++) writeFileSync(join(data, `data_batch_${file}.bin`), records(20, file))
  writeFileSync(join(data, 'test_batch.bin'), records(30, 0))
})

describe('reproduce', () => {
  test('trains teacher and rows, and goes on where it was stopped', { timeout: 240_000 }, async () => {
    const aborting = new AbortController()
    const stopped = reproduce(
      tiny,
      options('table', {
        signal: aborting.signal,
        ...{ parallel: 1, seeds: 1 },
        onRun: ({ row }) => row.name === 'evit' && aborting.abort(),
      }),
    )
    await expect(stopped).rejects.toMatchObject({ code: 'ABORTED' })

    const begun: string[] = []
    const table = await reproduce(
      tiny,
      options('table', { seeds: 1, onRun: ({ row, seed }) => begun.push(`${row.name} ${seed}`) }),
    )
    expect(begun.length).toBe(5)
    expect(table.rows.map(({ name, runs }) => [name, runs.length])).toEqual([
      ['teacher', 1],
      ['evit', 1],
      ['less', 1],
      ['atf', 1],
      ['fresh', 1],
    ])
    const [teacher, evit, less, atf, fresh] = table.rows
    expect(teacher?.share).toBe(1)
    // EViT: 10 of 17 tokens in the second of two MLPs; 10 of 17 in all and one block of two; 9 of 17
    for (const row of [evit, less, atf]) expect(row?.share).toBeLessThan(0.95)
    expect(evit?.untrained).toBeGreaterThanOrEqual(0)
    // what knows nothing of the teacher isn't measured before it has learned
    expect(fresh).toMatchObject({ share: 1 })
    expect(fresh?.untrained).toBeUndefined()
    expect(evit?.runs[0]?.result.losses.length).toBe(2)
    expect(table.claims).toHaveLength(1)

    // a table of the same runs takes them as they are, and makes what it has more: its own number of seeds
    const again = await reproduce(tiny, options('table', { rows: ['teacher', 'evit'] }))
    expect(again.rows.map(({ runs }) => runs.length)).toEqual([1, 2])
    expect(again.rows[1]?.runs[0]).toEqual(evit?.runs[0])
    expect(again.rows[1]?.runs.map(({ result }) => result.top1.of)).toEqual([30, 30])
    const files = await writeTable(table, join(folder, 'table'))
    expect(files).toEqual(['tiny.md', 'tiny.json'])
    expect(JSON.parse(readFileSync(join(folder, 'table', 'tiny.json'), 'utf8'))).toEqual(
      JSON.parse(JSON.stringify(table)),
    )
    expect(tableMarkdown(table)).toMatch(/^\| EViT \| \d\d \|/m)
    // models and logs stay, checkpoints don't
    const kept = readdirSync(join(folder, 'table', 'runs', 'evit-seed-0.training'))
    expect(kept).toContain('log.jsonl')
    expect(kept.filter((name) => name.endsWith('.safetensors'))).toEqual([])
  })

  test('a run that fails loses nothing of the others', { timeout: 120_000 }, async () => {
    const rows = [
      ...tiny.rows.slice(0, 1),
      { name: 'impossible', title: 'impossible', student: { set: { image_size: 30 } }, recipe },
    ]
    const teacher = join(folder, 'table', 'teacher')
    const table = await reproduce({ ...tiny, rows, claims: [] }, options('failing', { teacher, seeds: 1 }))
    expect(table.rows[0]?.runs).toHaveLength(1)
    expect(table.rows[1]?.error).toMatch(/image_size/)
    expect(table.rows[1]?.runs).toEqual([])
  })

  test("doesn't take the teacher of another table for its own", async () => {
    const other = { ...tiny.teacher, config: { ...tiny.teacher.config, depth: 3 } }
    await expect(reproduce({ ...tiny, teacher: other }, options('table'))).rejects.toMatchObject({
      code: 'BAD_OPTION',
      message: expect.stringMatching(/table.teacher is the teacher of another table/),
    })
  })

  test('refuses a row that the table does not have', async () => {
    await expect(reproduce(tiny, options('none', { rows: ['evot'] }))).rejects.toMatchObject({
      code: 'BAD_OPTION',
    })
  })
})
