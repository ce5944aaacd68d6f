import { type Command, Option } from 'commander'
import { positiveInteger } from './option-values.js'

/** What {@link withTimeOptions} adds. */
export interface TimeFlags {
  readonly rounds: number
  /** False: `--no-time`. */
  readonly time: boolean
}

/** Adds `--rounds` and `--no-time`, for a command that measures how long its rows take after all else. */
export function withTimeOptions(command: Command): Command {
  return command
    .option('--rounds <n>', 'how often each row has its turn when times are measured', positiveInteger, 10)
    .addOption(new Option('--no-time', 'measure no times').conflicts('rounds'))
}

/** Turns of each row; 0: no times. */
export function roundsOf({ rounds, time }: TimeFlags): number {
  return time ? rounds : 0
}
