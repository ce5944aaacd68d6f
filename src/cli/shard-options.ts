import type { Command } from 'commander'
import { BlvitError } from '../base/blvit-error.js'
import { parseShard, type Shard, shardText } from '../base/shard.js'
import type { CliContext } from './context.js'
import { countedPictures } from './quantities.js'

/** What {@link withShard} adds. */
export interface ShardFlags {
  readonly shard?: Shard
  readonly part?: string
}

/** Adds `--shard` and `--part`. */
export function withShard(command: Command): Command {
  return command
    .option(
      '--shard <i/n>',
      'only the share of one of n processes, counted from 0: 0/5 to 4/5 (needs --part)',
      parseShard,
    )
    .option(
      '--part <file>',
      'what this shard finds, for "blvit merge"; after a kill the same command goes on with it',
    )
}

/** A shard as the library takes it. */
export interface ShardRun {
  readonly shard: Shard
  /** The part. */
  readonly resume: string
}

/**
 * @param others options of the same command that are about printing or keeping everything, by name
 * @returns undefined for a command that does all of its work
 * @throws BlvitError `BAD_OPTION`
 */
export function shardRunOf(
  { shard, part }: ShardFlags,
  others: Readonly<Record<string, unknown>>,
): ShardRun | undefined {
  if (shard === undefined && part === undefined) return undefined
  if (shard === undefined)
    throw new BlvitError('BAD_OPTION', '--part needs --shard i/n: which share it is of, e.g. --shard 0/5.')
  if (part === undefined)
    throw new BlvitError(
      'BAD_OPTION',
      '--shard needs --part <file>: where "blvit merge" finds what it found.',
    )
  const [unused] = Object.entries(others).filter(([, value]) => value !== undefined)
  if (!unused) return { shard, resume: part }
  throw new BlvitError(
    'BAD_OPTION',
    unused[0] === '--resume'
      ? '--part keeps what is done, and the same command goes on with it: leave out --resume.'
      : `A shard writes its part alone: give ${unused[0]} to "blvit merge".`,
  )
}

/**
 * Where one machine doesn't see all that the others do, the parts would be of different pictures.
 * @throws BlvitError the first of what wasn't found
 */
export function assertAllFound(run: ShardRun | undefined, errors: readonly BlvitError[]): void {
  const [first] = errors
  if (!run || !first) return
  throw new BlvitError(
    first.code,
    `${first.message} With --shard nothing may be missing, or the parts would be of different pictures.`,
  )
}

/** Says that a part is finished. Pictures that failed are in it: merging reports them. */
export function notePart(
  context: CliContext,
  { shard, resume }: ShardRun,
  { pictures, failures }: { readonly pictures: number; readonly failures: number },
): void {
  const failed = failures > 0 ? `, ${failures} of them failed` : ''
  context.note(
    `${resume} is finished: shard ${shardText(shard)}, ${countedPictures(pictures)}${failed}. ` +
      `"blvit merge" puts all ${shard.count} together.`,
  )
}
