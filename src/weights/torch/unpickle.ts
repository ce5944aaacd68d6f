import { BlvitError } from '../../base/blvit-error.js'

/** A class or function that a pickle names. */
class GlobalName {
  constructor(readonly name: string) {}
}

/** Bytes that tensors share, an entry of their own beside the pickle. */
export class PickledStorage {
  constructor(
    /** `FloatStorage`, … */
    readonly type: string,
    readonly key: string,
  ) {}
}

/** A tensor as a pickle describes it. */
export class PickledTensor {
  constructor(
    readonly storage: PickledStorage,
    /** Elements before its first. */
    readonly offset: number,
    readonly shape: readonly number[],
    readonly strides: readonly number[],
  ) {}
}

/** What a pickle of tensors can hold. */
export type Pickled =
  | null
  | boolean
  | number
  | string
  | GlobalName
  | PickledStorage
  | PickledTensor
  | readonly Pickled[]
  | Map<Pickled, Pickled>

const storageTypes = /^torch\.((?:Float|Half|BFloat16|Double|Long|Int|Short|Char|Byte|Bool)Storage)$/

/** The functions that a pickle of tensors calls; nothing of them is called here: what they would make is made. */
const rebuilt: Readonly<Record<string, (values: readonly Pickled[]) => Pickled | undefined>> = {
  'collections.OrderedDict': () => new Map(),
  'torch._utils._rebuild_tensor_v2': ([storage, offset, shape, strides]) =>
    storage instanceof PickledStorage &&
    typeof offset === 'number' &&
    areNumbers(shape) &&
    areNumbers(strides)
      ? new PickledTensor(storage, offset, shape, strides)
      : undefined,
  'torch._utils._rebuild_parameter': ([tensor]) => tensor,
}

function areNumbers(value: Pickled | undefined): value is readonly number[] {
  return Array.isArray(value) && value.every((each) => Number.isSafeInteger(each) && each >= 0)
}

const mark = Symbol('mark')
type Slot = Pickled | typeof mark

/** Reads a pickle's bytes, in order. */
class Reader {
  at = 0
  private readonly view: DataView
  constructor(
    private readonly bytes: Uint8Array,
    private readonly name: string,
  ) {
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }
  broken(why: string): BlvitError {
    return new BlvitError('BAD_WEIGHTS', `The pickle in ${this.name} is damaged: ${why} at byte ${this.at}.`)
  }
  private take(count: number): number {
    const from = this.at
    if (!Number.isSafeInteger(count) || count < 0 || from + count > this.bytes.length)
      throw this.broken('it ends')
    this.at += count
    return from
  }
  byte(): number {
    return this.view.getUint8(this.take(1))
  }
  short(): number {
    return this.view.getUint16(this.take(2), true)
  }
  int(): number {
    return this.view.getInt32(this.take(4), true)
  }
  unsigned(): number {
    return this.view.getUint32(this.take(4), true)
  }
  double(): number {
    return this.view.getFloat64(this.take(8), false)
  }
  length64(): number {
    return Number(this.view.getBigUint64(this.take(8), true))
  }
  text(count: number): string {
    const from = this.take(count)
    return new TextDecoder().decode(this.bytes.subarray(from, from + count))
  }
  line(): string {
    const end = this.bytes.indexOf(10, this.at)
    if (end < 0) throw this.broken('a line has no end')
    const text = this.text(end - this.at)
    this.at = end + 1
    return text
  }
  /** A whole number of any length, little-endian; beyond what a number holds it isn't one of a tensor. */
  long(count: number): number {
    const from = this.take(count)
    let value = 0n
    for (let i = count - 1; i >= 0; i--) value = (value << 8n) | BigInt(this.bytes[from + i] ?? 0)
    return Number(BigInt.asIntN(8 * count, value))
  }
}

/** What the pickle has put together so far. */
class Machine {
  private readonly stack: Slot[] = []
  private readonly memo = new Map<number, Slot>()
  constructor(
    private readonly reader: Reader,
    private readonly name: string,
  ) {}

  private refuse(what: string): BlvitError {
    return new BlvitError(
      'BAD_WEIGHTS',
      `${this.name} refers to ${what}, which is no tensor: loading it would run code. blvit reads tensors only and executes nothing. ` +
        'Save the weights alone, as safetensors or with torch.save(model.state_dict(), …).',
      { refused: what },
    )
  }
  push(value: Slot): void {
    this.stack.push(value)
  }
  pop(): Pickled {
    const value = this.stack.pop()
    if (value === undefined || value === mark) throw this.reader.broken('something is missing')
    return value
  }
  toMark(): Pickled[] {
    const at = this.stack.lastIndexOf(mark)
    if (at < 0) throw this.reader.broken('a mark is missing')
    return this.stack.splice(at).slice(1) as Pickled[]
  }
  top(): Pickled {
    const value = this.pop()
    this.stack.push(value)
    return value
  }
  remember(key: number): void {
    this.memo.set(key, this.top())
  }
  rememberNext(): void {
    this.remember(this.memo.size)
  }
  recall(key: number): void {
    const value = this.memo.get(key)
    if (value === undefined) throw this.reader.broken('it recalls what it never had')
    this.stack.push(value)
  }
  global(module: string, attribute: string): void {
    const name = `${module}.${attribute}`
    if (!Object.hasOwn(rebuilt, name) && !storageTypes.test(name)) throw this.refuse(name)
    this.stack.push(new GlobalName(name))
  }
  reduce(): void {
    const [values, callee] = [this.pop(), this.pop()]
    const called = callee instanceof GlobalName ? rebuilt[callee.name] : undefined
    if (!called || !(callee instanceof GlobalName))
      throw this.refuse('a call of what is no function of tensors')
    const made = Array.isArray(values) ? called(values) : undefined
    if (made === undefined) throw this.reader.broken(`${callee.name} is given what it can't take`)
    this.stack.push(made)
  }
  setItems(items: readonly Pickled[]): void {
    const target = this.top()
    if (!(target instanceof Map) || items.length % 2 !== 0) throw this.reader.broken('keys have no values')
    for (let i = 0; i < items.length; i += 2) target.set(items[i] ?? null, items[i + 1] ?? null)
  }
  append(items: readonly Pickled[]): void {
    const target = this.top()
    if (!Array.isArray(target)) throw this.reader.broken('there is no list')
    target.push(...items)
  }
  /** The attributes of an ordered dictionary, such as versions of modules, of which tensors know nothing. */
  build(): void {
    this.pop()
    if (!(this.top() instanceof Map)) throw this.refuse('the state of an object')
  }
  persistent(): void {
    const id = this.pop()
    const [kind, type, key] = Array.isArray(id) ? (id as readonly Pickled[]) : []
    const storage = type instanceof GlobalName ? storageTypes.exec(type.name)?.[1] : undefined
    if (kind !== 'storage' || storage === undefined || typeof key !== 'string')
      throw this.refuse('something that is stored elsewhere')
    this.stack.push(new PickledStorage(storage, key))
  }
  stackGlobal(): void {
    const [attribute, module] = [this.pop(), this.pop()]
    if (typeof attribute !== 'string' || typeof module !== 'string')
      throw this.reader.broken('a name is none')
    this.global(module, attribute)
  }
  unknown(code: number): BlvitError {
    return this.refuse(`the pickle operation 0x${code.toString(16).padStart(2, '0')}`)
  }
}

type Operation = (machine: Machine, reader: Reader) => void

/** The operations that pickles of tensors consist of, by their codes (protocols 2 to 5). */
const operations: Readonly<Record<number, Operation>> = {
  128: (_, reader) => void reader.byte(),
  149: (_, reader) => void reader.length64(),
  40: (machine) => machine.push(mark),
  48: (machine) => void machine.pop(),
  78: (machine) => machine.push(null),
  136: (machine) => machine.push(true),
  137: (machine) => machine.push(false),
  74: (machine, reader) => machine.push(reader.int()),
  75: (machine, reader) => machine.push(reader.byte()),
  77: (machine, reader) => machine.push(reader.short()),
  138: (machine, reader) => machine.push(reader.long(reader.byte())),
  71: (machine, reader) => machine.push(reader.double()),
  88: (machine, reader) => machine.push(reader.text(reader.unsigned())),
  140: (machine, reader) => machine.push(reader.text(reader.byte())),
  141: (machine, reader) => machine.push(reader.text(reader.length64())),
  125: (machine) => machine.push(new Map()),
  93: (machine) => machine.push([]),
  41: (machine) => machine.push([]),
  116: (machine) => machine.push(machine.toMark()),
  133: (machine) => machine.push([machine.pop()]),
  134: (machine) => machine.push([machine.pop(), machine.pop()].reverse()),
  135: (machine) => machine.push([machine.pop(), machine.pop(), machine.pop()].reverse()),
  113: (machine, reader) => machine.remember(reader.byte()),
  114: (machine, reader) => machine.remember(reader.unsigned()),
  148: (machine) => machine.rememberNext(),
  104: (machine, reader) => machine.recall(reader.byte()),
  106: (machine, reader) => machine.recall(reader.unsigned()),
  99: (machine, reader) => machine.global(reader.line(), reader.line()),
  147: (machine) => machine.stackGlobal(),
  82: (machine) => machine.reduce(),
  81: (machine) => machine.persistent(),
  98: (machine) => machine.build(),
  115: (machine) => machine.setItems([machine.pop(), machine.pop()].reverse()),
  117: (machine) => machine.setItems(machine.toMark()),
  97: (machine) => machine.append([machine.pop()]),
  101: (machine) => machine.append(machine.toMark()),
}

const stop = 0x2e

/**
 * What a pickle of tensors holds. Nothing that it names is loaded or called: the few functions that PyTorch writes beside
 * tensors are known by their names, everything else is refused by its own.
 * @param name of the file, for messages
 * @throws BlvitError `BAD_WEIGHTS`
 */
export function unpickle(bytes: Uint8Array, { name }: { name: string }): Pickled {
  const reader = new Reader(bytes, name)
  const machine = new Machine(reader, name)
  for (;;) {
    const code = reader.byte()
    if (code === stop) return machine.pop()
    const operation = operations[code]
    if (!operation) throw machine.unknown(code)
    operation(machine, reader)
  }
}
