import cliProgress from 'cli-progress'
import type { StepReport } from '../trainer/step-report.js'
import type { CliContext } from './context.js'
import { percent } from './quantities.js'

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
function stepText({
  losses,
  learningRate,
  imagesPerSecond,
  shareOfGemmRate,
  leftMs,
  stages,
}: StepReport): string {
  const parts = Object.entries(losses).map(
    ([name, value]) => `${name.replaceAll('_', ' ')} ${value.toFixed(3)}`,
  )
  const share = shareOfGemmRate === undefined ? '' : ` (${percent(shareOfGemmRate)} of the GEMM rate)`
  const speed = Number.isFinite(imagesPerSecond)
    ? `, ${imagesPerSecond.toFixed(1)} pictures/s${share}, ${duration(leftMs)} left${stages > 1 ? ' in this stage' : ''}`
    : ''
  return `${parts.join(', ')}, lr ${learningRate.toExponential(1)}${speed}`
}

/** A bar on a terminal; without one, a plain line every twentieth of the way. */
export function trainingProgress({ interactive, note }: CliContext): TrainingProgress {
  if (!interactive) {
    let shown = ''
    const show = (report: StepReport) => {
      const reached = `${report.stage}/${Math.floor((20 * report.step) / report.steps)}`
      if (reached === shown) return
      shown = reached
      note(`${report.objective}, step ${report.step} of ${report.steps}: ${stepText(report)}`)
    }
    return { show, stop: () => {} }
  }
  const bar = new cliProgress.SingleBar({
    format: '{stage} {bar} {value}/{total}  {text}',
    stream: process.stderr,
    hideCursor: true,
    barsize: 16,
  })
  let stage = 0
  const show = (report: StepReport) => {
    const texts = { stage: report.objective, text: stepText(report) }
    if (stage !== report.stage) bar.start(report.steps, report.step, texts)
    stage = report.stage
    bar.update(report.step, texts)
  }
  return { show, stop: () => bar.stop() }
}
