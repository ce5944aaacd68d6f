import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { Engine } from '../../src/engine/engine.js'
import { openModel } from '../../src/model-store/node/open-model.js'
import { chooseRuntime } from '../../src/runtime/node/choose.js'
import { expectClose } from '../support/expect-close.js'

// What timm and transformers compute, see make.py there.
const fixtures = fileURLToPath(new URL('../fixtures/map-networks/', import.meta.url))
const expected: Readonly<Record<string, Readonly<Record<string, readonly number[]>>>> = JSON.parse(
  readFileSync(join(fixtures, 'expected.json'), 'utf8'),
)
const names = readdirSync(fixtures, { withFileTypes: true }).flatMap((entry) =>
  entry.isDirectory() ? [entry.name] : [],
)

const { runtime } = await chooseRuntime('auto', { thread: 'caller' })

/** The same numbers as in make.py. */
function pixelsOf({ height, width }: { height: number; width: number }): Float32Array {
  return Float32Array.from({ length: 3 * height * width }, (_, i) => ((37 * i) % 101) / 128)
}

describe('a network with maps computes what the library computes that saved it', () => {
  test('all are there', () => expect(names.sort()).toEqual(Object.keys(expected).sort()))

  test.each(names)('%s, its batch norms folded', async (name) => {
    const files = await openModel(join(fixtures, name))
    await using engine = await Engine.load({ ...files, runtime }, ({ programs }) => ({
      ...programs.classify,
      ...programs.embed,
    }))
    const { outputs } = await engine.run({
      batch: 1,
      inputs: { pixel_values: pixelsOf(files.architecture.image) },
    })
    const wanted = Object.entries(expected[name] ?? {})
    expect(wanted.length).toBeGreaterThan(0)
    for (const [output, numbers] of wanted) {
      // float32 through dozens of convolutions, whose values are up to 20
      expectClose(Array.from(outputs[output]?.values ?? [], Number), numbers, { rtol: 1e-4, atol: 1e-4 })
    }
  })
})
