import { fileURLToPath } from 'node:url'
import { beforeAll, describe, expect, test } from 'vitest'
import { runInProcess } from '../support/run-in-process.js'
import { temporaryFolder } from '../support/temporary-folder.js'

const examples = fileURLToPath(new URL('../../examples', import.meta.url))
const folder = temporaryFolder()
const run = (...args: string[]) => runInProcess(args, { cwd: folder })

const commands = [
  ['eval', '--data', examples],
  ['embed', `${examples}/kite.jpg`, '-o', 'features.npy'],
]

describe('a reduction that a model has no token for is refused, and another named', () => {
  beforeAll(async () => {
    await run(
      'init',
      'vit-micro',
      '--set',
      'class_token=false',
      '--set',
      'global_pool=avg',
      '-o',
      'classless',
    )
    await run('init', 'vit-micro', '--set', 'distilled=true', '-o', 'distilled')
  })

  test.each(
    commands.flatMap(([command = '', ...args]) => [
      { command, args, model: 'classless', says: /evit .* this model has no class token\. Take tome/ },
      { command, args, model: 'distilled', says: /evit .* this model is distilled\. Take one .* or tome/ },
    ]),
  )('$command of a model that is $model', async ({ command, args, model, says }) => {
    const answer = (reduction: string) =>
      run(command, ...(command === 'eval' ? [model] : ['-m', model]), ...args, '--reduce', reduction)
    expect(await answer('evit:0.5')).toMatchObject({ code: 2, stderr: expect.stringMatching(says) })
    if (command === 'embed') expect(await answer('tome:8')).toMatchObject({ code: 0 })
  })
})
