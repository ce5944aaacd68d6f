import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { writeModelFolder } from '../../src/model-store/node/write-model-folder.js'
import { presets } from '../../src/models/index.js'
import { writeColour } from '../support/coloured-pictures.js'
import { runCli } from '../support/run-cli.js'
import { runInProcess } from '../support/run-in-process.js'
import { temporaryFolder } from '../support/temporary-folder.js'
import { randomModel } from '../support/tiny-models.js'

const folder = temporaryFolder()
const model = join(folder, 'micro')
const photos = join(folder, 'photos')
const rows = join(folder, 'rows.txt')
const data = ['--data', photos]

/** What doesn't depend on when and where. */
function withoutTimes(text: string) {
  const { rows: compared } = JSON.parse(text)
  return compared.map(({ times: _, fronts: __, ...row }: Record<string, unknown>) => row)
}

beforeAll(async () => {
  const { 'vit-micro': micro } = presets
  if (!micro) throw new Error('no vit-micro')
  await writeModelFolder(model, randomModel(micro), { card: '# micro\n' })
  for (let number = 0; number < 6; number++)
    for (const [label, colour] of (['red', 'green', 'blue'] as const).entries())
      await writeColour(join(photos, `${label}`, `${number}.png`), colour, number)
  writeFileSync(rows, `# one that can't be\n${model}@3layers@evit:0.5\n${join(folder, 'gone')}@0.5\n`)
})

describe('blvit compare', () => {
  test('a row that fails loses nothing of the others; stopped, it goes on where it was', async () => {
    const args = ['compare', model, '--reduce', 'evit:0.5,tome:8', '--image-size', '16', '--rows', rows]
    const quick = [...args, ...data, '--no-time', '--json']
    const whole = await runInProcess([...quick, '-o', join(folder, 'whole')])
    expect(whole.stderr).toMatch(/^gone, 0\.5: error: There is no model/m)
    expect(whole.stderr).toMatch(/^1 of 6 rows failed\.$/m)
    expect(whole.code).toBe(1)
    const compared = withoutTimes(whole.stdout)
    expect(compared.map(({ model: name, setting }: Record<string, string>) => `${name} ${setting}`)).toEqual([
      'micro plain',
      'micro image size 16',
      'micro evit:0.5',
      'micro tome:8',
      'micro first 3 layers, evit:0.5',
      'gone 0.5',
    ])
    for (const { answers, cost, error } of compared.slice(0, 5)) {
      expect(error).toBeUndefined()
      expect(answers).toMatchObject({ pictures: 18, labelled: 18, failed: 0 })
      expect(cost.multiplyAdds.full).toBeGreaterThan(cost.multiplyAdds.linear)
    }
    expect(compared[5]).toMatchObject({ error: { code: 'NOT_FOUND' } })
    expect(compared[1]).toMatchObject({ isControl: true, cost: { tokens: [17, 17, 17, 17] } })
    expect(compared[3].agreement).toMatchObject({ of: 18, with: 'micro' })

    // stopped after the first row that has answered
    const output = join(folder, 'resumed')
    let isStopped = false
    const stopped = await runCli([...quick, '-o', output], {
      onStderr: (stderr, interrupt) => {
        if (isStopped || !/: right/.test(stderr)) return
        isStopped = true
        interrupt()
      },
    })
    expect(stopped.code).toBe(130)
    expect(stopped.stderr).toMatch(/Go on with the same command/)
    expect(readdirSync(output)).not.toContain('comparison.md')
    const resumed = await runCli([...quick, '-o', output])
    expect(resumed.code).toBe(1)
    expect(resumed.stderr).not.toMatch(/^micro, plain: right/m)
    expect(resumed.stderr).toMatch(/^micro, first 3 layers, evit:0\.5: right/m)
    expect(withoutTimes(resumed.stdout)).toEqual(compared)
    const again = await runInProcess([...quick, '-o', output])
    expect(again.stderr).not.toMatch(/: right/)
    expect(withoutTimes(again.stdout)).toEqual(compared)

    const other = await runInProcess(['compare', model, ...data, '--limit', '3', '--no-time', '-o', output])
    expect(other.stderr).toMatch(/state of another comparison:\n {2}limit: none there, 3 now/)
    expect(other.code).toBe(2)
  })

  test('measures times and memory, each row in its own process, and writes everything', async () => {
    const output = join(folder, 'timed')
    const args = ['compare', `${model}@ats`, ...data, '--rounds', '1', '--threads', '1', '-o', output]
    const { code, stdout, stderr } = await runCli(args)
    expect({ code, stderr }).toMatchObject({ code: 0 })
    expect(stdout).toMatch(/^model +setting +top-1 % +95 % +same % .* ms +pictures\/s +MB +front$/m)
    expect(stdout).toMatch(/^micro +plain +/m)
    expect(stderr).not.toMatch(/Warning/)
    expect(readdirSync(output).sort()).toEqual([
      ...['latency', 'multiply-adds', 'time-of-many'].flatMap((over) => [
        `accuracy-over-${over}.png`,
        `accuracy-over-${over}.svg`,
      ]),
      ...['comparison.csv', 'comparison.json', 'comparison.md', 'comparison.state'],
    ])
    const { rows: compared } = JSON.parse(readFileSync(join(output, 'comparison.json'), 'utf8'))
    expect(compared).toHaveLength(2)
    // pictures decide how many tokens go on
    const [whole, sampled] = compared
    expect(sampled.cost.counted.pictures).toBe(18)
    expect(sampled.cost.multiplyAdds.full).toBeLessThan(whole.cost.multiplyAdds.full)
    for (const { times, fronts } of compared) {
      expect(times.latencyMs.median).toBeGreaterThan(0)
      expect(times.picturesPerSecond).toBeGreaterThan(1)
      expect(times.peakMemoryBytes).toBeGreaterThan(30e6)
      expect(Object.keys(fronts)).toEqual(['latency', 'picturesPerSecond', 'multiplyAdds'])
    }
    // a row that is done is not measured again
    rmSync(join(output, 'comparison.csv'))
    const again = await runInProcess(args)
    expect(again.stdout).toBe(stdout)
    expect(readdirSync(output)).toContain('comparison.csv')
  })

  test('pictures that can’t be used are counted; with none that can, every row says why', async () => {
    const broken = join(folder, 'broken')
    await writeColour(join(broken, '1', 'a.png'), 'red', 1)
    writeFileSync(join(broken, '1', 'b.png'), 'no picture')
    const part = await runInProcess(['compare', model, '--data', broken, '--no-time', '--json'])
    expect(part.stderr).toMatch(/^1 picture could not be used/m)
    expect(part.code).toBe(1)
    expect(withoutTimes(part.stdout)[0]).toMatchObject({ answers: { pictures: 2, failed: 1, labelled: 1 } })
    rmSync(join(broken, '1', 'a.png'))
    const none = await runInProcess(['compare', model, '--data', broken, '--no-time', '--json'])
    expect(none.code).toBe(1)
    expect(withoutTimes(none.stdout)[0]).toMatchObject({ error: { code: 'BAD_DATA' } })
    expect(none.stderr).toMatch(/^micro, plain: error: No picture of .* can be used: .*b\.png/m)
  })

  test.each<[string[], RegExp]>([
    [['compare'], /Name a model or a row/],
    [['compare', 'vit-micro', '--keep-ratio', '0.5'], /processes every token/],
    [['compare', 'vit-micro@evitt:0.5'], /no reduction "evitt"/],
    [
      ['compare', 'vit-micro', '--rounds', '3', '--no-time'],
      /'--no-time' cannot be used with option '--rounds <n>'/,
    ],
    [['compare', 'vit-micro', '--limit', '3'], /--limit counts pictures: name them by --data/],
  ])('%j is a wrong command', async (args, complaint) => {
    const { code, stdout, stderr } = await runInProcess(args)
    expect(stderr).toMatch(complaint)
    expect(stdout).toBe('')
    expect(code).toBe(2)
  })
})
