import { BlvitError, messageOf } from '../base/blvit-error.js'

/** What ONNX Runtime's complaints mean, for those that have a known cause: a pattern, and what to tell instead. */
const causes: readonly (readonly [complaint: RegExp, meaning: string])[] = [
  [
    /bad_alloc|failed to allocate|allocation failed|out of memory|memory access out of bounds|array buffer allocation/i,
    'there is not enough memory. Give it fewer pictures at once, a smaller model, or fewer threads.',
  ],
  [
    /external (initializer|data)|GetExtDataFromTensorProto/i,
    'the file of the weights was moved, cut or replaced meanwhile. Load the model again.',
  ],
  [
    /device (was |is )?lost/i,
    'the graphics processor or its driver gave up. Load the model again, or use --device cpu or wasm.',
  ],
]

/** Where in ONNX Runtime's own source something was noticed: its files, its C++ signatures, its codes. */
const innerPlaces = [
  /\[ONNXRuntimeError\] : \d+ : \w+ : /g,
  /(Exception during initialization|Non-zero status code returned while running [^.]*\. Name:'[^']*' Status Message): /g,
  /\S+\.(cc|h|cpp):\d+ (\S+ )*?\S+\((?:[^()]|\([^()]*\))*\)(?: const)? /g,
  /\S+\.(cc|h|cpp):\d+ \S+ /g,
]

/** A complaint in one line, without what only the engine's makers can read. */
function plainComplaint(message: string): string {
  const plain = innerPlaces.reduce((text, place) => text.replace(place, ''), message)
  return plain.replace(/\s+/g, ' ').trim()
}

/** An engine's complaint as a BlvitError that says what was being done; the complaint itself is its `cause`. */
export function engineError(doing: string, thrown: unknown): BlvitError {
  if (thrown instanceof BlvitError) return thrown
  const complaint = messageOf(thrown)
  const meaning = causes.find(([pattern]) => pattern.test(complaint))?.[1] ?? plainComplaint(complaint)
  return new BlvitError('ENGINE', `ONNX Runtime failed while ${doing}: ${meaning}`, {}, { cause: thrown })
}
