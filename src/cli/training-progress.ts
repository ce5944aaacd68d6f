import cliProgress from 'cli-progress'
import type { StepReport } from '../tasks/train/run-training.js'
import type { CliContext } from './context.js'

/** A progress line of a training on stderr. */
export interface TrainingProgress {
  show(report: StepReport): void
  stop(): void
}

function duration(milliseconds: number): string {
  const seconds = Math.round(milliseconds / 1000)
  return seconds < 120 ? `${seconds} s` : `${Math.round(seconds / 60)} min`
}

/** Loss parts, learning rate, speed and time left; the speed is known from the second step on. */
function stepText({ losses, learningRate, imagesPerSecond, leftMs }: StepReport): string {
  const parts = Object.entries(losses).map(([name, value]) => `${name.replace('_', ' ')} ${value.toFixed(3)}`)
  const speed = Number.isFinite(imagesPerSecond)
    ? `, ${imagesPerSecond.toFixed(1)} pictures/s, ${duration(leftMs)} left`
    : ''
  return `${parts.join(', ')}, lr ${learningRate.toExponential(1)}${speed}`
}

/** A bar on a terminal; without one, a plain line every twentieth of the way. */
export function trainingProgress(
  { interactive, note }: CliContext,
  { stage }: { stage: string },
): TrainingProgress {
  if (!interactive) {
    let twentieth = -1
    const show = (report: StepReport) => {
      const reached = Math.floor((20 * report.step) / report.steps)
      if (reached === twentieth) return
      twentieth = reached
      note(`${stage}, step ${report.step} of ${report.steps}: ${stepText(report)}`)
    }
    return { show, stop: () => {} }
  }
  const bar = new cliProgress.SingleBar({
    format: `${stage} {bar} {value}/{total}  {text}`,
    stream: process.stderr,
    hideCursor: true,
    barsize: 16,
  })
  let started = false
  const show = (report: StepReport) => {
    if (!started) bar.start(report.steps, report.step, { text: '' })
    started = true
    bar.update(report.step, { text: stepText(report) })
  }
  return { show, stop: () => bar.stop() }
}
