import { BlvitError } from '../../base/blvit-error.js'
import type { SafetensorsContent } from '../safetensors/read.js'
import type { StoredIntegers } from '../safetensors/stored-integers.js'
import {
  type ByteSource,
  elementBytes,
  type Segment,
  type StoredDtype,
  type StoredTensor,
} from '../stored-tensor.js'
import { type Pickled, PickledTensor, unpickle } from './unpickle.js'
import { zipEntries } from './zip-entries.js'

/** Longer than any list of names and shapes: a hostile length must not make us allocate the machine's memory. */
const maximumPickleBytes = 100_000_000

const floats: Readonly<Record<string, StoredDtype>> = {
  FloatStorage: 'F32',
  HalfStorage: 'F16',
  BFloat16Storage: 'BF16',
}

const integers: Readonly<Record<string, readonly [StoredIntegers['dtype'], number]>> = {
  LongStorage: ['I64', 8],
  IntStorage: ['I32', 4],
  ShortStorage: ['I16', 2],
  CharStorage: ['I8', 1],
  ByteStorage: ['U8', 1],
  BoolStorage: ['BOOL', 1],
}

function bad(source: ByteSource, text: string): BlvitError {
  return new BlvitError('BAD_WEIGHTS', `${source.name}: ${text}`, { source: source.name })
}

/** Where trainers put a model's weights beside what else they save. */
const wrappers = ['model', 'state_dict', 'model_state_dict']

function isTensors(value: Pickled | undefined): value is Map<Pickled, Pickled> {
  return value instanceof Map && [...value.values()].some((each) => each instanceof PickledTensor)
}

/** The weights of what was saved: itself, or under one of the names that trainers use. */
function weightsIn(saved: Pickled, source: ByteSource): Map<Pickled, Pickled> {
  if (isTensors(saved)) return saved
  const inside = saved instanceof Map ? wrappers.map((name) => saved.get(name)).find(isTensors) : undefined
  if (inside) return inside
  const holds =
    saved instanceof Map
      ? `holds ${[...saved.keys()].slice(0, 8).join(', ') || 'nothing'}`
      : 'holds no dictionary'
  throw bad(source, `it ${holds}, but no tensors by their names. Save model.state_dict().`)
}

function isContiguous({ shape, strides }: PickledTensor): boolean {
  let expected = 1
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    const size = shape[axis] ?? 0
    if (size !== 1 && strides[axis] !== expected) return false
    expected *= size
  }
  return true
}

/** The bytes of a tensor inside those of its storage. */
function segmentOf(
  name: string,
  tensor: PickledTensor,
  { storage, bytes }: { storage: Segment; bytes: number },
): Segment {
  const { source } = storage
  if (!isContiguous(tensor)) {
    throw bad(source, `${name} is stored in another order than it is read. Save it with .contiguous().`)
  }
  const sizeBytes = bytes * tensor.shape.reduce((a, b) => a * b, 1)
  const from = bytes * tensor.offset
  if (from + sizeBytes > storage.sizeBytes) {
    throw bad(
      source,
      `${name} [${tensor.shape}] needs ${from + sizeBytes} bytes, but its storage has ${storage.sizeBytes}.`,
    )
  }
  return { source, offset: storage.offset + from, sizeBytes }
}

/** Before version 1.6 PyTorch wrote no zip files: a long number stands at their start. */
async function isLegacy(source: ByteSource): Promise<boolean> {
  if (source.sizeBytes < 4) return false
  const [first, , third] = await source.read(0, 4)
  return first === 0x80 && third === 0x8a
}

/**
 * Opens a file of torch.save: reads where its tensors are, not the tensors. Nothing in it is executed.
 * @throws BlvitError `BAD_WEIGHTS` for a file that is cut or damaged, that names anything but tensors, or whose tensors are of
 *   another type than F32, F16, BF16 and integers
 */
export async function readTorch(source: ByteSource): Promise<SafetensorsContent> {
  if (await isLegacy(source)) {
    throw bad(
      source,
      'it was written by PyTorch before 1.6, or without its zip format. Load and save it again with a current PyTorch.',
    )
  }
  const entries = await zipEntries(source)
  const pickleName = [...entries.keys()].find((name) => /(^|\/)data\.pkl$/.test(name))
  if (pickleName === undefined)
    throw bad(source, 'it is a zip file without data.pkl, so not one of torch.save.')
  const folder = pickleName.slice(0, -'data.pkl'.length)
  const bytesOf = async (name: string) => {
    const segment = await entries.get(name)?.()
    if (!segment) throw bad(source, `it has no entry ${name}: it is cut or damaged.`)
    return segment
  }
  const order = entries.has(`${folder}byteorder`) ? await bytesOf(`${folder}byteorder`) : undefined
  if (
    order &&
    new TextDecoder().decode(await source.read(order.offset, Math.min(order.sizeBytes, 16))) === 'big'
  ) {
    throw bad(source, 'its numbers are big-endian. Save it again on a usual machine.')
  }
  const pickle = await bytesOf(pickleName)
  if (pickle.sizeBytes > maximumPickleBytes)
    throw bad(source, `its pickle has ${pickle.sizeBytes} bytes: too many for names and shapes.`)
  const saved = unpickle(await source.read(pickle.offset, pickle.sizeBytes), { name: source.name })
  const tensors = new Map<string, StoredTensor>()
  const whole = new Map<string, StoredIntegers>()
  for (const [name, tensor] of weightsIn(saved, source)) {
    if (!(tensor instanceof PickledTensor) || typeof name !== 'string') continue
    const { type, key } = tensor.storage
    const storage = await bytesOf(`${folder}data/${key}`)
    const { shape } = tensor
    const [float, integer] = [floats[type], integers[type]]
    if (float) {
      tensors.set(name, {
        dtype: float,
        shape,
        segments: [segmentOf(name, tensor, { storage, bytes: elementBytes[float] })],
      })
    } else if (integer) {
      const [dtype, bytes] = integer
      whole.set(name, { dtype, shape, segments: [segmentOf(name, tensor, { storage, bytes })] })
    } else {
      throw bad(source, `${name} is stored as ${type}; blvit reads F32, F16 and BF16.`)
    }
  }
  return { tensors, integers: whole, metadata: {} }
}
