import { concat, reshape, slice } from '../graph/ops/index.js'
import type { Tensor } from '../graph/tensor.js'
import type { Treatment } from './parameter-groups.js'

/** A parameter as far as an optimiser needs to know it to treat it together with others. */
interface Bundled {
  readonly name: string
  readonly shape: readonly number[]
  readonly treatment: Treatment
}

/** Parameters that are treated alike, as one long vector; or one parameter alone, in its own shape. */
export interface Bundle<Member extends Bundled> {
  /** Of its only member, or of its first and how many others follow. */
  readonly name: string
  readonly shape: readonly number[]
  readonly treatment: Treatment
  readonly members: readonly Member[]
}

/** Copying larger ones to and fro takes longer than the engine takes for some more nodes. */
const largestBundled = 2 ** 16

function sizeOf({ shape }: Bundled): number {
  return shape.reduce((a, b) => a * b, 1)
}

function bundle<Member extends Bundled>(members: readonly Member[]): Bundle<Member> {
  const [first, ...others] = members
  if (!first) throw new Error('blvit bug: a bundle of nothing')
  const { name, shape, treatment } = first
  if (others.length === 0) return { name, shape, treatment, members }
  const size = members.reduce((sum, member) => sum + sizeOf(member), 0)
  return { name: `${name}+${others.length}`, shape: [size], treatment, members }
}

/**
 * Puts small parameters together that are treated alike. A ViT has hundreds of norms and biases, and an optimiser that
 * takes each alone is more nodes than forward and backward pass: the engine then plans the graph for half a minute.
 */
export function bundlesOf<Member extends Bundled>(parameters: readonly Member[]): readonly Bundle<Member>[] {
  const alike = new Map<string, Member[]>()
  for (const parameter of parameters) {
    const isLarge = sizeOf(parameter) > largestBundled
    const key = isLarge ? parameter.name : JSON.stringify(parameter.treatment)
    alike.set(key, [...(alike.get(key) ?? []), parameter])
  }
  return [...alike.values()].map(bundle)
}

/** Tensors of the members, in their order, as one of the bundle's shape. */
export function joined(tensors: readonly Tensor[]): Tensor {
  const [first, ...others] = tensors
  if (!first) throw new Error('blvit bug: a bundle of nothing')
  if (others.length === 0) return first
  return concat(
    tensors.map((x) => reshape(x, [x.shape.reduce<number>((a, b) => a * Number(b), 1)])),
    { axis: 0 },
  )
}

/** The tensor of each member, in its own shape, out of one of the bundle's shape. */
export function taken<Member extends Bundled>(whole: Tensor, { members }: Bundle<Member>): readonly Tensor[] {
  if (members.length === 1) return [whole]
  let start = 0
  return members.map((member) => {
    const end = start + sizeOf(member)
    const part = slice(whole, { axis: 0, start, end })
    start = end
    return reshape(part, [...member.shape])
  })
}
