import { describe, expect, test } from 'vitest'
import { runAtOnce, runWithPauses, type Steps } from '../../src/image/steps.js'

/** As long as any step that asks for a pause after it. */
function* slowSteps(count: number): Steps<number> {
  for (let step = 0; step < count; step++) {
    const start = performance.now()
    while (performance.now() - start < 5);
    yield
  }
  return count
}

/** Counts the turns of the event loop until stopped. */
function countTurns(): { readonly turns: number; stop(): void } {
  const counter = { turns: 0, stop: () => clearImmediate(next) }
  const count = () => {
    counter.turns += 1
    next = setImmediate(count)
  }
  let next = setImmediate(count)
  return counter
}

describe('a computation in steps', () => {
  test('gives its result whole or with pauses', async () => {
    expect(runAtOnce(slowSteps(3))).toBe(3)
    expect(await runWithPauses(slowSteps(3))).toBe(3)
  })

  test('lets others have a turn after each slow step', async () => {
    const counter = countTurns()
    await runWithPauses(slowSteps(10))
    counter.stop()
    expect(counter.turns).toBeGreaterThanOrEqual(9)
  })

  test('shares no turn with another one', async () => {
    const counter = countTurns()
    await Promise.all([runWithPauses(slowSteps(10)), runWithPauses(slowSteps(10))])
    counter.stop()
    expect(counter.turns).toBeGreaterThanOrEqual(18)
  })

  test('does no part in the turn that it was asked in, where others may begin too', async () => {
    let turn = 0
    const turns = countTurns()
    const turnOf = async () => {
      const steps = (function* (): Steps<number> {
        turn = turns.turns
        yield
        return turn
      })()
      return runWithPauses(steps)
    }
    const inTurns = await Promise.all([turnOf(), turnOf(), turnOf()])
    turns.stop()
    expect(new Set(inTurns).size).toBe(3)
  })

  test('stops when its caller aborts', async () => {
    const controller = new AbortController()
    const run = runWithPauses(slowSteps(1_000), { signal: controller.signal })
    setImmediate(() => controller.abort())
    await expect(run).rejects.toMatchObject({ code: 'ABORTED' })
  })
})
