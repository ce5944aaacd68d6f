import type { SamConfig } from '../../src/models/sam-config.js'

/** SAM's encoder with tokens that go, once more: token by token, in plain loops, as spec §6.4 tells it. */

/** A token and where it stands: row and column; undefined: it is a sum of others. */
export interface Token {
  readonly at: readonly [number, number] | undefined
  x: number[]
  /** What it received so far, by which Evo-ViT chooses. */
  received: number
}

export type Weights = (name: string) => Float32Array

const erf = (x: number) => {
  // the series of erf, whose terms are small soon for the numbers here
  let [sum, term] = [x, x]
  for (let n = 1; n < 200; n++) {
    term *= (-x * x) / n
    sum += term / (2 * n + 1)
  }
  return (2 / Math.sqrt(Math.PI)) * sum
}
const gelu = (x: number) => x * 0.5 * (1 + (Math.abs(x) > 8 ? Math.sign(x) : erf(x / Math.SQRT2)))

const at = (values: ArrayLike<number>, index: number) => values[index] ?? Number.NaN

function linear(x: readonly number[], weight: Float32Array, bias: Float32Array): number[] {
  return Array.from(bias, (b, o) =>
    x.reduce((sum, value, i) => sum + value * at(weight, o * x.length + i), b),
  )
}

function norm(x: readonly number[], name: string, weights: Weights): number[] {
  const mean = x.reduce((a, b) => a + b, 0) / x.length
  const variance = x.reduce((a, b) => a + (b - mean) ** 2, 0) / x.length
  const [scale, shift] = [weights(`${name}.weight`), weights(`${name}.bias`)]
  return x.map((value, i) => ((value - mean) / Math.sqrt(variance + 1e-6)) * at(scale, i) + at(shift, i))
}

const sum = (a: readonly number[], b: readonly number[]) => a.map((value, i) => value + at(b, i))

/** A position of attention: a token, or a place outside of the grid. */
interface Member {
  readonly at: readonly [number, number] | undefined
  readonly token: Token | undefined
}

/** Updates of tokens that see each other, and what each receives on average. */
function attend(
  members: readonly Member[],
  side: number,
  { block, config, weights }: { block: string; config: SamConfig; weights: Weights },
): { updates: Map<Token, number[]>; received: Map<Token, number> } {
  const { width, heads } = config.encoder
  const each = width / heads
  const [qkv, bias] = [weights(`${block}.attn.qkv.weight`), weights(`${block}.attn.qkv.bias`)]
  const [tableH, tableW] = [weights(`${block}.attn.rel_pos_h`), weights(`${block}.attn.rel_pos_w`)]
  const packed = members.map(({ token }) =>
    linear(token ? norm(token.x, `${block}.norm1`, weights) : new Array<number>(width).fill(0), qkv, bias),
  )
  const updates = new Map<Token, number[]>()
  const received = new Map<Token, number>()
  const askers = members.filter(({ token }) => token)
  members.forEach((asking, i) => {
    const { token } = asking
    if (!token) return
    const mixed: number[] = []
    for (let head = 0; head < heads; head++) {
      const part = (of: number, j: number) =>
        (packed[j] ?? []).slice(of * width + head * each, of * width + (head + 1) * each)
      const q = part(0, i)
      const dot = (a: readonly number[], b: ArrayLike<number>) =>
        a.reduce((s, value, n) => s + value * at(b, n), 0)
      const scores = members.map((key, j) => {
        const product = dot(q, part(1, j)) / Math.sqrt(each)
        if (!asking.at || !key.at) return product
        const row = (table: Float32Array, distance: number) =>
          table.subarray((distance + side - 1) * each, (distance + side) * each)
        return (
          product +
          dot(q, row(tableH, asking.at[0] - key.at[0])) +
          dot(q, row(tableW, asking.at[1] - key.at[1]))
        )
      })
      const highest = Math.max(...scores)
      const powers = scores.map((score) => Math.exp(score - highest))
      const total = powers.reduce((a, b) => a + b, 0)
      const shares = powers.map((power) => power / total)
      for (let n = 0; n < each; n++)
        mixed.push(shares.reduce((s, share, j) => s + share * at(part(2, j), n), 0))
      members.forEach((key, j) => {
        if (!key.token) return
        const more = at(shares, j) / heads / askers.length
        received.set(key.token, (received.get(key.token) ?? 0) + more)
      })
    }
    updates.set(
      token,
      linear(mixed, weights(`${block}.attn.proj.weight`), weights(`${block}.attn.proj.bias`)),
    )
  })
  return { updates, received }
}

/** Tokens window by window, in the order of the windows. */
export type Windows = Token[][]

/** Number of the window of a place. */
function windowOf([row, column]: readonly [number, number], config: SamConfig): number {
  const across = Math.ceil(config.side / config.patchSize / config.encoder.window)
  return Math.floor(row / config.encoder.window) * across + Math.floor(column / config.encoder.window)
}

/** The attention half of a block. @returns what each token receives */
export function attentionHalf(
  windows: Windows,
  index: number,
  { config, weights }: { config: SamConfig; weights: Weights },
): Map<Token, number> {
  const { window: side, globalBlocks } = config.encoder
  const grid = config.side / config.patchSize
  const block = `image_encoder.blocks.${index}`
  const isGlobal = globalBlocks.includes(index)
  const groups = isGlobal ? [windows.flat()] : windows
  const all = groups.map((tokens, number) => {
    const members: Member[] = tokens.map((token) => ({ at: token.at, token }))
    for (let place = 0; !isGlobal && place < side * side; place++) {
      const across = Math.ceil(grid / side)
      const row = Math.floor(number / across) * side + Math.floor(place / side)
      const column = (number % across) * side + (place % side)
      if (row >= grid || column >= grid) members.push({ at: [row, column], token: undefined })
    }
    return attend(members, isGlobal ? grid : side, { block, config, weights })
  })
  for (const { updates } of all) for (const [token, update] of updates) token.x = sum(token.x, update)
  return new Map(all.flatMap(({ received }) => [...received]))
}

/** The MLP half of a block. */
export function mlpHalf(windows: Windows, index: number, weights: Weights): void {
  const block = `image_encoder.blocks.${index}`
  for (const token of windows.flat()) {
    const normed = norm(token.x, `${block}.norm2`, weights)
    const hidden = linear(normed, weights(`${block}.mlp.lin1.weight`), weights(`${block}.mlp.lin1.bias`)).map(
      gelu,
    )
    token.x = sum(
      token.x,
      linear(hidden, weights(`${block}.mlp.lin2.weight`), weights(`${block}.mlp.lin2.bias`)),
    )
  }
}

/** Patches with their positions, window by window. @param pixels `[3, side, side]` */
export function stem(pixels: ArrayLike<number>, config: SamConfig, weights: Weights): Windows {
  const { side, patchSize } = config
  const { width, window } = config.encoder
  const grid = side / patchSize
  const across = Math.ceil(grid / window)
  const windows: Windows = Array.from({ length: across * across }, () => [])
  const [weight, bias, positions] = [
    weights('image_encoder.patch_embed.proj.weight'),
    weights('image_encoder.patch_embed.proj.bias'),
    weights('image_encoder.pos_embed'),
  ]
  for (let row = 0; row < grid; row++) {
    for (let column = 0; column < grid; column++) {
      const patch: number[] = []
      for (let channel = 0; channel < 3; channel++)
        for (let y = 0; y < patchSize; y++)
          for (let x = 0; x < patchSize; x++)
            patch.push(at(pixels, (channel * side + row * patchSize + y) * side + column * patchSize + x))
      const first = (row * grid + column) * width
      const x = sum(linear(patch, weight, bias), [...positions.subarray(first, first + width)])
      windows[windowOf([row, column], config)]?.push({ at: [row, column], x, received: 0 })
    }
  }
  return windows
}

/** The tokens of the highest values, equal ones by their order. */
export function best(tokens: readonly Token[], value: (token: Token) => number, count: number): Token[] {
  return tokens.toSorted((a, b) => value(b) - value(a)).slice(0, count)
}

/** All tokens that stand somewhere, row by row. */
export function rowByRow(tokens: readonly Token[]): Token[] {
  return tokens
    .filter(({ at }) => at)
    .toSorted((a, b) => (a.at?.[0] ?? 0) - (b.at?.[0] ?? 0) || (a.at?.[1] ?? 0) - (b.at?.[1] ?? 0))
}
