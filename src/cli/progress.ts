import type { MultiBar, SingleBar } from 'cli-progress'
import { visibleLines } from '../base/visible-text.js'
import type { BenchProgress } from '../bench/rounds.js'
import type { DownloadProgress } from '../weights/node/hub/download-model.js'
import type { CliContext } from './context.js'

/** Below this many items a bar would only flicker. */
const fewItems = 4

/** Without a terminal, what lasts less long needs no line on its way. */
const quietMs = 1000

/** A progress line on stderr: count, rate and time left. */
export interface Progress {
  /** One more is done. */
  advance(): void
  /** So many are done. @param total where a better estimate of it is known */
  moveTo(done: number, total?: number): void
  /** Prints a line above the bar. */
  note(text: string): void
  stop(): void
}

export interface ProgressOptions {
  readonly total: number
  /** What is counted, e.g. `pictures`. */
  readonly unit: string
  /** Done before: they count, but not for the rate. Default 0. */
  readonly start?: number
}

/**
 * A bar on a terminal; without one, a plain line every ten percent, at most one a second, and one at the end; nothing for a few items. Its clock starts here: what
 * is done by now belongs in `start`.
 */
export function itemProgress(context: CliContext, options: ProgressOptions): Progress {
  const { total, start = 0 } = options
  if (total - start < fewItems) {
    return { advance: () => {}, moveTo: () => {}, note: context.note, stop: () => {} }
  }
  const line = context.interactive ? barLine(options, context.note) : plainLine(context, options)
  const startMs = performance.now()
  let done = start
  const moveTo = (reached: number, newTotal = total) => {
    done = reached
    line.show({ done, total: newTotal, rate: (1000 * (done - start)) / (performance.now() - startMs) })
  }
  return { advance: () => moveTo(done + 1), moveTo, note: line.note, stop: line.stop }
}

/** A {@link Progress} that begins with the first news of a long run. */
export interface RunProgress extends Pick<Progress, 'note' | 'stop'> {
  show(state: { readonly done: number; readonly total: number; readonly resumed: number }): void
}

/** Progress of a run that may go on after an earlier one, which is said first. */
export function runProgress(context: CliContext): RunProgress {
  let progress: Progress | undefined
  return {
    show: ({ done, total, resumed }) => {
      if (!progress && resumed > 0) context.note(`going on after ${resumed} pictures that are done`)
      // The clock starts with the first batch that is done: before it there was nothing to tell.
      progress ??= itemProgress(context, { total, unit: 'pictures', start: done })
      progress.moveTo(done, total)
    },
    note: (text) => (progress?.note ?? context.note)(text),
    stop: () => {
      progress?.stop()
      // a bar can be stopped only once
      progress = undefined
    },
  }
}

/** A {@link Progress} of what is done in stages, each on a line of its own. */
export interface StageProgress<Doing extends string> extends Pick<Progress, 'note' | 'stop'> {
  show(state: {
    readonly doing: Doing
    readonly done: number
    readonly total: number
    readonly resumed?: number
  }): void
}

/** @param units what each stage counts */
export function stageProgress<Doing extends string>(
  context: CliContext,
  units: Readonly<Record<Doing, string>>,
): StageProgress<Doing> {
  let line: { readonly progress: Progress; readonly of: string } | undefined
  const stop = () => {
    line?.progress.stop()
    line = undefined
  }
  return {
    show: ({ doing, done, total, resumed = 0 }) => {
      // what was done before says nothing of the speed
      const of = `${doing} after ${resumed}`
      if (line?.of !== of) {
        stop()
        line = { of, progress: itemProgress(context, { total, unit: units[doing], start: done }) }
      }
      line.progress.moveTo(done, total)
    },
    note: (text) => (line?.progress.note ?? context.note)(text),
    stop,
  }
}

/** What the stages of a measurement count. */
export const measuringUnits = {
  loading: 'processes loaded',
  'warming up': 'processes warm',
  measuring: 'turns',
} satisfies Record<BenchProgress['doing'], string>

interface ProgressState {
  readonly done: number
  readonly total: number
  /** Items a second. */
  readonly rate: number
}

function secondsLeft({ done, total, rate }: ProgressState): string {
  return rate > 0 ? ((total - done) / rate).toFixed(0) : '–'
}

/** One way to show progress. */
interface ProgressLine {
  show(state: ProgressState): void
  note(text: string): void
  stop(): void
}

function barLine({ total, unit, start = 0 }: ProgressOptions, note: CliContext['note']): ProgressLine {
  let line: { bars: MultiBar; bar: SingleBar } | undefined
  let isOver = false
  const draw = async () => {
    // only who has a bar to show reads what draws it
    const { MultiBar } = await import('cli-progress')
    if (isOver) return
    const bars = new MultiBar({
      format: `{bar} {value}/{total} ${unit}  {rate}/s  {left} s left`,
      stream: process.stderr,
      hideCursor: true,
      clearOnComplete: true,
      barsize: 24,
    })
    line = { bars, bar: bars.create(total, start, { rate: '–', left: '–' }) }
  }
  void draw()
  return {
    show: ({ done, total: newTotal, rate }) => {
      line?.bar.setTotal(newTotal)
      line?.bar.update(done, { rate: rate.toFixed(1), left: secondsLeft({ done, total: newTotal, rate }) })
    },
    note: (text) => (line ? line.bars.log(`${visibleLines(text)}\n`) : note(text)),
    stop: () => {
      isOver = true
      line?.bars.stop()
    },
  }
}

function plainLine(
  { note }: CliContext,
  { total: firstTotal, unit, start = 0 }: ProgressOptions,
): ProgressLine {
  let tenth = Math.floor((10 * start) / firstTotal)
  let lastMs = performance.now()
  return {
    show: (state) => {
      const { done, total, rate } = state
      if (Math.floor((10 * done) / total) <= tenth) return
      tenth = Math.floor((10 * done) / total)
      if (performance.now() - lastMs < quietMs && done < total) return
      lastMs = performance.now()
      note(`${done}/${total} ${unit}, ${rate.toFixed(1)}/s, ${secondsLeft(state)} s left`)
    },
    note,
    stop: () => {},
  }
}

/** Reports a download at most once a second; quiet when everything is cached. */
export function downloadProgress({ note }: CliContext): (progress: DownloadProgress) => void {
  let last = 0
  return ({ downloadedBytes, totalBytes, file }) => {
    const now = performance.now()
    if (downloadedBytes >= totalBytes || now - last < 1000) return
    last = now
    const megabytes = (bytes: number) => (bytes / 1e6).toFixed(1)
    note(`downloading ${file}: ${megabytes(downloadedBytes)} of ${megabytes(totalBytes)} MB`)
  }
}
