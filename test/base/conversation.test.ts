import { describe, expect, test } from 'vitest'
import { Asker } from '../../src/base/conversation.js'

interface Questions {
  double: { ask: number; answer: number }
}

describe('a side that asks', () => {
  test('gets each answer where it belongs, in whatever order they come', async () => {
    const sent: number[] = []
    const asker = new Asker<Questions>(({ number }) => sent.push(number))
    const answers = Promise.all([asker.ask('double', 1), asker.ask('double', 2)])
    const [first = -1, second = -1] = sent
    asker.receive({ number: second, answer: 4 })
    asker.receive({ number: first, answer: 2 })
    expect(await answers).toEqual([2, 4])
    expect(asker.isWaiting).toBe(false)
  })

  test('whose other side is gone is told so at once, for what it asked and what it asks later', async () => {
    const sent: unknown[] = []
    const asker = new Asker<Questions>((request) => sent.push(request))
    const asked = asker.ask('double', 1)
    asker.fail(new Error('out of memory'))
    asker.fail(new Error('ended'))
    await expect(asked).rejects.toThrow('out of memory')
    await expect(asker.ask('double', 2)).rejects.toThrow('out of memory')
    expect(sent).toHaveLength(1)
    expect(asker.isWaiting).toBe(false)
  })
})
