import { assert } from '../base/assert.js'
import { BlvitError } from '../base/blvit-error.js'
import { assembleGradient } from './assemble-gradient.js'
import { formatShape } from './dim.js'
import { type Graph, reachable } from './graph.js'
import { constant } from './ops/constants.js'
import { atScope } from './scope.js'
import type { GradientPart, Tensor } from './tensor.js'

/** Leaves made twice under one name are one and the same. */
function identityOf(tensor: Tensor): unknown {
  return tensor.leaf ? `${tensor.leaf.kind} ${tensor.leaf.name}` : tensor
}

const gradientPrefix = 'gradient/'

/** The scope of what differentiates another scope: `gradient/blocks.3.attn`. */
function gradientScope({ scope }: Tensor): string {
  return scope === '' ? 'gradient' : `${gradientPrefix}${scope}`
}

/** The scopes whose backward pass is part of a graph. */
export function differentiatedScopes({ nodes }: Graph): ReadonlySet<string> {
  const scopes = nodes.flatMap(({ scope }) => {
    if (scope === 'gradient') return ['']
    return scope.startsWith(gradientPrefix) ? [scope.slice(gradientPrefix.length)] : []
  })
  return new Set(scopes)
}

function withoutRule({ op, scope }: Tensor): BlvitError {
  const place = scope === '' ? 'the graph' : scope
  return new BlvitError(
    'UNSUPPORTED',
    `The loss can't be differentiated: the op ${op} in ${place} lies on the way to a parameter and has no ` +
      `gradient rule. Give its definition a \`gradient\`, or cut the way with stopGradient.`,
    { op, scope },
  )
}

function checkScalar(loss: Tensor): void {
  if (loss.dtype === 'float32' && loss.shape.every((dim) => dim === 1)) return
  const place = loss.scope === '' ? '' : ` (${loss.op} in ${loss.scope})`
  throw new BlvitError(
    'SHAPE_MISMATCH',
    `A loss must be a single float32 number, but this one${place} is ${loss.dtype} ${formatShape(loss.shape)}. ` +
      `Take its mean.`,
    { scope: loss.scope, shape: loss.shape.map(String) },
  )
}

/**
 * Reverse mode: the gradient of a loss with respect to some tensors, as new symbolic tensors of the same
 * graph. Only what leads from those tensors to the loss is differentiated.
 * @param loss a single number, shape `[1]`
 * @param targets usually parameters; a tensor that the loss doesn't depend on gets zeros
 * @returns a gradient for each target, of its shape
 * @throws BlvitError `SHAPE_MISMATCH` if the loss is not a single number, `UNSUPPORTED` if an op between a
 *   target and the loss has no gradient rule
 */
export function gradients(loss: Tensor, targets: readonly Tensor[]): Tensor[] {
  checkScalar(loss)
  for (const { leaf } of targets)
    assert(leaf?.kind !== 'parameter' || leaf.learns, `${leaf?.name} never learns and has no gradient`)
  const nodes = reachable([loss])
  const wanted = new Set(targets.map(identityOf))
  const leads = new Set<Tensor>()
  for (const node of nodes) {
    const isOnTheWay = wanted.has(identityOf(node)) || node.inputs.some((input) => leads.has(input))
    // no gradient passes through integers
    if (isOnTheWay && node.dtype === 'float32') leads.add(node)
  }
  const parts = new Map<Tensor, Exclude<GradientPart, undefined>[]>()
  const found = new Map<unknown, Tensor[]>()
  parts.set(loss, [atScope(gradientScope(loss), () => constant(1, loss.shape))])
  for (const node of nodes.toReversed()) {
    const received = parts.get(node)
    if (!received || !leads.has(node)) continue
    const gradient = atScope(gradientScope(node), () => assembleGradient(received, node.shape))
    const identity = identityOf(node)
    if (wanted.has(identity)) found.set(identity, [...(found.get(identity) ?? []), gradient])
    if (!node.inputs.some((input) => leads.has(input))) continue
    if (!node.differentiate) throw withoutRule(node)
    const rule = node.differentiate
    const ofInputs = atScope(gradientScope(node), () => rule(gradient))
    node.inputs.forEach((input, i) => {
      const part = ofInputs[i]
      if (part && leads.has(input)) parts.set(input, [...(parts.get(input) ?? []), part])
    })
  }
  return targets.map((target) => {
    const gradient = found.get(identityOf(target)) ?? []
    return atScope(gradientScope(target), () =>
      gradient.length === 0 ? constant(0, target.shape) : assembleGradient(gradient, target.shape),
    )
  })
}
