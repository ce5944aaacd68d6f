import { BlvitError } from '../../base/blvit-error.js'
import { symbol } from '../dim.js'
import { defineOp, operand, shapeError } from '../op.js'
import type { Tensor } from '../tensor.js'

// ONNX's number of the type
const int64 = 7

const restorePictureOp = defineOp<{ side: number }>({
  name: 'RestorePicture',
  shape: (inputs, { side }) => {
    const [x, size] = [operand(inputs, 0), operand(inputs, 1)]
    const [one, maps] = x.shape
    const fits = x.shape.length === 4 && one === 1 && typeof maps === 'number'
    if (!fits || size.shape.join() !== '2' || !Number.isInteger(side)) {
      throw shapeError('RestorePicture', inputs, 'maps [1, maps, rows, columns] and a size [2]')
    }
    // what a run is fed decides, and nothing else in a graph mentions them
    return [1, maps, symbol('height'), symbol('width')]
  },
  onnx: (lowering, inputs, { tensor, attributes: { side } }) => {
    if (lowering.target === 'webgpu') {
      const message =
        'How large masks become is fed when a graph runs, but on WebGPU all sizes must be known when it is loaded.'
      throw new BlvitError('UNSUPPORTED', message)
    }
    const [x, size] = [lowering.full(operand(inputs, 0)), lowering.full(operand(inputs, 1))]
    const maps = Number(tensor.shape[1])
    const whole = (name: string) => lowering.emit('Cast', [name], { to: int64 })
    const bilinear = (map: string, sizes: string) =>
      lowering.emit('Resize', [map, '', '', sizes], {
        mode: 'linear',
        coordinate_transformation_mode: 'half_pixel',
      })
    const longest = lowering.reduce('ReduceMax', size, { axes: [0], keepAxes: true })
    const scale = lowering.emit('Div', [lowering.floats([side], [1]), longest])
    const scaled = lowering.emit('Mul', [size, scale])
    const half = lowering.floats([0.5], [1])
    const picture = whole(lowering.emit('Floor', [lowering.emit('Add', [scaled, half])]))
    const inFrame = bilinear(x, lowering.integers([1, maps, side, side]))
    const axes = lowering.integers([2, 3])
    const cut = lowering.emit('Slice', [inFrame, lowering.integers([0, 0]), picture, axes])
    const sizes = lowering.emit('Concat', [lowering.integers([1, maps]), whole(size)], { axis: 0 })
    return lowering.asFull(bilinear(cut, sizes), tensor.shape)
  },
})

/**
 * Maps of a square frame at the size of the picture that was brought into it with its longer side, above and left, the rest of
 * the frame being empty: resized to the frame, cut, and resized to the picture, each time bilinear without anti-aliasing.
 * For graphs that other programs run; here masks are restored by `segmentation/restored-mask.ts`.
 * @param maps `[1, maps, rows, columns]` @param size (height, width) of the picture. `[2]`
 * @param options `side`: of the frame, in pixels
 * @returns `[1, maps, height, width]`
 */
export function restorePicture(maps: Tensor, size: Tensor, { side }: { side: number }): Tensor {
  return restorePictureOp([maps, size], { side })
}
