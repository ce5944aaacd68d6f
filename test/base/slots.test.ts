import { setImmediate as turn } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { Slots } from '../../src/base/slots.js'

test('slots let so many in at once, in order, and an aborted one leaves no gap', async () => {
  const slots = new Slots(2)
  const entered: string[] = []
  const leave = new Map<string, () => void>()
  const abort = new AbortController()
  const enter = async (name: string, signal?: AbortSignal) => {
    leave.set(name, await slots.enter(signal))
    entered.push(name)
  }
  const all = ['a', 'b', 'c'].map((name) => enter(name))
  const given = enter('d', abort.signal)
  all.push(enter('e'))
  await turn()
  expect(entered).toEqual(['a', 'b'])
  abort.abort()
  await expect(given).rejects.toMatchObject({ code: 'ABORTED' })
  leave.get('b')?.()
  leave.get('a')?.()
  await turn()
  expect(entered).toEqual(['a', 'b', 'c', 'e'])
  leave.get('c')?.()
  leave.get('e')?.()
  await Promise.all(all)
  await Promise.all(['f', 'g'].map((name) => enter(name)))
  expect(entered.slice(4)).toEqual(['f', 'g'])
  await expect(slots.enter(abort.signal)).rejects.toMatchObject({ code: 'ABORTED' })
})
