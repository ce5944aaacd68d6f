import { Option } from 'commander'
import type { MultiplyAdds } from '../tasks/analyze/shares.js'

/** How multiply-adds are counted: see `graph/cost.ts`. */
export type Convention = keyof MultiplyAdds

/** Spelled out here so that help needs no graph. */
const conventions: readonly Convention[] = ['thop', 'linear', 'full']

/** `--convention`. The default gives the figures of the bLViT paper. */
export function conventionOption(description: string): Option {
  return new Option('-c, --convention <name>', description).choices(conventions).default('thop')
}
