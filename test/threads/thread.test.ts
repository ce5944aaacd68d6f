import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { Worker } from 'node:worker_threads'
import { describe, expect, test } from 'vitest'
import { LeftOut } from '../../src/base/left-out.js'
import { Thread, threadOptions } from '../../src/threads/thread.js'
import { temporaryFolder } from '../support/temporary-folder.js'

interface Questions {
  double: { ask: number; answer: number }
}

const folder = temporaryFolder()
const answering = new URL('../../dist/modules/threads/answer.js', import.meta.url)

/** A thread that doubles numbers, ends at 13 and throws something odd at 7. */
const file = join(folder, 'doubling.mjs')
writeFileSync(
  file,
  `import { answerQuestions } from ${JSON.stringify(answering.href)}
  answerQuestions({
    double: async (number) => {
      if (number === 13) process.exit(3)
      if (number === 7) setTimeout(() => { throw new TypeError('odd') })
      return number === 7 ? new Promise(() => {}) : 2 * number
    },
  })`,
)

const threadOf = (address: () => URL) =>
  new Thread<Questions>('a thread of the test', () => new Worker(address(), threadOptions))
const doubling = () => threadOf(() => pathToFileURL(file))

describe('a thread', () => {
  test('answers each question, several at a time', async () => {
    const thread = doubling()
    expect(await Promise.all([1, 2, 3].map((number) => thread.ask('double', number)))).toEqual([2, 4, 6])
    await thread.end()
  })

  test.each([
    ['ends by itself', 13, 'a thread of the test has ended.'],
    ['is ended by an error', 7, 'a thread of the test has failed: odd'],
  ])('that %s tells whoever asked, and whoever asks later', async (_, number, message) => {
    const thread = doubling()
    await expect(thread.ask('double', number)).rejects.toMatchObject({ code: 'ENGINE', message })
    await expect(thread.ask('double', 1)).rejects.toMatchObject({ code: 'ENGINE', message })
  })

  test('whose file a bundler left behind says so', async () => {
    const thread = threadOf(() => pathToFileURL(join(folder, 'nowhere.mjs')))
    await expect(thread.ask('double', 1)).rejects.toBeInstanceOf(LeftOut)
    // bundled as CommonJS, code has no address at all
    expect(() => threadOf(() => new URL('./nowhere.mjs', undefined))).toThrow(LeftOut)
  })
})
