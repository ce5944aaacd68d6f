import { BlvitError } from '../base/blvit-error.js'
import { didYouMean } from '../base/suggest.js'
import type { Precision } from '../graph/lowering.js'
import type { Device } from './device.js'

/** Ends the reasons of all refusals. */
export const never = 'and blvit never takes another precision than asked for'

const noInt8 =
  `WebGPU has no products of whole numbers of 8 bits, ${never}. ` +
  'Use --dtype fp32 or fp16, or --device cpu or wasm.'

const noFp16 =
  'ONNX Runtime has no arithmetic in float16 for processors: it would compute in float32 between casts, slower ' +
  `than with --dtype fp32, ${never}. Use --device webgpu, or --dtype fp32 or int8. ` +
  'For a model folder of half the size: blvit convert --dtype F16.'

/** Why a device does not compute in a precision; what isn't here, it does. */
const refusals: Readonly<Record<Device, Partial<Record<Precision, string>>>> = {
  cpu: { fp16: noFp16 },
  wasm: { fp16: noFp16 },
  webgpu: { int8: noInt8 },
}

const precisions: readonly Precision[] = ['fp32', 'fp16', 'int8']

/** @throws BlvitError `UNSUPPORTED` if a device has no arithmetic of this precision, `BAD_OPTION` for an unknown one */
export function assertPrecision(device: Device, precision: Precision = 'fp32'): void {
  if (!precisions.includes(precision)) {
    throw new BlvitError(
      'BAD_OPTION',
      `There is no precision "${precision}".${didYouMean(precision, precisions)} Precisions are ${precisions.join(', ')}.`,
      { precision },
    )
  }
  const refusal = refusals[device][precision]
  if (refusal !== undefined) throw new BlvitError('UNSUPPORTED', refusal)
}
