import { setImmediate as turn } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { BlvitError } from '../../src/base/blvit-error.js'
import { Dispatcher, type Lane, type RunKind } from '../../src/engine/dispatcher.js'
import type { NamedTensors } from '../../src/runtime/runtime.js'

const kind = (key: string): RunKind => ({ key })
const picture = (value: number) => Float32Array.of(value)

/** A lane that the test tells when a run is done: it answers each picture by its double. */
class SteppedLane implements Lane<RunKind> {
  readonly runs: { key: string; values: number[]; finish: () => void; fail: (error: Error) => void }[] = []

  run({ key }: RunKind, pictures: readonly Float32Array[]): Promise<NamedTensors> {
    const values = pictures.map(([value = Number.NaN]) => value)
    return new Promise((resolve, reject) => {
      const doubled = Float32Array.from(values, (value) => 2 * value)
      const finish = () => resolve({ y: { dtype: 'float32', shape: [values.length, 1], values: doubled } })
      this.runs.push({ key, values, finish, fail: reject })
    })
  }

  /** Finishes what is given to it until nothing more comes. */
  async finishAll(): Promise<void> {
    for (let i = 0; i < this.runs.length; i++) {
      this.runs[i]?.finish()
      await turn()
    }
  }
}

function dispatcherOn(lanes: readonly SteppedLane[], { picturesPerRun = 4 } = {}) {
  return new Dispatcher<RunKind>({ lanes: () => ({ all: lanes }), picturesPerRun: () => picturesPerRun })
}

const valuesOf = ({ outputs }: { outputs: NamedTensors }) => [...(outputs.y?.values ?? [])].map(Number)

describe('a dispatcher', () => {
  test('puts together what waits singly, up to what one run should take, and gives each call its own rows', async () => {
    const lane = new SteppedLane()
    const dispatcher = dispatcherOn([lane])
    const calls = [1, 2, 3, 4, 5, 6].map((value) =>
      dispatcher.run(kind('a'), [picture(value)], { shares: true }),
    )
    // the first run begins at once; the second lies in store because it is full
    expect(lane.runs.map(({ values }) => values)).toEqual([[1], [2, 3, 4, 5]])
    await lane.finishAll()
    expect((await Promise.all(calls)).map(valuesOf)).toEqual([[2], [4], [6], [8], [10], [12]])
    expect(lane.runs.map(({ values }) => values)).toEqual([[1], [2, 3, 4, 5], [6]])
  })

  test('never puts together what is asked differently, or what a call wants to be run as it is', async () => {
    const lane = new SteppedLane()
    const dispatcher = dispatcherOn([lane])
    const calls = [
      dispatcher.run(kind('first'), [picture(0)], { shares: true }),
      dispatcher.run(kind('a'), [picture(1)], { shares: true }),
      dispatcher.run(kind('b'), [picture(2)], { shares: true }),
      dispatcher.run(kind('a'), [picture(3)], { shares: true }),
      dispatcher.run(kind('a'), [picture(4), picture(5)]),
    ]
    await lane.finishAll()
    expect((await Promise.all(calls)).map(valuesOf)).toEqual([[0], [2], [4], [6], [8, 10]])
    const runs = lane.runs.map(({ key, values }) => `${key} ${values}`)
    expect(runs).toEqual(['first 0', 'a 1,3', 'b 2', 'a 4,5'])
  })

  test('gives work to the lane that has least, two runs each at most', async () => {
    const lanes = [new SteppedLane(), new SteppedLane()]
    const dispatcher = dispatcherOn(lanes)
    for (let i = 0; i < 7; i++) void dispatcher.run(kind('a'), [picture(i)])
    expect(lanes.map(({ runs }) => runs.length)).toEqual([2, 2])
    lanes[1]?.runs[0]?.finish()
    await turn()
    expect(lanes.map(({ runs }) => runs.length)).toEqual([2, 3])
    expect(dispatcher.waitingCalls).toBe(2)
  })

  test('lets a single call pass the two hundredth batch of another', async () => {
    const lane = new SteppedLane()
    const dispatcher = dispatcherOn([lane])
    const caller = {}
    for (let i = 0; i < 200; i++) void dispatcher.run(kind('a'), [picture(i), picture(i)], { caller })
    let answered = false
    const single = dispatcher.run(kind('a'), [picture(-1)], { shares: true }).then(() => {
      answered = true
    })
    for (let i = 0; i < 4; i++) {
      lane.runs[i]?.finish()
      await turn()
    }
    expect(answered).toBe(true)
    await single
  })

  test('an aborted call leaves at once, waiting or in work, and the others are answered', async () => {
    const lane = new SteppedLane()
    const dispatcher = dispatcherOn([lane])
    const [inWork, waiting] = [new AbortController(), new AbortController()]
    const first = dispatcher.run(kind('a'), [picture(1)], { signal: inWork.signal })
    const second = dispatcher.run(kind('a'), [picture(2)])
    const third = dispatcher.run(kind('a'), [picture(3)], { signal: waiting.signal })
    const fourth = dispatcher.run(kind('a'), [picture(4)])
    waiting.abort()
    inWork.abort()
    await expect(third).rejects.toMatchObject({ code: 'ABORTED' })
    await expect(first).rejects.toMatchObject({ code: 'ABORTED' })
    await lane.finishAll()
    expect(valuesOf(await second)).toEqual([4])
    expect(valuesOf(await fourth)).toEqual([8])
    expect(lane.runs.map(({ values }) => values)).toEqual([[1], [2], [4]])
    await expect(
      dispatcher.run(kind('a'), [picture(5)], { signal: AbortSignal.abort() }),
    ).rejects.toMatchObject({ code: 'ABORTED' })
  })

  test('what failed together is tried one by one, and only the culprit hears of it', async () => {
    const lane: Lane<RunKind> = {
      run: async (_, pictures) => {
        const values = pictures.map(([value = 0]) => value)
        await turn()
        if (values.includes(3)) throw new BlvitError('ENGINE', `of ${values}`)
        return { y: { dtype: 'float32', shape: [values.length, 1], values: Float32Array.from(values) } }
      },
    }
    const dispatcher = new Dispatcher<RunKind>({ lanes: () => ({ all: [lane] }), picturesPerRun: () => 8 })
    const calls = [0, 1, 2, 3, 4].map((value) =>
      dispatcher.run(kind('a'), [picture(value)], { shares: true }),
    )
    const settled = await Promise.allSettled(calls)
    expect(settled.map(({ status }) => status)).toEqual([
      ...['fulfilled', 'fulfilled', 'fulfilled', 'rejected', 'fulfilled'],
    ])
    expect(settled[3]).toMatchObject({ reason: { message: 'of 3' } })
  })

  test('takes the lane for a lone run only while there is nothing else', async () => {
    const [many, single] = [new SteppedLane(), new SteppedLane()]
    const dispatcher = new Dispatcher<RunKind>({
      lanes: () => ({ all: [many], alone: ({ key }) => (key === 'a' ? single : undefined) }),
      picturesPerRun: () => 4,
    })
    const first = dispatcher.run(kind('a'), [picture(1)])
    const second = dispatcher.run(kind('a'), [picture(2)])
    expect([single, many].map(({ runs }) => runs.length)).toEqual([1, 1])
    await single.finishAll()
    await many.finishAll()
    await Promise.all([first, second])
    void dispatcher.run(kind('b'), [picture(3)])
    expect([single, many].map(({ runs }) => runs.length)).toEqual([1, 2])
  })

  test('closed, it refuses what waits and what comes, and waits for what is in work', async () => {
    const lane = new SteppedLane()
    const dispatcher = dispatcherOn([lane])
    const calls = [1, 2, 3].map((value) => dispatcher.run(kind('a'), [picture(value)]))
    let closed = false
    const closing = dispatcher.close(new BlvitError('ENGINE', 'gone')).then(() => {
      closed = true
    })
    await expect(calls[2]).rejects.toThrow('gone')
    await turn()
    expect(closed).toBe(false)
    await lane.finishAll()
    await closing
    expect((await Promise.all(calls.slice(0, 2))).map(valuesOf)).toEqual([[2], [4]])
    await expect(dispatcher.run(kind('a'), [picture(4)])).rejects.toThrow('gone')
  })

  test('counts the engine’s time, not the waiting for it', async () => {
    const lane: Lane<RunKind> = {
      run: async (_, pictures) => {
        await busy
        busy = new Promise((resolve) => setTimeout(resolve, 20))
        await busy
        return {
          y: { dtype: 'float32', shape: [pictures.length], values: new Float32Array(pictures.length) },
        }
      },
    }
    let busy: Promise<void> = Promise.resolve()
    const dispatcher = new Dispatcher<RunKind>({ lanes: () => ({ all: [lane] }), picturesPerRun: () => 1 })
    const start = performance.now()
    const runs = await Promise.all([1, 2, 3, 4].map((value) => dispatcher.run(kind('a'), [picture(value)])))
    const wall = performance.now() - start
    const total = runs.reduce((sum, { elapsedMs }) => sum + elapsedMs, 0)
    expect(total).toBeLessThanOrEqual(wall)
    expect(total).toBeGreaterThan(0.7 * wall)
  })
})
