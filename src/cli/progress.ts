import cliProgress from 'cli-progress'
import type { DownloadProgress } from '../weights/hub/download-model.js'
import type { CliContext } from './context.js'

/** Below this many items a bar would only flicker. */
const fewItems = 4

/** A progress line on stderr: count, rate and time left. */
export interface Progress {
  advance(): void
  /** Prints a line above the bar. */
  note(text: string): void
  stop(): void
}

/** A bar on a terminal; without one, a plain line every ten percent; nothing for a few items. */
export function itemProgress(
  context: CliContext,
  { total, unit }: { total: number; unit: string },
): Progress {
  if (total < fewItems) return { advance: () => {}, note: context.note, stop: () => {} }
  return context.interactive ? barProgress(total, unit) : plainProgress(context, total, unit)
}

function barProgress(total: number, unit: string): Progress {
  const bars = new cliProgress.MultiBar({
    format: `{bar} {value}/{total} ${unit}  {rate}/s  {eta_formatted} left`,
    stream: process.stderr,
    hideCursor: true,
    clearOnComplete: true,
    barsize: 24,
  })
  const bar = bars.create(total, 0, { rate: '–' })
  const start = performance.now()
  let done = 0
  return {
    advance: () => {
      done += 1
      bar.update(done, { rate: ((1000 * done) / (performance.now() - start)).toFixed(1) })
    },
    note: (text) => bars.log(`${text}\n`),
    stop: () => bars.stop(),
  }
}

function plainProgress({ note }: CliContext, total: number, unit: string): Progress {
  const start = performance.now()
  let done = 0
  let tenth = 0
  return {
    advance: () => {
      done += 1
      if (Math.floor((10 * done) / total) === tenth) return
      tenth = Math.floor((10 * done) / total)
      const rate = done / ((performance.now() - start) / 1000)
      const secondsLeft = (total - done) / rate
      note(`${done}/${total} ${unit}, ${rate.toFixed(1)}/s, ${secondsLeft.toFixed(0)} s left`)
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
