import fc from 'fast-check'
import { expect, test } from 'vitest'
import { readNpy, writeNpy } from '../../src/weights/npy.js'

test('an array comes back from its file, whatever its shape', () => {
  const shapes = fc.array(fc.integer({ min: 0, max: 5 }), { minLength: 1, maxLength: 4 })
  fc.assert(
    fc.property(shapes, (shape) => {
      const values = Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, at) => at / 3)
      const file = writeNpy({ shape, values })
      expect(readNpy(file, 'a.npy')).toEqual({ shape, values })
      // NumPy aligns the numbers
      expect((file.length - 4 * values.length) % 64).toBe(0)
    }),
  )
})

const sound = writeNpy({ shape: [2, 3], values: new Float32Array(6) })
const text = (file: Uint8Array, from: string, to: string) =>
  Uint8Array.from(Buffer.from(Buffer.from(file).toString('latin1').replace(from, to), 'latin1'))

test.each<[string, Uint8Array]>([
  ['empty', new Uint8Array(0)],
  ['no array', new Uint8Array(200)],
  ['cut off', sound.subarray(0, sound.length - 1)],
  ['cut off in its header', sound.subarray(0, 20)],
  ['of doubles', text(sound, '<f4', '<f8')],
  ['of Python objects', text(sound, '<f4', '|O8')],
  ["in Fortran's order", text(sound, 'False', 'True ')],
  ['of another shape', text(sound, '2, 3', '9, 9')],
])('a file that is %s is refused', (_, file) => {
  expect(() => readNpy(file, 'a.npy')).toThrow(expect.objectContaining({ code: 'BAD_DATA' }))
})
