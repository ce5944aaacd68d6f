import { BlvitError } from '../base/blvit-error.js'
import { type Curve, drawLineChart } from '../drawing/line-chart.js'
import type { BenchReport, BenchResult } from './report.js'
import { findSubjects } from './subjects.js'

function perPicture({ latencyMs, batch }: BenchResult): number {
  return latencyMs.median / batch
}

function key({ name, batch, device, threads, precision }: BenchResult): string {
  return [name, batch, device, threads, precision].join(' ')
}

/** Curves of the models that route: what the clock says and, dashed, what their multiply-adds promise. */
function curvesOf(results: readonly BenchResult[]): Curve[] {
  const routed = results.filter(({ keepRatio, against }) => keepRatio !== undefined && against)
  const batches = new Set(results.map(({ batch }) => batch)).size
  return [...new Set(routed.map(key))].flatMap((wanted) => {
    const own = routed
      .filter((result) => key(result) === wanted)
      .sort((a, b) => (a.keepRatio ?? 0) - (b.keepRatio ?? 0))
    const [first] = own
    if (!first) return []
    const family = `${first.name}${batches > 1 ? `, batch ${first.batch}` : ''}`
    const measured = own.map((result) => ({ x: result.keepRatio ?? 1, y: perPicture(result) }))
    const promised = own.map((result) => ({
      x: result.keepRatio ?? 1,
      // the baseline's time, divided by what the multiply-adds say
      y: perPicture(result) * (result.against?.efficiency ?? 1),
    }))
    const baseline = (perPicture(first) * (first.against?.measuredSpeedup ?? 1)) as number
    return [
      { name: family, family, points: measured },
      { name: `${first.name}, in theory`, family, points: promised, dashed: true },
      {
        name: first.against?.baseline ?? '',
        family: `${family} plain`,
        points: own.map(({ keepRatio = 1 }) => ({ x: keepRatio, y: baseline })),
        dashed: true,
      },
    ]
  })
}

function nothingToDraw(): BlvitError {
  return new BlvitError(
    'BAD_OPTION',
    'There is nothing to draw over the keep ratio: measure a model that routes at two keep ratios or more, ' +
      'e.g. --keep-ratio 0.25,0.5,0.75,1.',
  )
}

/**
 * Complains before anything is measured about a plot that would be empty.
 * @throws BlvitError `BAD_OPTION`; as `bench` for a model that isn't there
 */
export async function checkPlottable(
  references: readonly string[],
  { keepRatios = [] }: { keepRatios: readonly number[] | undefined },
): Promise<void> {
  const subjects = await findSubjects(references, { baselines: false })
  const routes = subjects.some(({ architecture }) => architecture.settings.keepRatio !== undefined)
  if (!routes || new Set(keepRatios).size < 2) throw nothingToDraw()
}

/**
 * Latency over keep ratio, theory beside it.
 * @throws BlvitError `BAD_OPTION` if no model was measured at two keep ratios
 */
export function benchPlot({ results, machine }: BenchReport): string {
  const curves = curvesOf(results)
  if (!curves.some(({ points }) => points.length > 1)) throw nothingToDraw()
  return drawLineChart({
    title: `Time over keep ratio (${machine.cpu}, ${machine.cores} cores)`,
    xLabel: 'keep ratio',
    yLabel: 'ms per picture, median',
    curves,
  })
}
